"""Pictures that a trained run draws: one signed sheet, or a folder of signed pictures."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.generators import Draws, load_drawer
from changeling.media import Pixels, Tick, silent, write_image
from changeling.provenance import Credential, Ingredient, Source, Use, publish, sha256
from changeling.study.train import PictureData, consents_of
from changeling.training import Run, Runtime

AT_ONCE = 128
"""Pictures drawn in one go; a picture depends on its seed and on its place alone."""
_TILE = 64
"""Least pixels across a tile of a sheet: smaller pictures are enlarged."""
_GAP = 2


def draw(
    run: Path,
    out: Path,
    *,
    count: int,
    seed: int,
    today: date,
    kind: str | None = None,
    overwrite: bool = False,
    runtime: Runtime | None = None,
    tick: Tick = silent,
) -> int:
    """Draw `count` pictures with a run's generator and publish them; return how many.

    An `out` with a picture's suffix becomes one sheet; any other is a folder that gets one PNG
    a picture. kind: the name of one of the classes that the run learnt. Raises UserError when the
    run does not draw, does not know the kind, somebody does not consent, or `out` exists.
    """
    draws, opened = load_drawer(run, runtime=runtime), Run(run)
    number = _number(opened, draws, kind)
    facts = (("seed", str(seed)), ("count", str(count)), *((("kind", kind),) if kind else ()))
    credential = credential_of(run, out.name, facts, today=today)
    pictures = _pictures(draws, count, seed, number, tick)
    if out.suffix:
        with publish(out, credential, overwrite=overwrite) as beside:
            write_image(beside, sheet(np.stack(list(pictures))))
        return count
    _folder(out, overwrite=overwrite)
    for index, picture in enumerate(pictures):
        name = f"{index:05d}.png"
        one = credential_of(run, name, (*facts, ("index", str(index))), today=today)
        with publish(out / name, one, overwrite=overwrite) as beside:
            write_image(beside, picture)
    return count


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


def _pictures(
    draws: Draws, count: int, seed: int, kind: int | None, tick: Tick
) -> Iterator[Pixels]:
    for start in range(0, count, AT_ONCE):
        own = int(np.random.SeedSequence([seed, start]).generate_state(1)[0])
        drawn = draws.draw(AT_ONCE, seed=own, kind=kind).numpy()
        for index, picture in enumerate(drawn[: count - start], start):
            yield as_pixels(picture)
            tick(index + 1, count)


def _number(run: Run, draws: Draws, kind: str | None) -> int | None:
    if kind is None:
        return None
    names = run.data(PictureData).kinds if draws.kinds else ()
    if kind not in names:
        known = f"give one of {', '.join(names)}" if names else "leave --kind out"
        raise UserError(f"{run.folder} cannot be asked for the kind {kind!r}: {known}")
    return names.index(kind)


def _folder(out: Path, *, overwrite: bool) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not overwrite:
        raise UserError(f"{out} exists already: give another folder with -o, or --overwrite.")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{out} cannot be made ({error.strerror}): give another with -o."
        ) from error
