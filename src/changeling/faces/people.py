"""What a training step of a generator sees: faces of several people, prepared alike."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class PeopleBatch:
    """n faces of each person; row k of every person shares its mirroring and its light."""

    inputs: Tensor
    """float32 (people, n, 3, size, size), RGB, 0…1: warped and recoloured, for the encoder only."""
    targets: Tensor
    """float32 (people, n, 3, size, size), RGB, 0…1: the faces as they are."""
    masks: Tensor
    """float32 (people, n, 1, size, size), 0…1: the inner face in the targets."""
    eyes: Tensor
    """float32 (people, n, 1, size, size), 0…1: both eyes with their lids in the targets."""

    def __len__(self) -> int:
        """Count the faces in the batch: people times n."""
        return self.inputs.shape[0] * self.inputs.shape[1]
