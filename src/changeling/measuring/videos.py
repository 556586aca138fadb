"""A finished video against the true one, frame by frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.actors import read_truth, sidecar_path
from changeling.errors import UserError
from changeling.faces import Tracker
from changeling.measuring.judging import Sample
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
    series: list[Moment] = []
    total = probe(truth).frames
    for frame, true_frame, area in _together(swap, truth):
        face = score(frame.pixels, true_frame.pixels, area) if area.any() else None
        whole = score(frame.pixels, true_frame.pixels)
        series.append(Moment(float(true_frame.time), face, whole))
        tick(len(series), total)
    faces = [moment.face for moment in series if moment.face is not None]
    if not faces:
        raise UserError(f"No face was found in {truth}: give the true video of the same swap.")
    return VideoJudgement(mean(faces), mean([moment.frame for moment in series]), tuple(series))


def read_samples(performance: Path, truth: Path) -> Iterator[Sample]:
    """What `judge` asks for, from two films; the inner faces and the errors of `judge_videos`."""
    for frame, true_frame, area in _together(performance, truth):
        yield Sample(frame.pixels, true_frame.pixels, area)


def error_map(image: Pixels, truth: Pixels, *, hottest: float = 0.25) -> Pixels:
    """The absolute error of each pixel, (h, w, 3) uint8, from black through red to pale yellow.

    It is averaged over the channels, on the scale 0…1; `hottest` and more get the last colour.
    """
    error = np.abs(image.astype(np.float32) - truth.astype(np.float32)).mean(2) / 255
    heat = np.rint(np.clip(error / hottest, 0, 1) * 255).astype(np.uint8)
    painted: Pixels = cv2.applyColorMap(heat, cv2.COLORMAP_INFERNO)[..., ::-1].copy()
    return painted


def _together(video: Path, truth: Path) -> Iterator[tuple[Frame, Frame, NDArray[np.bool_]]]:
    """Frame, true frame and inner face (h, w) of every moment of two videos that fit together."""
    one, two = probe(video), probe(truth)
    if (one.width, one.height) != (two.width, two.height):
        raise UserError(
            f"{video} has {one.width}x{one.height} pixels and {truth} has "
            f"{two.width}x{two.height}: judge videos of the same size."
        )
    areas = _filmed_areas(truth) if sidecar_path(truth).exists() else None
    tracker = Tracker()
    for frame, true_frame in zip_longest(read_frames(video), read_frames(truth)):
        if frame is None or true_frame is None:
            shorter = video if frame is None else truth
            raise UserError(f"{shorter} ends first: judge {video} and {truth} of the same length.")
        area = _found_area(tracker, true_frame.pixels) if areas is None else next(areas, None)
        if area is None or area.shape != true_frame.pixels.shape[:2]:
            raise UserError(
                f"{sidecar_path(truth)} does not fit {truth}: film it again or move it away."
            )
        yield frame, true_frame, area


def _filmed_areas(truth: Path) -> Iterator[NDArray[np.bool_]]:
    """The inner face of every frame as the renderer drew it."""
    for one in read_truth(truth):
        yield one.inner_face


def _found_area(tracker: Tracker, pixels: Pixels) -> NDArray[np.bool_]:
    """The hull of the largest face's landmarks; empty where no face is seen."""
    area = np.zeros(pixels.shape[:2], np.uint8)
    for face in tracker.find(pixels)[:1]:
        hull = cv2.convexHull(np.rint(face.landmarks).astype(np.int32))
        cv2.fillConvexPoly(area, hull, 1)
    return area.astype(np.bool_)
