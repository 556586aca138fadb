"""What every data set offers, whatever it is made of and wherever it lies."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from changeling.provenance import Consent

Rows = NDArray[np.integer]
"""(n,) numbers of pictures, 0 … len − 1, in any order."""


@dataclass(frozen=True, eq=False)
class Attributes:
    """What is known of n pictures beyond their class."""

    names: tuple[str, ...]
    """One a column; none where nothing is known."""
    values: NDArray[np.float32]
    """(n, len(names))."""


class Pictures(Protocol):
    """A data set of square pictures, read when they are asked for, never all at once."""

    @property
    def name(self) -> str:
        """What the set is called in a run's settings."""
        ...

    @property
    def consent(self) -> Consent:
        """What allows the use of the pictures; whoever trains checks it."""
        ...

    @property
    def channels(self) -> int:
        """3 for RGB, 1 for grey."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the classes; none where pictures have no class."""
        ...

    def __len__(self) -> int:
        """How many pictures."""
        ...

    def read(self, rows: Rows, size: int) -> NDArray[np.uint8]:
        """(n, size, size, channels) the pictures of these rows.

        Raises UserError that names a picture which cannot be read.
        """
        ...

    def labels(self, rows: Rows) -> NDArray[np.int64]:
        """(n,) the class of each row, an index of `kinds`; all 0 where there are none."""
        ...

    def attributes(self, rows: Rows) -> Attributes:
        """What else is known of these rows."""
        ...


def none_known(rows: Rows) -> Attributes:
    """The attributes of pictures of which nothing is known."""
    return Attributes((), np.zeros((len(rows), 0), np.float32))
