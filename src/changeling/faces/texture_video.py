"""A person's appearance gathered from the film that a fit record was made of."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from changeling.errors import UserError
from changeling.faces.alignment import align, turns
from changeling.faces.extracting import frames_of
from changeling.faces.fitting_record import FitRecord, Fitted
from changeling.faces.fitting_video import differently_turned
from changeling.faces.landmarks import Landmarker
from changeling.faces.morphable import face_model
from changeling.faces.texture import Appearance, appearance
from changeling.faces.view import View, view_of
from changeling.provenance import sha256

LOOKS = 12
"""Frames, differently turned, from which a face's appearance is gathered."""


def film_of(record: Path, fit: FitRecord) -> Path:
    """The film beside a record that the record was made of.

    Raises UserError when it is not there or not the one that was fitted.
    """
    film = record.parent / fit.source
    if not film.is_file():
        raise UserError(
            f"{record} was made of {fit.source}, which is not beside it: put the film into "
            f"{record.parent} again."
        )
    check_source(film, fit, where=record)
    return film


def check_source(film: Path, fit: FitRecord, *, where: Path) -> None:
    """Raises UserError when a record was not made of this film as it is now."""
    if sha256(film) != fit.sha256:
        raise UserError(
            f"{where} was not made of {film} as it is now: make it again with "
            f"`changeling fit {film} -o {where} --overwrite`."
        )


def appearance_in(
    film: Path, fit: FitRecord, *, count: int = LOOKS, lit: bool = True
) -> Appearance:
    """How the person of a record looks; see `appearance`.

    Raises UserError when none of its frames could be fitted.
    """
    if not fit.fit.frames:
        raise UserError(f"the fit of {film} has no frame that could be fitted: give another.")
    return appearance(list(_views(film, fit, count)), lit=lit)


def _views(film: Path, fit: FitRecord, count: int) -> Iterator[View]:
    """Views of frames that are differently turned; only these are looked at."""
    whole, model, landmarker = fit.fit, face_model(), Landmarker.load()
    wanted = _wanted(fit, count)
    for frame in frames_of(film, wanted):
        fitted = wanted[frame.index]
        assert fitted.frame is not None
        face = landmarker.find(frame.pixels, align(fit.landmarks(fitted.frame)))
        view = view_of(model, frame.pixels, face, whole, fitted)
        assert view is not None
        yield view


def _wanted(fit: FitRecord, count: int) -> dict[int, Fitted]:
    good = [(one, one.frame.rotation) for one in fit.frames if one.frame is not None]
    poses = [turns(np.asarray(rotation, np.float32))[:2] for _, rotation in good]
    return {good[k][0].index: good[k][0] for k in differently_turned(poses, count)}
