"""A mesh as pixels show it: interpolated, the nearer in front; and what a frame shows of a face."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from drawn import LEFT, seen_face
from painted import BACKGROUND, EVEN, FOCAL, MEAN, SIDEWAYS, SIZE, held, view

from changeling.faces import face_model
from changeling.faces.alignment import Seen
from changeling.faces.fitted import Fit, project
from changeling.faces.fitting_record import Fitted
from changeling.faces.morphable import Floats
from changeling.faces.surface import Surface, surface
from changeling.faces.view import encoded, linear, view_of

OUTWARDS = np.array([[2, 1, 0]], np.int32)
CORNERS = np.array([[10.0, 10], [90, 20], [30, 80]])
WIDE = (100, 90)


def plane(points: Floats) -> Floats:
    """(n, 2) numbers that grow evenly over the picture."""
    return np.stack([2 * points[:, 0] + 3 * points[:, 1] + 1, -points[:, 0]], 1)


def test_numbers_of_corners_are_spread_linearly() -> None:
    drawn = surface(OUTWARDS, CORNERS, np.ones(3), plane(CORNERS), WIDE)
    assert drawn.triangle.shape == (90, 100) and drawn.values.shape == (90, 100, 2)
    inside = drawn.triangle >= 0
    rows, columns = np.nonzero(inside)
    assert np.allclose(drawn.values[inside], plane(np.stack([columns, rows], 1)), atol=1e-3)
    assert (drawn.values[~inside] == 0).all() and (drawn.triangle[~inside] == -1).all()
    a, b = CORNERS[1] - CORNERS[0], CORNERS[2] - CORNERS[0]
    assert abs(len(rows) - (a[0] * b[1] - a[1] * b[0]) / 2) < 60, "pixels fill its area"


def test_a_triangle_is_seen_from_outside_only() -> None:
    behind = surface(OUTWARDS[:, ::-1].copy(), CORNERS, np.ones(3), plane(CORNERS), WIDE)
    assert (behind.triangle == -1).all() and (behind.values == 0).all()


def two(depths: Floats) -> Surface:
    """Two triangles of one outline; the values of the second are higher by 100."""
    points = np.concatenate([CORNERS, CORNERS])
    values = np.array([[0.0], [0], [0], [100], [100], [100]])
    return surface(np.concatenate([OUTWARDS, OUTWARDS + 3]), points, depths, values, WIDE)


@pytest.mark.parametrize(("depths", "front"), [((1, 1.1), 0), ((1.1, 1), 1)])
def test_the_nearer_of_two_is_in_front(depths: tuple[float, float], front: int) -> None:
    drawn = two(np.repeat(np.array(depths), 3))
    assert set(np.unique(drawn.triangle)) == {-1, front}
    assert np.allclose(drawn.values[drawn.triangle >= 0], 100 * front, atol=1e-3)


def test_triangles_that_cross_are_each_seen_where_they_are_nearer() -> None:
    drawn = two(np.array([1.0, 1.2, 1.0, 1.1, 1.1, 1.1]))
    assert drawn.triangle[20, 15] == 0 and drawn.triangle[22, 80] == 1
    assert np.nonzero(drawn.triangle == 0)[1].mean() < np.nonzero(drawn.triangle == 1)[1].mean()


def test_what_lies_outside_the_picture_is_left_out() -> None:
    away = surface(OUTWARDS, CORNERS + 500, np.ones(3), plane(CORNERS), WIDE)
    assert (away.triangle == -1).all()
    half = surface(OUTWARDS, CORNERS - [40, 0], np.ones(3), plane(CORNERS), WIDE)
    assert (half.triangle[:, 0] == 0).any() and half.triangle.shape == (90, 100)


def test_a_view_is_a_window_of_the_frame_about_the_face() -> None:
    shown = view(held())
    rows, columns = shown.window
    whole = project(shown.shape, shown.frame, FOCAL, SIZE)
    assert np.allclose(shown.points(shown.shape), whole - [columns.start, rows.start])
    assert np.array_equal(shown.pixels, BACKGROUND[rows, columns])
    assert shown.clear.shape == shown.pixels.shape[:2] and (shown.clear == 1).all()
    low, high = whole.min(0), whole.max(0)
    assert columns.start < low[0] and rows.start < low[1] and high[0] < columns.stop <= SIZE[0]
    off = view(held(place=(-150, 900)))
    assert min(off.pixels.shape[:2]) >= 2, "a face outside the frame leaves a sliver"


def test_depths_are_shares_of_the_distance() -> None:
    shown = view(held(turn=(0, 0, 0)))
    points = np.array([[0, 0, 0], [0.05, 0.02, 0], [0, 0, FOCAL / shown.frame.scale]])
    assert np.allclose(shown.depths(points), [1, 1, 2])


def test_normals_are_the_camera_s_and_light_falls_on_them() -> None:
    shown = view(held(turn=(0, 0, 0)), light=SIDEWAYS)
    ways = shown.normals(shown.shape)
    assert np.allclose(np.linalg.norm(ways, axis=1), 1, atol=1e-5)
    assert ways[shown.model.landmarks[30], 2] < -0.7, "the tip of the nose faces the camera"
    turned = view(held(turn=(0.5, 0, 0))).normals(shown.shape)
    assert abs(turned[shown.model.landmarks[30], 0] - ways[shown.model.landmarks[30], 0]) > 0.3
    at = np.array([[0.0, 0, 0], [0, 0, -1]])
    assert np.allclose(shown.shade(at), [[0.4, 0.35, 0.3], [0.5, 0.45, 0.4]])
    hue = shown.shade(ways) / SIDEWAYS[:, 0]
    assert (hue.max(1) <= hue.min(1) / 0.8**2 + 1e-9).all(), "near the colour of the whole light"
    dark = replace(shown, light=np.array([[0.4, 0.4, 0, 0]] * 3))
    assert np.allclose(dark.shade(np.array([[-1.0, 0, 0]])), 0.4 * 0.25 * 0.8), "never black"


def test_parts_are_those_of_the_triangles() -> None:
    shown = view(held())
    drawn = shown.draw(shown.shape, np.zeros((len(shown.shape), 1)))
    parts = shown.parts(drawn)
    assert np.array_equal(parts == -1, drawn.triangle == -1)
    seen = drawn.triangle >= 0
    assert np.array_equal(parts[seen], shown.model.parts[drawn.triangle[seen]])
    assert {0, 1, 2} <= set(np.unique(parts).tolist()), "skin and both eyes"


def test_without_a_fit_there_is_no_view() -> None:
    fit = Fit(MEAN, FOCAL, (), 1.0)
    lost = Fitted(0, Fraction(0), None, EVEN, "one eye is hidden")
    assert view_of(face_model(), BACKGROUND, None, fit, lost) is None


def test_levels_come_back_from_light() -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(np.rint(255 * encoded(linear(levels))), levels)
    assert linear(levels).min() == 0 and linear(levels).max() == 1
    outside = encoded(np.array([[[-1.0, 0.5, 7.0]]], np.float32))
    assert outside[0, 0].tolist() == pytest.approx([0, 0.5 ** (1 / 2.2), 1])


def half_hidden() -> Seen:
    """The lower right of what the network read is hair."""
    face = seen_face(LEFT)
    assert face.seen is not None
    parts = np.zeros((7, 32, 32), np.uint8)
    parts[1], parts[1, 16:, 16:], parts[3, 16:, 16:] = 255, 0, 255
    box = np.array([[1 / 120, 0, -0.1], [0, 1 / 120, -0.2]])
    return replace(face.seen, view=box, parts=parts)


def test_what_is_seen_in_rows_and_columns_is_what_an_upright_crop_sees() -> None:
    seen, side, left, top = half_hidden(), 90, 25, 31
    upright = np.array([[1 / side, 0, (0.5 - left) / side], [0, 1 / side, (0.5 - top) / side]])
    rows, columns = slice(top, top + side), slice(left, left + side)
    for kinds in ((3, 6), (1, 4, 5)):
        crop, frame = seen.share(kinds, upright, side), seen.share_in(kinds, rows, columns)
        assert frame.shape == (side, side) and np.allclose(crop, frame, atol=1e-4)
    low = seen.share_in((3,), slice(31, 61), columns)
    assert low.shape == (30, 90) and np.allclose(low, seen.share_in((3,), rows, columns)[:30])


def test_hair_before_a_face_is_not_clear() -> None:
    face = replace(seen_face(LEFT), seen=half_hidden())
    rows, columns = slice(30, 120), slice(14, 130)
    clear = face.clear_in(rows, columns)
    middle = round((0.5 + 0.1) * 120) - 14
    assert (clear[:, : middle - 5] == 1).all() and (clear[:48] == 1).all()
    assert (clear[60:85, middle + 5 : middle + 40] == 0).all()
    unseen = replace(face, seen=None).clear_in(rows, columns)
    assert unseen.shape == (90, 116) and (unseen == 1).all()
