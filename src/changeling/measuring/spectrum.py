"""The power spectrum of a set of pictures: in the plane, averaged around the circle, compared.

Durall, Keuper and Keuper, "Watch your Up-Convolution: CNN Based Generative Deep Neural Networks
are Failing to Reproduce Spectral Distributions", CVPR 2020, arXiv 2003.01826: what upsampling
layers draw differs from photographs at the high frequencies, whatever it looks like.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from changeling.measuring.mse import unit
from changeling.media import Pixels

_FLOOR = 1e-12
_AT_ONCE = 256
_BLACK = -50.0


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The average power spectrum of a set of square pictures."""

    plane: NDArray[np.float64]
    """(s, s): mean power at each frequency, the constant in the middle (s // 2, s // 2)."""
    rings: NDArray[np.float64]
    """(n,): mean power at 0, 1, … cycles a picture in any direction (equation 3 of the paper, on
    whole radii), up to the corners of the plane at s / √2."""


def spectrum(pictures: NDArray[np.uint8] | NDArray[np.floating]) -> Spectrum:
    """The average power spectrum of pictures (n, s, s, channels), n ≥ 1.

    Pictures are uint8, or floating point 0…1, and their power is counted on the scale 0…1, averaged
    over pictures and channels, such that the mean over the plane is the mean of the squared pixels
    (Parseval). White noise of variance v is flat at v. ValueError for pictures that are not square.
    """
    count, height, width = pictures.shape[:3]
    if not count or height != width:
        raise ValueError(f"a spectrum is of square pictures, not of {pictures.shape}")
    total = np.zeros((height, width))
    for start in range(0, count, _AT_ONCE):
        shown = torch.from_numpy(unit(pictures[start : start + _AT_ONCE])).permute(0, 3, 1, 2)
        waves = torch.view_as_real(torch.fft.fft2(shown.contiguous(), norm="ortho"))
        total += waves.square().sum((0, 1, 4)).numpy() / shown.shape[1]
    plane = np.fft.fftshift(total / count)
    return Spectrum(plane, _around(plane))


def spectral_distance(one: Spectrum, other: Spectrum) -> float:
    """How far two spectra are apart in decibels, 0 for equal ones; symmetric.

    The root of the mean over the rings of the squared difference of the log powers (Gray and
    Markel, "Distance measures for speech processing", IEEE TASSP 1976, section IV). The constant is
    left out: how bright pictures are says nothing about how they were made. ValueError for
    different sizes.
    """
    if one.plane.shape != other.plane.shape:
        raise ValueError(f"spectra of {one.plane.shape} and {other.plane.shape} do not compare")
    differences = _decibels(one.rings[1:]) - _decibels(other.rings[1:])
    return float(np.sqrt(np.mean(differences**2)))


def spectrum_pictures(spectra: Sequence[Spectrum], *, side: int = 280) -> list[Pixels]:
    """Each spectrum's plane as a picture (side, side, 3), on one scale of log power for all.

    The brightest is the strongest power among them, the constant left out, which is far stronger
    than all else; black is 50 dB below it.
    """
    planes = [_decibels(one.plane) for one in spectra]
    top = max(_waves(plane).max() for plane in planes)
    drawn = []
    for plane in planes:
        level = np.rint(255 * (1 - (plane - top) / _BLACK).clip(0, 1)).astype(np.uint8)
        large = cv2.resize(level, (side, side), interpolation=cv2.INTER_NEAREST)
        colours = cv2.applyColorMap(large, cv2.COLORMAP_INFERNO)
        drawn.append(np.asarray(cv2.cvtColor(colours, cv2.COLOR_BGR2RGB), np.uint8))
    return drawn


def _waves(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a plane holds without the constant in the middle."""
    return np.delete(plane, len(plane) // 2 * (len(plane) + 1))


def _around(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over each ring of whole radius about the middle."""
    line = np.arange(len(plane)) - len(plane) // 2
    radii = np.rint(np.hypot(line[:, None], line[None])).astype(np.int64).ravel()
    return np.asarray(np.bincount(radii, plane.ravel()) / np.bincount(radii), np.float64)


def _decibels(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(10 * np.log10(np.maximum(power, _FLOOR)), np.float64)
