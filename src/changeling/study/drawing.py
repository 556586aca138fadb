"""Pictures that a trained run draws: one signed sheet, or a folder of signed pictures."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from changeling.errors import UserError
from changeling.generators import (
    Mixes,
    Unfolds,
    Walks,
    load_drawer,
    load_with,
)
from changeling.media import Frame, FrameWriter, Pixels, Tick, silent, write_image
from changeling.provenance import Credential, Ingredient, Source, Use, publish, sha256
from changeling.study.train import PictureData, consents_of
from changeling.training import Run, Runtime

AT_ONCE = 128
"""Pictures drawn in one go."""
_MOMENTS = 12
"""Columns of a sheet of pictures that come out of noise."""
_SCREEN, _RATE = 256, Fraction(25)
"""Side in pixels, and frames a second, of a walk."""
_TILE = 64
"""Least pixels across a tile of a sheet: smaller pictures are enlarged."""
_GAP = 2


@dataclass(frozen=True)
class Wish:
    """What is to be drawn."""

    count: int = 64
    """How many pictures; of a walk, how many frames."""
    seed: int = 0
    """Seed of the pictures."""
    kind: str | None = None
    """The name of one of the classes that the run learnt; None: any."""

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What the credential says of it."""
        kind = (("kind", self.kind),) if self.kind else ()
        return (("seed", str(self.seed)), ("count", str(self.count)), *kind)


def draw(
    run: Path,
    out: Path,
    wish: Wish,
    *,
    today: date,
    overwrite: bool = False,
    runtime: Runtime | None = None,
    tick: Tick = silent,
) -> None:
    """Draw pictures with a run's generator and publish them.

    An `out` with a picture's suffix becomes one sheet; any other is a folder that gets one PNG
    a picture. Raises UserError when the run does not draw, does not know the kind, somebody does
    not consent, or `out` exists.
    """
    draws = load_drawer(run, runtime=runtime)
    kind = _number(Run(run), wish.kind)
    pictures = in_parts(lambda count, seed: draws.draw(count, seed=seed, kind=kind), wish, tick)
    publish_pictures(pictures, run, out, wish.facts, today=today, overwrite=overwrite)


def draw_process(
    run: Path, out: Path, wish: Wish, *, today: date, overwrite: bool = False,
    runtime: Runtime | None = None, tick: Tick = silent,
) -> None:  # fmt: skip
    """Publish a sheet of pictures coming out of noise, a row each; raises as `draw`."""
    unfolds: Unfolds = load_with(run, "reverse_strip", runtime=runtime)
    kind = _number(Run(run), wish.kind)
    strip = unfolds.reverse_strip(wish.count, _MOMENTS, seed=wish.seed, kind=kind)
    publish_sheet(strip.transpose(0, 1), run, out, wish, today, overwrite)
    tick(wish.count, wish.count)


def draw_mixed(
    run: Path, out: Path, wish: Wish, *, today: date, overwrite: bool = False,
    runtime: Runtime | None = None, tick: Tick = silent,
) -> None:  # fmt: skip
    """Publish a square of `count` pictures with the traits of two each; raises as `draw`.

    Those that are mixed stand above and on the left.
    """
    mixes: Mixes = load_with(run, "mix", runtime=runtime)
    side = max(1, round(wish.count**0.5))
    publish_sheet(mixes.mix(side, side, seed=wish.seed), run, out, wish, today, overwrite)
    tick(wish.count, wish.count)


def draw_walk(
    run: Path, out: Path, wish: Wish, *, today: date, overwrite: bool = False,
    runtime: Runtime | None = None, tick: Tick = silent,
) -> None:  # fmt: skip
    """Publish a video of `count` frames past pictures that turn into each other; raises as `draw`.

    The last frame is followed by the first.
    """
    walks: Walks = load_with(run, "walk", runtime=runtime)
    credential = credential_of(run, out.name, wish.facts, today=today)
    with (
        publish(out, credential, overwrite=overwrite) as beside,
        FrameWriter(beside, size=(_SCREEN, _SCREEN), rate=_RATE) as writer,
    ):
        for index, picture in enumerate(walks.walk(wish.count, seed=wish.seed)):
            small = as_pixels(picture.numpy())
            large = cv2.resize(small, (_SCREEN, _SCREEN), interpolation=cv2.INTER_CUBIC)
            writer.write(Frame(np.asarray(large, np.uint8), index, index / _RATE))
            tick(index + 1, wish.count)


