"""A fitted face given another shape: its pixels go where the model says, the mouth opens."""

from dataclasses import replace

import numpy as np
import pytest
from painted import EVEN, MEAN, SIDEWAYS, held, inner, portrait, psnr, skin, somebody, within

from changeling.generators.protocols import Redrawn
from changeling.generators.reshaping import reshaped

MOUTH = (3, 4, 6)
"""Teeth, tongue and lining."""


def levels(drawn: Redrawn) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.rint(drawn.pixels.astype(np.float64) * 255)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_shape_changes_no_pixel_by_more_than_a_level(seed: int) -> None:
    shown = portrait(held({"jawOpen": 0.4 * seed, "mouthSmileLeft": 0.5}), somebody(seed))
    drawn = reshaped(shown, shown.identity, shown.frame.actions)
    assert np.abs(levels(drawn) - shown.pixels).max() <= 1
    assert drawn.pixels.shape == shown.pixels.shape and drawn.mask.shape == shown.clear.shape
    assert set(np.unique(drawn.mask)) == {0.0, 1.0}


def test_what_is_far_from_the_face_is_left_alone() -> None:
    shown = portrait(held(), somebody(1))
    drawn = reshaped(shown, somebody(2), shown.frame.actions)
    assert (drawn.mask[:3] == 0).all() and drawn.mask[inner(shown)].min() == 1
    still = drawn.mask == 0
    assert np.abs(levels(drawn) - shown.pixels)[still].max() <= 6, "moved by less than 0.02 pixels"


@pytest.mark.parametrize(
    "wanted", [{"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}, {"browInnerUp": 1.0}, {}]
)
def test_pixels_go_where_the_model_puts_them(wanted: dict[str, float]) -> None:
    fine = skin(waves=60.0)
    before = portrait(held({"mouthPucker": 0.8}), somebody(1), fine)
    goal = portrait(held(wanted), somebody(1), fine)
    drawn = reshaped(before, before.identity, goal.frame.actions)
    after = within(goal, before.window)
    area = inner(replace(before, frame=goal.frame), rim=3)
    still = psnr(before.pixels, after, area)
    assert psnr(levels(drawn), after, area) > max(28.0, still + 4)


def test_opening_the_jaw_darkens_the_inside_of_a_closed_mouth() -> None:
    shut = portrait(held(), somebody(1))
    drawn = reshaped(shut, shut.identity, held({"jawOpen": 0.8}).actions)
    opened = replace(shut, frame=held({"jawOpen": 0.8}))
    parts = opened.parts(opened.draw(opened.shape, np.zeros((len(opened.shape), 1))))
    mouth = np.isin(parts, (4, 6))
    assert mouth.sum() > 60, "tongue and lining"
    assert levels(drawn)[mouth].mean() < 0.7 * shut.pixels[mouth].mean()
    lit = portrait(held(), somebody(1), light=2 * EVEN)
    brighter = reshaped(lit, lit.identity, opened.frame.actions)
    assert levels(brighter)[mouth].mean() > 1.2 * levels(drawn)[mouth].mean(), "as light as it is"


def test_an_open_mouth_that_was_seen_is_not_painted_over() -> None:
    wide = portrait(held({"jawOpen": 0.8}), somebody(1))
    green = wide.pixels.copy()
    parts = wide.parts(wide.draw(wide.shape, np.zeros((len(wide.shape), 1))))
    green[np.isin(parts, MOUTH)] = 0, 200, 0
    own = replace(wide, pixels=green)
    drawn = levels(reshaped(own, own.identity, held({"jawOpen": 0.7}).actions))
    middle = np.argwhere(parts == 6).mean(0).round().astype(int)
    assert drawn[middle[0], middle[1], 1] > 150 and drawn[middle[0], middle[1], 0] < 60


def test_skin_that_is_turned_to_the_light_gets_brighter() -> None:
    shown = portrait(held(), MEAN, light=SIDEWAYS)
    puffed = held({"cheekPuff": 1.0})
    goal = portrait(puffed, MEAN, light=SIDEWAYS)
    flat = replace(shown, light=EVEN)
    area = inner(replace(shown, frame=puffed), rim=5)
    lit, unlit = (levels(reshaped(one, MEAN, puffed.actions)) for one in (shown, flat))
    after = within(goal, shown.window)
    assert psnr(lit, after, area) > psnr(unlit, after, area) + 1


def test_hair_before_the_face_is_not_moved() -> None:
    shown = portrait(held(), somebody(1))
    clear = shown.clear.copy()
    half = clear.shape[1] // 2
    clear[:, half:] = 0
    drawn = reshaped(replace(shown, clear=clear), somebody(2), shown.frame.actions)
    assert np.abs(levels(drawn) - shown.pixels)[:, half + 9 :].max() <= 2
    assert np.abs(levels(drawn) - shown.pixels)[:, : half - 9].max() > 20
