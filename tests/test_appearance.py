"""What a face looks like whatever its pose and light: skin without light, tones of eyes."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from painted import EVEN, SIDEWAYS, held, inner, portrait, skin, somebody

from changeling.faces.texture import LEVELS, SIDE, Appearance, appearance, painted, retoned
from changeling.faces.view import View

TURNS = ((0.0, 0.0, 0.0), (0.35, 0.0, 0.0), (-0.35, 0.1, 0.0))


@cache
def shown(turn: tuple[float, float, float] = TURNS[0], *, sideways: bool = False) -> View:
    return portrait(held(turn=turn), somebody(3), light=SIDEWAYS if sideways else EVEN)


@cache
def look(*views: View, lit: bool = True) -> Appearance:
    return appearance(views, lit=lit)


def away(found: Appearance, of: View | None = None, rim: float = 4.0) -> float:
    """Mean distance of its skin from the texture that was painted, where the view shows it."""
    of = of or shown()
    uv = of.draw(of.shape, of.model.uv).values
    area = inner(of, rim=rim)
    return float(np.abs(painted(found.skin, uv) - painted(skin(), uv))[area].mean())


def test_in_flat_light_the_colours_come_back() -> None:
    one = look(shown())
    assert one.skin.shape == (SIDE, SIDE, 3) and one.skin.dtype == np.float32
    assert away(one) < 0.01
    assert np.allclose(one.colour, EVEN[:, 0])
    assert away(look(*(shown(turn) for turn in TURNS))) < 0.012


def test_light_is_taken_off_as_it_was_put_on() -> None:
    bright = shown(sideways=True)
    assert away(look(bright)) < 0.015
    left_in = away(look(bright, lit=False))
    assert left_in > 5 * away(look(bright)), "and is left in where that is asked for"
    assert np.allclose(look(bright, shown()).colour, (SIDEWAYS + EVEN)[:, 0] / 2)


def test_without_light_the_light_in_the_picture_stays() -> None:
    bright = shown(sideways=True)
    left = look(bright, lit=False)
    uv = bright.draw(bright.shape, bright.model.uv).values
    area = inner(bright, rim=4)
    again = painted(left.skin, uv)[area] * left.colour
    seen = (bright.pixels[area] / 255) ** 2.2
    assert np.abs(again - seen).mean() < 0.01


def spoilt(view: View, *, hidden: bool) -> View:
    """A red block before the middle of the face, which is known or not."""
    pixels, clear = view.pixels.copy(), view.clear.copy()
    height, width = clear.shape
    block = slice(height // 2, height // 2 + 24), slice(width // 2, width // 2 + 24)
    pixels[block] = 250, 0, 0
    if hidden:
        clear[block] = 0
    return replace(view, pixels=pixels, clear=clear)


def test_what_is_before_the_face_is_no_part_of_it() -> None:
    views = [spoilt(shown(TURNS[0]), hidden=True), shown(TURNS[1]), shown(TURNS[2])]
    assert away(look(*views)) < 0.015
    alone = look(views[0])
    assert np.isfinite(alone.skin).all() and away(alone) < 0.06, "filled from its neighbours"


def test_a_look_unlike_the_others_counts_little() -> None:
    views = [spoilt(shown(TURNS[0]), hidden=False), *(shown(turn) for turn in TURNS)]
    plain = away(look(views[0]))
    assert away(look(*views)) < 0.2 * plain


def test_what_was_never_seen_is_filled() -> None:
    side = look(shown((0.9, 0, 0)))
    assert np.isfinite(side.skin).all() and side.skin.min() >= 0 and side.skin.max() < 4
    assert 0.03 < away(side) < 0.25, "a guess"


def test_a_texture_is_read_at_its_coordinates() -> None:
    texture = skin()
    corners = np.array([[[0, 0], [1, 0]], [[0, 1], [1, 1]]], np.float32)
    assert np.allclose(painted(texture, corners), texture[:: SIDE - 1, :: SIDE - 1], atol=1e-5)
    between = np.array([[[0.5 / (SIDE - 1), 0]]], np.float32)
    assert np.allclose(painted(texture, between)[0, 0], texture[0, :2].mean(0), atol=1e-3)


def test_tones_of_eyes_rise_from_the_iris_to_the_white() -> None:
    eyes = look(shown()).eyes
    assert eyes.shape == (LEVELS, 3) and (np.diff(eyes, axis=0) >= 0).all()
    assert eyes[0].max() < 0.5 and eyes[-1] == pytest.approx(1, abs=0.1)


def test_without_eyes_their_tones_are_even() -> None:
    shut = {name: 1.0 for name in ("eyeBlinkLeft", "eyeBlinkRight")}
    eyes = look(portrait(replace(held(shut), scale=120.0))).eyes
    assert np.allclose(eyes, np.linspace(0, 1, LEVELS)[:, None])


TONES = np.linspace(0, 1, LEVELS)[:, None].repeat(3, 1)
PIXELS = np.random.default_rng(0).uniform(0, 1, (400, 3)).astype(np.float32)


def test_equal_tones_change_nothing() -> None:
    grey = PIXELS[:, :1].repeat(3, 1)
    assert np.allclose(retoned(grey, 1.5 * TONES, 1.5 * TONES), grey, atol=1e-4)


def test_an_iris_becomes_the_other_s_and_stays_where_it_is() -> None:
    blue = TONES ** np.array([2, 2, 1])
    out, white = retoned(PIXELS, TONES, blue), np.quantile(PIXELS, 0.92, axis=0)
    level = np.clip((PIXELS / white).mean(1), 0, 1)
    wanted = level[:, None] ** np.array([2, 2, 1])
    assert out.shape == PIXELS.shape and np.allclose(out / white, wanted, atol=2e-3)
    assert (np.diff(out[level.argsort()], axis=0) >= -1e-6).all(), "what was darker is darker"
