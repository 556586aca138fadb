"""Two ways to swap a face without learning anything, which every generator has to beat."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from changeling.converting import Colours, colours, encoded, linear, matched, unit
from changeling.generators import Swapped

Crops = NDArray[np.uint8]
"""(n, size, size, 3), RGB: the aligned faces of one person."""

Masks = NDArray[np.float32]
"""(n, size, size), 0…1: the inner face in each crop."""


@dataclass(frozen=True, eq=False)
class CopySource:
    """The source's own face with the colours of the target person."""

    people: tuple[str, ...]
    """The one target person."""
    size: int
    """Side of the crops in pixels."""
    wanted: Colours
    """The target's colours inside the inner face, over all its crops."""
    mask: NDArray[np.float32]
    """(size, size), 0…1: the target's mean inner face, which is also what is pasted."""

    @classmethod
    def from_faces(cls, person: str, crops: Crops, masks: Masks) -> Self:
        """The baseline for one target person; ValueError when the masks are empty."""
        light = linear(unit(crops))
        return cls((person,), crops.shape[1], colours(light, masks), masks.mean(0))

    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """Each of (n, 3, size, size) faces, its mean and covariance matched in linear light."""
        assert to in self.people, to
        pictures = faces.permute(0, 2, 3, 1).cpu().numpy()
        copies = np.stack([self._recoloured(linear(picture)) for picture in pictures])
        return _swapped(copies, self.mask)

    def _recoloured(self, light: NDArray[np.float32]) -> NDArray[np.float32]:
        return encoded(matched(light, colours(light, self.mask), self.wanted, "covariance"))


@dataclass(frozen=True, eq=False)
class MeanFace:
    """The target person's mean face, whatever the source does."""

    people: tuple[str, ...]
    """The one target person."""
    size: int
    """Side of the crops in pixels."""
    face: NDArray[np.float32]
    """(size, size, 3), 0…1: the mean of the target's crops."""
    mask: NDArray[np.float32]
    """(size, size), 0…1: the mean of their masks."""

    @classmethod
    def from_faces(cls, person: str, crops: Crops, masks: Masks) -> Self:
        """The baseline for one target person."""
        mean = unit(crops).mean(0, dtype=np.float64).astype(np.float32)
        return cls((person,), crops.shape[1], mean, masks.mean(0))

    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """The same face for each of (n, 3, size, size) faces."""
        assert to in self.people, to
        return _swapped(np.broadcast_to(self.face, (len(faces), *self.face.shape)), self.mask)


def _swapped(faces: NDArray[np.float32], mask: NDArray[np.float32]) -> Swapped:
    return Swapped(
        torch.tensor(faces).permute(0, 3, 1, 2).contiguous(),
        torch.tensor(mask).repeat(len(faces), 1, 1, 1),
    )
