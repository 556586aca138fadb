"""Folders of picture files as data sets, read from the disk when a batch asks for them."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.datasets_protocol import Attributes, Rows, none_known
from changeling.media import Pixels, is_image, read_image
from changeling.provenance import Consent

T = TypeVar("T")
_HELD_OUT = 0.1
"""Share of each class that is the test part where a folder has no parts of its own."""


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Picture files, of which only the names are held in memory."""

    name: str
    consent: Consent
    kinds: tuple[str, ...]
    folder: Path
    """What the files' names are relative to."""
    files: Sequence[str]
    """Names in the folder, one a row."""
    classes: NDArray[np.int64]
    """(n,) the class of each."""
    attribute_names: tuple[str, ...] = ()
    """What else is known of the pictures."""
    attribute_values: NDArray[np.int8] | None = None
    """(n, names), −1 or 1; None where nothing is known."""
    channels: int = 3

    def __len__(self) -> int:
        return len(self.files)

    def read(self, rows: Rows, size: int) -> NDArray[np.uint8]:
        """(n, size, size, 3): the middle square of each picture, scaled.

        Raises UserError that names a picture which cannot be read.
        """
        shown = [middle_square(read_image(self.folder / self.files[row]), size) for row in rows]
        return np.array(shown, np.uint8).reshape(-1, size, size, 3)

    def labels(self, rows: Rows) -> NDArray[np.int64]:
        return self.classes[rows]

    def attributes(self, rows: Rows) -> Attributes:
        if self.attribute_values is None:
            return none_known(rows)
        return Attributes(self.attribute_names, self.attribute_values[rows].astype(np.float32))


def open_images(folder: Path, part: str, consent: Consent) -> ImageFiles:
    """Every picture below the folder; its sub-folders are the classes.

    The part is the sub-folder train or test where both exist; otherwise the test part is the last
    tenth of each class, in the order of names. Raises UserError when the part has no picture, and
    when pictures lie beside sub-folders that are classes.
    """
    name = folder.resolve().name
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        folder, groups = folder / part, _grouped(folder / part)
    else:
        groups = {kind: split(files, part) for kind, files in _grouped(folder).items()}
    if not any(groups.values()):
        raise UserError(
            f"{folder} holds no picture to {part} with; give a folder of PNG, JPEG or WebP files, "
            "a tenth of which is kept for the test."
        )
    classes = np.repeat(np.arange(len(groups)), [len(files) for files in groups.values()])
    files = [file for files in groups.values() for file in files]
    kinds = tuple(kind for kind in groups if kind)
    return ImageFiles(name, consent, kinds, folder, files, classes.astype(np.int64))


def split(files: list[T], part: str) -> list[T]:
    """The part of one class: test is the last tenth of the files, train what is before."""
    border = len(files) - round(len(files) * _HELD_OUT)
    return files[:border] if part == "train" else files[border:]


def middle_square(pixels: Pixels, size: int) -> Pixels:
    """(size, size, 3): the largest square in the middle of a picture, scaled."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return scaled(pixels[top : top + side, left : left + side], size)


def scaled(square: Pixels, size: int) -> Pixels:
    """A square picture at another size: averaged when it shrinks, smooth when it grows."""
    if len(square) == size:
        return square
    how = cv2.INTER_AREA if size < len(square) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (size, size), interpolation=how), np.uint8)


def _grouped(folder: Path) -> dict[str, list[str]]:
    """Pictures by class, both in the order of names; the class of a flat folder is ""."""
    groups: dict[str, list[str]] = {}
    for file in sorted(_pictures(folder)):
        kind, _, rest = file.partition("/")
        groups.setdefault(kind if rest else "", []).append(file)
    if "" in groups and len(groups) > 1:
        raise UserError(
            f"{folder} holds {len(groups[''])} picture(s), such as {groups[''][0]}, beside "
            "sub-folders that are classes; move them into one of these."
        )
    return groups


def _pictures(folder: Path) -> Iterator[str]:
    """Names, relative to the folder with "/", of all pictures below it that are not hidden."""
    for place, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        inside = Path(place).relative_to(folder).as_posix()
        start = "" if inside == "." else f"{inside}/"
        for name in names:
            if is_image(Path(name)) and not name.startswith("."):
                yield start + name
