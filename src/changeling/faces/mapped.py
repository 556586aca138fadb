"""Arrays in files, memory-mapped, whose room on the disk is taken before anything is kept there."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

_AT_ONCE = 2**20
"""Bytes that are written together."""


def mapped_zeros(path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> np.memmap[Any, Any]:
    """Zeros in a NumPy file at `path`, which is replaced, to be written into.

    Raises OSError when the disk has no room for all of it. A mapped file with holes would have
    none either, but the system kills a process that writes into such a hole on a full disk.
    """
    rows = np.lib.format.open_memmap(path, "w+", dtype, shape)
    with path.open("r+b") as file:
        file.seek(rows.offset)
        for start in range(0, rows.nbytes, _AT_ONCE):
            file.write(bytes(min(_AT_ONCE, rows.nbytes - start)))
    return rows
