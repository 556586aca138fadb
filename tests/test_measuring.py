"""What measuring promises: the laws of its metrics and its baselines."""

from itertools import pairwise
from math import log10

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from changeling.converting import colours, linear, unit
from changeling.measuring import (
    CopySource,
    MeanFace,
    Score,
    error_map,
    mean,
    mean_psnr,
    mse,
    psnr,
    score,
    ssim,
)
from changeling.media import Pixels

SIZE = 32


def picture(seed: int, height: int = 48, width: int = 64) -> Pixels:
    """A smooth coloured picture."""
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.rint(40 + 170 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def tensor(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float64) / 255).permute(2, 0, 1)[None]


@pytest.fixture
def mask() -> NDArray[np.bool_]:
    """An ellipse that touches the border."""
    area = np.zeros((48, 64), np.uint8)
    cv2.ellipse(area, (20, 8), (15, 20), 20, 0, 360, 1, -1)
    return area.astype(np.bool_)


def test_equal_pictures(mask: NDArray[np.bool_]) -> None:
    one = picture(0)
    assert score(one, one) == score(one, one, mask) == Score(0.0, 100.0, 1.0)


def test_symmetry(mask: NDArray[np.bool_]) -> None:
    one, two = picture(0), picture(1)
    assert score(one, two) == score(two, one)
    assert score(one, two, mask) == score(two, one, mask)


@pytest.mark.parametrize("offset", [0.01, 0.1, 0.5])
def test_a_constant_offset(offset: float, mask: NDArray[np.bool_]) -> None:
    one = np.full((48, 64, 3), 0.25)
    two = one + offset
    found = score(two, one, mask)
    assert found.mse == pytest.approx(offset**2)
    assert found.psnr == pytest.approx(-20 * log10(offset))
    light = (2 * 0.25 * (0.25 + offset) + 1e-4) / (0.25**2 + (0.25 + offset) ** 2 + 1e-4)
    assert found.ssim == pytest.approx(light)


def test_more_noise_is_worse(mask: NDArray[np.bool_]) -> None:
    one = unit(picture(0)).astype(np.float64)
    noise = np.random.default_rng(1).normal(size=one.shape)
    scores = [score(one + level * noise, one, mask) for level in (0, 0.01, 0.03, 0.1, 0.3)]
    for better, worse in pairwise(scores):
        assert better.mse < worse.mse
        assert better.psnr > worse.psnr
        assert better.ssim > worse.ssim


def test_the_full_mask_agrees_with_torchmetrics() -> None:
    one, two = picture(0), picture(1)
    everything = np.ones(one.shape[:2], np.bool_)
    for area in (None, everything):
        found = score(one, two, area)
        true_psnr = peak_signal_noise_ratio(tensor(one), tensor(two), data_range=1.0)
        true_ssim = structural_similarity_index_measure(tensor(one), tensor(two), data_range=1.0)
        assert found.psnr == pytest.approx(float(true_psnr), abs=1e-6)
        assert isinstance(true_ssim, torch.Tensor)
        assert found.ssim == pytest.approx(float(true_ssim), abs=1e-6)


def slow_ssim(one: Pixels, two: Pixels, mask: NDArray[np.bool_], row: int, column: int) -> float:
    """Equation 13 at one pixel away from the border, written as sums over the window."""
    reach = np.arange(-5, 6)
    bell = np.exp(-(reach[:, None] ** 2 + reach**2) / (2 * 1.5**2))
    window = np.s_[row - 5 : row + 6, column - 5 : column + 6]
    weights = bell * mask[window]
    weights = weights / weights.sum()
    values = []
    for channel in range(3):
        x, y = one[window][..., channel] / 255, two[window][..., channel] / 255
        mx, my = (weights * x).sum(), (weights * y).sum()
        vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
        both = (weights * (x - mx) * (y - my)).sum()
        values.append(
            (2 * mx * my + 1e-4) * (2 * both + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))
        )
    return float(np.mean(values))


def test_ssim_agrees_with_its_definition_inside_a_mask() -> None:
    one, two = picture(0), picture(1)
    mask = np.zeros(one.shape[:2], np.bool_)
    mask[15:30, 20:33] = True
    mask[20, 22] = False
    places = np.argwhere(mask)
    slow = np.mean([slow_ssim(one, two, mask, row, column) for row, column in places])
    assert ssim(one, two, mask) == pytest.approx(slow, abs=1e-9)


