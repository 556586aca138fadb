"""What manipulations by fitting are worth against the true answer, on the five fixed pairs.

`python -m benchmarks.graphics --write docs/graphics.md` films A and B at 256 × 256 pixels, the
outer corners of the eyes about 72 pixels apart, fits both by the true landmarks with a pixel of
noise and by the landmark network, and compares inside the true inner face. Colours are aligned
first, one factor for each channel of linear light, for the manipulated frame and for its rival
alike: how bright a person's skin is beside another's no film of two different lights tells.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import tyro
from numpy.typing import NDArray

from benchmarks.documents import write_between
from benchmarks.fitting_truth import near
from benchmarks.graphics_truth import Take, filmed, take
from changeling.actors import Actor, Performance, Shot, film
from changeling.converting import How, paste
from changeling.converting.frame import Patched
from changeling.faces import face_model, fit_video
from changeling.faces.morphable import FILE
from changeling.faces.texture import Appearance, appearance
from changeling.faces.view import View, encoded, linear
from changeling.generators import Redraws
from changeling.generators.faceswap_graphics import FaceForensics, Shape
from changeling.generators.reenact import driven_by
from changeling.measuring import mse, psnr
from changeling.media import Pixels, write_image, writing
from changeling.study import PAIRS, Footage, Pair, swap_by_fit

RESULTS = Path("benchmarks/results/graphics.json")
PICTURE = Path("docs/images/graphics.png")
SECONDS, EVERY, NOISE = 6, 6, 1.0
"""Length of each film, of which every so many frames are judged, and pixels of noise."""
FIRST = 1000
"""Seed of the first performance."""
LOOKS = 12
"""Frames from which a face's appearance is gathered."""


@dataclass(frozen=True)
class Row:
    """PSNR in dB of one pair, mean over frames, colours aligned."""

    copy: float
    """A's own face."""
    baseline: float
    """The swap as FaceForensics++ makes it."""
    swap: float
    """The swap by shape."""
    still: float
    """Of a reenactment: the target as it was."""
    reenacted: float


@dataclass(frozen=True, eq=False)
class Sheet:
    """Frames side by side: A, B, baseline, swap, truth, reenacted, truth."""

    tiles: tuple[Pixels, ...]


def aligned(picture: Pixels, truth: Pixels, inner: NDArray[np.bool_]) -> float:
    """PSNR in dB inside `inner`, after the factor for each channel that makes the means alike."""
    light, wanted = linear(picture), linear(truth)
    factor = wanted[inner].mean(0) / np.maximum(light[inner].mean(0), 1e-4)
    levels = encoded(light * factor)
    return psnr(mse(np.rint(levels * 255).astype(np.uint8), truth, inner))


def judged(pair: Pair, number: int, *, learned: bool) -> tuple[Row, Sheet]:
    """Film, fit, manipulate and compare one pair."""
    performances = [
        near(actor, Performance.from_seed(FIRST + 2 * number + k, seconds=SECONDS))
        for k, actor in enumerate((pair.a, pair.b))
    ]
    a, b = (
        take(actor, performance, noise=NOISE, learned=learned, seed=k)
        for k, (actor, performance) in enumerate(zip((pair.a, pair.b), performances, strict=True))
    )
    indices = [k for k in range(0, len(a.frames), EVERY) if a.views[k] is not None]
    swapped = filmed(Actor(pair.b.face, pair.a.styling), performances[0], indices)
    moved = replace(performances[0], actions=performances[1].actions)
    driven = filmed(pair.a, moved, indices)
    looks = _looks(a), _looks(b)
    given = (a.fit.identity, looks[0]), (b.fit.identity, looks[1])
    shape = Shape.between(face_model(), *given)
    baseline = FaceForensics(appearance([_frontal(b)], lit=False))
    known = [(float(one.time), one.frame.actions) for one in b.fitted if one.frame is not None]
    reenact = driven_by(known)
    drawn = {
        name: [_put(a, k, how) for k in indices]
        for name, how in (("baseline", baseline), ("swap", shape), ("reenacted", reenact))
    }
    before = [a.frames[k].pixels for k in indices]
    row = Row(
        copy=_mean(before, swapped), baseline=_mean(drawn["baseline"], swapped),
        swap=_mean(drawn["swap"], swapped), still=_mean(before, driven),
        reenacted=_mean(drawn["reenacted"], driven),
    )  # fmt: skip
    shown = len(indices) // 2
    tiles = (
        before[shown], b.frames[indices[shown]].pixels, drawn["baseline"][shown],
        drawn["swap"][shown], swapped[shown].frame.pixels, drawn["reenacted"][shown],
        driven[shown].frame.pixels,
    )  # fmt: skip
    return row, Sheet(tiles)


