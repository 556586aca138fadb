"""Films of actors: rendered, encoded, signed with their seeds, and provable by rendering again."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

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
"""dB between a frame and its second rendering; H.264 at the quality of `film` leaves above 35."""


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
    film stays provable. Raises UserError when the film, its truth or its recording exist, unless
    `overwrite`; nothing is written then.
    """
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
    """Raise UserError unless three frames of the film, whose SHA-256 is `digest`, are as rendered.

    Raising is not kept, so that only what was proved is not proved again.
    """
    performance = made.perform(path.with_suffix(".csv"))
    seed = int(hashlib.sha256(path.name.encode()).hexdigest()[:8], 16) ^ path.stat().st_size
    count = min(SAMPLED, len(performance))
    chosen = np.random.default_rng(seed).choice(len(performance), count, replace=False)
    wanted = sorted(int(k) for k in chosen)
    shown = _frames(path, wanted)
    size = (made.width, made.height)
    shots = render(Actor(made.face, made.styling), performance, size=size, frames=wanted)
    for k, shot in zip(wanted, shots, strict=True):
        if k not in shown or _psnr(shown[k], shot.frame.pixels) < LEAST_PSNR:
            raise UserError(
                f"{path} says that it is a film of rendered actors, but frame {k} shows something "
                "else: film it again, or give --consent for the people in it."
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


def _psnr(a: Pixels, b: Pixels) -> float:
    if a.shape != b.shape:
        return 0.0
    error = np.mean((a.astype(np.float32) - b) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))
