"""The three metrics together, and their mean over frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from changeling.measuring.mse import Area, Picture, mse
from changeling.measuring.psnr import psnr
from changeling.measuring.ssim import ssim


@dataclass(frozen=True)
class Score:
    """How near a picture is to the truth."""

    mse: float
    """Mean squared error on the scale 0…1; 0 is equal."""
    psnr: float
    """Decibels, at most 100; more is better."""
    ssim: float
    """At most 1; 1 is equal."""


def score(image: Picture, truth: Picture, mask: Area = None) -> Score:
    """The score of one picture inside the mask (h, w); ValueError when the mask is empty."""
    error = mse(image, truth, mask)
    return Score(error, psnr(error), ssim(image, truth, mask))


def mean(scores: Sequence[Score]) -> Score:
    """Each metric averaged over the frames, PSNR in decibels; ValueError for no frames."""
    if not scores:
        raise ValueError("the mean of no scores")
    return Score(
        float(np.mean([one.mse for one in scores])),
        float(np.mean([one.psnr for one in scores])),
        float(np.mean([one.ssim for one in scores])),
    )
