"""The truth of a frame is what geometry says, worked out here again without the renderer."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from cast import ACTOR, performance, shots
from numpy.typing import NDArray

from changeling.actors import ACTIONS, Segment, Shot, Truth
from changeling.actors.body import build
from changeling.actors.landmarks import DENSE, MIRROR, inner_face, landmark_vertices
from changeling.actors.model import Part, model

JOINT = np.array([0.0, 0.095, -0.085])
"""Of neck and head, from the point between the eyes: right, away, up, in metres."""
TO_OPENCV = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
"""Right, away, up → right, down, forward."""
LARGE = (320, 240)


@pytest.fixture(scope="module")
def large() -> tuple[Shot, ...]:
    return shots(ACTOR, LARGE)


def posed(shot: Shot) -> NDArray[np.float64]:
    """Landmarks in front of the camera, (DENSE, 3) metres, in OpenCV's axes."""
    p, k, body, m = performance(), shot.frame.index, build(ACTOR), model()
    vertices = landmark_vertices()
    assert m.action_names == ACTIONS
    moved = body.rest[vertices] + np.tensordot(p.actions[k], m.actions[:, vertices], 1)
    t = np.clip((body.rest[vertices, 2] + 0.175) / 0.105, 0, 1)
    axis = cv2.Rodrigues(turned(p.turn[k]))[0][:, 0]
    turns = [cv2.Rodrigues(axis * share)[0] for share in t * t * (3 - 2 * t)]
    stands = [r @ (v - JOINT) + JOINT for r, v in zip(turns, moved.astype(float), strict=True)]
    return np.asarray((np.stack(stands) + p.position[k]) @ TO_OPENCV.T)


def turned(turn: NDArray[np.float32]) -> NDArray[np.float64]:
    """Yaw about up, pitch about right, roll about away, applied from the last to the first."""
    yaw, pitch, roll = turn
    about = [np.array([0, 0, yaw]), np.array([pitch, 0, 0]), np.array([0, roll, 0])]
    matrices = [cv2.Rodrigues(vector)[0] for vector in about]
    return np.asarray(matrices[0] @ matrices[1] @ matrices[2])


def test_landmarks_are_projections_of_their_vertices(large: tuple[Shot, ...]) -> None:
    for shot in large:
        truth = shot.truth
        assert truth.dense.shape == (DENSE, 2) == (200, 2)
        assert np.array_equal(truth.dense[:68], truth.landmarks)
        projected = posed(shot) @ truth.camera.T.astype(float)
        assert np.abs(projected[:, :2] / projected[:, 2:] - truth.dense).max() < 0.01


def test_the_camera_has_square_pixels_and_looks_through_the_middle(large: tuple[Shot, ...]) -> None:
    for shot in large:
        focal = performance().focal[shot.frame.index] * LARGE[1]
        expected = [[focal, 0, 159.5], [0, focal, 119.5], [0, 0, 1]]
        assert shot.truth.camera == pytest.approx(np.array(expected), rel=1e-6)


def test_rotation_is_the_performance_s(large: tuple[Shot, ...]) -> None:
    for shot in large:
        rotation = shot.truth.rotation.astype(float)
        assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-6)
        assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-6)
        expected = TO_OPENCV @ turned(performance().turn[shot.frame.index]) @ TO_OPENCV.T
        assert rotation == pytest.approx(expected, abs=1e-6)
        assert np.array_equal(shot.truth.actions, performance().actions[shot.frame.index])


def test_landmarks_lie_where_300w_puts_them() -> None:
    """On the resting face seen from the front; x grows to the right of the picture."""
    x, _, z = build(ACTOR).rest[landmark_vertices()[:68]].T
    assert all(a < b for a, b in pairwise(x[:17])), "jaw from the left to the right"
    assert z[:17].argmin() == 8, "chin"
    for left_to_right in (range(17, 27), range(31, 36), range(48, 55), range(60, 65)):
        assert all(x[a] < x[b] for a, b in pairwise(left_to_right))
    assert all(z[a] > z[b] for a, b in pairwise(range(27, 31))), "down the bridge of the nose"
    for corner, upper, other, lower in ((36, 37, 39, 41), (42, 43, 45, 47)):
        assert x[corner] < x[upper] < x[other] and z[upper] > z[corner] > z[lower]
    heights = [z[17:27].min(), z[36:48].mean(), z[30], z[31:36].mean(), z[51], z[57], z[8]]
    assert heights == sorted(heights, reverse=True)


