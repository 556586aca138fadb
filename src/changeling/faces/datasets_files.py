"""Single picture files as a data set: square pictures, or the faces in them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.alignment import crop
from changeling.faces.datasets_images import scaled
from changeling.faces.datasets_protocol import Attributes, Rows, none_known
from changeling.faces.tracker import Tracker
from changeling.media import Pixels, read_image
from changeling.provenance import Consent


class SquareFiles:
    """Pictures that somebody names one by one; no picture has a class."""

    channels = 3
    kinds: tuple[str, ...] = ()

    def __init__(self, files: Sequence[Path], consent: Consent, *, faces: bool) -> None:
        """`faces`: show the unit crop of the largest face in place of the picture.

        Raises UserError for a picture that cannot be read or, without `faces`, is not square.
        """
        self.files = tuple(files)
        """Where the pictures are."""
        self.name = str(files[0])
        self.consent = consent
        self._faces = faces
        if not faces:
            for path in files:
                _check_square(path, read_image(path))

    def __len__(self) -> int:
        return len(self.files)

    def read(self, rows: Rows, size: int) -> NDArray[np.uint8]:
        """(n, size, size, 3), scaled. Raises UserError where a face is asked for and none found."""
        see = _face if self._faces else _square
        shown = [see(self.files[row], size) for row in rows]
        return np.array(shown, np.uint8).reshape(-1, size, size, 3)

    def labels(self, rows: Rows) -> NDArray[np.int64]:
        return np.zeros(len(rows), np.int64)

    def attributes(self, rows: Rows) -> Attributes:
        return none_known(rows)


def _check_square(path: Path, pixels: Pixels) -> None:
    height, width = pixels.shape[:2]
    if height != width:
        raise UserError(
            f"{path} is {width}×{height} pixels large and not square: cut it to a square, or give "
            "--faces to take the face out of it."
        )


def _square(path: Path, size: int) -> Pixels:
    return scaled(read_image(path), size)


def _face(path: Path, size: int) -> Pixels:
    pixels = read_image(path)
    faces = Tracker().find(pixels)
    if not faces:
        raise UserError(
            f"{path} shows no face that can be found; give a picture of one from the front, at "
            "least an eighth of the picture high, or leave out --faces."
        )
    return crop(pixels, faces[0].matrix, size)
