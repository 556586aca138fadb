"""Laws of the power spectrum and of sharpness."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from changeling.measuring import sharpness, spectral_distance, spectrum, spectrum_pictures

SIDE = 32
Set = NDArray[np.float64]


def noise(seed: int, n: int = 300, channels: int = 1, side: int = SIDE) -> Set:
    return np.random.default_rng(seed).normal(0, 0.1, (n, side, side, channels))


def wave(down: int, across: int, side: int = SIDE) -> Set:
    rows, columns = np.mgrid[:side, :side] / side
    return np.sin(2 * np.pi * (down * rows + across * columns))[None, ..., None]


def blurred(pictures: Set, sigma: float) -> Set:
    if sigma == 0:
        return pictures
    return np.stack([cv2.GaussianBlur(x, (0, 0), sigma) for x in pictures]).reshape(pictures.shape)


def test_white_noise_is_flat_at_its_variance() -> None:
    found = spectrum(noise(0))
    assert found.plane == pytest.approx(np.full((SIDE, SIDE), 0.01), rel=0.35)
    assert found.rings[2:] == pytest.approx(np.full(len(found.rings) - 2, 0.01), rel=0.07)


@pytest.mark.parametrize(("down", "across", "ring"), [(0, 5, 5), (7, 0, 7), (3, 4, 5), (-3, 4, 5)])
def test_a_sine_peaks_at_its_frequency(down: int, across: int, ring: int) -> None:
    found = spectrum(wave(down, across))
    half = SIDE // 2
    for sign in (1, -1):
        peak = found.plane[half + sign * down, half + sign * across]
        assert peak == pytest.approx(SIDE**2 / 4)
    assert found.plane.sum() == pytest.approx(SIDE**2 / 2), "and nowhere else"
    assert found.rings.argmax() == ring


@pytest.mark.parametrize("side", [27, 28])
def test_parseval(side: int) -> None:
    pictures = noise(1, 5, 3, side) + 0.5
    assert spectrum(pictures).plane.mean() == pytest.approx((pictures**2).mean())


def test_bytes_are_read_as_their_share_of_255() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    shares = pictures.astype(np.float64) / 255
    assert np.array_equal(spectrum(pictures).plane, spectrum(shares).plane)


def test_a_large_set_is_the_mean_of_its_parts() -> None:
    pictures = noise(2, 600, side=8)
    parts = [spectrum(part).plane for part in np.split(pictures, 3)]
    assert spectrum(pictures).plane == pytest.approx(np.mean(parts, axis=0))


def test_the_distance_is_nothing_to_itself_and_symmetric() -> None:
    one, other = spectrum(noise(0)), spectrum(blurred(noise(1), 0.7))
    assert spectral_distance(one, one) == 0
    assert spectral_distance(one, other) == spectral_distance(other, one) > 1


def test_ten_times_the_power_is_ten_decibels() -> None:
    pictures = noise(0)
    distance = spectral_distance(spectrum(pictures), spectrum(pictures * 10**0.5))
    assert distance == pytest.approx(10)


def test_the_distance_leaves_brightness_out_and_grows_with_blur() -> None:
    pictures = noise(0)
    true = spectrum(pictures)
    assert spectral_distance(true, spectrum(pictures + 0.4)) == pytest.approx(0, abs=1e-9)
    distances = [spectral_distance(true, spectrum(blurred(pictures, s))) for s in (0, 0.4, 0.6, 1)]
    assert all(less < more for less, more in pairwise(distances))


def test_sets_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="square"):
        spectrum(np.zeros((2, 8, 9, 1)))
    with pytest.raises(ValueError, match="square"):
        spectrum(np.zeros((0, 8, 8, 1)))
    with pytest.raises(ValueError, match="do not compare"):
        spectral_distance(spectrum(noise(0, 1)), spectrum(noise(0, 1, side=16)))


def test_pictures_of_spectra_share_a_scale() -> None:
    strong = spectrum(wave(0, 8) + 3)
    weak = spectrum(wave(0, 8) * 10**-1.5 + 3)  # 30 dB below, and as bright
    one, other = spectrum_pictures([strong, weak], side=2 * SIDE)
    assert one.shape == other.shape == (2 * SIDE, 2 * SIDE, 3) and one.dtype == np.uint8
    peak = (SIDE, 2 * (SIDE // 2 + 8))
    ramp = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None], cv2.COLORMAP_INFERNO)[0, :, ::-1]
    assert one[peak].tolist() == ramp[255].tolist()
    assert other[peak].tolist() == ramp[round(255 * 20 / 50)].tolist()
    assert one[SIDE, SIDE].tolist() == other[SIDE, SIDE].tolist() == ramp[255].tolist()
    assert one[0, 0].tolist() == other[0, 0].tolist() == ramp[0].tolist()


@pytest.fixture
def face() -> Set:
    """A coloured picture whose power falls with the frequency, as a face's does."""
    white = np.random.default_rng(0).normal(size=(48, 48, 3))
    falling = sum(cv2.GaussianBlur(white, (0, 0), sigma) for sigma in (0.5, 1, 2, 4))
    return np.asarray(0.5 + 0.1 * falling, np.float64)


@pytest.fixture
def mask() -> NDArray[np.bool_]:
    area = np.zeros((48, 48), np.uint8)
    cv2.ellipse(area, (20, 24), (12, 18), 0, 0, 360, 1, -1)
    return area.astype(np.bool_)


def test_the_truth_is_as_sharp_as_itself(face: Set, mask: NDArray[np.bool_]) -> None:
    assert sharpness(face, face) == sharpness(face, face, mask) == 1


def test_sharpness_falls_with_blur(face: Set, mask: NDArray[np.bool_]) -> None:
    pictures = [face, *(cv2.GaussianBlur(face, (0, 0), s) for s in (0.4, 0.6, 1, 2, 4, 8))]
    for area in (None, mask):
        values = [sharpness(picture, face, area) for picture in pictures]
        assert all(more > less for more, less in pairwise(values))
    assert sharpness(np.full_like(face, 0.3), face, mask) == 0


def test_sharpness_leaves_brightness_out_and_follows_contrast(
    face: Set, mask: NDArray[np.bool_]
) -> None:
    assert sharpness(face + 0.2, face, mask) == pytest.approx(1)
    assert sharpness(0.5 * face, face, mask) == pytest.approx(0.5)
    assert sharpness(face, 0.5 * face, mask) == pytest.approx(2)


def test_sharpness_sees_only_the_inside(face: Set, mask: NDArray[np.bool_]) -> None:
    other = np.where(mask[..., None], face, np.random.default_rng(1).uniform(size=face.shape))
    assert sharpness(other, face, mask) == 1


def test_a_sine_of_twice_the_frequency_is_about_twice_as_sharp() -> None:
    slow, fast = (wave(0, k, 64)[0].repeat(3, axis=2) for k in (1, 2))
    assert sharpness(fast, slow) == pytest.approx(2, rel=0.02)


def test_no_neighbours_and_flat_truths_are_refused(face: Set) -> None:
    alone = np.zeros((48, 48), np.bool_)
    alone[5, 5] = True
    with pytest.raises(ValueError, match="empty mask"):
        sharpness(face, face, alone)
    with pytest.raises(ValueError, match="flat truth"):
        sharpness(face, np.zeros_like(face))
