"""The colours of a face as statistics in linear light, and the maps that give it another's."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from changeling.media import Pixels

Light = NDArray[np.float32]
"""(h, w, 3), RGB in linear light, 0…1."""

Match = Literal["none", "mean", "covariance"]

_DARK = 1e-3
_FLAT = 1e-6


@dataclass(frozen=True, eq=False)
class Colours:
    """Mean (3,) and covariance (3, 3) of a face's colours in linear light, float64."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def unit(pixels: Pixels) -> NDArray[np.float32]:
    """8-bit levels, any shape, as 0…1."""
    picture: NDArray[np.float32] = np.divide(pixels, 255, dtype=np.float32)
    return picture


def levels(picture: NDArray[np.float32]) -> Pixels:
    """0…1, any shape, as 8-bit levels; what lies outside is clipped."""
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def linear(picture: NDArray[np.float32]) -> Light:
    """Linear light of a picture in sRGB, any shape, 0…1 (IEC 61966-2-1)."""
    curve = ((np.maximum(picture, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(picture <= 0.04045, picture / 12.92, curve).astype(np.float32)


def encoded(light: Light) -> NDArray[np.float32]:
    """sRGB of linear light, any shape; both 0…1, what lies outside is clipped."""
    light = np.clip(light, 0, 1)
    curve = 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, light * 12.92, curve).astype(np.float32)


def colours(light: Light, mask: NDArray[np.float32]) -> Colours:
    """The statistics of (…, 3) linear light, weighted by the mask (…), 0…1.

    ValueError when the mask is empty.
    """
    weights = mask.astype(np.float64).ravel()
    if weights.sum() <= 0:
        raise ValueError("colours of an empty mask")
    weights /= weights.sum()
    points = light.reshape(-1, 3).astype(np.float64)
    mean = weights @ points
    centred = points - mean
    return Colours(mean, (centred * weights[:, None]).T @ centred)


def matched(light: Light, own: Colours, wanted: Colours, how: Match) -> Light:
    """Linear light (…, 3) with statistics `own`, mapped so that it has `wanted`; not clipped.

    `mean` multiplies each channel, as another light source would (von Kries); `covariance` is the
    linear map of least displacement between two Gaussians (Pitié and Kokaram 2007, "The linear
    Monge-Kantorovitch linear colour mapping for example-based colour transfer", equation 4).
    """
    if how == "none":
        return light
    if how == "mean":
        gain = np.maximum(wanted.mean, _DARK) / np.maximum(own.mean, _DARK)
        return (light * gain).astype(np.float32)
    transport = _transport(own.covariance, wanted.covariance)
    return ((light - own.mean) @ transport + wanted.mean).astype(np.float32)


def _transport(own: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """The symmetric matrix T with T own T = wanted; flat colours are kept from exploding."""
    floor = _FLAT * np.eye(3)
    root = _power(own + floor, 0.5)
    inverse = _power(own + floor, -0.5)
    return inverse @ _power(root @ (wanted + floor) @ root, 0.5) @ inverse


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.maximum(values, 1e-18) ** exponent) @ vectors.T