def test_what_lies_outside_the_mask_does_not_matter(mask: NDArray[np.bool_]) -> None:
    one, two = picture(0), picture(1)
    other = np.where(mask[..., None], two, picture(2))
    assert not np.array_equal(other, two)
    assert score(one, other, mask) == score(one, two, mask)


def test_a_mask_selects_pixels(mask: NDArray[np.bool_]) -> None:
    one, two = picture(0), picture(1)
    inside, outside = mse(one, two, mask), mse(one, two, ~mask)
    share = mask.mean()
    assert share * inside + (1 - share) * outside == pytest.approx(mse(one, two))
    assert inside != pytest.approx(outside, rel=0.01)


def test_an_empty_mask_is_an_error() -> None:
    nothing = np.zeros((48, 64), np.bool_)
    for metric in (mse, ssim):
        with pytest.raises(ValueError, match="empty mask"):
            metric(picture(0), picture(1), nothing)


def test_psnr_is_finite_and_falls() -> None:
    assert psnr(0) == psnr(1e-12) == 100
    assert psnr(1) == 0
    assert psnr(0.01) == pytest.approx(20)


def test_what_is_no_number_has_no_score() -> None:
    """A picture of NaN is not the truth itself: 100 dB would be the best there is."""
    assert np.isnan(psnr(float("nan")))
    assert np.isnan(mean_psnr(torch.full((1, 3, 4, 4), torch.nan), torch.zeros(1, 3, 4, 4)))
    nothing = np.full((48, 64, 3), np.nan, np.float32)
    found = score(nothing, nothing)
    assert np.isnan([found.mse, found.psnr, found.ssim]).all()


def test_the_mean_averages_decibels() -> None:
    assert mean([Score(0.0, 100.0, 1.0), Score(0.1, 10.0, 0.5)]) == Score(0.05, 55.0, 0.75)
    with pytest.raises(ValueError, match="no scores"):
        mean([])


def test_the_error_map() -> None:
    one = np.full((4, 4, 3), 100, np.uint8)
    two = one.copy()
    two[1, 2] = 255
    heat = error_map(one, two)
    assert heat.shape == (4, 4, 3)
    assert heat[0, 0].astype(int).sum() < 10
    assert heat[1, 2].astype(int).sum() > 600
    assert heat[1, 2, 0] > heat[1, 2, 2]


@pytest.fixture
def target() -> tuple[Pixels, NDArray[np.float32]]:
    """Six crops of the target person, bluish, and their masks."""
    crops = np.stack([picture(seed, SIZE, SIZE) for seed in range(10, 16)])
    crops = (crops * np.array([0.5, 0.7, 1.0])).astype(np.uint8)
    masks = np.zeros((6, SIZE, SIZE), np.float32)
    masks[:, 6:26, 8:24] = 1
    return crops, masks


def test_copying_the_source_gives_it_the_targets_colours(
    target: tuple[Pixels, NDArray[np.float32]],
) -> None:
    crops, masks = target
    baseline = CopySource.from_faces("b", crops, masks)
    source = picture(0, SIZE, SIZE)
    swapped = baseline.swap(tensor(source).float(), to="b")
    copy = swapped.faces[0].permute(1, 2, 0).numpy()
    done, wanted = colours(linear(copy), masks[0]), colours(linear(unit(crops)), masks)
    assert np.abs(done.mean - wanted.mean).max() < 0.01
    assert np.abs(done.covariance - wanted.covariance).max() < 0.1 * wanted.covariance.max()
    grey = np.corrcoef(copy.mean(2).ravel(), source.mean(2).ravel())[0, 1]
    assert grey > 0.6
    assert torch.equal(swapped.masks[0, 0], torch.from_numpy(masks[0]))


def test_copying_the_target_itself_changes_nothing() -> None:
    own = picture(3, SIZE, SIZE)
    everything = np.ones((1, SIZE, SIZE), np.float32)
    copy = CopySource.from_faces("b", own[None], everything).swap(tensor(own).float(), to="b")
    assert (copy.faces - tensor(own)).abs().max() < 1e-4


def test_the_mean_face_ignores_the_source(target: tuple[Pixels, NDArray[np.float32]]) -> None:
    crops, masks = target
    baseline = MeanFace.from_faces("b", crops, masks)
    swapped = baseline.swap(torch.rand(3, 3, SIZE, SIZE), to="b")
    wanted = torch.from_numpy(crops.astype(np.float64).mean(0) / 255).permute(2, 0, 1)
    assert swapped.faces.shape == (3, 3, SIZE, SIZE)
    assert swapped.masks.shape == (3, 1, SIZE, SIZE)
    assert (swapped.faces - wanted).abs().max() < 1e-6
