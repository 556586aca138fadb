"""Pictures as files: PNG, JPEG and WebP."""

from pathlib import Path
from typing import cast

import cv2
import numpy as np

from changeling.errors import UserError
from changeling.media.files import writing
from changeling.media.frame import Pixels

_QUALITY = {
    ".png": [],
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 95],
}


def is_image(path: Path) -> bool:
    """Whether the name ends as a picture's does: .png, .jpg, .jpeg or .webp, in any case."""
    return path.suffix.lower() in _QUALITY


def read_image(path: Path) -> Pixels:
    """The picture in a file: (height, width, 3) uint8, RGB, upright by its EXIF orientation.

    Grey becomes three equal channels, 16 bits become 8, and transparency is ignored: the colours
    count that are stored. Raises UserError when the file is missing, cut off or not a picture.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the name.") from error
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        picture = None
    if picture is None:
        raise UserError(f"{path}: not a picture that can be read whole; give a PNG, JPEG or WebP.")
    return cast(Pixels, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def write_image(path: Path, pixels: Pixels) -> None:
    """Write a picture, (height, width, 3) uint8, RGB, or grey (height, width), whole, over the old.

    The suffix decides: .png is lossless, .jpg, .jpeg and .webp have quality 95.
    Raises UserError for any other suffix and when the place cannot be written.
    """
    if not is_image(path):
        raise UserError(f"{path}: a picture's name must end in .png, .jpg, .jpeg or .webp.")
    suffix = path.suffix.lower()
    stored = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(suffix, stored, _QUALITY[suffix])
    assert done, f"OpenCV refused to encode {pixels.shape} as {suffix}"
    with writing(path, overwrite=True) as temporary:
        temporary.write_bytes(data.tobytes())
