"""A face set: a folder of one person's aligned faces that a person can open and tidy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from hashlib import sha256 as new_hash
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.alignment import Box, Matrix, inner_mask
from changeling.media import Pixels, read_image, writing
from changeling.provenance import Consent, Use

_ROOM = 3 / 16
"""A stored face has so much of the unit crop on each side of it, for the batches' jitter."""
INDEX = "faceset.json"
"""The file that makes a folder a face set."""
FEWEST = 2
"""Faces that a set needs to be trained on."""


@dataclass(frozen=True, eq=False)
class Stored:
    """One face of a set and where it came from, in the pixels of the source's frame."""

    file: str
    """Name of its PNG in the folder."""
    frame: int
    """Index of the frame in the source."""
    time: Fraction
    """Time of the frame in seconds."""
    box: Box
    """x, y, width, height."""
    matrix: Matrix
    """(2, 3) frame → unit crop."""
    landmarks: NDArray[np.float32]
    """(68, 2) points."""
    score: float
    """0…1, how sure the landmark network was."""


@dataclass(frozen=True, eq=False)
class FaceSet:
    """The faces that lie in `folder` now; `extract` and `open_set` make it."""

    folder: Path
    """Where the PNGs and faceset.json are."""
    size: int
    """Pixels of the unit crop, which is the centre of each PNG."""
    source: str
    """Name of the film or picture."""
    sha256: str
    """SHA-256 of the source."""
    consent: Consent
    """The consent under which the faces were taken."""
    frames: int
    """Frames looked at."""
    people: int
    """The most faces seen in one frame; only the largest was taken."""
    faces: tuple[Stored, ...]
    """In the order of the frames; those whose PNG was deleted are not among them."""

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def name(self) -> str:
        """The folder's name, which names the person."""
        return self.folder.resolve().name

    def check(self, use: Use, *, today: date) -> None:
        """Raises UserError when the consent does not cover `use` today."""
        self.consent.check(use, where=str(self.folder), today=today)

    def pixels(self) -> NDArray[np.uint8]:
        """(n, p, p, 3) all faces, p = `stored_size(size)`, memory-mapped; row i is `faces[i]`.

        Kept in a hidden file of the folder, made again when a PNG changed or went. Raises
        UserError naming a PNG that is broken or has another size.
        """
        cache = self.folder / f".faces-{self._state()}.npy"
        if not cache.exists():
            for old in self.folder.glob(".faces-*.npy"):
                old.unlink()
            with writing(cache, overwrite=True) as beside:
                faces = np.lib.format.open_memmap(
                    beside, "w+", np.uint8, (len(self), *[stored_size(self.size)] * 2, 3)
                )
                for row, face in enumerate(self.faces):
                    faces[row] = self._read(face)
                faces.flush()
        return np.load(cache, mmap_mode="r")

    def crops(self) -> NDArray[np.uint8]:
        """(n, size, size, 3) the unit crops: the centres of `pixels()`."""
        rim = (stored_size(self.size) - self.size) // 2
        return self.pixels()[:, rim : rim + self.size, rim : rim + self.size]

    def masks(self) -> NDArray[np.float32]:
        """(n, size, size) 0…1: the inner face in each of `crops()`."""
        masks = [inner_mask(face.landmarks, face.matrix, self.size) for face in self.faces]
        return np.stack(masks)

    def save(self) -> None:
        """Writes faceset.json, one face a line; the PNGs are there already."""
        head = {
            "size": self.size,
            "picture": stored_size(self.size),
            "source": self.source,
            "sha256": self.sha256,
            "frames": self.frames,
            "people": self.people,
            "consent": self.consent.to_json(),
        }
        lines = ",\n".join(json.dumps(_to_json(face)) for face in self.faces)
        text = json.dumps(head, indent=1)[:-2] + ',\n "faces": [\n' + lines + "\n ]\n}\n"
        with writing(self.folder / INDEX, overwrite=True) as beside:
            beside.write_text(text, encoding="utf-8")

    def _state(self) -> str:
        stamp = new_hash()
        for face in self.faces:
            found = (self.folder / face.file).stat()
            stamp.update(f"{face.file} {found.st_size} {found.st_mtime_ns}\n".encode())
        return stamp.hexdigest()[:16]

    def _read(self, face: Stored) -> Pixels:
        path = self.folder / face.file
        side = stored_size(self.size)
        mend = "delete it, or extract the set again with --overwrite"
        try:
            picture = read_image(path)
        except UserError:
            raise UserError(f"{path} is not a whole PNG; {mend}.") from None
        if picture.shape != (side, side, 3):
            raise UserError(f"{path} is not {side}×{side} pixels large as its set says; {mend}.")
        return picture


def stored_size(size: int) -> int:
    """Pixels of a stored face of a set of `size`: 88 for 64, as much room on every side."""
    return size + 2 * round(size * _ROOM)


def open_set(folder: Path) -> FaceSet:
    """The set in a folder, without the faces whose PNG was deleted.

    Raises UserError when the folder is no face set.
    """
    index = folder / INDEX
    if not index.is_file():
        raise UserError(
            f"{folder} is no face set (it has no {INDEX}); make one with "
            f"`changeling extract FILM -o {folder}`."
        )
    try:
        return _from_json(folder, json.loads(index.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{index} is damaged ({error!r}); extract the set again with --overwrite."
        ) from None


def _from_json(folder: Path, data: Mapping[str, Any]) -> FaceSet:
    if data["picture"] != stored_size(data["size"]):
        raise ValueError(f"pictures of {data['picture']} pixels")
    stored = (_stored(face) for face in data["faces"])
    return FaceSet(
        folder,
        int(data["size"]),
        str(data["source"]),
        str(data["sha256"]),
        Consent.from_json(data["consent"], where=str(folder / INDEX)),
        int(data["frames"]),
        int(data["people"]),
        tuple(face for face in stored if (folder / face.file).is_file()),
    )


def _stored(data: Mapping[str, Any]) -> Stored:
    x, y, width, height = data["box"]
    return Stored(
        Path(data["file"]).name,
        int(data["frame"]),
        Fraction(data["time"]),
        (x, y, width, height),
        np.array(data["matrix"], np.float64).reshape(2, 3),
        np.array(data["landmarks"], np.float32).reshape(68, 2),
        float(data["score"]),
    )


def _to_json(face: Stored) -> dict[str, object]:
    return {
        "file": face.file,
        "frame": face.frame,
        "time": str(face.time),
        "box": [round(value, 2) for value in face.box],
        "matrix": face.matrix.tolist(),
        "landmarks": [[round(float(x), 2), round(float(y), 2)] for x, y in face.landmarks],
        "score": round(face.score, 3),
    }
