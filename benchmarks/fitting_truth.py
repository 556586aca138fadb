"""Random actors in random performances, as the truth has every vertex of their faces."""

from dataclasses import dataclass, replace

import numpy as np

from changeling.actors import ACTIONS, Actor, Performance
from changeling.actors.actor import face_traits, styling_traits
from changeling.actors.body import resting
from changeling.actors.camera import AXES, PIVOT, turned
from changeling.actors.model import model as head
from changeling.faces.fitted import FrameFit, project
from changeling.faces.morphable import Floats, face_model
from changeling.faces.morphable_making import face_vertices, unit_head

SIZE = 256
"""Side of the pictures in pixels."""
APART = 72.0
"""Pixels between the outer corners of the eyes."""


@dataclass(frozen=True, eq=False)
class Scene:
    """An actor's performance as the truth has it."""

    actor: Actor
    performance: Performance
    rest: Floats
    """(v, 3) the face's vertices of a head of average size."""
    shapes: Floats
    """(frames, v, 3) in metres, OpenCV's axes, in the head's own place."""
    moved: Floats
    """(frames, v, 3) what the actions add."""
    frames: tuple[FrameFit, ...]
    focals: tuple[float, ...]

    def points(self, index: int) -> Floats:
        """(v, 2) pixels."""
        return project(self.shapes[index], self.frames[index], self.focals[index], (SIZE, SIZE))


def scene(seed: int, count: int) -> Scene:
    """A random actor in a random performance, so near that the eyes are as far apart as asked."""
    used, m, actor = face_vertices(), head(), Actor(seed, seed)
    assert tuple(m.action_names) == ACTIONS
    rest = at_rest(actor)
    performance = near(actor, Performance.from_seed(seed, seconds=count / 25))
    moved = np.tensordot(performance.actions, m.actions[:, used], 1) @ AXES.T
    focals = tuple(float(focal) * SIZE for focal in performance.focal)
    frames = tuple(held(performance, k, focals[k]) for k in range(count))
    neutral = unit_head(seed, seed)[used]
    return Scene(actor, performance, neutral, rest + moved, moved, frames, focals)


def near(actor: Actor, performance: Performance) -> Performance:
    """The performance filmed so near that the eyes' corners are `APART` pixels apart."""
    corners = at_rest(actor)[face_model().landmarks[[36, 45]]]
    apart = float(np.linalg.norm(corners[1] - corners[0]))
    depths = performance.position[:, 1]
    wide = float(np.median(performance.focal / depths)) * SIZE * apart
    return replace(performance, focal=performance.focal * np.float32(APART / wide))


def at_rest(actor: Actor) -> Floats:
    """(v, 3) the face's vertices in metres, OpenCV's axes."""
    head_at_rest = resting(face_traits(actor.face), styling_traits(actor.styling))
    return np.asarray(head_at_rest[face_vertices()] @ AXES.T, np.float64)


def held(performance: Performance, index: int, focal: float) -> FrameFit:
    """How a performance holds the head, which turns about its neck."""
    rotation, pivot = AXES @ turned(performance.turn[index]) @ AXES.T, AXES @ np.array(PIVOT)
    x, y, depth = AXES @ performance.position[index] + pivot - rotation @ pivot
    scale = focal / float(depth)
    actions = performance.actions[index].astype(np.float64)
    return FrameFit(rotation, scale * np.array([x, y]), scale, actions)
