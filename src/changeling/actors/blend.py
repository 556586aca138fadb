"""Faces and performances on the way to others, so that one factor moves and all else stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum

import numpy as np

from changeling.actors.actor import Actor, Colour, FaceTraits, StylingTraits, face_traits
from changeling.actors.actor import styling_traits as traits_of_styling
from changeling.actors.model import Floats
from changeling.actors.performance import Performance


class Factor(Enum):
    """What of a performance can move by itself; the values are the arrays that it is made of."""

    EXPRESSION = ("actions", "gaze")
    POSE = ("turn",)
    LIGHT = ("key", "key_colour", "fill", "fill_colour", "sky", "ground")


DIRECTIONS = ("key", "fill")
"""Arrays of unit vectors."""


@dataclass(frozen=True)
class Blend:
    """An actor whose face is on the way to the mean of other faces."""

    actor: Actor
    towards: tuple[int, ...]
    """Seeds of the other faces, at least one."""
    share: float
    """0: the actor's own; 1: the others' mean. The grain of the skin stays the actor's."""


def traits(who: Actor | Blend) -> tuple[FaceTraits, StylingTraits]:
    """The face and the styling of an actor, or of one on the way to others."""
    if isinstance(who, Actor):
        return face_traits(who.face), traits_of_styling(who.styling)
    own, styling = traits(who.actor)
    goal = _mean([face_traits(seed) for seed in who.towards])
    return _between(own, goal, who.share), styling


def moved(performance: Performance, factor: Factor, goal: Performance, share: float) -> Performance:
    """The performance with one factor `share` of the way to that of `goal`, 0…1 and beyond.

    goal: as many frames, or a single one that all move to. Strengths stay in 0…1, vectors to the
    light stay of length 1, colours stay at 0 or above.
    """
    rows = {}
    for name in factor.value:
        own, other = getattr(performance, name), getattr(goal, name)
        row = own + np.float32(share) * (other - own)
        if name in DIRECTIONS:
            row = row / np.maximum(np.linalg.norm(row, axis=1, keepdims=True), 1e-6)
        elif factor is Factor.LIGHT:
            row = row.clip(0)
        elif name == "actions":
            row = row.clip(0, 1)
        rows[name] = np.asarray(row, np.float32)
    return replace(performance, **rows)


def averaged(performances: Sequence[Performance]) -> Performance:
    """One frame that is the mean of all frames of these performances, the goal of `moved`."""
    first = performances[0]
    rows = {
        name: _average(np.concatenate([getattr(one, name) for one in performances]), name)
        for factor in Factor
        for name in factor.value
    }
    kept = ("position", "focal", "take")
    return replace(first, **rows, **{name: getattr(first, name)[:1] for name in kept})


def at_rest(performance: Performance) -> Performance:
    """One frame at rest, the goal of `moved`: no expression, a face to the camera, even light.

    The light is as strong as the performance's own on average, white, and the same from all sides.
    """
    single = averaged([performance])
    strength = sum(
        float(getattr(single, name).mean()) * share
        for name, share in (
            ("key_colour", 0.5),
            ("fill_colour", 0.5),
            ("sky", 0.5),
            ("ground", 0.5),
        )
    )
    white = np.full((1, 3), strength, np.float32)
    return replace(
        single,
        actions=np.zeros_like(single.actions),
        gaze=np.zeros_like(single.gaze),
        turn=np.zeros_like(single.turn),
        key_colour=np.zeros_like(white),
        fill_colour=np.zeros_like(white),
        sky=white,
        ground=white,
    )


def _average(rows: Floats, name: str) -> Floats:
    mean = rows.mean(0, keepdims=True, dtype=np.float64)
    if name in DIRECTIONS:
        mean = mean / max(float(np.linalg.norm(mean)), 1e-6)
    return np.asarray(mean, np.float32)


def _between(own: FaceTraits, goal: FaceTraits, share: float) -> FaceTraits:
    return _combined([own, goal], [1 - share, share])


def _mean(faces: Sequence[FaceTraits]) -> FaceTraits:
    return _combined(faces, [1 / len(faces)] * len(faces))


def _combined(faces: Sequence[FaceTraits], weights: Sequence[float]) -> FaceTraits:
    """A face whose traits are the weighted sums of others', with the seed of the first."""
    rows: dict[str, object] = {"seed": faces[0].seed}
    for field in fields(FaceTraits):
        values = [getattr(face, field.name) for face in faces]
        if field.name in ("phenotypes", "changes"):
            sums = _sums([[number for _, number in value] for value in values], weights)
            rows[field.name] = tuple((n, x) for (n, _), x in zip(values[0], sums, strict=True))
        elif isinstance(values[0], tuple):
            rows[field.name] = tuple(_sums(values, weights))
        elif field.name != "seed":
            rows[field.name] = _sums([[value] for value in values], weights)[0]
    return FaceTraits(**rows)


def _sums(rows: Sequence[Sequence[float] | Colour], weights: Sequence[float]) -> list[float]:
    return [float(x) for x in np.asarray(weights) @ np.asarray(rows, np.float64)]
