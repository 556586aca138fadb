"""Films of actors: rendered, encoded, signed with their seeds, and provable by rendering again."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.actors.actor import Actor
from changeling.actors.performance import Performance
from changeling.actors.render import render
from changeling.actors.sidecar import SidecarWriter, sidecar_path
from changeling.errors import UserError
from changeling.media import FrameWriter, Pixels, Tick, probe, read_frames, silent, writing
from changeling.provenance import Credential, Source, publish, sha256, verify

FACT = "film"
SAMPLED = 3
"""Frames that a proof renders again."""
LEAST_PSNR = 28.0
"""dB between a frame and its second rendering; H.264 at the quality of `film` leaves above 30."""
BLOCK = 16
"""Side in pixels of the squares that are compared by themselves."""
LEAST_BLOCK_PSNR = 30.0
"""dB of the grey of the worst square: another face pasted into a large frame spoils little of it.

Films of eight actors at 16×16 to 640×360 pixels left 35.8 and more, and another actor's face in the
same pose, light and styling 23 at most from 64×64 pixels on.
"""


@dataclass(frozen=True)
class Film:
    """All that is needed to render a film again."""

    face: int
    styling: int
    performance: int
    seconds: float
    width: int
    height: int
    rate: str
    recording: str = ""
    """SHA-256 of the CSV of blend shapes that was performed; empty for a performance of a seed."""

    def perform(self, csv: Path) -> Performance:
        """The performance; `csv` is the recording beside the film, read only where one was made."""
        if not self.recording:
            return Performance.from_seed(
                self.performance, seconds=self.seconds, rate=Fraction(self.rate)
            )
        if not csv.is_file() or sha256(csv) != self.recording:
            raise UserError(f"{csv} is not the recording that was filmed: put it beside the film.")
        return Performance.from_csv(csv, seed=self.performance, rate=Fraction(self.rate))


def film(
    actor: Actor,
    performance: Performance,
    path: Path,
    *,
    size: tuple[int, int] = (640, 360),
    recording: Path | None = None,
    overwrite: bool = False,
    tick: Tick = silent,
) -> Film:
    """Render a performance into a signed MP4 with its truth beside it, and return its recipe.

    recording: the CSV that `performance` was read from; it is copied beside the film, so that the
    film stays provable. Raises UserError for an odd width or height, and when the film, its truth
    or its recording exist, unless `overwrite`; nothing is written then.
    """
    _check_even(size)
    digest = sha256(recording) if recording else ""
    seconds = float(len(performance) / performance.rate)
    rate = str(performance.rate)
    made = Film(actor.face, actor.styling, performance.seed, seconds, *size, rate, digest)
    truth = SidecarWriter()
    with ExitStack() as outputs:  # ends with the film, so that none is left without its truth
        beside = outputs.enter_context(writing(sidecar_path(path), overwrite=overwrite))
        if recording and recording.resolve() != path.with_suffix(".csv").resolve():
            copy = outputs.enter_context(writing(path.with_suffix(".csv"), overwrite=overwrite))
            copy.write_bytes(recording.read_bytes())
        draft = outputs.enter_context(publish(path, _credential(path, made), overwrite=overwrite))
        with FrameWriter(draft, size=size, rate=performance.rate) as writer:
            for shot in render(actor, performance, size=size):
                writer.write(shot.frame)
                truth.add(shot.truth)
                tick(shot.frame.index + 1, len(performance))
        truth.write(beside)
    return made


def _check_even(size: tuple[int, int]) -> None:
    """H.264 halves the colours' resolution: an odd film would be larger than its truth."""
    if size[0] % 2 or size[1] % 2:
        even = "x".join(str(side + side % 2) for side in size)
        raise UserError(
            f"A film of {size[0]}x{size[1]} is not possible, because H.264 has no odd width or "
            f"height: give --size {even}."
        )


def _credential(path: Path, made: Film) -> Credential:
    facts = ((FACT, json.dumps(asdict(made))),)
    return Credential(path.name, Source.RENDERED, model="rendered actor", facts=facts)


def prove(path: Path) -> Film | None:
    """The recipe of a film of rendered actors, after three of its frames were rendered again.

    None for anything that does not carry the recipe in an intact credential. Raises UserError for
    a file that carries one but shows something else. A file of the same bytes is proved once.
    """
    made = _recipe(path)
    if made is not None:
        made.perform(path.with_suffix(".csv"))  # which raises where its recording is missing
        _render_again(path, sha256(path), made)
    return made


@lru_cache(maxsize=1024)
def _render_again(path: Path, digest: str, made: Film) -> None:
    """Raise UserError unless the film, whose SHA-256 is `digest`, has as many frames as its recipe
    and three of them are as rendered.

    Raising is not kept, so that only what was proved is not proved again.
    """
    performance = made.perform(path.with_suffix(".csv"))
    total = len(performance)
    seed = int(hashlib.sha256(path.name.encode()).hexdigest()[:8], 16) ^ path.stat().st_size
    chosen = np.random.default_rng(seed).choice(total, min(SAMPLED, total), replace=False)
    wanted = sorted(int(k) for k in chosen)
    shown = _frames(path, [*wanted, total - 1, total])
    if total - 1 not in shown or total in shown:
        raise _refused(path, f"it does not have the {total} frames of its recipe")
    size = (made.width, made.height)
    shots = render(Actor(made.face, made.styling), performance, size=size, frames=wanted)
    for k, shot in zip(wanted, shots, strict=True):
        if not _alike(shown[k], shot.frame.pixels):
            raise _refused(path, f"frame {k} shows something else")


def _refused(path: Path, why: str) -> UserError:
    return UserError(
        f"{path} says that it is a film of rendered actors, but {why}: film it again, or give "
        "--consent for the people in it."
    )


def _recipe(path: Path) -> Film | None:
    if path.suffix.lower() != ".mp4":
        return None
    credential = verify(path).credential
    facts = dict(credential.facts) if credential else {}
    if FACT not in facts:
        return None
    try:
        return Film(**json.loads(facts[FACT]))
    except (TypeError, ValueError):
        return None


def _frames(path: Path, wanted: list[int]) -> dict[int, Pixels]:
    probe(path)
    return {frame.index: frame.pixels for frame in read_frames(path, wanted)}


def _alike(shown: Pixels, rendered: Pixels) -> bool:
    """Whether one is the other after encoding, as a whole and in every square."""
    if shown.shape != rendered.shape:
        return False
    whole = np.mean((shown.astype(np.float32) - rendered) ** 2)
    # H.264 keeps less of the colours than of the grey, and halving averages most of the noise.
    side = BLOCK // 2
    squares = cv2.blur((_grey(shown) - _grey(rendered)) ** 2, (side, side))
    inside = slice(side // 2, 1 - side // 2)  # where the squares lie in the picture
    worst = squares[inside, inside].max()
    return _psnr(float(whole)) >= LEAST_PSNR and _psnr(float(worst)) >= LEAST_BLOCK_PSNR


def _grey(pixels: Pixels) -> NDArray[np.float32]:
    """(h/2, w/2) grey levels."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    return np.asarray(cv2.resize(grey, half, interpolation=cv2.INTER_AREA), np.float32)


def _psnr(error: float) -> float:
    """dB of a mean squared error of grey levels."""
    return float(10 * np.log10(255**2 / max(error, 1e-9)))
