"""Fitting the morphable model to landmarks: who it is, how the head is held, what the face does.

Landmarks are projections of fixed vertices (the 3D convention). Several frames share identity and
focal length; further frames of the same person are followed one by one.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from changeling.faces.fitted import Fit, FrameFit, Marked, middle
from changeling.faces.fitting_solver import FOCAL, Problem
from changeling.faces.morphable import Floats, MorphableModel

_STEPS, _TRACKED = 10, 3
"""Steps of a fit, and of one that goes on from the last frame."""


def fit_frames(model: MorphableModel, marked: Sequence[Marked]) -> Fit:
    """Fit frames of one person, all of one size, together; one frame is a fit of its own."""
    problem = Problem.of(model, marked)
    fit = _begin(model, marked)
    return problem.solve(fit, _STEPS)


def track_frame(model: MorphableModel, marked: Marked, fit: Fit, last: FrameFit | None) -> Fit:
    """Fit a further frame of the person in `fit`: pose and actions, near those of `last` frame."""
    start = last or _pose_of(model, marked, fit.identity, fit.focal)
    problem = Problem.of(model, [marked], known=fit, last=last)
    steps = _STEPS if last is None else _TRACKED
    return problem.solve(replace(fit, frames=(start,)), steps)


def _begin(model: MorphableModel, marked: Sequence[Marked]) -> Fit:
    """The mean face in the poses that fit it best."""
    focal = FOCAL * marked[0].size[1]
    identity = np.zeros(len(model.components))
    frames = tuple(_pose_of(model, one, identity, focal) for one in marked)
    return Fit(identity, focal, frames, np.inf)


def _pose_of(model: MorphableModel, marked: Marked, identity: Floats, focal: float) -> FrameFit:
    """The pose of a face at rest, or with the actions that were read, by trusted landmarks."""
    actions = np.zeros(len(model.moves)) if marked.actions is None else marked.actions
    shape = model.shape(identity, actions)[model.landmarks]
    trusted = marked.weights > 0.5 * marked.weights.max()
    x, y = middle(marked.size)
    camera = np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]])
    _, turn, place = cv2.solvePnP(
        shape[trusted], marked.points[trusted], camera, None, flags=cv2.SOLVEPNP_SQPNP
    )
    scale = focal / max(float(place[2, 0]), 1e-3)
    rotation = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
    return FrameFit(rotation, scale * place[:2, 0].astype(np.float64), scale, actions)
