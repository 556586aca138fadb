"""What a training step of a generator sees: faces of several people, prepared alike."""

from dataclasses import dataclass

from torch import Tensor

GAMMA = 2.2
"""Of the light that is reckoned with: near enough to sRGB's curve, and smooth at black."""


@dataclass(frozen=True, eq=False)
class PeopleBatch:
    """n faces of each person; row k of every person shares its mirroring and its light."""

    inputs: Tensor
    """float32 (people, n, 3, size, size), RGB, 0…1: warped, and levelled so that all people's faces
    have the same average colour; for the encoder only."""
    targets: Tensor
    """float32 (people, n, 3, size, size), RGB, 0…1: the faces as they are."""
    masks: Tensor
    """float32 (people, n, 1, size, size), 0…1: the inner face in the targets."""
    eyes: Tensor
    """float32 (people, n, 1, size, size), 0…1: both eyes with their lids in the targets."""
    tones: Tensor
    """float32 (people, 3): linear colour of each person's face, averaged over the set; equal where
    the inputs were not levelled."""

    def __len__(self) -> int:
        """Count the faces in the batch: people times n."""
        return self.inputs.shape[0] * self.inputs.shape[1]


def levelling(tones: Tensor) -> Tensor:
    """(people, 3) factors of linear light that give people's faces (people, 3) the same colour.

    It is their geometric mean.
    """
    logs = tones.clamp_min(1e-4).log()
    return (logs.mean(0) - logs).exp()


def relit(faces: Tensor, factor: Tensor) -> Tensor:
    """Faces (n, 3, s, s) 0…1 in linear light multiplied by `factor` (3,), cut off at 1.

    The power that makes values of light is a product's, so that no power of a pixel is taken,
    whose gradient at black would be infinite.
    """
    factor = factor.to(faces.device, faces.dtype)[:, None, None]
    return (faces * factor.pow(1 / GAMMA)).clamp(0, 1)
