"""Finding and aligning faces, on drawn faces whose landmarks are known."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from drawn import face_points, placed

from changeling.faces.alignment import (
    MIRROR,
    TEMPLATE,
    Face,
    Seen,
    align,
    apply,
    concatenated,
    crop,
    enlarged,
    five_points,
    inner_mask,
    invert,
    similarity,
    to_pixels,
    turns,
)
from changeling.faces.detect import Detector, merged, overlap
from changeling.faces.landmarks import guess


def test_similarity_is_recovered_from_points() -> None:
    points = np.random.default_rng(1).normal(size=(9, 2)) * 40
    wanted = placed(1.7, 0.6, (31, -7))
    assert np.abs(similarity(points, apply(wanted, points)) - wanted).max() < 1e-12


def test_similarity_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(2)
    source, target = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
    best = similarity(source, target)
    error = np.square(apply(best, source) - target).sum()
    for change in np.eye(4) * 1e-3:
        a, b, x, y = change
        other = best + np.array([[a, -b, x], [b, a, y]])
        assert np.square(apply(other, source) - target).sum() > error


def test_the_inverse_undoes_the_matrix() -> None:
    matrix = align(apply(placed(120, 0.3, (200, 90)), face_points()))
    points = np.random.default_rng(3).uniform(0, 400, (50, 2))
    assert np.abs(apply(invert(matrix), apply(matrix, points)) - points).max() < 1e-9


def test_align_takes_the_five_points_to_the_template() -> None:
    points = apply(placed(150, -0.25, (300, 140)), face_points())
    assert np.abs(apply(align(points), five_points(points)) - TEMPLATE).max() < 1e-9


@pytest.mark.parametrize("scale", [40.0, 75.0, 260.0, 700.0])
def test_marked_points_of_a_crop_lie_on_the_template(scale: float) -> None:
    points = apply(placed(scale, 0.2, (150 + scale * 0.3, 120)), face_points())
    size, wide = 64, max(2.0, scale / 40)
    down, along = np.mgrid[:900, :1000]
    for wanted, (x, y) in zip(TEMPLATE, five_points(points), strict=True):
        blob = np.exp(-(np.square(along - x) + np.square(down - y)) / (2 * wide**2))
        frame = np.rint(255 * blob).astype(np.uint8)
        small = crop(frame, align(points), size).astype(np.float64)
        rows, columns = np.mgrid[:size, :size]
        found = np.array([(small * columns).sum(), (small * rows).sum()]) / small.sum()
        assert np.abs(found - (wanted * size - 0.5)).max() < 0.25


def test_a_shrunk_crop_averages_instead_of_aliasing() -> None:
    board = (np.indices((800, 800)).sum(0) % 2 * 255).astype(np.uint8)
    small = crop(board, invert(placed(640, 0.1, (80, 80))), 64)
    assert abs(float(small.mean()) - 127.5) < 1
    assert float(small.std()) < 8


def test_enlarged_keeps_the_centre() -> None:
    matrix = align(apply(placed(80, 0.4, (60, 50)), face_points()))
    corners = np.array([[0.5, 0.5], [0, 0], [1, 1]])
    wide = apply(invert(enlarged(matrix, 1.5)), corners)
    assert np.abs(apply(matrix, wide) - [[0.5, 0.5], [-0.25, -0.25], [1.25, 1.25]]).max() < 1e-9


def test_to_pixels_puts_centres_at_whole_numbers() -> None:
    unit = np.array([[0.5 / 64, 63.5 / 64]])
    assert np.allclose(apply(to_pixels(np.eye(2, 3), 64), unit), [[0, 63]])


def test_inner_mask_is_the_hull_with_raised_brows() -> None:
    points = apply(placed(200, 0.1, (90, 60)), face_points())
    mask = inner_mask(points, align(points), 128)
    assert mask.dtype == np.float32
    assert (mask.min(), mask.max()) == (0, 1)
    inside = np.rint(apply(to_pixels(align(points), 128), points[17:])).astype(int)
    assert all(mask[y, x] == 1 for x, y in inside)
    hull = cv2.convexHull(face_points().astype(np.float32))
    assert float(mask.mean()) > cv2.contourArea(hull)
    assert mask[0, 0] == mask[127, 127] == 0


def test_mirror_is_an_involution_and_maps_a_mirrored_face() -> None:
    assert np.array_equal(MIRROR[MIRROR], np.arange(68))
    points = face_points()
    mirrored = ([1, 0] + np.array([-1, 1]) * points)[MIRROR]
    assert np.abs(mirrored - points).max() < 1e-9, "the drawn face is symmetric"


def test_mirror_keeps_each_feature_in_its_place() -> None:
    for first, last in pairwise([0, 17, 27, 31, 36, 48, 60, 68]):
        assert sorted(MIRROR[first:last]) == list(range(first, last))


def test_overlapping_boxes_are_one_face_and_the_largest_is_first() -> None:
    small, large, beside = (
        (10.0, 10.0, 30.0, 30.0),
        (5.0, 5.0, 40.0, 40.0),
        (100.0, 0.0, 35.0, 35.0),
    )
    assert merged([small, beside, large]) == (large, beside)
    assert overlap(small, large) == 1
    assert overlap(small, beside) == 0


def test_a_plain_wall_has_no_face() -> None:
    assert Detector().boxes(np.full((180, 320), 90, np.uint8)) == ()


def test_guess_puts_a_cascade_box_about_the_unit_crop() -> None:
    box = (50.0, 30.0, 100.0, 100.0)
    corners = apply(invert(guess(box)), np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.5]]))
    assert abs(corners[2, 0] - 100) < 1e-9
    assert 80 < corners[1, 0] - corners[0, 0] < 120


def test_concatenated_maps_follow_each_other() -> None:
    first, second = placed(3, 0.4, (1, 2)), placed(0.5, -1, (-4, 0))
    points = face_points()
    both = apply(second, apply(first, points))
    assert np.allclose(apply(concatenated(second, first), points), both)


def test_turns_are_told_apart_and_signed() -> None:
    for axis, angle in ((0, 0.3), (1, 0.4), (2, 0.2)):
        vector = np.zeros(3)
        vector[axis] = angle
        yaw, pitch, roll = turns(cv2.Rodrigues(vector)[0])
        assert np.allclose(
            [yaw, pitch, roll], [-angle * (axis == 1), -angle * (axis == 0), angle * (axis == 2)]
        )


def test_a_mask_lies_where_the_network_saw_the_face() -> None:
    parts = np.zeros((7, 32, 32), np.uint8)
    parts[1, 8:24, 8:16], parts[4, 8:24, 16:24] = 255, 255
    view = enlarged(np.array([[0.01, 0, 0.0], [0, 0.01, 0.0]]), 1.5)
    seen = Seen(
        dense=np.zeros((200, 2), np.float32), confidence=np.ones(200, np.float32),
        visible=np.ones(200, bool), rotation=np.eye(3, dtype=np.float32), view=view, parts=parts,
    )  # fmt: skip
    points = apply(placed(100, 0, (-0.5, -0.5)), face_points())
    face = Face.from_landmarks(points, 1.0, seen)
    mask = face.mask(60)
    # A quarter to three quarters of a square half as large again: 0.125 to 0.875 of the unit crop.
    inside = mask > 0.5
    rows, columns = np.nonzero(inside)
    assert abs(rows.min() - 7.5) <= 1.5 and abs(rows.max() - 52) <= 1.5
    assert abs(columns.min() - 7.5) <= 1.5 and abs(columns.max() - 52) <= 1.5
    assert inside[rows.min() : rows.max(), columns.min() : columns.max()].all()
    assert np.array_equal(
        Face.from_landmarks(points).mask(60), inner_mask(points, align(points), 60)
    )