def publish_sheet(
    grid: Tensor, run: Path, out: Path, wish: Wish, today: date, overwrite: bool
) -> None:
    """Rows of pictures, (rows, columns, channels, s, s) 0…1, as one signed picture."""
    credential = credential_of(run, out.name, wish.facts, today=today)
    pictures = np.stack([as_pixels(picture) for picture in grid.flatten(0, 1).numpy()])
    with publish(out, credential, overwrite=overwrite) as beside:
        write_image(beside, sheet(pictures, columns=grid.shape[1]))


def credential_of(
    run: Path, title: str, facts: Sequence[tuple[str, str]], *, today: date
) -> Credential:
    """What is signed with a drawn file. Raises UserError when a consent does not allow drawing."""
    opened = Run(run)
    for name, consent in consents_of(run).items():
        consent.check(Use.DRAW, where=name, today=today)
    weights = run / "checkpoint.safetensors"
    return Credential(
        title,
        Source.SYNTHETIC,
        model=opened.family,
        run=run.resolve().name,
        ingredients=(Ingredient(weights.name, sha256(weights), "inputTo"),),
        facts=tuple(facts),
    )


def in_parts(draw: Callable[[int, int], Tensor], wish: Wish, tick: Tick) -> Iterator[Pixels]:
    """The pictures that `draw` gives for a count and a seed, some at once."""
    for start in range(0, wish.count, AT_ONCE):
        own = int(np.random.SeedSequence([wish.seed, start]).generate_state(1)[0])
        drawn = draw(min(AT_ONCE, wish.count - start), own).numpy()
        for index, picture in enumerate(drawn, start):
            yield as_pixels(picture)
            tick(index + 1, wish.count)


def publish_pictures(
    pictures: Iterable[Pixels],
    run: Path,
    out: Path,
    facts: Sequence[tuple[str, str]],
    *,
    today: date,
    overwrite: bool,
) -> None:
    """What a run drew: one sheet for a picture's name, else a folder of all; raises as `draw`."""
    credential = credential_of(run, out.name, facts, today=today)
    if not out.suffix:
        publish_each(pictures, repeat(credential), out, overwrite=overwrite)
        return
    with publish(out, credential, overwrite=overwrite) as beside:
        write_image(beside, sheet(np.stack(list(pictures))))


def publish_each(
    pictures: Iterable[Pixels], credentials: Iterable[Credential], out: Path, *, overwrite: bool
) -> None:
    """A signed PNG of each picture in the folder `out`, named by its number.

    Raises UserError when the folder holds files already and not `overwrite`.
    """
    free_folder(out, overwrite=overwrite)
    for index, (picture, credential) in enumerate(zip(pictures, credentials, strict=False)):
        facts = (*credential.facts, ("index", str(index)))
        one = replace(credential, title=f"{index:05d}.png", facts=facts)
        with publish(out / one.title, one, overwrite=overwrite) as beside:
            write_image(beside, picture)


def sheet(pictures: NDArray[np.uint8], columns: int | None = None) -> Pixels:
    """Pictures (n, h, w, 3) in rows of `columns`, by default near a square, with white gaps."""
    columns = columns or int(np.ceil(np.sqrt(len(pictures))))
    scale = max(1, -(-_TILE // pictures.shape[2]))
    large = pictures.repeat(scale, axis=1).repeat(scale, axis=2)
    height, width = large.shape[1] + _GAP, large.shape[2] + _GAP
    rows = -(-len(large) // columns)
    canvas = np.full((rows * height + _GAP, columns * width + _GAP, 3), 255, np.uint8)
    for index, picture in enumerate(large):
        top, left = _GAP + index // columns * height, _GAP + index % columns * width
        canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def as_pixels(picture: NDArray[np.float32]) -> Pixels:
    """(channels, h, w) 0…1 → (h, w, 3), grey as three equal channels."""
    pixels = np.rint(picture.transpose(1, 2, 0) * 255).astype(np.uint8)
    grey = pixels.shape[2] == 1
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if grey else pixels, np.uint8)


def _number(run: Run, kind: str | None) -> int | None:
    if kind is None:
        return None
    names = run.data(PictureData).kinds
    if kind not in names:
        known = f"give one of {', '.join(names)}" if names else "leave --kind out"
        raise UserError(f"{run.folder} cannot be asked for the kind {kind!r}: {known}")
    return names.index(kind)


def free_folder(out: Path, *, overwrite: bool) -> None:
    """Make the folder; raises UserError when it holds files already and not `overwrite`."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not overwrite:
        raise UserError(f"{out} exists already: give another folder with -o, or --overwrite.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{out} cannot be made ({error.strerror}): give another with -o."
        ) from error
