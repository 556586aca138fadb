"""Films of the same moments put together: side by side as a film, and as strips of a report."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.media import Frame, FrameWriter, Pixels, Tick, probe, read_frames, silent
from changeling.provenance import Credential, Ingredient, Source, publish, sha256
from changeling.study.charts import caption

SHOWN = 8
"""Moments that a report shows."""
_TILE = 320
"""Most pixels across a tile of a strip."""
_SHADE = 0.45
"""How much of the picture shines through behind a caption."""

Moment = tuple[Frame, ...]
"""The same moment of several films."""


def seen_in(films: Sequence[Path], title: str) -> Credential:
    """The credential of a picture or film in which a swap is seen beside others."""
    shown = tuple(Ingredient(path.name, sha256(path), "componentOf") for path in films)
    return Credential(title, Source.COMPOSITE, ingredients=shown)


def together(films: Sequence[Path]) -> Iterator[Moment]:
    """All moments of films of one length."""
    return zip(*(read_frames(path) for path in films), strict=True)


def shown_moments(films: Sequence[Path], count: int) -> list[Moment]:
    """Eight moments, or all if there are fewer, evenly spread over films of `count` frames."""
    wanted = set(np.linspace(0, count - 1, min(SHOWN, count)).round().astype(int).tolist())
    return [moment for moment in together(films) if moment[0].index in wanted]


def side_by_side(
    films: Sequence[tuple[str, Path]], out: Path, *, overwrite: bool = False, tick: Tick = silent
) -> None:
    """Publish films of one size and length, each with its caption, as one film `out`."""
    paths = [path for _, path in films]
    video = probe(paths[0])
    light, shade = _captions([name for name, _ in films], video.width, video.height)
    with (
        publish(out, seen_in(paths, out.name), overwrite=overwrite) as beside,
        FrameWriter(
            beside, size=(video.width * len(films), video.height), rate=video.rate
        ) as writer,
    ):
        for index, moment in enumerate(together(paths)):
            wide = np.hstack([frame.pixels for frame in moment])
            band = wide[: len(light)] * shade
            wide[: len(light)] = np.rint(band + light * (255 - band))
            writer.write(Frame(wide, index, moment[0].time))
            tick(index + 1, video.frames)


def strip(tiles: Sequence[Pixels], *, least: int = 0) -> Pixels:
    """Pictures of one size in a row, with gaps; no wider than 320 pixels each, nor than `least`."""
    height, width = tiles[0].shape[:2]
    side = max(least, min(width, _TILE))
    size = (side, max(1, round(height * side / width)))
    how = cv2.INTER_AREA if side < width else cv2.INTER_CUBIC
    gap = np.full((size[1], max(2, side // 60), 3), 255, np.uint8)
    parts = [part for tile in tiles for part in (gap, cv2.resize(tile, size, interpolation=how))]
    return np.hstack(parts[1:])


def _captions(
    names: Sequence[str], width: int, height: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """White light (h, w, 1) and shade (h, w, 1), 0…1, for the upper edge of panels in a row."""
    tall = max(14, height // 14)
    light = np.zeros((tall, width * len(names), 1), np.float32)
    shade = np.ones_like(light)
    for index, name in enumerate(names):
        ink = caption(name, tall)[:, : width - tall]
        left = index * width
        shade[:, left : left + ink.shape[1] + tall] = _SHADE
        light[:, left + tall // 2 : left + tall // 2 + ink.shape[1], 0] = ink
    return light, shade
