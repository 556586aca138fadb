"""Making the morphable model of the actors' heads, and how well its components hold new faces."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from changeling.actors import ACTIONS, Performance
from changeling.actors.actor import face_traits, styling_traits
from changeling.actors.body import resting
from changeling.actors.camera import AXES
from changeling.actors.landmarks import inner_face, landmark_vertices
from changeling.actors.model import Part, model
from changeling.errors import UserError
from changeling.faces.morphable import FILE, Floats, Ints, MorphableModel
from changeling.faces.weights import write_arrays
from changeling.media import Tick, silent

LEFT_OUT = ("mouthClose", "tongueOut")
"""mouthClose nearly undoes jawOpen, so that no fit can tell how much of either there is; the tongue
has no landmark."""
_FIRST = 40_000
"""Seed of the first face and of the first styling; others use smaller or larger ones."""
_PERFORMANCES = 40
"""Performances in which the strengths of actions are measured."""
_RIM = -15.0
"""Degrees beyond the inner face that the model reaches."""
_HOLDS = (0, 40, 60)
"""Numbers of components whose error on new faces is kept."""


@dataclass(frozen=True)
class FaceMaking:
    """How the morphable model is made."""

    faces: int = 600
    """How many random adults, each of another face and styling."""
    kept: int = 60
    """How many of them are kept back, to measure what the components hold."""
    components: int = 60
    """Principal components."""


@dataclass(frozen=True)
class FaceMade:
    """What came out."""

    vertices: int
    floor: tuple[tuple[int, float], ...]
    """Mean distance in millimetres that so many components leave between the inner face of new
    faces and the nearest that the model can give."""


def make_face(
    making: FaceMaking | None = None, *, out: Path = FILE, tick: Tick = silent
) -> FaceMade:
    """Make the model of random heads and write `out`, with a .json beside it.

    `tick` counts heads. Raises UserError for fewer heads than components need.
    """
    making = making or FaceMaking()
    learnt = making.faces - making.kept
    if learnt <= making.components or making.kept < 1:
        raise UserError(
            f"{making.faces} faces are too few for {making.components} components and "
            f"{making.kept} kept back; give --actors {making.components + making.kept + 1} or more."
        )
    heads = []
    for k in range(making.faces):
        heads.append(unit_head(k + _FIRST, k + _FIRST))
        tick(k + 1, making.faces)
    made = assembled(np.stack(heads[:learnt]), making.components)
    floor = tuple((count, _floor(made, np.stack(heads[learnt:]), count)) for count in _HOLDS)
    result = FaceMade(len(made.mean), floor)
    arrays = {name: value for name, value in vars(made).items() if isinstance(value, np.ndarray)}
    about = {"made": asdict(result), "making": asdict(making), "actions": made.actions}
    write_arrays(arrays, out, about)
    return result


def unit_head(face: int, styling: int) -> Floats:
    """(vertices, 3) of the actors' head in rest, of average size, in OpenCV's axes."""
    return _of_average_size(resting(face_traits(face), styling_traits(styling)))


def assembled(heads: Floats, components: int) -> MorphableModel:
    """The model of the face's part of heads (m, vertices, 3) and its actions."""
    m = model()
    used, triangles, parts = face_part()
    faces = heads[:, used]
    mean = faces.mean(0)
    flat = (faces - mean).reshape(len(faces), -1)
    _, lengths, axes = np.linalg.svd(flat, full_matrices=False)
    deviations = lengths[:components, None] / np.sqrt(len(faces) - 1)
    chosen = [k for k, name in enumerate(m.action_names) if name not in LEFT_OUT]
    return MorphableModel(
        mean=mean,
        components=(deviations * axes[:components]).reshape(components, *mean.shape),
        moves=m.actions[chosen][:, used].astype(np.float64) @ AXES.T,
        usual=_usual()[chosen],
        actions=tuple(m.action_names[k] for k in chosen),
        triangles=triangles,
        parts=parts,
        uv=_own_uv(mean),
        landmarks=np.searchsorted(used, landmark_vertices()).astype(np.int32),
        inner=inner_face()[used].astype(np.float64),
    )


def _of_average_size(rest: Iterable[Iterable[float]]) -> Floats:
    m = model()
    average = np.asarray(m.template - m.middle(m.template), np.float64)
    skull = average[:, 2] > 0.02
    own = np.asarray(rest, np.float64)
    factor = np.divide(*(np.linalg.norm(x[skull], axis=1).mean() for x in (average, own)))
    return np.asarray(factor * own @ AXES.T, np.float64)


def face_vertices() -> Ints:
    """Indices in the actors' head of the model's vertices."""
    return face_part()[0]


@lru_cache(maxsize=1)
def face_part() -> tuple[Ints, Ints, Ints]:
    """Vertices of the face in the head, its triangles in these vertices, and their parts."""
    m = model()
    inside = np.isin(m.part, (Part.LEFT_EYE, Part.RIGHT_EYE, Part.TEETH, Part.TONGUE, Part.MOUTH))
    skin = (m.part == Part.SKIN) & (inner_face()[m.triangles] > _RIM).all(1)
    triangles = m.triangles[inside | skin]
    used, index = np.unique(triangles, return_inverse=True)
    return used.astype(np.int32), index.reshape(-1, 3).astype(np.int32), m.part[inside | skin]


def _usual() -> Floats:
    """Root mean square of the strength of each of the 52 actions, in performances."""
    seeds = range(_FIRST, _FIRST + _PERFORMANCES)
    strengths = [Performance.from_seed(seed).actions for seed in seeds]
    assert tuple(model().action_names) == ACTIONS
    return np.asarray(np.sqrt((np.concatenate(strengths).astype(np.float64) ** 2).mean(0)))


def _own_uv(mean: Floats) -> Floats:
    """Turn and lift around the middle of the head, spread over the unit square."""
    x, y, z = (mean - np.array([0, 0.03, 0.09])).T
    angles = np.stack([np.arctan2(x, -z), np.arctan2(y, np.hypot(x, z))], -1)
    low, high = angles.min(0), angles.max(0)
    return np.asarray((angles - low) / (high - low))


def _floor(made: MorphableModel, heads: Floats, count: int) -> float:
    """Mean distance, in millimetres, between inner faces and their projections."""
    faces = heads[:, face_vertices()] - made.mean
    axes = made.components[:count].reshape(count, made.mean.size)
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    flat = faces.reshape(len(faces), -1)
    left = (flat - flat @ axes.T @ axes).reshape(faces.shape)
    return float(np.linalg.norm(left[:, made.inner > 0], axis=2).mean() * 1000)
