"""CelebA: 202,599 aligned photographs of faces with forty attributes each.

Liu et al., "Deep learning face attributes in the wild", ICCV 2015. The pictures are for research
that is not commercial, so they come with a consent record of the user's own.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.datasets_images import ImageFiles, split
from changeling.provenance import Consent

PICTURES = "img_align_celeba"
"""The folder of pictures that tells CelebA from others."""
ATTRIBUTES = "list_attr_celeba.txt"
PARTITION = "list_eval_partition.txt"
_PARTS = {"train": "0", "test": "2"}
"""How the partition file calls them; 1 is for validation."""


def open_celeba(folder: Path, part: str, consent: Consent) -> ImageFiles:
    """The part of CelebA in a folder that holds `PICTURES`, `ATTRIBUTES` and mostly `PARTITION`.

    Attributes are 1 where a picture has them and −1 where not. Without the partition file the
    test part is the last tenth. Raises UserError when the attributes file is missing or damaged,
    and when the part is empty.
    """
    path = folder / ATTRIBUTES
    if not path.is_file():
        raise UserError(
            f"{folder} holds {PICTURES} but no {ATTRIBUTES}; put CelebA's attributes file there."
        )
    names, files, values = _read(path)
    if (folder / PARTITION).is_file():
        members = _members(folder / PARTITION, _PARTS[part])
        chosen = [row for row, file in enumerate(files) if file in members]
    else:
        chosen = split(list(range(len(files))), part)
    if not chosen:
        raise UserError(f"{path} lists no picture to {part} with; give CelebA's own files.")
    return ImageFiles(
        name=folder.resolve().name,
        consent=consent,
        kinds=(),
        folder=folder / PICTURES,
        files=[files[row] for row in chosen],
        classes=np.zeros(len(chosen), np.int64),
        attribute_names=names,
        attribute_values=values[chosen],
    )


def _read(path: Path) -> tuple[tuple[str, ...], list[str], NDArray[np.int8]]:
    """Names of the attributes, names of the pictures, and (n, 40) their attributes, −1 or 1."""
    lines = _words(path)
    (_, count), (_, names) = next(lines, (1, [])), next(lines, (2, []))
    if len(count) != 1 or not count[0].isdigit():
        raise UserError(f"{path}: the first line must be the number of pictures; give CelebA's.")
    files: list[str] = []
    values = np.empty((int(count[0]), len(names)), np.int8)
    for number, (file, *marks) in lines:
        whole = len(marks) == len(names) and set(marks) <= {"1", "-1"} and len(files) < len(values)
        if not whole:
            raise UserError(
                f"{path}, line {number}: a line must hold a picture's name and {len(names)} marks "
                f"of 1 or -1, and there must be {len(values)} of them; give CelebA's own file."
            )
        values[len(files)] = [int(mark) for mark in marks]
        files.append(file)
    return tuple(names), files, values[: len(files)]


def _members(path: Path, wanted: str) -> set[str]:
    """Names of the pictures of a part."""
    members = set()
    for number, words in _words(path):
        if len(words) != 2:
            raise UserError(
                f"{path}, line {number}: a line must hold a picture's name and its part, 0, 1 or "
                "2; give CelebA's own file."
            )
        if words[1] == wanted:
            members.add(words[0])
    return members


def _words(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each line that is not empty, with its number from 1 on."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if words := line.split():
                yield number, words
