"""Performances as footage has them, and actors made cheaply for small pictures."""

import numpy as np
import pytest

from changeling.actors import Actor, Performance, render, varied
from changeling.actors.acting import ACTIONS
from changeling.actors.varied import WIDEST

ARRAYS = ("actions", "turn", "position", "key", "key_colour", "fill", "fill_colour", "sky",
          "ground", "focal")  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> Performance:
    return Performance.from_seed(4, seconds=24)


@pytest.fixture(scope="module")
def other(plain: Performance) -> Performance:
    return varied(plain, 11)


def test_the_same_seed_varies_alike(plain: Performance, other: Performance) -> None:
    again, different = varied(plain, 11), varied(plain, 12)
    for name in ARRAYS:
        assert np.array_equal(getattr(other, name), getattr(again, name))
        assert not np.array_equal(getattr(other, name), getattr(different, name))
        assert getattr(other, name).dtype == np.float32
    assert np.array_equal(other.take, plain.take) and other.seed == plain.seed


def test_limits_hold_and_lids_stay(plain: Performance, other: Performance) -> None:
    assert (np.abs(other.turn) <= WIDEST).all()
    assert other.actions.min() >= 0 and other.actions.max() <= 1
    blink = ACTIONS.index("eyeBlinkLeft")
    assert np.array_equal(other.actions[:, blink], plain.actions[:, blink])
    for light in (other.key, other.fill):
        assert np.allclose(np.linalg.norm(light, axis=1), 1, atol=1e-5)
    assert (other.position[:, 1] > 0.4).all() and (other.position[:, 1] < 2.7).all()


def test_heads_turn_wider_and_the_face_stays_about_as_large() -> None:
    """Over many seeds, since one may happen to turn less."""
    ratios, yaws = [], []
    for seed in range(12):
        before = Performance.from_seed(seed, seconds=8)
        after = varied(before, seed)
        large = (after.focal / after.position[:, 1]) / (before.focal / before.position[:, 1])
        ratios.append(large.mean())
        yaws.append((np.abs(before.turn[:, 0]).mean(), np.abs(after.turn[:, 0]).mean()))
    assert np.exp(np.abs(np.log(ratios)).max()) < 1.3
    narrow, wide = np.mean(yaws, axis=0)
    assert wide > 1.1 * narrow


def test_within_a_take_nothing_jumps(plain: Performance, other: Performance) -> None:
    inside = np.diff(plain.take) == 0
    step = np.abs(np.diff(other.turn, axis=0))[inside].max()
    assert step < 1.7 * np.abs(np.diff(plain.turn, axis=0))[inside].max()
    assert np.array_equal(np.diff(other.focal / other.position[:, 1])[inside] != 0,
                          np.diff(plain.focal / plain.position[:, 1])[inside] != 0)  # fmt: skip


def test_a_coarse_actor_looks_the_same_and_stands_the_same() -> None:
    performance = Performance.from_seed(3, seconds=1)
    shots = [
        next(render(Actor(5, 6), performance, size=(96, 96), frames=[7], coarse=coarse))
        for coarse in (False, True)
    ]
    fine, coarse = (shot.frame.pixels.astype(int) for shot in shots)
    assert 0 < np.abs(fine - coarse).mean() < 1
    assert np.array_equal(shots[0].truth.dense, shots[1].truth.dense)
    assert np.array_equal(shots[0].truth.segmentation, shots[1].truth.segmentation)
