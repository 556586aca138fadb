"""How well a swap keeps the performance, where no truth is known: expression, pose, lost faces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from changeling.faces import TEMPLATE, Face, align
from changeling.faces.alignment import apply

_EYES_APART = float(np.linalg.norm(TEMPLATE[1] - TEMPLATE[0]))


@dataclass(frozen=True)
class PerformanceError:
    """A swap beside its performance; means over the frames in which both show a face."""

    expression: float
    """See `expression_errors`; shares of the distance of the eyes."""
    pose: float
    """See `pose_errors`; degrees."""
    missed: float
    """Share of the frames with a face in the performance in which the swap shows none, 0…1."""


def performance_error(
    swap: Sequence[Face | None], performance: Sequence[Face | None]
) -> PerformanceError:
    """Compare the largest faces, found frame by frame in two films of one length.

    Errors are NaN where fewer than two frames show both faces. ValueError when the performance
    shows none, or for faces that the landmark network did not see.
    """
    wanted = [(one, other) for one, other in zip(swap, performance, strict=True) if other]
    if not wanted:
        raise ValueError("the performance shows no face")
    pairs = [(one, other) for one, other in wanted if one and other]
    missed = 1 - len(pairs) / len(wanted)
    if len(pairs) < 2:
        return PerformanceError(np.nan, np.nan, missed)
    points = [np.stack([face.landmarks for face in faces]) for faces in zip(*pairs, strict=True)]
    turns = [np.stack([_rotation(face) for face in faces]) for faces in zip(*pairs, strict=True)]
    expression, pose = expression_errors(*points).mean(), pose_errors(*turns).mean()
    return PerformanceError(float(expression), float(pose), missed)


def expression_errors(
    swap: NDArray[np.floating], performance: NDArray[np.floating]
) -> NDArray[np.float64]:
    """(n,): how far the expressions of landmarks (n, 68, 2), pixels, of n ≥ 2 frames are apart.

    Each frame's landmarks are moved to the unit crop by the similarity that `faces.align` finds,
    which takes place, size and roll away; then each film's own mean is taken off, which takes most
    of who it is away, since the two show different people. What is left are the movements of the
    face, and the mean distance between them over the 68 points is the error, in distances of the
    eyes (the normalised mean error of Sagonas et al., "300 faces in-the-wild challenge", ICCVW
    2013, equation 1, of deviations). 0 when both move alike; the mean movement of the performance's
    own for a face that is frozen. ValueError for fewer than two frames.
    """
    if len(swap) < 2 or swap.shape != performance.shape:
        raise ValueError(f"expressions of {swap.shape} and {performance.shape} landmarks")
    moves = [_moves(points) for points in (swap, performance)]
    return np.asarray(np.linalg.norm(moves[0] - moves[1], axis=2).mean(1) / _EYES_APART)


def pose_errors(
    swap: NDArray[np.floating], performance: NDArray[np.floating]
) -> NDArray[np.float64]:
    """(n,): degrees, 0…180, between rotations (n, 3, 3) head → camera.

    The angle of the turn from one to the other: Huynh, "Metrics for 3D rotations", Journal of
    Mathematical Imaging and Vision 2009, equation 23.
    """
    cosines = (np.einsum("nij,nij->n", swap, performance, dtype=np.float64) - 1) / 2
    return np.asarray(np.degrees(np.arccos(cosines.clip(-1, 1))))


def _moves(points: NDArray[np.floating]) -> NDArray[np.float64]:
    aligned = np.stack([apply(align(frame), frame) for frame in points])
    return np.asarray(aligned - aligned.mean(0))


def _rotation(face: Face) -> NDArray[np.float32]:
    if face.seen is None:
        raise ValueError("the pose of a face that was made of landmarks alone")
    return face.seen.rotation
