"""What the errors of expression and pose promise."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from cast import shots
from numpy.typing import NDArray

from changeling.faces import Face, Tracker
from changeling.measuring import (
    PerformanceError,
    expression_errors,
    performance_error,
    pose_errors,
)

Floats = NDArray[np.float64]


def film(frames: int = 12, seed: int = 0) -> Floats:
    """Landmarks of an actor whose mouth opens and closes and whose brows rise."""
    still = shots()[0].truth.landmarks.astype(np.float64)
    out = np.repeat(still[None], frames, 0)
    phase = np.arange(frames)[:, None]
    out[:, 55:60, 1] += 1.5 * (1 + np.sin(phase + seed))
    out[:, 17:27, 1] -= 1.0 * (1 + np.cos(0.7 * phase + seed))
    return out


def turned(points: Floats, degrees: float, scale: float, shift: float) -> Floats:
    angle = np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ turn.T + shift


def another(points: Floats) -> Floats:
    """The same movements in a wider face with a longer chin."""
    middle = points.mean((0, 1))
    face = (points[:1] - middle) * [1.03, 1.0]
    face[:, 6:11, 1] += 1.5
    return face + middle + (points - points[:1])


def rotation(degrees: float) -> Floats:
    return np.asarray(cv2.Rodrigues(np.radians(degrees) * np.array([0.0, 0.6, 0.8]))[0])


def test_the_performance_itself() -> None:
    assert expression_errors(film(), film()) == pytest.approx(0, abs=1e-9)


def test_place_size_and_roll_do_not_matter() -> None:
    moved = np.stack(
        [turned(frame, 4 * k, 1 + 0.1 * k, 20 - 3 * k) for k, frame in enumerate(film())]
    )
    assert expression_errors(moved, film()) == pytest.approx(0, abs=1e-9)


def test_who_it_is_hardly_matters() -> None:
    frozen = np.repeat(film()[:1], 12, 0)
    assert expression_errors(another(film()), film()).mean() < 0.1 * (
        expression_errors(another(frozen), film()).mean()
    )


def test_weaker_and_wrong_expressions() -> None:
    """Half of the movement is off by half of it; a frozen face by all of it."""
    own = film()
    weaker = [own.mean(0) + share * (own - own.mean(0)) for share in (1, 0.5, 0)]
    found = [expression_errors(points, own).mean() for points in weaker]
    assert all(better < worse for better, worse in pairwise(found))
    assert found[1] == pytest.approx(found[2] / 2, rel=0.05)
    assert expression_errors(film(seed=2), own).mean() > found[1]


def test_it_is_in_distances_of_the_eyes() -> None:
    """One point of 68 that jumps by the distance of the eyes in one of many frames."""
    own = np.repeat(film()[:1], 400, 0)
    eyes = np.linalg.norm(own[0, 36:42].mean(0) - own[0, 42:48].mean(0))
    jumped = own.copy()
    jumped[7, 8, 0] += eyes
    assert expression_errors(jumped, own)[7] == pytest.approx(1 / 68, rel=0.15)


def test_degrees_of_a_turn() -> None:
    one = np.stack([rotation(degrees) for degrees in (0, 10, 30)])
    other = np.stack([rotation(degrees) for degrees in (0, 13, -30)])
    assert pose_errors(one, other) == pytest.approx([0, 3, 60], abs=1e-5)
    assert pose_errors(one @ other, one) == pytest.approx([0, 13, 30], abs=1e-5)
    assert pose_errors(rotation(180)[None], np.eye(3)[None]) == pytest.approx([180])


def faces() -> list[Face]:
    """What the tracker sees of the actor, each frame as a picture of its own."""
    found = [Tracker().find(shot.frame.pixels) for shot in shots(size=(320, 240))]
    return [each[0] for each in found]


def test_two_films() -> None:
    own = faces()
    assert len(own) == 8
    same = performance_error(own, own)
    assert replace(same, pose=0) == PerformanceError(expression=0, pose=0, missed=0)
    assert same.pose == pytest.approx(0, abs=0.03)
    seen = own[3].seen
    assert seen is not None
    off = replace(seen, rotation=(seen.rotation @ rotation(8)).astype(np.float32))
    swap = [*own[:3], replace(own[3], seen=off), None, *own[5:]]
    found = performance_error(swap, own)
    assert found.pose == pytest.approx(8 / 7, abs=0.03)
    assert found.missed == 1 / 8
    assert found.expression == 0


def test_faces_that_are_not_found() -> None:
    own = faces()[:3]
    missing = performance_error([None, None, own[2]], own)
    assert np.isnan(missing.expression)
    assert np.isnan(missing.pose)
    assert missing.missed == pytest.approx(2 / 3)
    assert performance_error([None, *own[1:]], [None, *own[1:]]).missed == 0
    with pytest.raises(ValueError, match="shows no face"):
        performance_error(own, [None] * 3)
    with pytest.raises(ValueError, match="expressions of"):
        expression_errors(film(1), film(1))
    bare = [Face.from_landmarks(face.landmarks) for face in own]
    with pytest.raises(ValueError, match="landmarks alone"):
        performance_error(own, bare)
