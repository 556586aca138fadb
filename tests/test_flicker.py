"""What flicker promises."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from changeling.measuring import Pasted, flicker
from changeling.media import Pixels

AREA = np.zeros((72, 96), np.bool_)
AREA[16:56, 20:76] = True


def moving(frames: int = 6, seed: int = 0) -> list[Pixels]:
    """A textured picture that shifts and turns a little."""
    noise = np.random.default_rng(seed).uniform(0, 255, (120, 160, 3)).astype(np.float32)
    wide = cv2.GaussianBlur(noise, (0, 0), 2.5)
    wide = 60 + 120 * (wide - wide.min()) / np.ptp(wide)
    out = []
    for k in range(frames):
        turn = cv2.getRotationMatrix2D((80, 60), 1.5 * k, 1) - [[0, 0, 32 - 2 * k], [0, 0, 24 + k]]
        out.append(np.rint(cv2.warpAffine(wide, turn, (96, 72))).astype(np.uint8))
    return out


def of(source: list[Pixels], swap: list[Pixels], area: NDArray[np.bool_] = AREA) -> float:
    return flicker(Pasted(*both, area) for both in zip(source, swap, strict=True))


def noisy(frames: list[Pixels], level: float, *, each: bool) -> list[Pixels]:
    random = np.random.default_rng(1)
    once = random.normal(size=frames[0].shape)
    return [
        np.rint(frame + level * (random.normal(size=frame.shape) if each else once)).astype(
            np.uint8
        )
        for frame in frames
    ]


def test_the_performance_itself_and_a_tint() -> None:
    source = moving()
    assert of(source, source) == 1
    tinted = [frame + np.array([30, 0, 12], np.uint8) for frame in source]
    assert of(source, tinted) == pytest.approx(1, abs=1e-9)


def test_noise_of_each_frame_raises_it() -> None:
    source = moving()
    found = [of(source, noisy(source, level, each=True)) for level in (0, 2, 5, 12)]
    assert all(calmer < wilder for calmer, wilder in pairwise(found))
    assert found[-1] > 3


def test_brightness_that_trembles_raises_it() -> None:
    source = moving()
    trembling = [frame + np.uint8(8 * (k % 2)) for k, frame in enumerate(source)]
    assert of(source, trembling) > 2


def test_it_is_the_change_that_motion_does_not_explain() -> None:
    """Another picture that moves along changes no more; one that stays behind does."""
    source, other = moving(seed=0), moving(seed=5)
    together, behind = of(source, other), of(source, [other[0]] * len(source))
    assert together < 1.5
    assert behind > 2 * together


def test_a_smoother_film_is_below_one() -> None:
    source = noisy(moving(), 6, each=True)
    assert of(source, [cv2.GaussianBlur(frame, (0, 0), 3) for frame in source]) < 0.6


def test_a_still_film_has_a_figure() -> None:
    still = moving(1) * 3
    assert of(still, still) == 1
    shaken = of(still, noisy(still, 5, each=True))
    assert 5 < shaken < 50


def test_what_lies_outside_does_not_matter() -> None:
    source = moving()
    wild = [frame.copy() for frame in noisy(source, 40, each=True)]
    for frame, own in zip(wild, source, strict=True):
        frame[12:60, 16:80] = own[12:60, 16:80]
    assert of(source, wild) == pytest.approx(1, abs=0.02)


def test_nothing_to_compare() -> None:
    source = moving(2)
    for frames, area in ((1, AREA), (2, np.zeros_like(AREA))):
        with pytest.raises(ValueError, match="less than two frames"):
            of(source[:frames], source[:frames], area)
