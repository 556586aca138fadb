"""Which vertices of the head are landmarks: the 68 of 300-W and denser ones; the inner face."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from changeling.actors.model import Floats, Ints, Part, model

DENSE = 200
"""Landmarks in all, the 68 first."""

# The left half of the 68 points on the average head, (x, y or None, z) in millimetres from the
# point between the eyes; None where the nearest vertex seen from the front is meant.
SIDE: dict[int, tuple[float, float | None, float]] = {
    8: (0.0, None, -106.0),
    9: (18.7, None, -104.0),
    10: (36.4, 18.0, -98.0),
    11: (51.4, 38.0, -86.5),
    12: (61.2, 55.0, -71.5),
    13: (67.2, 62.0, -55.0),
    14: (70.0, 67.0, -37.0),
    15: (71.5, 69.0, -19.5),
    16: (72.5, 69.0, -1.0),
    22: (10.7, None, 11.5),
    23: (17.3, None, 15.0),
    24: (26.8, None, 16.8),
    25: (37.8, None, 15.5),
    26: (47.3, None, 11.0),
    27: (0.0, None, 2.0),
    28: (0.0, None, -9.0),
    29: (0.0, None, -20.0),
    30: (0.0, None, -31.0),
    33: (0.0, None, -48.5),
    34: (8.4, None, -45.3),
    35: (16.4, None, -44.0),
    42: (17.0, None, -0.8),
    43: (25.8, None, 3.8),
    44: (37.0, None, 3.8),
    45: (44.3, None, 0.8),
    46: (37.0, None, -3.2),
    47: (26.0, None, -2.9),
    51: (0.0, None, -62.8),
    52: (5.5, None, -62.0),
    53: (14.5, None, -66.0),
    54: (24.5, None, -70.3),
    55: (15.0, None, -78.5),
    56: (7.0, None, -82.0),
    57: (0.0, None, -82.5),
    62: (0.0, None, -70.5),
    63: (7.5, None, -70.3),
    64: (22.0, None, -70.3),
    65: (7.5, None, -70.8),
    66: (0.0, None, -70.8),
}
MIRROR = {
    **{k: 16 - k for k in range(8)},
    **{17 + k: 26 - k for k in range(5)},
    **{31: 35, 32: 34},
    **{36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46},
    **{48: 54, 49: 53, 50: 52, 58: 56, 59: 55, 60: 64, 61: 63, 67: 65},
}


@lru_cache(maxsize=1)
def landmark_vertices() -> Ints:
    """Vertex of each landmark, (DENSE,): the 68 in 300-W order, then a spread over the face."""
    sparse = _sixty_eight()
    return np.concatenate([sparse, _spread_over_face(sparse)]).astype(np.int32)


@lru_cache(maxsize=1)
def inner_face() -> Floats:
    """Distance of each vertex to the border of the inner face, in degrees, above 0 inside."""
    m = model()
    at = _unrolled(m.template - m.middle(m.template))
    border = at[_sixty_eight()[[*range(17), 26, 25, 24, 23, 22, 21, 20, 19, 18, 17]]]
    border[17:, 1] += 5.0
    border[:17] *= 0.97
    front = (m.template - m.middle(m.template))[:, 1] < 0.075
    polygon = border.astype(np.float32).reshape(-1, 1, 2)
    return np.array(
        [
            cv2.pointPolygonTest(polygon, (float(x), float(y)), True) if ahead else -20.0
            for (x, y), ahead in zip(at, front, strict=True)
        ],
        np.float32,
    )


def _unrolled(points: Floats) -> Floats:
    """Points around the head → degrees of turn and lift, (n, 2)."""
    d = points - np.array([0, 0.09, -0.03], np.float32)
    turn = np.degrees(np.arctan2(d[:, 0], -d[:, 1]))
    lift = np.degrees(np.arctan2(d[:, 2], np.hypot(d[:, 0], d[:, 1])))
    return np.stack([turn, lift], -1)


def _sixty_eight() -> Ints:
    m = model()
    at = (m.template - m.middle(m.template)) * 1000
    skin = np.zeros(len(at), bool)
    skin[np.unique(m.triangles[m.part == Part.SKIN])] = True
    skin &= ~m.ears
    jaw = m.actions[m.action_names.index("jawOpen")][:, 2] * 1000
    found = {k: _nearest(at, skin & _lip(k, jaw), point) for k, point in SIDE.items()}
    opposite = {k: _nearest(at, skin, tuple(at[found[v]] * [-1, 1, 1])) for k, v in MIRROR.items()}
    return np.array([{**opposite, **found}[k] for k in range(68)], np.int32)


def _lip(landmark: int, jaw: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """At the seam of the mouth the lips coincide: the lower one is the one that the jaw moves."""
    if landmark in (62, 63):
        return np.asarray(jaw > -4)
    if landmark in (65, 66, 67):
        return np.asarray(jaw < -12)
    return np.ones(len(jaw), bool)


def _nearest(
    at: Floats,
    allowed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    point: tuple[float, float | None, float],
) -> int:
    x, y, z = point
    away = (at[:, 0] - x) ** 2 + (at[:, 2] - z) ** 2
    away = away + (0.15 * (at[:, 1] + 20) if y is None else (at[:, 1] - y) ** 2)
    return int(np.argmin(np.where(allowed, away, np.inf)))


def _spread_over_face(sparse: Ints) -> Ints:
    """Farthest points first, over the skin of the inner face."""
    m = model()
    skin = np.zeros(len(m.template), bool)
    skin[np.unique(m.triangles[m.part == Part.SKIN])] = True
    face = np.flatnonzero(skin & (inner_face() > -2))
    points = m.template[face]
    away = np.linalg.norm(points[:, None] - m.template[sparse][None], axis=-1).min(1)
    chosen = []
    for _ in range(DENSE - len(sparse)):
        k = int(np.argmax(away))
        chosen.append(face[k])
        away = np.minimum(away, np.linalg.norm(points - points[k], axis=-1))
    return np.array(chosen, np.int32)
