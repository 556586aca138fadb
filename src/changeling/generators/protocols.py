"""What a trained family can do, as small protocols that other rooms ask for."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Swapped:
    """Faces given back as another person, with the area that is the face."""

    faces: Tensor
    """float32 (n, 3, size, size), RGB, 0…1."""
    masks: Tensor
    """float32 (n, 1, size, size), 0…1: 1 where the face is to be pasted."""


class Swaps(Protocol):
    """A family that gives a face's performance back as one of the people it knows."""

    @property
    def people(self) -> tuple[str, ...]:
        """The names it can swap to."""
        ...

    @property
    def size(self) -> int:
        """Side of its square faces in pixels."""
        ...

    def swap(self, faces: Tensor, *, to: str) -> Swapped:
        """Give aligned `faces`, float32 (n, 3, size, size) RGB 0…1, back as the person `to`.

        Raises `UserError` when `to` is not one of `people`.
        """
        ...
