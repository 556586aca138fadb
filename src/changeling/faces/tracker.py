"""Faces through a film: found now and then, followed by their landmarks in between, smoothed."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.faces.alignment import Face
from changeling.faces.detect import Detector, Finds, Grey, overlap
from changeling.faces.landmarks import LOOKS, Landmarker, guess
from changeling.media import Pixels

_SURE = 0.5
"""A score below this is no face, or one that got lost."""
_TRUSTED = 0.7
"""A new face whose points are less sure in the mean is none, or one seen in the wrong place."""
_EVERY = 25
"""Frames until the whole frame is searched again for new people."""
_JUMP = 0.1
"""Landmarks that move by more of the face's width in one frame show another take."""
_CUT = 15.0
"""Mean difference of two frames, in grey levels of their thumbnails, that is a cut."""


class Smoother:
    """One-euro filter on (n, 2) points: still when they rest, without lag when they move.

    Casiez et al., "1€ filter", CHI 2012, in units of frames and of the face's width.
    """

    def __init__(self, rest: float = 0.15, speed: float = 16.0) -> None:
        self._rest, self._speed = rest, speed
        self._last: NDArray[np.float64] | None = None
        self._motion = np.zeros((1, 2))

    def follow(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The points of the next frame, smoothed; the first come back as they are."""
        if self._last is None:
            self._last = points
            return points
        width = np.ptp(points[:, 0]) + np.ptp(points[:, 1])
        step = (points - self._last) / width
        self._motion = self._motion + 0.5 * (step - self._motion)
        moved = np.linalg.norm(self._motion, axis=1, keepdims=True)
        turn = 2 * np.pi * (self._rest + self._speed * moved)
        self._last = self._last + turn / (1 + turn) * (points - self._last)
        return self._last


@dataclass(eq=False)
class _Track:
    number: int
    face: Face
    smoother: Smoother

    def smoothed(self, found: Face) -> Face:
        """The face as found in the next frame, its points smoothed over time."""
        assert found.seen is not None
        points = self.smoother.follow(found.seen.dense.astype(np.float64))
        seen = replace(found.seen, dense=points.astype(np.float32))
        return Face.from_landmarks(points[:68], found.score, seen, self.number)


class Tracker:
    """Feed it the frames of one film in order, or one picture.

    A new face is found by the cascades in the first frame, after a cut, when nobody is followed,
    and every 25th frame. When one of several is lost it is searched for at once and 1, 4, 11 and
    26 frames later. Otherwise the landmarks of the last frame say where to look.
    """

    def __init__(self, detector: Finds | None = None, marker: Landmarker | None = None) -> None:
        self._detector = detector or Detector()
        self._marker = marker or Landmarker.load()
        self._tracks: list[_Track] = []
        self._thumbnail: Grey | None = None
        self._since = 0
        self._pause = _EVERY
        self._count = 0

    def anew(self) -> "Tracker":
        """One with the same eyes that has seen nothing yet, for another film."""
        return Tracker(self._detector, self._marker)

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        """The faces in the next frame, largest first."""
        grey: Grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        if self._cut(grey):
            self._tracks = []
        followed = [track for track in self._tracks if self._follow(track, pixels)]
        lost = len(followed) < len(self._tracks)
        self._tracks = _distinct(followed)
        self._since += 1
        if lost and self._pause == _EVERY:
            self._pause = 0
        if not self._tracks or self._since >= self._pause:
            self._search(pixels, grey)
        self._tracks.sort(key=lambda track: -track.face.box[2] * track.face.box[3])
        return tuple(track.face for track in self._tracks)

    def _cut(self, grey: Grey) -> bool:
        small: Grey = cv2.resize(grey, (32, 18), interpolation=cv2.INTER_AREA)
        before, self._thumbnail = self._thumbnail, small
        return before is not None and float(cv2.absdiff(before, small).mean()) > _CUT

    def _follow(self, track: _Track, pixels: Pixels) -> bool:
        found = self._marker.find(pixels, track.face.matrix)
        if found.score < _SURE or _jumped(track.face, found):
            return False
        track.face = track.smoothed(found)
        return True

    def _search(self, pixels: Pixels, grey: Grey) -> None:
        self._since = 0
        # Ever longer, because whoever was lost may have left, and a loss meanwhile changes nothing.
        self._pause = min(2 * self._pause + 1, _EVERY) if self._tracks else _EVERY
        for box in self._detector.boxes(grey):
            face = self._marker.find(pixels, guess(box))
            for _ in range(LOOKS):
                if face.score >= _SURE:
                    face = self._marker.find(pixels, face.matrix)
            if face.score >= _SURE and _trusted(face):
                track = _Track(self._count, face, Smoother())
                self._count += 1
                track.face = track.smoothed(face)
                self._tracks.append(track)
        self._tracks = _distinct(self._tracks)


def _trusted(face: Face) -> bool:
    assert face.seen is not None
    return float(face.seen.confidence.mean()) >= _TRUSTED


def _jumped(face: Face, found: Face) -> bool:
    moved = np.linalg.norm(found.landmarks - face.landmarks, axis=1).mean()
    return float(moved) > _JUMP * face.box[2]


def _distinct(tracks: list[_Track]) -> list[_Track]:
    """The older of two tracks that ended up on the same face stays."""
    kept: list[_Track] = []
    for track in tracks:
        if not any(overlap(track.face.box, other.face.box) > 0.4 for other in kept):
            kept.append(track)
    return kept
