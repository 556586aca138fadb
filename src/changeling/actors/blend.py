"""Faces and performances on the way to others, so that one factor moves and all else stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum

import numpy as np

from changeling.actors.actor import (
    Actor,
    Colour,
    FaceTraits,
    StylingTraits,
    face_traits,
    styling_traits,
)
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
        return face_traits(who.face), styling_traits(who.styling)
    own, styling = traits(who.actor)
    others = [face_traits(seed) for seed in who.towards]
    weights = [1 - who.share, *[who.share / len(others)] * len(others)]
    return _combined([own, *others], weights), styling


def moved(performance: Performance, factor: Factor, goal: Performance, share: float) -> Performance:
    """The performance with one factor `share` of the way to that of `goal`, 0…1 and beyond.

    goal: as many frames, or a single one that all move to. Strengths stay in 0…1, vectors to the
    light stay of length 1, colours stay at 0 or above.
    """
    rows: dict[str, Floats] = {}
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
    kept = performance
    return replace(kept, seed=kept.seed, rate=kept.rate, take=kept.take, **rows)


def averaged(performances: Sequence[Performance]) -> Performance:
    """One frame that is the mean of all frames of these performances, the goal of `moved`."""
    first = performances[0]
    rows = {
        name: _average(np.concatenate([getattr(one, name) for one in performances]), name)
        for factor in Factor
        for name in factor.value
    }
    return Performance(
        seed=first.seed,
        rate=first.rate,
        position=first.position[:1],
        focal=first.focal[:1],
        take=first.take[:1],
        **rows,
    )


def at_rest(performance: Performance) -> Performance:
    """One frame at rest, the goal of `moved`: no expression, a face to the camera, even light.

    The light is as strong as the performance's own on average, white, and the same from all sides.
    """
    single = averaged([performance])
    lights = (single.key_colour, single.fill_colour, single.sky, single.ground)
    white = np.full((1, 3), sum(light.mean() for light in lights) / 2, np.float32)
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


def _combined(faces: Sequence[FaceTraits], weights: Sequence[float]) -> FaceTraits:
    """A face whose traits are the weighted sums of others', with the seed of the first."""
    by = np.asarray(weights)

    def named(rows: Sequence[Sequence[tuple[str, float]]]) -> tuple[tuple[str, float], ...]:
        sums = by @ np.array([[number for _, number in row] for row in rows])
        return tuple((name, float(x)) for (name, _), x in zip(rows[0], sums, strict=True))

    def colour(rows: Sequence[Colour]) -> Colour:
        red, green, blue = (float(x) for x in by @ np.array(rows))
        return red, green, blue

    apart = ("seed", "phenotypes", "changes", "iris", "brow_colour")
    numbers = [field.name for field in fields(FaceTraits) if field.name not in apart]
    return FaceTraits(
        seed=faces[0].seed,
        phenotypes=named([face.phenotypes for face in faces]),
        changes=named([face.changes for face in faces]),
        iris=colour([face.iris for face in faces]),
        brow_colour=colour([face.brow_colour for face in faces]),
        **{name: float(by @ [getattr(face, name) for face in faces]) for name in numbers},
    )
