"""Faces found, tracked, aligned, kept in sets, and drawn from them in batches."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from changeling.faces.alignment import (
        TEMPLATE,
        Face,
        align,
        crop,
        inner_mask,
        invert,
        similarity,
        to_pixels,
    )
    from changeling.faces.batches import Jitter, people_batches
    from changeling.faces.detect import Detector
    from changeling.faces.extracting import consent_for, extract
    from changeling.faces.faceset import FaceSet, Stored, open_set
    from changeling.faces.landmarks import Landmarker
    from changeling.faces.lessons import Lessons
    from changeling.faces.people import PeopleBatch
    from changeling.faces.teach import Taught, Teaching, teach_landmarks
    from changeling.faces.tracker import Tracker
else:

    def __getattr__(name: str) -> object:
        # Lazy, so that a generator that needs only PeopleBatch does not load FFmpeg, the renderer
        # and the signer with it.
        for module in _LIGHTEST_FIRST if name in __all__ else ():
            found = getattr(import_module(f"{__name__}.{module}"), name, None)
            if found is not None:
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_LIGHTEST_FIRST = (
    "people",
    "alignment",
    "detect",
    "landmarks",
    "tracker",
    "faceset",
    "batches",
    "extracting",
    "lessons",
    "teach",
)

__all__ = [
    "TEMPLATE",
    "Detector",
    "Face",
    "FaceSet",
    "Jitter",
    "Landmarker",
    "Lessons",
    "PeopleBatch",
    "Stored",
    "Taught",
    "Teaching",
    "Tracker",
    "align",
    "consent_for",
    "crop",
    "extract",
    "inner_mask",
    "invert",
    "open_set",
    "people_batches",
    "similarity",
    "teach_landmarks",
    "to_pixels",
]
