"""A swap by fitting beside the true one, which an actor with B's face and A's styling shows."""

from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from cast import performance
from painted import inner, psnr

from changeling.actors import Actor, Performance, read_truth, render
from changeling.faces import Fitted, face_model
from changeling.faces.fitted import Marked
from changeling.faces.fitting import fit_frames
from changeling.faces.fitting_light import light_on
from changeling.faces.morphable import Floats
from changeling.faces.texture import appearance
from changeling.faces.view import View, view_of
from changeling.generators.faceswap_graphics import FaceForensics, Shape
from changeling.generators.protocols import Redraws
from changeling.media import Pixels, read_frames

SIZE = (160, 120)
FRAME = 3
B = Actor(face=2, styling=1)
"""B's face with the styling of the actor in the film, so that one actor need be made."""


def views(frames: list[Pixels], points: list[Floats]) -> list[View]:
    """What frames show of a face whose true landmarks are known."""
    model = face_model()
    fit = fit_frames(model, [Marked(each, np.full(200, 0.02), SIZE) for each in points])
    found = []
    for pixels, frame in zip(frames, fit.frames, strict=True):
        light = light_on(pixels, model, model.shape(fit.identity, frame.actions), frame, fit.focal)
        fitted = Fitted(0, Fraction(0), frame, light, "")
        found.append(view_of(model, pixels, None, fit, fitted))
    return [view for view in found if view is not None]


@cache
def views_of_b() -> list[View]:
    shots = list(render(B, performance(), size=SIZE, frames=(0, 60)))
    points = [shot.truth.dense.astype(np.float64) for shot in shots]
    return views([shot.frame.pixels for shot in shots], points)


@pytest.fixture(scope="module")
def views_of_a(film: Path) -> list[View]:
    truth = [each.dense.astype(np.float64) for each in read_truth(film)]
    return views([frame.pixels for frame in read_frames(film)][::FRAME], truth[::FRAME])


def drawn(view: View, redraws: Redraws) -> Floats:
    done = redraws.redraw(view)
    share = done.mask[..., None].astype(np.float64)
    return np.asarray(np.rint(255 * (view.pixels / 255 * (1 - share) + done.pixels * share)))


def test_the_swap_by_shape_beats_faceforensics_against_the_truth(views_of_a: list[View]) -> None:
    view, (first, *_) = views_of_a[1], views_of_b()
    own, given = (
        (each[0].identity, appearance(each)) for each in (views_of_a, views_of_b())
    )  # fmt: skip
    (true,) = render(B, Performance.from_seed(1, seconds=0.24), size=SIZE, frames=(FRAME,))
    wanted, area = true.frame.pixels[view.window], inner(view)
    by_shape = psnr(drawn(view, Shape.between(face_model(), own, given)), wanted, area)
    by_skin = psnr(drawn(view, FaceForensics(appearance([first], lit=False))), wanted, area)
    untouched = psnr(view.pixels, wanted, area)
    assert by_shape > 20 and by_shape > by_skin + 2 and by_shape > untouched + 3


def test_a_rendered_actor_with_its_own_face_is_as_it_was(views_of_a: list[View]) -> None:
    own = (views_of_a[0].identity, appearance(views_of_a))
    view = views_of_a[1]
    again = drawn(view, Shape.between(face_model(), own, own))
    assert psnr(again, view.pixels, inner(view)) > 26
    assert psnr(again, view.pixels, np.ones(view.clear.shape, bool)) > 30
