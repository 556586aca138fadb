"""How sharp a picture is, as a share of the truth's sharpness."""

import numpy as np
from numpy.typing import NDArray

from changeling.measuring.mse import Area, Picture, unit


def sharpness(image: Picture, truth: Picture, mask: Area = None) -> float:
    """The ratio of the image's root mean squared gradient to the truth's, inside the mask.

    1 for the truth itself, below it for what is blurred, 0 for a flat picture, above it for what is
    noisier or harder than the truth; brightness cancels out. The gradient is the difference of
    neighbouring pixels: by Parseval it weights the power at the frequency f with about f², and
    spectra of natural pictures fall with about f⁻² (Field, "Relations between the statistics of
    natural images and the response properties of cortical cells", JOSA A 1987), so that all
    frequencies count alike. Second differences would weight the noise most, and plain power the
    shading. Two neighbours count where both are inside the mask, so what lies outside never
    matters. Both pictures must show the same: it says how sharp, not how right.
    ValueError when no two neighbours are inside the mask, and for a truth that is flat there.
    """
    if mask is None:
        mask = np.ones(truth.shape[:2], np.bool_)
    drawn, true = (_gradient(unit(picture), mask) for picture in (image, truth))
    if true == 0:
        raise ValueError("the sharpness against a flat truth")
    return float(np.sqrt(drawn / true))


def _gradient(picture: NDArray[np.float64], mask: NDArray[np.bool_]) -> float:
    """The mean squared difference of neighbours, down and across, over both and the channels."""
    down = np.diff(picture, axis=0)[mask[1:] & mask[:-1]]
    across = np.diff(picture, axis=1)[mask[:, 1:] & mask[:, :-1]]
    if not down.size + across.size:
        raise ValueError("the sharpness inside an empty mask")
    return float((np.concatenate([down, across]) ** 2).mean())
