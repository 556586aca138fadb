"""Making the morphable model of the actors' heads, and how well its components hold new faces."""

from dataclasses import asdict, dataclass, replace
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
TRAITS = ("age", "gender", "weight")
"""Phenotypes of a face that the model can change."""
_SPARING, _LESS_SPARING = 60.0, 3.0
"""How strongly the regressions of size and shape are held back, in heads."""
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
    exchanged: tuple[float, float]
    """Mean distance in millimetres, both of the mean's size, between the inner faces of heads kept
    back with the next one's face and that face as it was, and as `MorphableModel.put_on` has it."""
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
    if learnt <= making.components or making.kept < 2:
        raise UserError(
            f"{making.faces} faces are too few for {making.components} components and "
            f"{making.kept} kept back; give --actors {making.components + making.kept + 1} or more."
        )
    heads, put, sizes, traits = [], [], [], []
    for k in range(_FIRST, _FIRST + making.faces):
        heads.append(unit_head(k, k))
        sizes.append(-np.log(to_average(k, k)))
        put.append(_rest(k + 1, k))
        traits.append([dict(face_traits(k).phenotypes)[name] for name in TRAITS])
        tick(k + 1 - _FIRST, making.faces)
    told = Told(np.array(sizes[:learnt]), np.stack(put[: learnt - 1]), np.array(traits[:learnt]))
    made = assembled(np.stack(heads[:learnt]), told, making.components)
    floor = tuple((count, _floor(made, np.stack(heads[learnt:]), count)) for count in _HOLDS)
    exchanged = _misplaced(made, np.stack(heads[learnt:]), np.stack(put[learnt:-1]))
    result = FaceMade(len(made.mean), exchanged, floor)
    arrays = {name: value for name, value in vars(made).items() if isinstance(value, np.ndarray)}
    about = {
        "made": asdict(result),
        "making": asdict(making),
        "actions": made.actions,
        "traits": made.traits,
    }
    write_arrays(arrays, out, about)
    return result


def unit_head(face: int, styling: int) -> Floats:
    """(vertices, 3) of the actors' head in rest, of average size, in OpenCV's axes."""
    return np.asarray(to_average(face, styling) * _rest(face, styling) @ AXES.T, np.float64)


def to_average(face: int, styling: int) -> float:
    """By how much an actor's head must grow to be of average size."""
    m = model()
    average = np.asarray(m.template - m.middle(m.template), np.float64)
    skull = average[:, 2] > 0.02
    both = (average, _rest(face, styling))
    return float(np.divide(*(np.linalg.norm(x[skull], axis=1).mean() for x in both)))


@lru_cache(maxsize=1)
def _rest(face: int, styling: int) -> Floats:
    return np.asarray(resting(face_traits(face), styling_traits(styling)), np.float64)


@dataclass(frozen=True, eq=False)
class Told:
    """What is known of heads beside their shape."""

    sizes: Floats
    """(m,) logarithms, the average 0."""
    swapped: Floats
    """(m - 1, vertices, 3) in metres and the actors' axes: each with the face of the next one."""
    traits: Floats
    """(m, t) the phenotypes `TRAITS`."""


def assembled(heads: Floats, told: Told, components: int) -> MorphableModel:
    """The model of the face's part of heads (m, vertices, 3) and its actions."""
    m = model()
    used, triangles, parts = face_part()
    faces = heads[:, used]
    mean = faces.mean(0)
    flat = (faces - mean).reshape(len(faces), -1)
    _, lengths, axes = np.linalg.svd(flat, full_matrices=False)
    deviations = lengths[:components, None] / np.sqrt(len(faces) - 1)
    identities = flat @ (axes[:components] / deviations).T
    chosen = [k for k, name in enumerate(m.action_names) if name not in LEFT_OUT]
    made = MorphableModel(
        mean=mean,
        components=(deviations * axes[:components]).reshape(components, *mean.shape),
        sizes=np.zeros(components),
        kept=np.zeros((components, components)),
        trait_steps=_steps(identities, told.traits),
        traits=TRAITS,
        moves=m.actions[chosen][:, used].astype(np.float64) @ AXES.T,
        usual=_usual()[chosen],
        actions=tuple(m.action_names[k] for k in chosen),
        triangles=triangles,
        parts=parts,
        uv=_own_uv(mean),
        landmarks=np.searchsorted(used, landmark_vertices()).astype(np.int32),
        inner=inner_face()[used].astype(np.float64),
    )
    swapped = told.swapped[:, used] @ AXES.T
    sizes, kept = _exchanged(made, faces, told.sizes, swapped)
    return replace(made, sizes=sizes, kept=kept)


def _exchanged(
    model: MorphableModel, faces: Floats, sizes: Floats, swapped: Floats
) -> tuple[Floats, Floats]:
    """`MorphableModel.sizes` and `.kept`, by ridge regression.

    faces: (m, n, 3) of average size. sizes: (m,) logarithms of what they have in truth. swapped:
    (m - 1, n, 3) in metres, each head with the face of the next one.
    """
    before = [model.normalised(face) for face in faces]
    after = [model.normalised(face) for face in swapped]
    identities = np.stack([identity for _, identity in before])
    own, given = identities[:-1], identities[1:]
    away = given - own
    # A factor brings a face to the mean's size, so that the face's size is one over it.
    grown = [sizes[k] - before[k][0] + log for k, (log, _) in enumerate(after)]
    seen = np.stack([identity for _, identity in after])
    return (
        _ridge(away, -np.array(grown)[:, None], _SPARING)[:, 0],
        _ridge(-away, seen - given, _LESS_SPARING),
    )


def _ridge(ways: Floats, values: Floats, sparing: float) -> Floats:
    """(k, c): what makes (m, c) values of (m, k) numbers, held back as by `sparing` more heads."""
    held = ways.T @ ways + sparing * np.eye(ways.shape[1])
    return np.asarray(np.linalg.solve(held, ways.T @ values))


def _steps(identities: Floats, traits: Floats) -> Floats:
    """(t, k): what the whole range of each trait among the heads adds to the identity.

    The traits are drawn independently, so that each can be regressed by itself.
    """
    away = traits - traits.mean(0)
    slopes = away.T @ identities / (away**2).sum(0)[:, None]
    return np.asarray(slopes * np.ptp(traits, axis=0)[:, None])


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


def _misplaced(made: MorphableModel, heads: Floats, swapped: Floats) -> tuple[float, float]:
    """`FaceMade.exchanged` of heads (m, …) and the same with the next one's face (m - 1, …)."""
    used, inner, still = face_vertices(), made.inner > 0, np.zeros(len(made.moves))
    identities = [made.normalised(head[used])[1] for head in heads]
    rows = []
    for own, given, one in zip(identities[:-1], identities[1:], swapped, strict=True):
        true = one[used] @ AXES.T
        true = np.exp(made.normalised(true)[0]) * true
        guesses = given, made.put_on(own, given)[0]
        away = [np.linalg.norm((made.shape(x, still) - true)[inner], axis=1) for x in guesses]
        rows.append([x.mean() * 1000 for x in away])
    before, after = np.mean(rows, 0)
    return float(before), float(after)


def _floor(made: MorphableModel, heads: Floats, count: int) -> float:
    """Mean distance, in millimetres, between inner faces and their projections."""
    faces = heads[:, face_vertices()] - made.mean
    axes = made.components[:count].reshape(count, made.mean.size)
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    flat = faces.reshape(len(faces), -1)
    left = (flat - flat @ axes.T @ axes).reshape(faces.shape)
    return float(np.linalg.norm(left[:, made.inner > 0], axis=2).mean() * 1000)
