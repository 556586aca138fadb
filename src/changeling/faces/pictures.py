"""What a training step of a generator of pictures sees, whatever the pictures show."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class PictureBatch:
    """n pictures with their classes."""

    pictures: Tensor
    """float32 (n, channels, size, size), 0…1; RGB for three channels, grey for one."""
    labels: Tensor
    """int64 (n,): the class of each picture; all 0 where pictures have none."""

    def __len__(self) -> int:
        """Count the pictures in the batch."""
        return self.pictures.shape[0]
