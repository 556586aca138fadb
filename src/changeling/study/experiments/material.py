"""The films of a pair of actors: two to learn from, and held-out clips in both directions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from changeling.actors import Actor, Performance, film
from changeling.actors.sidecar import sidecar_path
from changeling.faces import Face, FaceSet, Tracker, extract, open_set
from changeling.faces.alignment import Matrix
from changeling.faces.faceset import INDEX
from changeling.measuring import Learnt, Swapping
from changeling.media import Pixels, Tick
from changeling.study.experiments.experiment import Place
from changeling.study.pairs import PAIRS, Pair
from changeling.study.stages import Ledger

A, B = "a", "b"
LEARNT = (1, 2)
"""Seeds of what A and B perform for training."""
_AROUND = 1.22
"""Side of the square about a face, as a multiple of its box's longer side."""
HELD_OUT = 3
"""Seed of the first held-out performance; the others follow."""


_KNOWN = 50
"""Training faces by which a person is known."""


@dataclass(frozen=True)
class Clip:
    """A held-out performance of one actor, and the true answer: the other's face in it."""

    name: str
    """Such as "7-to-19-1"."""
    to: str
    """Whose face is put in: a or b."""
    performance: Path
    truth: Path
    target: Path
    """The film that shows whose face it is, from which they were learnt."""


@dataclass(frozen=True)
class Films:
    """What a pair was filmed as."""

    sets: tuple[tuple[str, FaceSet], ...]
    """The faces of A and of B, for training."""
    clips: tuple[Clip, ...]

    def faces(self, person: str) -> FaceSet:
        """The training faces of a or b."""
        return dict(self.sets)[person]

    def some(self, person: str, count: int) -> NDArray[np.uint8]:
        """(n, s, s, 3): `count` training faces evenly spread over their film, or all there are."""
        faces = self.faces(person)
        rows = np.linspace(0, len(faces) - 1, min(count, len(faces))).round().astype(int)
        return faces.crops()[rows]


@dataclass(frozen=True)
class Material:
    """What is filmed of a pair, and how long."""

    pair: Pair = PAIRS[0]
    seconds: float = 22.0
    """Length of each of the two films for training."""
    clips: int = 3
    """Held-out performances in each direction."""
    clip_seconds: float = 3.0
    """Length of each."""
    faces: int = 64
    """Side of the faces that are stored, in pixels."""
    aligned: bool = True
    """Faces are turned and sized by five points; otherwise cut out as upright boxes."""

    def tracker(self) -> Tracker:
        """What finds faces, for training and for swapping."""
        return Tracker() if self.aligned else _Boxed()

    @property
    def name(self) -> str:
        """Such as "actors 7 and 19"."""
        return f"actors {self.pair.a.face} and {self.pair.b.face}"

    def films(self, place: Place) -> Films:
        """Film and extract what is not there yet."""
        pair = f"{self.pair.a.face}-{self.pair.b.face}"
        folder = place.folder / "films" / pair
        ledger = Ledger(folder / "stages.json", place.tell)
        learnt = zip((A, B), (self.pair.a, self.pair.b), LEARNT, strict=True)
        for person, actor, seed in learnt:
            path = folder / f"{person}.mp4"
            work = partial(_film, actor, seed, self.seconds, path)
            ledger.once(f"film {pair}/{person}.mp4", work, path, sidecar_path(path))
            faces = self._set(folder, person)
            work = partial(self._extract, path, faces, place)
            ledger.once(f"extract {pair}/{faces.name}", work, faces / INDEX)
        clips = tuple(self._clips(folder))
        for clip, actor, true, seed in zip(clips, *zip(*self._roles(), strict=True), strict=True):
            for path, who in ((clip.performance, actor), (clip.truth, true)):
                work = partial(_film, who, seed, self.clip_seconds, path)
                ledger.once(f"film {pair}/{path.name}", work, path, sidecar_path(path))
        sets = tuple((person, open_set(self._set(folder, person))) for person in (A, B))
        return Films(sets, clips)

    def learnt(self, films: Films, clip: Clip) -> Learnt | None:
        """Some training faces of whose face is put in and of who performs; None for boxes."""
        if not self.aligned:
            return None
        target, source = (
            films.some(person, _KNOWN) for person in (clip.to, A if clip.to == B else B)
        )
        return Learnt(target, source)

    def swapping(self, clip: Clip) -> Swapping:
        """All that is known of a clip, to render its truth again."""
        index = [one.name for one in self._clips(Path())].index(clip.name)
        actor, true, seed = list(self._roles())[index]
        target, learnt = (self.pair.b, LEARNT[1]) if clip.to == B else (self.pair.a, LEARNT[0])
        assert target.face == true.face, clip
        asked = Performance.from_seed(seed, seconds=self.clip_seconds)
        trained = Performance.from_seed(learnt, seconds=self.seconds)
        return Swapping(actor, target, asked, [trained])

    def _roles(self) -> Iterator[tuple[Actor, Actor, int]]:
        """Of each clip: who performs, who the truth shows, and the seed of what is performed."""
        for one, other in ((self.pair.a, self.pair.b), (self.pair.b, self.pair.a)):
            for index in range(self.clips):
                yield one, Actor(other.face, one.styling), HELD_OUT + index

    def _clips(self, folder: Path) -> Iterator[Clip]:
        for index, (one, true, _) in enumerate(self._roles()):
            name = f"{one.face}-to-{true.face}-{index % self.clips + 1}"
            to = B if index < self.clips else A
            films = (f"{name}.mp4", f"{name}-truth.mp4", f"{to}.mp4")
            yield Clip(name, to, *(folder / film for film in films))

    def _set(self, folder: Path, person: str) -> Path:
        return folder / (person if self.aligned else f"{person}-boxed")

    def _extract(self, source: Path, folder: Path, place: Place, tick: Tick) -> None:
        extract(
            source, folder, today=place.today, size=self.faces, overwrite=True,
            tracker=self.tracker(), tick=tick,
        )  # fmt: skip


class _Boxed(Tracker):
    """Cuts faces out as upright squares about their landmarks, as one does without alignment."""

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        """The faces in the next frame, largest first."""
        return tuple(replace(face, matrix=_upright(face)) for face in super().find(pixels))


def _upright(face: Face) -> Matrix:
    """(2, 3) frame → the square about a face's box, as large as an aligned crop is."""
    x, y, width, height = face.box
    scale = 1 / (_AROUND * max(width, height))
    return np.array([
        [scale, 0, 0.5 - scale * (x + width / 2)], [0, scale, 0.5 - scale * (y + height / 2)]
    ])  # fmt: skip


def _film(actor: Actor, seed: int, seconds: float, path: Path, tick: Tick) -> None:
    film(actor, Performance.from_seed(seed, seconds=seconds), path, overwrite=True, tick=tick)
