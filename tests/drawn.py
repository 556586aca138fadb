"""Cartoon faces whose landmarks are known, drawn faster than actors are rendered."""

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.actors import Segment
from changeling.faces.alignment import TEMPLATE, Face, Matrix, Seen, apply
from changeling.faces.renders import Lessons
from changeling.media import Pixels

Points = NDArray[np.float64]


def face_points() -> Points:
    """(68, 2) landmarks of a drawn face in the unit crop; its five points are the template."""
    turn = np.linspace(0, np.pi, 17)
    jaw = np.stack([0.5 - 0.45 * np.cos(turn), 0.35 + 0.65 * np.sin(turn)], 1)
    arc = np.linspace(-1, 1, 5)
    brow = np.stack([0.09 * arc, 0.03 * arc**2 - 0.13], 1)
    bridge = np.stack([np.full(4, 0.5), np.linspace(0.36, 0.57, 4)], 1)
    nostrils = np.stack([0.5 + 0.07 * arc, 0.63 - 0.02 * arc**2], 1)
    round6 = np.pi + np.arange(6) * np.pi / 3
    eye = np.stack([0.06 * np.cos(round6), 0.03 * np.sin(round6)], 1)
    round12 = np.pi + np.arange(12) * np.pi / 6
    lips = np.stack([0.5 + 0.14 * np.cos(round12), 0.72 + 0.07 * np.sin(round12)], 1)
    round8 = np.pi + np.arange(8) * np.pi / 4
    inner = np.stack([0.5 + 0.10 * np.cos(round8), 0.72 + 0.02 * np.sin(round8)], 1)
    brows, eyes = (np.concatenate([TEMPLATE[i] + part for i in (0, 1)]) for part in (brow, eye))
    return np.concatenate([jaw, brows, bridge, nostrils, eyes, lips, inner])


def placed(scale: float, angle: float, shift: tuple[float, float]) -> Matrix:
    """(2, 3) unit crop → frame."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])


def drawn_face(size: tuple[int, int], points: Points, seed: int = 0) -> Pixels:
    """A picture (w, h) of a cartoon face with these landmarks on noise."""
    rng = np.random.default_rng(seed)
    rough = rng.integers(40, 90, (size[1] // 8 + 1, size[0] // 8 + 1, 3)).astype(np.uint8)
    canvas = cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC)
    skin = tuple(int(v) for v in rng.integers(140, 210, 3))
    parts = [
        (np.concatenate([points[:17], points[26:16:-1]]), skin),
        (points[36:42], (250, 250, 250)),
        (points[42:48], (250, 250, 250)),
        (points[48:60], (150, 60, 60)),
        (points[31:36], (90, 60, 50)),
    ]
    for corners, colour in parts:
        hull = cv2.convexHull(corners.astype(np.float32))
        cv2.fillPoly(canvas, [np.rint(hull * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)
    for brow in (points[17:22], points[22:27]):
        line = [np.rint(brow * 16).astype(np.int32)]
        cv2.polylines(canvas, line, False, (30, 20, 20), 3, cv2.LINE_AA, 4)
    return np.asarray(canvas, np.uint8)


def seen_face(points: Points, score: float = 0.9) -> Face:
    """The face with these (68, 2) landmarks, as the network would give it: facing, all face."""
    dense = np.concatenate([points, np.repeat(points[30:31], 132, 0)]).astype(np.float32)
    parts = np.zeros((7, 32, 32), np.uint8)
    parts[1] = 255
    seen = Seen(
        dense=dense,
        confidence=np.full(200, 0.9, np.float32),
        visible=np.ones(200, bool),
        rotation=np.eye(3, dtype=np.float32),
        view=np.array([[0.001, 0, 0], [0, 0.001, 0]]),
        parts=parts,
    )
    return Face.from_landmarks(points, score, seen)


LEFT = apply(placed(60, 0, (40, 50)), face_points())
RIGHT = apply(placed(80, 0.1, (200, 40)), face_points())
"""Two people in a frame of 320×180."""


def drawn_lessons() -> Lessons:
    """Eight drawn faces as if they had been rendered."""
    rng = np.random.default_rng(5)
    points = [
        apply(placed(rng.uniform(50, 60), rng.normal(0, 0.2), (35, 35)), face_points())
        for _ in range(8)
    ]
    dense = [np.concatenate([p, np.repeat(p[30:31], 132, 0)]) for p in points]
    segments = np.zeros((8, 112, 112), np.uint8)
    for labels, p in zip(segments, points, strict=True):
        hull = cv2.convexHull(p.astype(np.float32)).astype(np.int32)
        cv2.fillPoly(labels, [hull], int(Segment.FACE))
    return Lessons(
        pictures=np.stack([drawn_face((112, 112), p, seed=k) for k, p in enumerate(points)]),
        segments=segments,
        points=np.stack(dense).astype(np.float32),
        visible=np.ones((8, 200), bool),
        rotation=np.tile(np.eye(3, dtype=np.float32), (8, 1, 1)),
        face=np.repeat([1, 2, 3, 4], 2).astype(np.int32),
        styling=np.arange(8).astype(np.int32),
    )
