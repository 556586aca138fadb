"""How much more a swap changes from frame to frame than the performance under it."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.measuring.mse import unit
from changeling.media import Pixels

_ROUNDING = 2 / 12 / 255**2
"""Variance of the difference of two frames that only rounding to bytes makes different."""


@dataclass(frozen=True, eq=False)
class Pasted:
    """One frame of a swap."""

    performance: Pixels
    swap: Pixels
    area: NDArray[np.bool_]
    """(h, w): where the swap was pasted."""


def flicker(frames: Iterable[Pasted]) -> float:
    """The ratio of the swap's change between consecutive frames to the performance's own.

    Change that motion does not explain: each frame is moved back onto the one before, by the
    optical flow of the performance for both films, and what still differs inside the areas of both
    frames is taken as root mean square over all pixels and frames, with the variance of rounding
    added so that a still film has some. 1 for the performance itself and for whatever else moves
    with it, such as a tint that stays; above it for what trembles or boils, below it for what is
    smoother than the performance. Warping error: Lai et al., "Learning blind video temporal
    consistency", ECCV 2018, section 3.2; flow: Kroeger et al., "Fast optical flow using dense
    inverse search", ECCV 2016. Frames of one take: a cut is no motion. ValueError for fewer than
    two frames, and areas that are empty.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    totals, count = np.zeros(2), 0
    for before, after in pairwise(frames):
        flow = _flow(search, before.performance, after.performance)
        area = before.area & (_moved(after.area.astype(np.float32), flow) > 0.5)
        count += int(area.sum())
        totals[0] += _change(before.performance, after.performance, flow, area)
        totals[1] += _change(before.swap, after.swap, flow, area)
    if not count:
        raise ValueError("the flicker of less than two frames, or outside of the areas")
    own, swapped = totals / count + _ROUNDING
    return float(np.sqrt(swapped / own))


def _flow(search: cv2.DISOpticalFlow, before: Pixels, after: Pixels) -> NDArray[np.float32]:
    """(h, w, 2): where each pixel went, right and down."""
    start = np.zeros((*before.shape[:2], 2), np.float32)
    return np.asarray(search.calc(_grey(before), _grey(after), start), np.float32)


def _change(
    before: Pixels, after: Pixels, flow: NDArray[np.float32], area: NDArray[np.bool_]
) -> float:
    """Squared differences that the flow leaves, the mean of the channels, summed over the area."""
    left = unit(before) - _moved(unit(after), flow)
    return float((left[area] ** 2).mean(1).sum())


def _grey(pixels: Pixels) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _moved(
    values: NDArray[np.floating], flow: NDArray[np.float32]
) -> NDArray[np.float32] | NDArray[np.float64]:
    """The later frame's values (h, w, …) where the earlier one's pixels went."""
    height, width = values.shape[:2]
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    there = flow + np.stack([across, down], -1).astype(np.float32)
    moved: NDArray[np.float32] = cv2.remap(
        values, there, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return moved
