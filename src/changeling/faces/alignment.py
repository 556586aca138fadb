"""A face's place in the frame: its landmarks, and the similarity that takes it to the unit crop.

The unit crop is the square 0…1 × 0…1. Pixel i of a crop of `size` pixels has its centre at
(i + 0.5) / size; in a frame the centre of the top left pixel is (0, 0).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.media import Pixels

Matrix = NDArray[np.float64]
Points = NDArray[np.floating]
Box = tuple[float, float, float, float]
"""x, y, width, height in pixels."""

TEMPLATE = np.array([[0.32, 0.33], [0.68, 0.33], [0.50, 0.57], [0.36, 0.72], [0.64, 0.72]])
"""Eye centres, nose tip and mouth corners in the unit crop; left is the picture's left."""

_JAW_BROWS_NOSE = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
_EYES = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
_LIPS = [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
MIRROR = np.array([*_JAW_BROWS_NOSE, *_EYES, *_LIPS])
"""Landmark i of a mirrored picture is landmark MIRROR[i] of the picture (300-W order)."""

_INNER = (1, 4, 5)
"""FACE, EYES and MOUTH of `actors.Segment`."""
_BEFORE = (3, 6)
"""HAIR, and what the landmark network calls a thing in front."""
_BROWS = slice(17, 27)
_FOREHEAD = 0.07
"""How far above the brows the inner face reaches, in unit crops."""
_EYE_CORNERS = (slice(36, 42), slice(42, 48))
_LID = 0.03
"""How far an eye's area reaches beyond its landmarks, in unit crops."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one frame, in the frame's pixels."""

    box: Box
    """The landmarks' bounding box."""
    landmarks: NDArray[np.float32]
    """(68, 2) points (x, y) in the 300-W order."""
    matrix: Matrix
    """(2, 3) float64, frame pixels → unit crop."""
    score: float
    """0…1, how sure the landmark network is that this is a face."""
    seen: "Seen | None" = None
    """What the network saw beyond the 68 points; None for a face made from points alone."""
    track: int = 0
    """The number that the tracker gave it: it is kept until the face is lost or the film cuts."""

    @classmethod
    def from_landmarks(
        cls, landmarks: Points, score: float = 1.0, seen: "Seen | None" = None, track: int = 0
    ) -> "Face":
        """The face with these (68, 2) landmarks, box and matrix derived from them."""
        (x, y), (right, bottom) = landmarks.min(0), landmarks.max(0)
        box = (float(x), float(y), float(right - x), float(bottom - y))
        return cls(box, landmarks.astype(np.float32), align(landmarks), score, seen, track)

    @property
    def pose(self) -> tuple[float, float, float]:
        """Yaw, pitch and roll in radians: to the picture's right, up, and clockwise; 0 unseen."""
        return turns(np.eye(3) if self.seen is None else self.seen.rotation)

    def mask(self, size: int) -> NDArray[np.float32]:
        """(size, size) 0…1: the inner face in the unit crop, without what hides it.

        The hull of the landmarks when nothing more was seen.
        """
        if self.seen is None:
            return inner_mask(self.landmarks, self.matrix, size)
        return self.seen.share(_INNER, self.matrix, size)

    def clear(self, size: int) -> NDArray[np.float32]:
        """(size, size) 0…1: where no hair, hand or thing is before the face, in the unit crop."""
        if self.seen is None:
            return np.ones((size, size), np.float32)
        return 1 - self.seen.share(_BEFORE, self.matrix, size)

    def clear_in(self, rows: slice, columns: slice) -> NDArray[np.float32]:
        """(h, w) 0…1: the same for the pixels of the frame in these rows and columns."""
        if self.seen is None:
            return np.ones((rows.stop - rows.start, columns.stop - columns.start), np.float32)
        return 1 - self.seen.share_in(_BEFORE, rows, columns)


@dataclass(frozen=True, eq=False)
class Seen:
    """What the landmark network saw of a face, in the frame's pixels."""

    dense: NDArray[np.float32]
    """(200, 2) points, the 68 first."""
    confidence: NDArray[np.float32]
    """(200,) 0…1: the probability that a point is less than 8 % of the eyes' distance off."""
    visible: NDArray[np.bool_]
    """(200,) whether the point is seen rather than hidden."""
    rotation: NDArray[np.float32]
    """(3, 3) head → camera, x right, y down, z forward; identity when facing it."""
    view: Matrix
    """(2, 3) frame pixels → the square 0…1 that the network read."""
    parts: NDArray[np.uint8]
    """(7, n, n) probabilities 0…255 of the first seven of `actors.Segment`, across that square."""

    def share(self, kinds: Sequence[int], matrix: Matrix, size: int) -> NDArray[np.float32]:
        """(size, size) 0…1: how much of each pixel in the crop of `matrix` is of these kinds."""
        return self._seen_from(kinds, invert(to_pixels(matrix, size)), (size, size))

    def share_in(self, kinds: Sequence[int], rows: slice, columns: slice) -> NDArray[np.float32]:
        """(h, w) 0…1: the same for the pixels of the frame in these rows and columns."""
        shift = np.array([[1.0, 0, columns.start], [0, 1, rows.start]])
        size = (columns.stop - columns.start, rows.stop - rows.start)
        return self._seen_from(kinds, shift, size)

    def _seen_from(
        self, kinds: Sequence[int], to_frame: Matrix, size: tuple[int, int]
    ) -> NDArray[np.float32]:
        share = self.parts[list(kinds)].sum(0, dtype=np.float32) / np.float32(255)
        # Bilinear probabilities are soft over a whole cell: steeper, with the same middle line.
        back = concatenated(to_pixels(self.view, len(share)), to_frame)
        wide = cv2.warpAffine(share, back, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        return np.clip(0.5 + 2 * (wide - 0.5), 0, 1).astype(np.float32)


def concatenated(second: Matrix, first: Matrix) -> Matrix:
    """(2, 3): `first`, then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], apply(second, first[:, 2:].T)[0]])


def turns(rotation: NDArray[np.floating]) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a (3, 3) head → camera rotation (OpenCV's axes), radians."""
    forward, right = -rotation[:, 2], rotation[:, 0]
    yaw = np.arctan2(forward[0], -forward[2])
    pitch = np.arcsin(np.clip(-forward[1], -1, 1))
    return float(yaw), float(pitch), float(np.arctan2(right[1], np.hypot(right[0], right[2])))


def five_points(landmarks: Points) -> NDArray[np.float64]:
    """(5, 2): eye centres, nose tip and mouth corners of (68, 2) landmarks."""
    points = np.asarray(landmarks, np.float64)
    eyes = points[36:42].mean(0), points[42:48].mean(0)
    return np.stack([*eyes, points[30], points[48], points[54]])


def similarity(source: Points, target: Points) -> Matrix:
    """(2, 3) rotation, scale and shift that takes (n, 2) `source` nearest to (n, 2) `target`.

    Least squares after Umeyama, "Least-squares estimation of transformation parameters between
    two point patterns", 1991, equations 40 to 43; in the plane the singular values are not needed:
    with complex points the factor is <source, target> / <source, source>.
    """
    middle, goal = np.mean(source, 0, np.float64), np.mean(target, 0, np.float64)
    x, y = (np.asarray(source, np.float64) - middle).T
    u, v = (np.asarray(target, np.float64) - goal).T
    spread = float(x @ x + y @ y)
    assert spread > 0, "all points are one point"
    cos, sin = float(x @ u + y @ v) / spread, float(x @ v - y @ u) / spread
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([turn, goal - turn @ middle])


def align(landmarks: Points) -> Matrix:
    """(2, 3) matrix from frame pixels to the unit crop, from (68, 2) landmarks."""
    return similarity(five_points(landmarks), TEMPLATE)


def invert(matrix: Matrix) -> Matrix:
    """The (2, 3) affine map that undoes `matrix`."""
    turn = np.linalg.inv(matrix[:, :2])
    return np.column_stack([turn, -turn @ matrix[:, 2]])


def apply(matrix: Matrix, points: Points) -> NDArray[np.float64]:
    """(n, 2) points moved by a (2, 3) matrix."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def to_pixels(matrix: Matrix, size: int) -> Matrix:
    """`matrix` with its goal in the pixels of a crop of `size` instead of unit coordinates."""
    return matrix * size - np.array([[0, 0, 0.5], [0, 0, 0.5]])


def enlarged(matrix: Matrix, margin: float) -> Matrix:
    """The matrix of a crop `margin` times as wide about the same centre."""
    return matrix / margin + np.array([[0, 0, 0.5], [0, 0, 0.5]]) * (1 - 1 / margin)


def crop(pixels: Pixels, matrix: Matrix, size: int) -> Pixels:
    """The (size, size, …) crop of a frame, (h, w, 3) or grey (h, w); outside the frame is mirrored.

    A frame that is larger than the crop is sampled finely first and averaged over whole pixels,
    so that nothing aliases.
    """
    shrink = 1 / (size * np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    fine = max(1, ceil(shrink - 0.25))
    how = cv2.INTER_LINEAR if fine > 1 else cv2.INTER_CUBIC
    forward = to_pixels(matrix, size * fine)
    wide = (size * fine, size * fine)
    out: Pixels = cv2.warpAffine(
        pixels, forward, wide, flags=how, borderMode=cv2.BORDER_REFLECT_101
    )
    if fine > 1:
        out = cv2.resize(out, (size, size), interpolation=cv2.INTER_AREA)
    return out


def inner_hull(landmarks: Points, matrix: Matrix) -> NDArray[np.float64]:
    """(n, 2) corners in unit coordinates: the landmarks' convex hull, brows a little raised."""
    points = apply(matrix, landmarks)
    points[_BROWS, 1] -= _FOREHEAD
    hull: NDArray[np.float32] = cv2.convexHull(points.astype(np.float32))
    return hull[:, 0].astype(np.float64)


def eye_hulls(landmarks: Points, matrix: Matrix) -> list[NDArray[np.float64]]:
    """Of each eye (n, 2) corners in unit coordinates: its landmarks' convex hull with the lids."""
    eyes = np.stack([apply(matrix, landmarks[corners]) for corners in _EYE_CORNERS])
    away = eyes - eyes.mean(1, keepdims=True)
    eyes += _LID * away / np.maximum(np.linalg.norm(away, axis=2, keepdims=True), 1e-6)
    return [cv2.convexHull(eye.astype(np.float32))[:, 0].astype(np.float64) for eye in eyes]


def inner_mask(landmarks: Points, matrix: Matrix, size: int) -> NDArray[np.float32]:
    """(size, size) 0…1: the inner face of (68, 2) landmarks in the crop of `matrix`."""
    area = fill([in_pixels(inner_hull(landmarks, matrix), size)], size)
    return area.astype(np.float32) / np.float32(255)


def in_pixels(points: Points, size: int) -> NDArray[np.float64]:
    """Unit coordinates → pixels of a crop of `size`."""
    return np.asarray(points, np.float64) * size - 0.5


def fill(polygons: Sequence[Points], size: int) -> NDArray[np.uint8]:
    """(size, size) 0…255, antialiased: convex polygons, each of (n, 2) corners in pixels."""
    fine = 4
    area = np.zeros((size * fine, size * fine), np.uint8)
    for corners in polygons:
        corners = (np.asarray(corners, np.float64) + 0.5) * fine - 0.5
        cv2.fillConvexPoly(area, np.rint(corners * 16).astype(np.int32), 255, shift=4)
    return np.asarray(cv2.resize(area, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
