"""Faces swapped by fitting: A with its own is A, B's face beside the true swap, what stays."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from painted import BACKGROUND, EVEN, SIDEWAYS, held, inner, portrait, psnr, skin, somebody, within

from changeling.faces import face_model
from changeling.faces.texture import Appearance, appearance
from changeling.faces.view import View
from changeling.generators.faceswap_graphics import FaceForensics, Shape

A, B = somebody(11), 1.5 * somebody(12)
FAIR, DARK = skin(0.9, 7.0), skin(0.5, 14.0)
POSE = held({"mouthSmileLeft": 0.6, "mouthSmileRight": 0.6, "jawOpen": 0.3}, turn=(0.25, 0.1, 0.0))
OTHERS = (held(turn=(-0.3, 0, 0)), held({"browInnerUp": 0.5}), held(turn=(0.3, 0.1, 0.1)))


@cache
def of_a(*, sideways: bool = True) -> View:
    return portrait(POSE, A, FAIR, light=SIDEWAYS if sideways else EVEN)


@cache
def look_of_a() -> Appearance:
    return appearance([portrait(one, A, FAIR) for one in OTHERS])


@cache
def look_of_b(lit: bool = True) -> Appearance:
    views = [portrait(one, B, DARK, light=SIDEWAYS) for one in OTHERS]
    return appearance(views if lit else views[1:2], lit=lit)


def levels(pixels: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> np.ndarray:
    return np.rint(255 * pixels)


def pasted(view: View, redraws: Shape | FaceForensics) -> np.ndarray:
    """The window with the face drawn over it."""
    drawn = redraws.redraw(view)
    share = drawn.mask[..., None]
    return levels(view.pixels / np.float32(255) * (1 - share) + drawn.pixels * share)


def swap() -> Shape:
    return Shape.between(face_model(), (A, look_of_a()), (B, look_of_b()))


def truth(view: View) -> np.ndarray:
    """B's face as A holds and lights its own, in A's window."""
    one = swap()
    goal = portrait(POSE, one.identity, DARK, light=view.light, larger=one.larger)
    return within(goal, view.window)


def test_a_with_its_own_face_is_a() -> None:
    own = Shape.between(face_model(), (A, look_of_a()), (A, look_of_a()))
    for view in (of_a(), of_a(sideways=False)):
        drawn = pasted(view, own)
        assert psnr(drawn, view.pixels, inner(view)) > 32
        assert psnr(drawn, view.pixels, np.ones(view.clear.shape, bool)) > 35


def test_the_swap_by_shape_is_near_the_true_one_and_nearer_than_faceforensics() -> None:
    view = of_a()
    area = inner(replace(view, identity=swap().identity), rim=3)
    by_shape, by_skin = (
        psnr(pasted(view, one), truth(view), area)
        for one in (swap(), FaceForensics(look_of_b(False)))
    )
    untouched = psnr(view.pixels, truth(view), area)
    assert by_shape > 22
    assert by_shape > by_skin + 3 and by_skin > untouched - 3


def test_b_is_as_large_as_b_is_beside_a() -> None:
    model = face_model()
    identity, larger = model.put_on(A, B)
    assert np.array_equal(swap().identity, identity) and swap().larger == larger
    grown = replace(swap(), larger=1.2 * swap().larger).redraw(of_a())
    shape = model.shape(identity, POSE.actions)
    drawn = [of_a().draw(k * swap().larger * shape, shape[:, :1]).triangle >= 0 for k in (1, 1.2)]
    assert drawn[1].sum() == pytest.approx(1.44 * drawn[0].sum(), rel=0.1)
    assert (grown.mask > 0).sum() > (swap().redraw(of_a()).mask > 0).sum()


def test_b_s_skin_is_as_dark_beside_a_s_as_it_is() -> None:
    dim = replace(look_of_b(), colour=0.5 * look_of_b().colour)
    model, view = face_model(), of_a()
    darker = Shape.between(model, (A, look_of_a()), (B, dim))
    area = inner(replace(view, identity=swap().identity), rim=4)
    one, half = ((pasted(view, x)[area] / 255) ** 2.2 for x in (swap(), darker))
    assert half.mean() == pytest.approx(0.5 * one.mean(), rel=0.1)
    assert one.mean() < 0.75 * ((view.pixels[area] / 255) ** 2.2).mean(), "B's skin is darker"


def test_far_from_the_face_nothing_changes_and_what_hides_it_stays() -> None:
    view = of_a()
    assert (swap().redraw(view).mask[:2] == 0).all()
    clear = view.clear.copy()
    half = clear.shape[1] // 2
    clear[:, :half] = 0
    hidden = replace(view, clear=clear)
    for one in (swap(),):
        assert (one.redraw(hidden).mask[:, : half - 12] == 0).all()
        assert np.abs(pasted(hidden, one) - view.pixels)[:, half + 12 :].max() > 30


def test_the_eyes_are_b_s_and_look_where_a_s_look() -> None:
    pale = replace(look_of_b(), eyes=np.maximum(look_of_b().eyes, 0.5))
    view, model = of_a(), face_model()
    drawn = pasted(
        view,
        Shape.between(
            model,
            (A, look_of_a()),
            (A, replace(pale, skin=look_of_a().skin, colour=look_of_a().colour)),
        ),
    )
    shown = view.parts(view.draw(view.shape, np.zeros((len(view.shape), 1))))
    iris = np.isin(shown, (1, 2)) & (view.pixels.max(2) < 120)
    assert iris.sum() > 10
    assert drawn[iris].mean() > view.pixels[iris].mean() + 20
    behind = replace(view, clear=np.full_like(view.clear, 0.01))
    unseen = pasted(behind, Shape.between(face_model(), (A, look_of_a()), (A, pale)))
    assert np.abs(unseen - view.pixels).max() <= 2, "what is before them is not retoned"


def test_faceforensics_gives_b_s_skin_a_s_average_colour_and_a_soft_edge() -> None:
    view = of_a(sideways=False)
    drawn = FaceForensics(look_of_b(False)).redraw(view)
    area = inner(view)
    skins = drawn.pixels[area].mean(0), view.pixels[area].mean(0) / 255
    assert skins[0] == pytest.approx(skins[1], abs=0.01)
    assert drawn.mask.max() > 0.99 and (drawn.mask[~area].max() < 0.7)
    steps = np.abs(np.diff(drawn.mask, axis=1)).max()
    assert steps < 0.3, "it fades"
    hard = FaceForensics(look_of_b(False), feather=0.0).redraw(view)
    assert (hard.mask > 0).sum() > (drawn.mask > 0.5).sum(), "and lies inside"


def test_a_face_outside_the_frame_is_not_drawn() -> None:
    away = portrait(held(place=(-3000, 0)), A, FAIR)
    assert away.pixels.shape[1] == 2 and BACKGROUND.shape[1] == 200
    for one in (swap(), FaceForensics(look_of_b(False))):
        assert (one.redraw(away).mask == 0).all()
