"""The morphable model is fitted to landmarks: near the truth, within bounds, by its true slopes."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from changeling.actors import ACTIONS, Performance
from changeling.actors.camera import AXES, turned
from changeling.errors import UserError
from changeling.faces.fitted import Fit, FrameFit, Marked, project
from changeling.faces.fitting import fit_frames, track_frame
from changeling.faces.fitting_solver import Problem
from changeling.faces.morphable import Floats, MorphableModel, face_model
from changeling.faces.morphable_making import FaceMaking, face_vertices, make_face, unit_head

SIZE = (256, 256)
FOCAL = 480.0
SCALE = 800.0


@cache
def rest() -> Floats:
    """The face of an actor of whom the model was not made."""
    return unit_head(95_000, 95_001)[face_vertices()]


@cache
def performance() -> Performance:
    return Performance.from_seed(95_000, seconds=16)


def pose(index: int) -> FrameFit:
    """How the performance holds the head."""
    actions = performance().actions[index].astype(np.float64)
    rotation = AXES @ turned(performance().turn[index]) @ AXES.T
    return FrameFit(rotation, np.array([9.0, -4.0]), SCALE, actions)


def true_shape(index: int, model: MorphableModel) -> Floats:
    strengths = dict(zip(ACTIONS, performance().actions[index], strict=True))
    return rest() + np.tensordot([strengths[name] for name in model.actions], model.moves, 1)


def marked(index: int, noise: float = 1.0) -> Marked:
    model = face_model()
    points = project(true_shape(index, model), pose(index), FOCAL, SIZE)[model.landmarks]
    dice = np.random.default_rng(index)
    return Marked(points + noise * dice.normal(size=points.shape), np.ones(200), SIZE)


@cache
def joint() -> Fit:
    return fit_frames(face_model(), [marked(k) for k in range(0, 400, 50)])


def degrees(one: Floats, other: Floats) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(one @ other.T) - 1) / 2, -1, 1))))


def millimetres(one: Floats, other: Floats) -> float:
    """Mean distance of the inner face after the best shift and size."""
    inner = face_model().inner > 0
    a, b = (x[inner] - x[inner].mean(0) for x in (one, other))
    return float(np.linalg.norm(a * (a * b).sum() / (a**2).sum() - b, axis=1).mean() * 1000)


def test_the_model_is_a_mean_and_ways_to_differ() -> None:
    model = face_model()
    still = model.shape(np.zeros(60), np.zeros(len(model.moves)))
    assert np.array_equal(still, model.mean)
    lengths = np.linalg.norm(model.components.reshape(60, -1), axis=1)
    assert (np.diff(lengths) < 0).all(), "the largest first"
    flat = model.components.reshape(60, -1) / lengths[:, None]
    assert np.abs(flat @ flat.T - np.eye(60)).max() < 2e-3, "independent of each other"
    assert model.uv.min() == 0 and model.uv.max() == 1
    assert len(set(model.landmarks.tolist())) == 200
    assert model.mean[model.landmarks[30], 2] < model.mean[model.landmarks[36], 2], "nose in front"
    assert model.mean[model.landmarks[8], 1] > 0.09, "the chin is below the eyes"
    corners = model.mean[model.landmarks[[36, 45]]]
    assert 0.08 < np.linalg.norm(corners[1] - corners[0]) < 0.1
    assert "mouthClose" not in model.actions and len(model.actions) == 50


def test_the_components_hold_a_new_face() -> None:
    model = face_model()
    away = (rest() - model.mean).ravel()
    axes = model.components.reshape(60, -1)
    axes = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    left = (away - away @ axes.T @ axes).reshape(-1, 3)[model.inner > 0]
    before = away.reshape(-1, 3)[model.inner > 0]
    means = [np.linalg.norm(x, axis=1).mean() * 1000 for x in (before, left)]
    assert means[0] > 1.5 and means[1] < 0.45


def test_projection_is_that_of_a_pinhole_camera() -> None:
    frame, shape = pose(10), rest()
    x, y = SIZE[0] / 2 - 0.5, SIZE[1] / 2 - 0.5
    camera = np.array([[FOCAL, 0, x], [0, FOCAL, y], [0, 0, 1]])
    away = FOCAL / frame.scale
    place = np.array([*(frame.place / FOCAL * away), away])
    assert away == pytest.approx(0.6)
    seen = (shape @ frame.rotation.T + place) @ camera.T
    assert np.allclose(project(shape, frame, FOCAL, SIZE), seen[:, :2] / seen[:, 2:])


@pytest.mark.parametrize("known", [False, True])
def test_the_slopes_are_those_of_the_errors(known: bool) -> None:
    model = face_model()
    start = Fit(np.full(60, 0.1), 450.0, (replace(pose(3), actions=np.full(50, 0.2)),), np.inf)
    problem = Problem.of(model, [marked(3)], known=start if known else None)
    before, own, shared = problem.residual(0, start)
    for k in range(56):
        step = np.zeros(56)
        step[k] = 1e-6
        after = problem.residual(0, replace(start, frames=(start.frames[0].moved(step),)))[0]
        assert np.allclose((after - before) / 1e-6, own[:, k], rtol=1e-3, atol=1e-3), k
    assert shared.shape[1] == (0 if known else 61)
    for k in range(shared.shape[1]):
        step = np.zeros(61)
        step[k] = 1e-6
        there = replace(
            start, identity=start.identity + step[:60], focal=start.focal * np.exp(step[60])
        )
        after = problem.residual(0, there)[0]
        assert np.allclose((after - before) / 1e-6, shared[:, k], rtol=1e-3, atol=1e-3), k


def test_one_frame_is_fitted_near_the_truth() -> None:
    model, fit = face_model(), fit_frames(face_model(), [marked(0)])
    points = project(
        model.shape(fit.identity, fit.frames[0].actions), fit.frames[0], fit.focal, SIZE
    )
    true = project(true_shape(0, model), pose(0), FOCAL, SIZE)
    away = np.linalg.norm(points - true, axis=1)
    assert away[model.landmarks].mean() < 0.7 and away[model.inner > 0].mean() < 0.8
    assert degrees(fit.frames[0].rotation, pose(0).rotation) < 2
    assert 0.5 < fit.error < 1.5, "about the noise that it expects"


def test_eight_frames_say_better_who_it_is_than_the_mean_face() -> None:
    model = face_model()
    still = np.zeros(50)
    mean, fitted = (
        millimetres(model.shape(x, still), rest()) for x in (np.zeros(60), joint().identity)
    )
    assert fitted < 1.2 and fitted < 0.6 * mean


def test_frames_are_followed_within_bounds() -> None:
    model, last = face_model(), None
    errors, angles, moved = [], [], []
    for k in range(300, 315):
        found = track_frame(model, marked(k), joint(), last)
        last = found.frames[0]
        assert found.identity is joint().identity and found.focal == joint().focal
        assert last.actions.min() >= 0 and last.actions.max() <= 1
        added, true = np.tensordot(last.actions, model.moves, 1), true_shape(k, model) - rest()
        inner = model.inner > 0
        errors.append(np.linalg.norm((added - true)[inner], axis=1).mean() * 1000)
        moved.append(np.linalg.norm(true[inner], axis=1).mean() * 1000)
        angles.append(degrees(last.rotation, pose(k).rotation))
    assert np.mean(angles) < 1.2
    assert np.mean(errors) < 0.7 and np.mean(errors) < 0.4 * np.mean(moved)


def test_a_landmark_that_is_not_trusted_counts_nothing() -> None:
    model, one = face_model(), marked(0)
    weights = np.ones(200)
    weights[100:110] = 0
    wild = one.points.copy()
    wild[100:110] += 500
    fits = [fit_frames(model, [Marked(points, weights, SIZE)]) for points in (one.points, wild)]
    assert np.array_equal(fits[0].identity, fits[1].identity)
    assert np.array_equal(fits[0].frames[0].rotation, fits[1].frames[0].rotation)


def test_a_larger_picture_of_the_same_gives_the_same_face() -> None:
    model, one = face_model(), marked(0)
    large = Marked(2 * (one.points + 0.5) - 0.5, one.weights, (512, 512))
    small, twice = (fit_frames(model, [each]) for each in (one, large))
    assert np.allclose(small.identity, twice.identity, atol=1e-6)
    assert twice.focal == pytest.approx(2 * small.focal)
    assert twice.frames[0].scale == pytest.approx(2 * small.frames[0].scale)


def test_too_few_heads_are_refused() -> None:
    with pytest.raises(UserError, match="give --actors 121 or more"):
        make_face(FaceMaking(faces=100))
