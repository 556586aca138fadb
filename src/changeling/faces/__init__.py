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
    from changeling.faces.checking import (
        Cells,
        Check,
        Coverage,
        Finding,
        Reason,
        check_set,
        set_aside,
    )
    from changeling.faces.datasets import open_actors, open_files, open_pictures, picture_batches
    from changeling.faces.datasets_files import SquareFiles
    from changeling.faces.datasets_protocol import Attributes, Pictures
    from changeling.faces.detect import Detector
    from changeling.faces.enrolment import (
        Known,
        check_enrolled,
        enrol,
        enrolled_people,
        most_like,
        portrait,
    )
    from changeling.faces.extracting import consent_for, extract
    from changeling.faces.faceset import FaceSet, Stored, open_set
    from changeling.faces.fitting_record import FitRecord, Fitted, open_fit
    from changeling.faces.fitting_video import fit_video
    from changeling.faces.following import Recogniser
    from changeling.faces.identity import Identifier, centre, likeness
    from changeling.faces.identity_teaching import IdentityTaught, IdentityTeaching, teach_identity
    from changeling.faces.landmark_teaching import (
        LandmarksTaught,
        LandmarkTeaching,
        teach_landmarks,
    )
    from changeling.faces.landmarks import Landmarker
    from changeling.faces.morphable import MorphableModel, face_model
    from changeling.faces.morphable_making import FaceMaking, make_face
    from changeling.faces.people import PeopleBatch
    from changeling.faces.pictures import PictureBatch
    from changeling.faces.renders import Renders
    from changeling.faces.sorting import People, extract_people
    from changeling.faces.tracker import Tracker
    from changeling.faces.yunet import YuNet
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
    "pictures",
    "alignment",
    "detect",
    "landmarks",
    "identity",
    "tracker",
    "enrolment",
    "following",
    "faceset",
    "batches",
    "extracting",
    "sorting",
    "checking",
    "yunet",
    "morphable",
    "fitting_record",
    "fitting_video",
    "morphable_making",
    "renders",
    "datasets_protocol",
    "datasets_files",
    "datasets",
    "landmark_teaching",
    "identity_teaching",
)

__all__ = [
    "TEMPLATE",
    "Attributes",
    "Cells",
    "Check",
    "Coverage",
    "Detector",
    "Face",
    "FaceMaking",
    "FaceSet",
    "Finding",
    "FitRecord",
    "Fitted",
    "Identifier",
    "IdentityTaught",
    "IdentityTeaching",
    "Jitter",
    "Known",
    "LandmarkTeaching",
    "Landmarker",
    "LandmarksTaught",
    "MorphableModel",
    "People",
    "PeopleBatch",
    "PictureBatch",
    "Pictures",
    "Reason",
    "Recogniser",
    "Renders",
    "SquareFiles",
    "Stored",
    "Tracker",
    "YuNet",
    "align",
    "centre",
    "check_enrolled",
    "check_set",
    "consent_for",
    "crop",
    "enrol",
    "enrolled_people",
    "extract",
    "extract_people",
    "face_model",
    "fit_video",
    "inner_mask",
    "invert",
    "likeness",
    "make_face",
    "most_like",
    "open_actors",
    "open_files",
    "open_fit",
    "open_pictures",
    "open_set",
    "people_batches",
    "picture_batches",
    "portrait",
    "set_aside",
    "similarity",
    "teach_identity",
    "teach_landmarks",
    "to_pixels",
]
