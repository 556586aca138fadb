"""What two or more families share."""

import torch
from torch import Tensor

from changeling.errors import UserError
from changeling.generators.protocols import Swaps

PREVIEWED = 4
"""Faces of each person that a preview shows."""


def check_people(people: tuple[str, ...]) -> None:
    """Raise `UserError` unless there are two or more people with names of their own."""
    if len(people) < 2 or len(set(people)) < len(people):
        raise UserError(
            f"people are {', '.join(people) or 'missing'}: give face sets of two or more people, "
            "each with a name of its own"
        )


def check_size(size: int, divisor: int) -> None:
    """Raise `UserError` unless the side of the faces is a positive multiple of `divisor`."""
    if size < divisor or size % divisor:
        near = max(divisor, round(size / divisor) * divisor)
        raise UserError(
            f"size {size} does not fit the network, which needs a multiple of {divisor}: give "
            f"--size {near}"
        )


def find_person(people: tuple[str, ...], to: str) -> int:
    """Return the place of the person `to`; raises `UserError` when nobody has that name."""
    if to not in people:
        raise UserError(f"the run knows nobody called {to!r}: give --to one of {', '.join(people)}")
    return people.index(to)


def swap_grid(swaps: Swaps, targets: Tensor) -> Tensor:
    """Draw some `targets` (people, n, 3, s, s) as rows: the face, then it as each of the people.

    Returns float32 (rows, 1 + people, 3, s, s), 0…1, on the CPU.
    """
    faces = targets[:, :PREVIEWED].flatten(0, 1).cpu()
    columns = [swaps.swap(faces, to=person).faces.cpu() for person in swaps.people]
    return torch.stack([faces, *columns], dim=1)
