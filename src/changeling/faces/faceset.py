"""A face set: a folder of one person's aligned faces that a person can open and tidy."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from hashlib import sha256 as new_hash
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from changeling.actors import Film
from changeling.errors import UserError
from changeling.faces.alignment import Box, Matrix, inner_mask
from changeling.faces.mapped import mapped_zeros
from changeling.media import Pixels, read_image, writing
from changeling.provenance import Consent, Use
from changeling.training import from_json, to_json

_ROOM = 3 / 16
"""A stored face has so much of the unit crop on each side of it, for the batches' jitter."""
INDEX = "faceset.json"
"""The file that makes a folder a face set."""
MASKS = "masks"
"""The folder inside a set of the faces' masks, each named as its face."""
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
    pose: tuple[float, float, float]
    """Yaw, pitch and roll in radians."""


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
    film: Film | None
    """The recipe of the source when it is a film of rendered actors that proved itself."""
    frames: int
    """Frames looked at."""
    people: int
    """The most faces seen in one frame."""
    faces: tuple[Stored, ...]
    """In the order of the frames; those whose PNG was deleted are not among them."""

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def name(self) -> str:
        """The folder's name, which names the person."""
        return self.folder.resolve().name

    @property
    def inside(self) -> slice:
        """Where the unit crop is in a stored face, along both axes."""
        rim = (stored_size(self.size) - self.size) // 2
        return slice(rim, rim + self.size)

    def check(self, use: Use, *, today: date) -> None:
        """Raises UserError when the consent does not cover `use` today."""
        self.consent.check(use, where=str(self.folder), today=today)

    def pixels(self) -> NDArray[np.uint8]:
        """(n, p, p, 3) all faces, p = `stored_size(size)`, memory-mapped; row i is `faces[i]`.

        Kept in a hidden file of the folder, made again when a PNG changed or went. Raises
        UserError naming a PNG that is broken or has another size.
        """
        shape = (*[stored_size(self.size)] * 2, 3)
        return self._kept("faces", self.folder, self._read, np.uint8, shape)

    def crops(self) -> NDArray[np.uint8]:
        """(n, size, size, 3) the unit crops: the centres of `pixels()`."""
        return self.pixels()[:, self.inside, self.inside]

    def crop(self, face: Stored) -> Pixels:
        """(size, size, 3) the unit crop of one of the faces. Raises UserError as `pixels` does."""
        return self._read(face)[self.inside, self.inside]

    def masks(self) -> NDArray[np.float32]:
        """(n, size, size) 0…1: the inner face in each of `crops()`, memory-mapped.

        Where a mask was deleted it is the hull of the face's landmarks. Kept as `pixels()` is, and
        raises UserError for masks alike.
        """
        return self._kept(
            "masks", self.folder / MASKS, self._mask, np.float32, (self.size, self.size)
        )

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
            "film": None if self.film is None else to_json(self.film),
        }
        lines = ",\n".join(json.dumps(_to_json(face)) for face in self.faces)
        text = json.dumps(head, indent=1)[:-2] + ',\n "faces": [\n' + lines + "\n ]\n}\n"
        with writing(self.folder / INDEX, overwrite=True) as beside:
            beside.write_text(text, encoding="utf-8")

    def _kept(
        self,
        kind: str,
        source: Path,
        read: Callable[[Stored], NDArray[Any]],
        dtype: DTypeLike,
        shape: tuple[int, ...],
    ) -> NDArray[Any]:
        """Memory-mapped rows that `read` gives of the faces, kept until a source file changes."""
        cache = self.folder / f".{kind}-{self._state(source)}.npy"
        if not cache.exists():
            for old in self.folder.glob(f".{kind}-*.npy"):
                old.unlink(missing_ok=True)  # another process may be first
            with writing(cache, overwrite=True) as beside:
                rows = mapped_zeros(beside, dtype, (len(self), *shape))
                for row, face in enumerate(self.faces):
                    rows[row] = read(face)
                rows.flush()
        return np.load(cache, mmap_mode="r")

    def _state(self, source: Path) -> str:
        stamp = new_hash()
        for face in self.faces:
            path = source / face.file
            found = path.stat() if path.exists() else None
            state = f"{found.st_size} {found.st_mtime_ns}" if found else "gone"
            stamp.update(f"{face.file} {state}\n".encode())
        return stamp.hexdigest()[:16]

    def _mask(self, face: Stored) -> NDArray[np.float32]:
        path = self.folder / MASKS / face.file
        if not path.exists():
            return inner_mask(face.landmarks, face.matrix, self.size)
        grey = self._checked(path, "delete it, and the landmarks say where the face is")[..., 0]
        return grey[self.inside, self.inside].astype(np.float32) / np.float32(255)

    def _read(self, face: Stored) -> Pixels:
        mend = "delete it, or extract the set again with --overwrite"
        return self._checked(self.folder / face.file, mend)

    def _checked(self, path: Path, mend: str) -> Pixels:
        side = stored_size(self.size)
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
    film = data["film"]
    return FaceSet(
        folder,
        int(data["size"]),
        str(data["source"]),
        str(data["sha256"]),
        Consent.from_json(data["consent"], where=str(folder / INDEX)),
        None if film is None else from_json(Film, film, where=str(folder / INDEX)),
        int(data["frames"]),
        int(data["people"]),
        tuple(face for face in stored if (folder / face.file).is_file()),
    )


def _stored(data: Mapping[str, Any]) -> Stored:
    x, y, width, height = data["box"]
    yaw, pitch, roll = data["pose"]
    return Stored(
        Path(data["file"]).name,
        int(data["frame"]),
        Fraction(data["time"]),
        (x, y, width, height),
        np.array(data["matrix"], np.float64).reshape(2, 3),
        np.array(data["landmarks"], np.float32).reshape(68, 2),
        float(data["score"]),
        (yaw, pitch, roll),
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
        "pose": [round(angle, 4) for angle in face.pose],
    }
