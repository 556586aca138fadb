"""FashionMNIST: 70,000 grey pictures of clothes, 28×28, in ten classes; it shows no people.

Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
algorithms", 2017; MIT licence.
"""

import gzip
import zlib
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.datasets_protocol import Attributes, Rows, none_known
from changeling.faces.yunet import cache_folder
from changeling.media import writing
from changeling.provenance import Consent

PACKAGE = "dataset-fashion-mnist"
"""Debian's package of it."""
PACKAGED = Path("/usr/share/datasets/fashion-mnist")
"""Where that package puts the files."""
ORIGIN = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"
_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
_SHA256 = {
    f"{name}-ubyte.gz": digest
    for name, digest in (
        ("train-images-idx3", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        ("train-labels-idx1", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        ("t10k-images-idx3", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        ("t10k-labels-idx1", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    )
}
"""Of the unpacked files: Debian has packed them anew."""
_PIXELS_AT, _LABELS_AT = 16, 8
"""Where the numbers begin in the two kinds of file, after the header."""
_SIDE = 28
_PADDED = 32
_TIMEOUT = 30.0
"""Seconds without an answer."""
KINDS = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
)  # fmt: skip


class FashionMnist:
    """Its training or its test pictures, held in memory (47 MB)."""

    name = "fashion-mnist"
    channels = 1
    kinds = KINDS
    consent = Consent(
        kind="dataset",
        purpose="it shows clothes and nobody who wears them",
        licence="MIT",
        evidence="https://github.com/zalandoresearch/fashion-mnist/blob/master/LICENSE",
    )

    def __init__(self, folder: Path, part: str) -> None:
        """Reads the part, "train" or "test". Raises UserError for a missing or damaged file."""
        pixels, labels = (_unpacked(folder / name) for name in _FILES[part])
        self._pixels = np.frombuffer(pixels, np.uint8, offset=_PIXELS_AT).reshape(-1, _SIDE, _SIDE)
        self._labels = np.frombuffer(labels, np.uint8, offset=_LABELS_AT)

    def __len__(self) -> int:
        return len(self._labels)

    def read(self, rows: Rows, size: int) -> NDArray[np.uint8]:
        """(n, size, size, 1): as they are at 28, with a black rim of 2 at 32, otherwise scaled."""
        shown = self._pixels[rows]
        if size == _PADDED:
            rim = (_PADDED - _SIDE) // 2
            shown = np.pad(shown, ((0, 0), (rim, rim), (rim, rim)))
        elif size != _SIDE:
            how = cv2.INTER_AREA if size < _SIDE else cv2.INTER_CUBIC
            scaled = [cv2.resize(one, (size, size), interpolation=how) for one in shown]
            shown = np.array(scaled, np.uint8).reshape(-1, size, size)
        return np.asarray(shown[..., None])

    def labels(self, rows: Rows) -> NDArray[np.int64]:
        return self._labels[rows].astype(np.int64)

    def attributes(self, rows: Rows) -> Attributes:
        return none_known(rows)


def holds_fashion(folder: Path) -> bool:
    """Whether one of the four files lies in the folder."""
    return any((folder / name).is_file() for name in _SHA256)


def find_fashion() -> Path | None:
    """The folder of Debian's package, or the user's cache; None when neither has all files."""
    for folder in (PACKAGED, _cached()):
        if all((folder / name).is_file() for name in _SHA256):
            return folder
    return None


def fetch_fashion() -> Path:
    """The folder that `find_fashion` finds, or the user's cache after downloading what it lacks.

    Raises UserError when a download fails or is another file.
    """
    if found := find_fashion():
        return found
    for name in _SHA256:
        if not (_cached() / name).is_file():
            _download(f"{ORIGIN}/{name}", _cached() / name)
    return _cached()


def _cached() -> Path:
    return cache_folder() / "fashion-mnist"


def _download(url: str, path: Path) -> None:
    try:
        with urlopen(url, timeout=_TIMEOUT) as answer:
            data = answer.read()
    except (OSError, HTTPException) as error:
        raise UserError(
            f"FashionMNIST is not on this computer, and {url} cannot be downloaded ({error}); "
            f"install Debian's package {PACKAGE}, go online, or name the folder of its four files."
        ) from error
    with writing(path, overwrite=True) as beside:
        beside.write_bytes(data)
        _unpacked(beside, shown=url, mend=f"install Debian's package {PACKAGE}")


def _unpacked(path: Path, *, shown: str = "", mend: str = "") -> bytes:
    """The file's content, if it is the one whose SHA-256 is known; `shown` names it in messages."""
    shown = shown or str(path)
    mend = mend or f"fetch it again: install Debian's package {PACKAGE}, or delete the file"
    name = shown.rsplit("/", 1)[-1]
    try:
        data = gzip.decompress(path.read_bytes())
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UserError(f"{shown} is no whole gz file; {mend}.") from None
    except OSError as error:
        raise UserError(f"{shown} cannot be read ({error.strerror}); {mend}.") from error
    if sha256(data).hexdigest() != _SHA256[name]:
        raise UserError(f"{shown} is not FashionMNIST's {name} (its SHA-256 differs); {mend}.")
    return data
