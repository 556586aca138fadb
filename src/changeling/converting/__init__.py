"""Swap, match colour, blend, paste: one frame, then a whole picture or video."""

from changeling.converting.colour import Colours, colours, encoded, linear, matched, unit
from changeling.converting.frame import (
    Converted,
    How,
    Swap,
    convert_frame,
    convert_frames,
    paste,
    swap_faces,
)
from changeling.converting.video import Conversion, Donor, convert

__all__ = [
    "Colours",
    "Conversion",
    "Converted",
    "Donor",
    "How",
    "Swap",
    "colours",
    "convert",
    "convert_frame",
    "convert_frames",
    "encoded",
    "linear",
    "matched",
    "paste",
    "swap_faces",
    "unit",
]