def test_landmarks_of_both_sides_mirror_each_other() -> None:
    mirror = np.arange(68)
    for left, right in MIRROR.items():
        mirror[[left, right]] = right, left
    assert sorted(mirror) == list(range(68))
    average = model().template - model().middle(model().template)
    for points, within in ((average, 0.0005), (build(ACTOR).rest, 0.003)):
        landmarks = points[landmark_vertices()[:68]]
        assert np.linalg.norm(landmarks[mirror] * [-1, 1, 1] - landmarks, axis=1).max() < within


def test_landmarks_are_vertices_of_the_skin() -> None:
    m, vertices = model(), landmark_vertices()
    assert len(set(vertices)) == DENSE
    assert np.isin(vertices, m.triangles[m.part == Part.SKIN]).all()
    assert (inner_face()[vertices[68:]] > -2).all()


def test_what_is_visible_is_the_nearest_thing_there(large: tuple[Shot, ...]) -> None:
    """But for a pixel at the edges of hair, rims and nose."""
    away, skin, hidden = [], [], 0
    for shot in large:
        truth, distance = shot.truth, posed(shot)[:, 2]
        assert np.array_equal(truth.dense_visible[:68], truth.visible)
        x, y = np.round(truth.dense).astype(int).T
        inside = (x > 0) & (y > 0) & (x < LARGE[0] - 1) & (y < LARGE[1] - 1)
        here, seen = truth.depth[y.clip(0, 239), x.clip(0, 319)], truth.dense_visible
        hits = seen & inside & np.isfinite(here)
        assert hits.sum() > 0.97 * seen.sum()
        away.append(np.abs(here - distance)[hits])
        skin.append(truth.segmentation[y[hits], x[hits]])
        assert (distance - here)[inside & ~seen].min() > 0.003, "hidden ones lie behind"
        hidden += int((inside & ~seen).sum())
    assert hidden > 50
    assert np.median(np.concatenate(away)) < 0.001
    assert (np.concatenate(away) < 0.005).mean() > 0.85
    flesh = (Segment.FACE, Segment.SKIN, Segment.EYES, Segment.MOUTH)
    assert np.isin(np.concatenate(skin), flesh).mean() > 0.9


def test_what_is_outside_the_picture_is_not_visible() -> None:
    for shot in shots(ACTOR, (64, 240)):
        x, y = shot.truth.dense.T
        outside = (x < -0.5) | (x > 63.5) | (y < -0.5) | (y > 239.5)
        assert outside.any()
        assert not shot.truth.dense_visible[outside].any()


def test_segments_are_all_there(large: tuple[Shot, ...]) -> None:
    labels = np.stack([shot.truth.segmentation for shot in large])
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) == set(Segment) - {Segment.OCCLUDER}
    for shot in large:
        anything = shot.truth.segmentation != Segment.BACKGROUND
        assert np.isfinite(shot.truth.depth[anything]).all()
        distance = shot.truth.depth[np.isfinite(shot.truth.depth)]
        assert 0.7 < distance.min() < distance.max() < 1.9


def test_hair_and_glasses_are_not_the_inner_face(large: tuple[Shot, ...]) -> None:
    assert build(ACTOR).styling.glasses
    for shot in large:
        truth = shot.truth
        kept = (Segment.FACE, Segment.EYES, Segment.MOUTH)
        assert np.array_equal(truth.inner_face, np.isin(truth.segmentation, kept))
        hull = cv2.convexHull(truth.landmarks[17:48].astype(np.int32))
        area = cv2.fillConvexPoly(np.zeros((240, 320), np.uint8), hull, 1).astype(bool)
        frames = area & (truth.segmentation == Segment.CLOTHES)
        assert frames.sum() > 20, "rims"
        assert not truth.inner_face[frames].any()


def test_the_inner_face_is_the_face(large: tuple[Shot, ...]) -> None:
    """It lies within the landmarks' outline and holds most of it."""
    for shot in large:
        outline = np.concatenate([shot.truth.landmarks, shot.truth.dense[68:]])
        hull = cv2.convexHull(outline.round().astype(np.int32))
        area = cv2.fillConvexPoly(np.zeros((240, 320), np.uint8), hull, 1)
        inner = shot.truth.inner_face
        assert (cv2.dilate(area, np.ones((13, 13), np.uint8))[inner] == 1).mean() > 0.99
        assert 0.5 < (area.astype(bool) & inner).sum() / area.sum() <= 1


def test_inner_face_follows_the_labels() -> None:
    every = np.array([list(Segment)], np.uint8)
    truth: Truth = replace(shots()[0].truth, segmentation=every)
    assert truth.inner_face.tolist() == [[False, True, False, False, True, True, False, False]]
