"""Teaching what landmarks say of an expression: ridge regression on rendered actors."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.random import Generator

from changeling.actors import ACTIONS
from changeling.faces.alignment import align
from changeling.faces.expression import WEIGHTS, ExpressionReader, aligned, features, read_by
from changeling.faces.landmark_lessons import missed
from changeling.faces.landmarks import Landmarker
from changeling.faces.morphable import Floats, face_model
from changeling.faces.renders import Lessons, Renders, learnt_and_kept, spread
from changeling.faces.weights import write_arrays
from changeling.media import Tick, silent
from changeling.training import to_json

_SOME = 4
"""Frames of a face in whose mean a frame is taught to be read: few, since a film's neighbours are
alike and its mean is not at rest."""
_HELD = 1e-3
"""How strongly the maps are held back, as a share of the features' variance."""
_AXES = 20
"""Principal axes of the landmarks whose products are read."""


def _film() -> Renders:
    """Faces that the landmark network has not learnt from: it is surer of those than of others."""
    return Renders(faces=400, first=50_000, varied=False)


@dataclass(frozen=True)
class ExpressionTeaching:
    """How the maps are taught."""

    renders: Renders = field(default_factory=_film)
    """What is rendered to learn from."""
    seed: int = 0
    """Seed of the crops that miss, and of which frames are taken together."""


@dataclass(frozen=True)
class ExpressionTaught:
    """What came out, on the faces not learnt from: millimetres on the inner face, the root of the
    mean square, between what the read actions and the true ones add."""

    frames: int
    """How many frames were learnt from."""
    resting: float
    """If every face were in rest."""
    alone: float
    """Frame by frame."""
    among: float
    """With the mean of all frames of the performance."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the landmark network sees of some lessons."""

    points: Floats
    """(n, 400), aligned."""
    actions: Floats
    """(n, a), true."""


def teach_expression(
    teaching: ExpressionTeaching | None = None,
    *,
    cache: Path,
    out: Path = WEIGHTS,
    tick: Tick = silent,
) -> ExpressionTaught:
    """Render actors into `cache`, look at them with the landmark network, write `out`.

    `out` is replaced, and the .json beside it. `tick` counts the bodies rendered. Raises UserError
    for fewer than four faces.
    """
    teaching = teaching or ExpressionTeaching()
    renders, r = teaching.renders, np.random.default_rng(teaching.seed)
    both = learnt_and_kept(renders, cache, tick=tick)
    acted = np.concatenate([_acted(renders, body) for body in range(renders.bodies)])
    border = len(both[0])
    marker = Landmarker.load()
    learnt, kept = (
        Seen(looked_at(lessons, marker, r), actions)
        for lessons, actions in zip(both, (acted[:border], acted[border:]), strict=True)
    )
    reader = taught_by(learnt, renders.frames, r)
    result = examined(reader, kept, renders.frames, len(learnt.points))
    arrays = {name: value.astype(np.float32) for name, value in vars(reader).items()}
    write_arrays(arrays, out, {"taught": asdict(result), "teaching": to_json(teaching)})
    return result


def looked_at(lessons: Lessons, marker: Landmarker, r: Generator) -> Floats:
    """(n, 400): each render as it is seen when a face is followed: from a crop that missed a
    little, then from where that found it."""
    rows = []
    for picture, truth in zip(lessons.pictures, lessons.points, strict=True):
        pixels = np.asarray(picture)
        found = marker.find(pixels, missed(align(truth[:68]), r))
        again = marker.find(pixels, found.matrix).seen
        assert again is not None
        rows.append(aligned(again.dense.astype(np.float64)))
    return np.stack(rows)


def taught_by(seen: Seen, frames: int, r: Generator) -> ExpressionReader:
    """The maps, by performances of so many frames each."""
    centre = seen.points.mean(0)
    shown = seen.points - centre
    _, lengths, axes = np.linalg.svd(shown, full_matrices=False)
    axes = axes[:_AXES] * (np.sqrt(len(shown)) / lengths[:_AXES, None])
    read = (features(shown, axes), features(shown, axes, _means(shown, frames, r)))
    return ExpressionReader(centre, axes, *(ridge(x, seen.actions, _HELD) for x in read))


def ridge(shown: Floats, wanted: Floats, held: float) -> Floats:
    """(a, f + 1): the linear map (n, f) → (n, a) of least squares, and what it adds.

    Hoerl & Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
    Technometrics 12, 1970; each feature is held back by its own variance.
    """
    mean, spread_out = shown.mean(0), shown.std(0) + 1e-9
    unit = (shown - mean) / spread_out
    curve = unit.T @ unit / len(unit) + held * np.eye(unit.shape[1])
    level = wanted.mean(0)
    ways = np.linalg.solve(curve, unit.T @ (wanted - level) / len(unit)) / spread_out[:, None]
    return np.hstack([ways.T, (level - mean @ ways)[:, None]])


def examined(reader: ExpressionReader, kept: Seen, frames: int, learnt: int) -> ExpressionTaught:
    """How far from the truth maps are, by performances of so many frames each."""
    shown = kept.points - reader.centre
    performances = shown.reshape(-1, frames, shown.shape[1])
    means = np.repeat(performances.mean(1), frames, axis=0)
    read = (
        np.zeros_like(kept.actions),
        read_by(reader.alone, features(shown, reader.axes)),
        read_by(reader.among, features(shown, reader.axes, means)),
    )
    return ExpressionTaught(learnt, *(_apart(each, kept.actions) for each in read))


def _apart(read: Floats, true: Floats) -> float:
    model = face_model()
    moves = model.moves[:, model.inner > 0]
    both = np.tensordot(read - true, moves, 1)
    return float(1000 * np.sqrt((both**2).sum(2).mean()))


def _acted(renders: Renders, body: int) -> Floats:
    """(frames, a) the true actions of a body's frames."""
    _, performance = renders.body(body)
    places = [ACTIONS.index(name) for name in face_model().actions]
    return performance.actions[spread(renders.frames, performance)][:, places].astype(np.float64)


def _means(shown: Floats, frames: int, r: Generator) -> Floats:
    """(n, f): of each frame and some others of its performance."""
    rows = np.arange(len(shown)).reshape(-1, frames)
    out = np.empty_like(shown)
    for performance in rows:
        for row in performance:
            others = r.permutation(performance[performance != row])[: _SOME - 1]
            out[row] = shown[[row, *others]].mean(0)
    return out
