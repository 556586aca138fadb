"""Finding faces with a network of other people's: YuNet, for those who want it.

Wu et al., "YuNet: a tiny millisecond-level face detector", Machine Intelligence Research, 2023.
It was taught on photographs of people (WIDER FACE), so it is no part of changeling: OpenCV's model
zoo offers it under the MIT licence, and it is fetched from there when it is first asked for.
"""

import os
import sys
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import Protocol
from urllib.request import urlopen

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.alignment import TEMPLATE, Box, apply, invert, similarity
from changeling.faces.detect import Grey, merged
from changeling.faces.landmarks import guess
from changeling.media import writing

NAME = "face_detection_yunet_2023mar.onnx"
URL = (
    "https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98/models/"
    f"face_detection_yunet/{NAME}"
)
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
_LONG_SIDE = 640
_SURE = 0.7
_TIMEOUT = 30.0
"""Seconds without an answer."""


class Net(Protocol):
    """What is asked of `cv2.FaceDetectorYN`."""

    def setInputSize(self, input_size: tuple[int, int]) -> None: ...

    def detect(self, image: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32] | None]: ...


class YuNet:
    """Faces from every side down to about 10 pixels of a picture scaled to 640."""

    def __init__(self, net: Net) -> None:
        self._net = net

    @classmethod
    def load(cls) -> "YuNet":
        """Takes the network from the user's cache, or downloads it into it.

        Raises UserError when that fails.
        """
        path = fetch(URL, SHA256, cache_folder() / NAME)
        return cls(cv2.FaceDetectorYN.create(str(path), "", (320, 320), score_threshold=_SURE))

    def boxes(self, grey: Grey) -> tuple[Box, ...]:
        """Boxes (x, y, width, height) in the pixels of `grey` (h, w), largest first.

        They are squares around the eyes as a cascade draws them, whatever way the head turns.
        """
        scale = min(1.0, _LONG_SIDE / max(grey.shape))
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if scale < 1 else grey
        self._net.setInputSize(size)
        _, found = self._net.detect(np.asarray(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR), np.uint8))
        if found is None:
            return ()
        # Columns 4 to 13: eyes, nose tip, corners of the mouth, the picture's left first.
        return merged([_square(row[4:14].reshape(5, 2) / scale) for row in found])


def fetch(url: str, digest: str, path: Path) -> Path:
    """`path`, downloaded from `url` unless it is there with this SHA-256 already.

    Raises UserError when the download fails or is another file.
    """
    if path.is_file() and sha256(path.read_bytes()).hexdigest() == digest:
        return path
    otherwise = f"go online, put the file to {path} yourself, or use the cascades"
    try:
        with urlopen(url, timeout=_TIMEOUT) as answer:
            data = answer.read()
    except (OSError, HTTPException) as error:
        raise UserError(f"{url} cannot be downloaded ({error}); {otherwise}.") from error
    if sha256(data).hexdigest() != digest:
        raise UserError(f"{url} is not the file it was, whose SHA-256 is {digest}; {otherwise}.")
    with writing(path, overwrite=True) as beside:
        beside.write_bytes(data)
    return path


def cache_folder() -> Path:
    """Where the system keeps what can be downloaded again."""
    if sys.platform == "win32":
        parent = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        parent = Path.home() / "Library" / "Caches"
    else:
        parent = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(parent) / "changeling"


def _square(points: NDArray[np.floating]) -> Box:
    """The box of a cascade for a face with these (5, 2) points."""
    unit = similarity(points, TEMPLATE)
    left, right = apply(guess((0, 0, 1, 1)), np.array([[0, 0], [1, 1]]))
    x, y = apply(invert(unit), (left + right)[None] / 2)[0]
    side = float((right - left)[0] / np.hypot(*unit[0, :2]))
    return float(x) - side / 2, float(y) - side / 2, side, side
