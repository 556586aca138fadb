"""Pixels moved with a surface: nothing by nothing, all by one step, and ever less farther off."""

import numpy as np
import pytest

from changeling.faces.warping import Moves, moved, spread_out

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
FACE = np.zeros((80, 90), bool)
FACE[30:50, 30:60] = True
FREE = np.zeros((80, 90), np.float32)
REACH = 15.0


def constant(x: float, y: float, shape: tuple[int, int] = (80, 90)) -> Moves:
    return np.tile(np.array([x, y], np.float32)[:, None, None], (1, *shape))


def test_moves_of_zero_give_back_the_same_bytes() -> None:
    assert np.array_equal(moved(PICTURE, constant(0, 0, (40, 50))), PICTURE)
    real = PICTURE.astype(np.float32)
    assert np.array_equal(moved(real, constant(0, 0, (40, 50))), real)


@pytest.mark.parametrize(("x", "y"), [(3, -2), (-4, 0), (0, 5)])
def test_a_constant_move_shifts(x: int, y: int) -> None:
    out = moved(PICTURE, constant(x, y, (40, 50)))
    assert out.dtype == np.uint8 and out.shape == PICTURE.shape
    rows, columns = np.mgrid[6:34, 6:44]
    assert np.array_equal(out[6:34, 6:44], PICTURE[rows + y, columns + x])


def test_beyond_the_picture_its_edge_is_held() -> None:
    out = moved(PICTURE, constant(20, 0, (40, 50)))
    assert np.array_equal(out[:, 30:], np.repeat(PICTURE[:, -1:], 20, 1))
    flat = moved(PICTURE[..., 0].astype(np.float32), constant(0, 100, (40, 50)))
    assert flat.shape == (40, 50) and np.array_equal(flat, np.tile(flat[-1], (40, 1)))


def test_half_a_pixel_is_between_its_neighbours() -> None:
    ramp = np.tile(np.arange(50, dtype=np.float32), (40, 1))
    out = moved(ramp, constant(0.5, 0, (40, 50)))
    assert np.allclose(out[:, 3:45], ramp[:, 3:45] + 0.5, atol=1e-3)


def test_nothing_moves_where_the_face_does_not() -> None:
    assert (spread_out(constant(0, 0), FACE, FREE, reach=REACH) == 0).all()


def test_the_face_keeps_its_moves_and_its_neighbours_take_them_over() -> None:
    given = constant(2.0, -3.0)
    given[:, ~FACE] = 99
    out = spread_out(given, FACE, FREE, reach=REACH)
    assert np.allclose(out[:, FACE].T, [2, -3])
    assert np.allclose(out[:, 29, 30:60].T, [2, -3], rtol=0.05), "one pixel off nearly all is left"
    away = np.abs(out[0, 40, 59:])
    assert (np.diff(away) <= 1e-5).all(), "ever less"
    assert away[7] == pytest.approx(2 * 0.5, rel=0.25), "half as much half way"


@pytest.mark.parametrize("reach", [5.0, 15.0])
def test_moves_fade_to_nothing_at_the_reach(reach: float) -> None:
    out = np.abs(spread_out(constant(2, -3), FACE, FREE, reach=reach)).max(0)
    rows, columns = np.mgrid[:80, :90]
    away = np.hypot(
        np.maximum(0, np.maximum(30 - rows, rows - 49)),
        np.maximum(0, np.maximum(30 - columns, columns - 59)),
    )
    assert (out[away > 1.1 * reach] == 0).all() and (out[away < 0.6 * reach] > 0).all()


def test_what_is_before_the_face_stays_where_it_is() -> None:
    hair = FREE.copy()
    hair[:, 55:] = 1
    out = spread_out(constant(2, -3), FACE, hair, reach=REACH)
    assert np.abs(out[:, :, 63:]).max() < 1e-3 and np.abs(out[:, :, 58]).max() < 0.5
    assert np.allclose(out[:, 30:50, 30:45].T, [2, -3], atol=0.01)


def test_without_a_face_nothing_moves() -> None:
    assert (spread_out(constant(2, -3), np.zeros_like(FACE), FREE, reach=REACH) == 0).all()