def _looks(one: Take) -> Appearance:
    views = [view for view in one.views if view is not None]
    return appearance(views[:: max(1, len(views) // LOOKS)])


def _frontal(one: Take) -> View:
    views = [view for view in one.views if view is not None]
    return max(views, key=lambda view: float(view.frame.rotation[2, 2]))


def _put(one: Take, index: int, how: Redraws) -> Pixels:
    view = one.views[index]
    assert view is not None
    layer = Patched(view.window, how.redraw(view))
    return paste(one.frames[index].pixels, [layer], How()).pixels


def _mean(pictures: Sequence[Pixels], truth: Sequence[Shot]) -> float:
    both = zip(pictures, truth, strict=True)
    return fmean(
        aligned(picture, shot.frame.pixels, shot.truth.inner_face) for picture, shot in both
    )


def table(figures: dict[str, list[Row]]) -> list[str]:
    """Markdown: one line a pair, true and learned landmarks."""
    lines = [
        "| pair | landmarks | copy | FaceForensics++ | by shape | gain | untouched | reenacted "
        "| gain |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for how, rows in figures.items():
        for number, row in enumerate([*rows, _average(rows)], 1):
            name = str(number) if number <= len(rows) else "mean"
            lines.append(
                f"| {name} | {how} | {row.copy:.2f} | {row.baseline:.2f} | {row.swap:.2f} "
                f"| {row.swap - row.copy:+.2f} | {row.still:.2f} | {row.reenacted:.2f} "
                f"| {row.reenacted - row.still:+.2f} |"
            )
    return lines


def speed(folder: Path) -> float:
    """Frames a second of a whole swap of a film of 640 × 360 pixels, its fit included."""
    for name, actor, seed in (("a", PAIRS[0].a, FIRST), ("b", PAIRS[0].b, FIRST + 1)):
        film(actor, Performance.from_seed(seed, seconds=SECONDS), folder / f"{name}.mp4")
    today = date.today()
    fit_video(folder / "b.mp4", today=today).save(folder / "b.json")
    began = time.perf_counter()
    done = swap_by_fit(Footage(folder / "a.mp4", folder / "s.mp4", today), folder / "b.json")
    return done.frames / (time.perf_counter() - began)


def _average(rows: Sequence[Row]) -> Row:
    return Row(
        *(fmean(values) for values in zip(*(asdict(row).values() for row in rows), strict=True))
    )


def main(write: Path | None = None, pairs: int = len(PAIRS)) -> None:
    """Measure the pairs and print the table.

    Args:
        write: Page between whose marks the table is written; the picture goes to docs/images.
        pairs: How many of the five.
    """
    figures: dict[str, list[Row]] = {}
    sheets = []
    for how in ("true", "learned"):
        for number, pair in enumerate(PAIRS[:pairs]):
            row, sheet = judged(pair, number, learned=how == "learned")
            figures.setdefault(how, []).append(row)
            print(how, number + 1, row, flush=True)
            if how == "learned":
                sheets.append(np.hstack(sheet.tiles))
    with TemporaryDirectory() as folder:
        rate = speed(Path(folder))
    made = json.loads(FILE.with_suffix(".json").read_text("utf-8"))["made"]
    own, kept_mm = made["exchanged"]
    lines = [
        *table(figures),
        "",
        f"A whole swap of 640 × 360, fit included: {rate:.1f} frames/s. When a head that the model "
        f"was not made of gets another's face, that face's own shape misses the true inner face by "
        f"{own:.2f} mm; corrected for what stays the head's (`put_on`), by {kept_mm:.2f} mm.",
    ]
    print("\n".join(lines))
    sheet = cv2.resize(np.vstack(sheets), None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    write_image(PICTURE, np.asarray(sheet, np.uint8))
    kept = {how: [asdict(row) for row in rows] for how, rows in figures.items()}
    with writing(RESULTS, overwrite=True) as beside:
        beside.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if write is not None:
        write_between(write, "graphics", "\n".join(lines))


if __name__ == "__main__":
    tyro.cli(main)
