"""What crosses this room's door: a picture, a picture in time, and the sign of progress."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
"""A picture: (height, width, 3), RGB, sRGB, 0…255."""

Tick: TypeAlias = Callable[[int, int | None], None]
"""Called by long work with (done, total or None if unknown)."""


def silent(done: int, total: int | None) -> None:
    """The `Tick` that tells nobody."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a video.

    pixels: (height, width, 3) uint8, RGB, upright. index: 0 for the first frame.
    time: seconds since the picture stream's start, exact.
    """

    pixels: Pixels
    index: int
    time: Fraction
