"""How far a swapped face is from the true one in who it is, how it looks and its colours.

Squared errors are dominated by skin and light: an untouched copy in the right colours may beat a
swap. The identity network tells who it is and hardly sees an expression; its inner features see
expressions and blur; both even out brightness and contrast, and the colours are compared apart.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from changeling.faces import Identifier
from changeling.faces.identity import IdentityNet, pictures, read_network

_AT_ONCE = 100
"""Faces that go through the network together: bounds the memory."""

Crops = NDArray[np.uint8]
"""(n, s, s, 3), RGB: unit crops."""
Masks = NDArray[np.bool_]
"""(n, s, s): the inner face, at least one pixel of each."""


@dataclass(frozen=True, eq=False)
class FaceDistances:
    """Distances of n faces from the true ones; 0 for the truth itself."""

    identity: NDArray[np.float64]
    """(n,): 1 minus the cosine of the identity network's embeddings, 0…2."""
    perceptual: NDArray[np.float64]
    """(n,): difference of the identity network's features, 0…8."""
    colour: NDArray[np.float64]
    """(n,): mean CIE 1976 colour difference ΔE*ab of the pixels."""


class FaceMeter:
    """Measures the distances, inside the true inner faces alone.

    `perceptual` is made as LPIPS is: the features of each stage, normalised to unit length over the
    channels at every place, their squared difference averaged over the places and summed over the
    stages (Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric",
    CVPR 2018, equation 1, all weights 1). The features are those of the project's own identity
    network, so it does not compare with published LPIPS.
    """

    def __init__(self, net: IdentityNet, identifier: Identifier) -> None:
        self._net, self._identifier = net.eval(), identifier

    @classmethod
    def load(cls) -> Self:
        """With the weights that ship; UserError when they are missing."""
        return cls(read_network()[0], Identifier.load())

    def measure(self, faces: Crops, truth: Crops, inner: Masks) -> FaceDistances:
        """Compare faces with the true ones, row by row; ValueError where a mask is empty."""
        if not inner.reshape(len(inner), -1).any(1).all():
            raise ValueError("the distance inside an empty mask")
        # Outside of the inner face the truth is put, so that only what was swapped is judged.
        shown = np.where(inner[..., None], faces, truth)
        one, other = self._identifier.embed(shown), self._identifier.embed(truth)
        alike = np.einsum("nc,nc->n", one, other, dtype=np.float64)
        parts = [slice(k, k + _AT_ONCE) for k in range(0, len(shown), _AT_ONCE)]
        features = [self._perceptual(shown[part], truth[part], inner[part]) for part in parts]
        colours = [_colour(*three) for three in zip(shown, truth, inner, strict=True)]
        return FaceDistances((1 - alike).clip(0), np.concatenate(features), np.array(colours))

    @torch.inference_mode()
    def _perceptual(self, faces: Crops, truth: Crops, inner: Masks) -> NDArray[np.float64]:
        maps = [self._net.maps(pictures(np.ascontiguousarray(x))) for x in (faces, truth)]
        mask = torch.from_numpy(inner).float()[:, None]
        total = torch.zeros(len(faces))
        for one, other in zip(*maps, strict=True):
            weight = F.interpolate(mask, one.shape[2:], mode="area")
            apart = (_unit(one) - _unit(other)).square().sum(1, keepdim=True)
            total += (apart * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3))
        return np.asarray(total.double().numpy())


def truth_gap(swap: FaceDistances, copy: FaceDistances) -> float:
    """How much of the way from the untouched performance to the truth is left; less is better.

    The mean over identity, look and colour of the swap's mean distance over that of the
    performance's own face, `copy`, in the same frames: 0 for the truth, 1 for doing nothing, above
    it for worse. Measured as shares, none of the three needs a weight.
    """
    pairs = (
        (swap.identity, copy.identity),
        (swap.perceptual, copy.perceptual),
        (swap.colour, copy.colour),
    )
    return float(np.mean([own.mean() / max(rest.mean(), 1e-12) for own, rest in pairs]))


def _unit(features: Tensor) -> Tensor:
    return features / (features.norm(dim=1, keepdim=True) + 1e-8)


def _colour(face: NDArray[np.uint8], truth: NDArray[np.uint8], inner: NDArray[np.bool_]) -> float:
    one, other = (
        cv2.cvtColor(x[inner][None].astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
        for x in (face, truth)
    )
    return float(np.linalg.norm(one - other, axis=2).mean())
