"""Mean squared error inside a mask."""

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]
"""(h, w, 3), RGB, sRGB: uint8, or floating point 0…1."""

Area = NDArray[np.bool_] | None
"""(h, w): the pixels that count; None: all of them."""


def mse(image: Picture, truth: Picture, mask: Area = None) -> float:
    """Mean over the mask's pixels and the channels of the squared difference, on the scale 0…1.

    ValueError when the mask is empty.
    """
    squares = (unit(image) - unit(truth)) ** 2
    if mask is None:
        return float(squares.mean())
    if not mask.any():
        raise ValueError("the mean over an empty mask")
    return float(squares[mask].mean())


def unit(picture: Picture) -> NDArray[np.float64]:
    """The picture as float64, 0…1."""
    if picture.dtype == np.uint8:
        return picture.astype(np.float64) / 255
    return picture.astype(np.float64)
