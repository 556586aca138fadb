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
from changeling.converting.redrawing import Manipulation, redraw, redraw_still
from changeling.converting.video import Conversion, Donor, check_kinds, convert

__all__ = [
    "Colours",
    "Conversion",
    "Converted",
    "Donor",
    "How",
    "Manipulation",
    "Swap",
    "check_kinds",
    "colours",
    "convert",
    "convert_frame",
    "convert_frames",
    "encoded",
    "linear",
    "matched",
    "paste",
    "redraw",
    "redraw_still",
    "swap_faces",
    "unit",
]
