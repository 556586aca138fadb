"""Wide blurs made on smaller pictures: nobody can tell them from those that were not."""

import cv2
import numpy as np
import pytest

from changeling.faces.blurring import blurred

NOISE = np.random.default_rng(0).random((150, 170, 3)).astype(np.float32)


@pytest.mark.parametrize("sigma", [1.5, 4, 5, 10, 17, 32])
def test_a_wide_blur_is_a_blur(sigma: float) -> None:
    step = np.zeros((150, 170), np.float32)
    step[40:, 60:] = 1
    for picture in (NOISE, step, np.where(NOISE > 0.9, NOISE, 0)):
        true = cv2.GaussianBlur(picture, (0, 0), sigma)
        assert np.abs(blurred(picture, sigma) - true).max() < 0.03
    assert np.abs(blurred(step, sigma) - cv2.GaussianBlur(step, (0, 0), sigma)).mean() < 0.006


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (31, 3), (61, 97)])
def test_pictures_of_any_size_keep_it_and_their_level(size: tuple[int, int]) -> None:
    flat = np.full(size, 0.3, np.float32)
    out = blurred(flat, 10)
    assert out.shape == size and out.dtype == np.float32
    assert np.allclose(out, 0.3, atol=1e-6)
