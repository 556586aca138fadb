"""What the landmark network sees, drawn: its worst faces, and the one real portrait."""

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.faces import Tracker
from changeling.faces.landmark_exam import AT_ONCE, Looked, filmed
from changeling.faces.landmark_lessons import SPOIL
from changeling.faces.renders import Lessons
from changeling.media import Pixels


def worst(looked: Looked, lessons: Lessons, *, seed: int, count: int = 10) -> tuple[Pixels, str]:
    """The worst faces as they were shown, with the true points (green) and those found (red), and a
    line on each."""
    order = np.argsort(-looked.error)[:count]
    tiles, lines = [], []
    for place, row in enumerate(order, 1):
        shown = _shown(lessons, int(row), seed)
        tiles.append(drawn(shown, lessons.points[row], looked.points[row], scale=2))
        yaw, pitch = _turned(lessons.rotation[row])
        lines.append(
            f"{place}. Actor {lessons.face[row]}: error {looked.error[row]:.1%}, turned {yaw:.0f}° "
            f"and {pitch:.0f}°, {looked.hidden[row]:.0%} of it behind something, overlap "
            f"{looked.iou[row]:.2f}, face said {looked.present[row]:.0%}."
        )
    half = (count + 1) // 2
    return np.vstack([np.hstack(tiles[:half]), np.hstack(tiles[half:])]), "\n".join(lines)


def _turned(rotation: NDArray[np.float32]) -> tuple[float, float]:
    forward = -rotation[:, 2]
    return float(np.degrees(np.arctan2(forward[0], -forward[2]))), float(
        np.degrees(np.arcsin(-forward[1]))
    )


def _shown(lessons: Lessons, row: int, seed: int) -> Pixels:
    """The spoilt picture that was examined, of one row."""
    start = row - row % AT_ONCE
    rng = np.random.default_rng((seed, start))
    footage = filmed(lessons.rows(start, start + AT_ONCE), int(rng.integers(2**31)), SPOIL)
    return footage.pictures[row - start]


def drawn(
    pixels: Pixels, true: NDArray[np.floating] | None, found: NDArray[np.floating], *, scale: int
) -> Pixels:
    """A picture enlarged with points painted on."""
    canvas = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    for points, colour in ((true, (40, 255, 40)), (found, (255, 50, 50))):
        for x, y in () if points is None else points:
            centre = (round((float(x) + 0.5) * scale * 16), round((float(y) + 0.5) * scale * 16))
            cv2.circle(canvas, centre, 16, colour, -1, cv2.LINE_AA, 4)
    return np.asarray(canvas, np.uint8)


def astronaut() -> Pixels:
    """The portrait of Eileen Collins (NASA, public domain): as it is, its landmarks, its mask."""
    from skimage.data import astronaut as portrait

    pixels = np.asarray(portrait(), np.uint8)
    face = Tracker().find(pixels)[0]
    assert face.seen is not None
    points = drawn(pixels, None, face.seen.dense, scale=2)
    inside = np.zeros(pixels.shape[:2], np.float32)
    side = 200
    forward = face.matrix * side - np.array([[0, 0, 0.5], [0, 0, 0.5]])
    inside = cv2.warpAffine(
        face.mask(side), forward, (512, 512), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    masked = (pixels * (0.25 + 0.75 * inside[..., None])).astype(np.uint8)
    doubled = [
        cv2.resize(p, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for p in (pixels, masked)
    ]
    x, y, width, height = (2 * v for v in face.box)
    left, top = int(max(0, x - width)), int(max(0, y - height))
    window = slice(top, int(y + 1.7 * height)), slice(left, int(x + 2 * width))
    return np.hstack([p[window] for p in (doubled[0], points, doubled[1])])
