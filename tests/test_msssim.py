"""What similarity on several scales promises: its laws and an independent computation."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from changeling.measuring import msssim, ssim
from changeling.measuring.msssim import WEIGHTS

SCALES = {32: 2, 64: 3, 128: 4, 176: 5}
"""Side of a picture → scales."""


def picture(seed: int, side: int) -> NDArray[np.float64]:
    """A picture with structure on all scales."""
    noise = np.random.default_rng(seed).uniform(0, 1, (side, side, 3))
    scales = [cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (0.7, 2, 6)]
    smooth = np.sum(scales, axis=0)
    return np.asarray((smooth - smooth.min()) / np.ptp(smooth), np.float64)


def pair(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    one = picture(0, side)
    return one, 0.8 * one + 0.2 * picture(1, side)


def disc(side: int) -> NDArray[np.bool_]:
    line = (np.arange(side) + 0.5) / side - 0.5
    return np.asarray(np.hypot(line[:, None], line + 0.03) < 0.31)


@pytest.mark.parametrize("side", SCALES)
def test_it_agrees_with_torchmetrics(side: int) -> None:
    one, two = pair(side)
    weights = WEIGHTS[: SCALES[side]]
    theirs = multiscale_structural_similarity_index_measure(
        torch.from_numpy(one).permute(2, 0, 1)[None],
        torch.from_numpy(two).permute(2, 0, 1)[None],
        data_range=1.0,
        betas=tuple(weight / sum(weights) for weight in weights),
    )
    assert 0.1 < float(theirs) < 0.99
    assert msssim(one, two) == pytest.approx(float(theirs), abs=1e-5)
    assert msssim(one, two, np.ones((side, side), np.bool_)) == msssim(one, two)


def test_equal_pictures_and_the_other_way_round() -> None:
    one, two = pair(64)
    assert msssim(one, one) == msssim(one, one, disc(64)) == pytest.approx(1, abs=1e-12)
    assert msssim(one, two, disc(64)) == pytest.approx(msssim(two, one, disc(64)), abs=1e-12)


def test_more_noise_is_worse() -> None:
    one = picture(0, 64)
    noise = np.random.default_rng(1).normal(size=one.shape)
    found = [msssim(one + level * noise, one, disc(64)) for level in (0, 0.01, 0.03, 0.1, 0.3)]
    assert all(better > worse for better, worse in pairwise(found))


def test_fine_noise_hurts_it_less_than_one_scale() -> None:
    """Averaging 2 × 2 pixels takes most of what is fine away."""
    one = picture(0, 128)
    noisy = one + 0.1 * np.random.default_rng(1).normal(size=one.shape)
    assert msssim(noisy, one) > ssim(noisy, one) + 0.1


def test_what_lies_outside_the_mask_does_not_matter() -> None:
    one, two = pair(64)
    other = np.where(disc(64)[..., None], two, picture(2, 64))
    assert msssim(one, other, disc(64)) == pytest.approx(msssim(one, two, disc(64)), abs=1e-12)
    assert msssim(one, other) != pytest.approx(msssim(one, two), abs=0.01)


def test_opposite_structure_counts_as_none() -> None:
    one = picture(0, 64)
    assert msssim(1 - one, one) == 0


def test_no_window_is_an_error() -> None:
    one = picture(0, 64)
    with pytest.raises(ValueError, match="empty mask"):
        msssim(one, one, np.zeros((64, 64), np.bool_))
    with pytest.raises(ValueError, match="10 pixels"):
        msssim(one[:10], one[:10])
