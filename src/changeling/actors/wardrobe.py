"""What an actor wears: a shirt lifted off the body's own surface, and glasses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from changeling.actors.actor import StylingTraits
from changeling.actors.model import Floats, Ints

CLOTH = 0.006
"""Metres between skin and shirt."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A mesh in metres from between the eyes; its paint needs the four numbers of each vertex."""

    vertices: Floats
    triangles: Ints
    strand: Floats


def shirt(rest: Floats, normals: Floats, triangles: Ints, styling: StylingTraits) -> Piece:
    """The torso's skin moved outward; its paint needs x, z, y and the distance below the collar."""
    edge = below_collar(rest, styling.collar)
    worn = triangles[edge[triangles].max(1) > -0.02]
    used, worn = np.unique(worn, return_inverse=True)
    x, y, z = rest[used].T
    lift = CLOTH * (0.6 + 0.4 * np.clip(edge[used] / 0.03, 0, 1)) + 0.0015 * np.sin(x * 55 + z * 40)
    return Piece(
        (rest[used] + normals[used] * lift[:, None]).astype(np.float32),
        worn.reshape(-1, 3).astype(np.int32),
        np.stack([x, z, y, edge[used]], -1).astype(np.float32),
    )


def below_collar(rest: Floats, collar: float) -> Floats:
    """Metres that a point lies below the collar: a round neck (0) to a V (1)."""
    x, y, z = rest.T
    front = np.clip((0.05 - y) / 0.08, 0, 1)
    depth = (0.010 + 0.055 * collar) * np.clip(1 - np.abs(x) / 0.075, 0, 1) * front
    return np.asarray((-0.172 + 0.30 * (y - 0.05).clip(-0.06, 0.1) - depth) - z, np.float32)


def glasses(left_eye: Floats, right_eye: Floats, styling: StylingTraits) -> Piece:
    """Two rims, a bridge and two temples, as tubes."""
    forward = -0.036
    width = 0.026 + 0.002 * styling.frame_round
    height = 0.018 + 0.005 * styling.frame_round
    power = 2 / (2 + 3 * (1 - styling.frame_round))
    turn = np.linspace(0, 2 * np.pi, 49)
    round_x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power * width
    round_z = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power * height
    tubes = []
    for eye, side in ((left_eye, 1.0), (right_eye, -1.0)):
        centre = np.array([eye[0] + 0.002 * side, eye[1] + forward, eye[2] - 0.003])
        bend = 0.10 * np.abs(round_x + side * 0.02)
        rim = centre + np.stack([round_x, bend, round_z], -1)
        tubes.append(_tube(rim, 0.0017))
        hinge = centre + np.array([side * width, 0.10 * 0.05, height * 0.45])
        ear = np.array([side * 0.079, 0.075, 0.012])
        tubes.append(_tube(np.linspace(hinge, ear, 12), 0.0016))
    inner = width - 0.002
    middle = left_eye[1] + forward + 0.001
    x = np.linspace(right_eye[0] + inner, left_eye[0] - inner, 9)
    arch = 0.004 + 0.003 * np.cos(np.linspace(-1.5, 1.5, 9))
    tubes.append(_tube(np.stack([x, np.full(9, middle), left_eye[2] + arch], -1), 0.0015))
    return _joined(tubes)


def _tube(path: Floats, radius: float, sides: int = 6) -> Piece:
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    first = np.cross(along, np.array([0.03, 1.0, 0.02]))
    first /= np.linalg.norm(first, axis=1, keepdims=True) + 1e-9
    second = np.cross(along, first)
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = first[:, None] * np.cos(turn)[:, None] + second[:, None] * np.sin(turn)[:, None]
    points = (path[:, None] + radius * ring).reshape(-1, 3)
    i = np.arange(len(path) - 1)[:, None] * sides
    j, k = np.arange(sides)[None], (np.arange(sides)[None] + 1) % sides
    a, b, c, d = i + j, i + k, i + sides + k, i + sides + j
    triangles = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    return Piece(
        points.astype(np.float32),
        triangles.astype(np.int32),
        np.zeros((len(points), 4), np.float32),
    )


def _joined(pieces: list[Piece]) -> Piece:
    offset = np.cumsum([0, *(len(p.vertices) for p in pieces[:-1])])
    return Piece(
        np.concatenate([p.vertices for p in pieces]),
        np.concatenate(
            [p.triangles + np.int32(o) for p, o in zip(pieces, offset, strict=True)]
        ).astype(np.int32),
        np.concatenate([p.strand for p in pieces]),
    )
