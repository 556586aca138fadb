"""Films of the fixed pairs, near enough to see 72 pixels between the eyes' corners, fitted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.fitting_truth import SIZE, at_rest, held
from changeling.actors import Actor, Performance, Shot, render
from changeling.actors.camera import AXES
from changeling.actors.model import model as head
from changeling.faces import Tracker
from changeling.faces.fitted import Fit, Marked, project
from changeling.faces.fitting import fit_frames
from changeling.faces.fitting_light import light_on
from changeling.faces.fitting_record import Fitted
from changeling.faces.fitting_video import Look, followed, key_frames, look_at, read_off
from changeling.faces.morphable import Floats, face_model
from changeling.faces.morphable_making import face_vertices
from changeling.faces.view import View, view_of
from changeling.media import Frame, Pixels


@dataclass(frozen=True, eq=False)
class Take:
    """An actor's performance as a film, and its fit."""

    frames: tuple[Frame, ...]
    fit: Fit
    fitted: tuple[Fitted, ...]
    views: tuple[View | None, ...]


def filmed(actor: Actor, performance: Performance, indices: Sequence[int] | None) -> list[Shot]:
    """Frames of a performance, or all of them."""
    return list(render(actor, performance, size=(SIZE, SIZE), frames=indices))


def take(actor: Actor, performance: Performance, *, noise: float, learned: bool, seed: int) -> Take:
    """Film and fit: the true landmarks with noise in pixels, or what the landmark network sees.

    What hides the face is what that network sees in both cases.
    """
    model, tracker = face_model(), Tracker()
    r = np.random.default_rng(seed)
    shots = filmed(actor, performance, None)
    looks, faces = [], []
    for k, shot in enumerate(shots):
        face = next(iter(tracker.find(shot.frame.pixels)), None)
        look = look_at(shot.frame, face)
        if not learned:
            look = _true(look, _points(actor, performance, k)[model.landmarks], noise, r)
        looks.append(look)
        faces.append(face)
    looks = read_off(looks) if learned else looks
    keys = [one.marked for one in key_frames(looks) if one.marked is not None]
    fit = fit_frames(model, keys)
    fitted = [
        _lit(shot.frame.pixels, one, fit)
        for shot, one in zip(shots, followed(model, looks, fit), strict=True)
    ]
    whole = zip(shots, faces, fitted, strict=True)
    return Take(
        tuple(shot.frame for shot in shots),
        fit,
        tuple(fitted),
        tuple(view_of(model, shot.frame.pixels, face, fit, one) for shot, face, one in whole),
    )


def _true(look: Look, points: Floats, noise: float, r: np.random.Generator) -> Look:
    seen = points + noise * r.normal(size=points.shape)
    marked = Marked(seen, np.ones(len(points)), (SIZE, SIZE))
    return Look(look.index, look.time, marked, look.turn, 0, "")


def _lit(pixels: Pixels, one: Fitted, fit: Fit) -> Fitted:
    if one.frame is None:
        return one
    shape = face_model().shape(fit.identity, one.frame.actions)
    return replace(one, light=light_on(pixels, face_model(), shape, one.frame, fit.focal))


def _points(actor: Actor, performance: Performance, index: int) -> Floats:
    """(v, 2) pixels of the true vertices."""
    moved = np.tensordot(performance.actions[index], head().actions[:, face_vertices()], 1)
    focal = float(performance.focal[index]) * SIZE
    return project(
        at_rest(actor) + moved @ AXES.T, held(performance, index, focal), focal, (SIZE, SIZE)
    )
