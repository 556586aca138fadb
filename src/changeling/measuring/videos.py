"""A finished video against the true one, frame by frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces import Tracker
from changeling.measuring.score import Score, mean, score
from changeling.media import Frame, Pixels, Tick, probe, read_frames, silent


@dataclass(frozen=True)
class Moment:
    """The scores of one frame."""

    time: float
    """Seconds from the start."""
    face: Score | None
    """Inside the true inner face; None in a frame where the truth shows no face."""
    frame: Score
    """The whole frame."""


@dataclass(frozen=True)
class VideoJudgement:
    """The mean over all frames (PSNR averaged in decibels), and every frame by itself."""

    face: Score
    frame: Score
    series: tuple[Moment, ...]


def judge_videos(swap: Path, truth: Path, *, tick: Tick = silent) -> VideoJudgement:
    """Scores `swap` against `truth` inside the true face and over the whole frame.

    The true inner face is that of the truth's sidecar, or else the hull of the landmarks found in
    the true frame. UserError when the two differ in size or length, or the truth shows no face.
    """
    one, two = probe(swap), probe(truth)
    if (one.width, one.height) != (two.width, two.height):
        raise UserError(
            f"{swap} has {one.width}x{one.height} pixels and {truth} has {two.width}x{two.height}: "
            "judge videos of the same size."
        )
    series = []
    for (frame, true_frame), area in zip(_pairs(swap, truth), _areas(truth), strict=False):
        face = score(frame.pixels, true_frame.pixels, area) if area.any() else None
        whole = score(frame.pixels, true_frame.pixels)
        series.append(Moment(float(true_frame.time), face, whole))
        tick(len(series), two.frames)
    faces = [moment.face for moment in series if moment.face is not None]
    if not faces:
        raise UserError(f"No face was found in {truth}: give the true video of the same swap.")
    return VideoJudgement(mean(faces), mean([moment.frame for moment in series]), tuple(series))


def error_map(image: Pixels, truth: Pixels, *, hottest: float = 0.25) -> Pixels:
    """The absolute error of each pixel, (h, w, 3) uint8, from black through red to pale yellow.

    It is averaged over the channels, on the scale 0…1; `hottest` and more get the last colour.
    """
    error = np.abs(image.astype(np.float32) - truth.astype(np.float32)).mean(2) / 255
    levels = np.rint(np.clip(error / hottest, 0, 1) * 255).astype(np.uint8)
    heat: Pixels = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1].copy()
    return heat


def _pairs(swap: Path, truth: Path) -> Iterator[tuple[Frame, Frame]]:
    for frame, true_frame in zip_longest(read_frames(swap), read_frames(truth)):
        if frame is None or true_frame is None:
            shorter = swap if frame is None else truth
            raise UserError(f"{shorter} ends first: judge {swap} and {truth} of the same length.")
        yield frame, true_frame


def _areas(truth: Path) -> Iterator[NDArray[np.bool_]]:
    """The inner face of every true frame, (h, w); empty where no face is seen."""
    tracker = Tracker()
    for frame in read_frames(truth):
        area = np.zeros(frame.pixels.shape[:2], np.uint8)
        for face in tracker.find(frame.pixels)[:1]:
            hull = cv2.convexHull(np.rint(face.landmarks).astype(np.int32))
            cv2.fillConvexPoly(area, hull, 1)
        yield area.astype(np.bool_)
