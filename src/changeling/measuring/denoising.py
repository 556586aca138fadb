"""How well noise is taken away, and the way to do so without learning that has to be beaten."""

from dataclasses import dataclass
from itertools import product
from typing import Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from changeling.measuring.psnr import psnr

_STRENGTHS, _WINDOWS = tuple(k / 10 for k in range(3, 11)), (3, 5, 7)
"""What is tried: multiples of the noise's deviation; sides of the patches in pixels."""
_SEARCHED = 21
"""Side in pixels of the square in which alike patches are looked for."""
TUNED = 16
"""Pictures by which the strength and the window are chosen, at most."""


@dataclass(frozen=True)
class NonLocalMeans:
    """Each pixel the mean of those whose surroundings are alike.

    Buades, Coll and Morel, A non-local algorithm for image denoising, CVPR 2005; OpenCV's, which
    takes brightness and colours of an RGB picture apart.
    """

    strength: float
    """How unlike surroundings may be, in levels of 255."""
    window: int
    """Side of the surroundings in pixels."""

    @classmethod
    def best(cls, noisy: Tensor, truth: Tensor, noise: float) -> Self:
        """Return the one with the highest PSNR on the first of these pictures (n, c, s, s).

        Told the truth, it is the rival at its best: nobody restores with it at hand.
        """
        choices = [
            cls(round(255 * noise * k, 1), side) for k, side in product(_STRENGTHS, _WINDOWS)
        ]
        some, wanted = noisy[:TUNED], truth[:TUNED]
        return max(choices, key=lambda choice: mean_psnr(choice.restore(some), wanted))

    def restore(self, pictures: Tensor) -> Tensor:
        """Give noisy pictures (n, 1 or 3, s, s), 0…1, back with less noise, on the CPU."""
        given = [self._restored(picture) for picture in levels(pictures)]
        return unit_tensor(np.stack(given).reshape(len(given), *given[0].shape[:2], -1))

    def _restored(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        strength, sides = self.strength, (self.window, _SEARCHED)
        if picture.shape[2] == 1:
            given = cv2.fastNlMeansDenoising(picture, None, strength, *sides)
        else:
            given = cv2.fastNlMeansDenoisingColored(picture, None, strength, strength, *sides)
        return np.asarray(given, np.uint8)


def mean_psnr(pictures: Tensor, truth: Tensor) -> float:
    """Decibels, the mean over pictures (n, c, s, s), 0…1."""
    errors = (pictures - truth).square().flatten(1).mean(1).tolist()
    return float(np.mean([psnr(error) for error in errors]))


def unit_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """(n, s, s, c) bytes → (n, c, s, s) float32, 0…1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous().float().div(255)


def levels(pictures: Tensor) -> NDArray[np.uint8]:
    """The way back: (n, c, s, s), 0…1, → (n, s, s, c) bytes."""
    shown = (pictures.cpu() * 255).round().permute(0, 2, 3, 1).to(torch.uint8)
    return np.ascontiguousarray(shown.numpy())
