"""What a face looks like whatever its pose and light: skin without light, tones of eyes."""

from dataclasses import replace

import numpy as np
import pytest
from painted import EVEN, SIDEWAYS, held, inner, portrait, skin, somebody

from changeling.faces.texture import LEVELS, SIDE, Appearance, appearance, painted, retoned
from changeling.faces.view import View

TURNS = ((0.0, 0.0, 0.0), (0.35, 0.0, 0.0), (-0.35, 0.1, 0.0))


def shown(turn: tuple[float, float, float] = TURNS[0], light: object = None) -> View:
    return portrait(held(turn=turn), somebody(3), light=EVEN if light is None else np.array(light))


def away(look: Appearance, of: View | None = None, rim: float = 4.0) -> float:
    """Mean distance of its skin from the texture that was painted, where the view shows it."""
    of = of or shown()
    uv = of.draw(of.shape, of.model.uv).values
    area = inner(of, rim=rim)
    return float(np.abs(painted(look.skin, uv) - painted(skin(), uv))[area].mean())


def test_in_flat_light_the_colours_come_back() -> None:
    one = appearance([shown()])
    assert one.skin.shape == (SIDE, SIDE, 3) and one.skin.dtype == np.float32
    assert away(one) < 0.01
    assert np.allclose(one.colour, EVEN[:, 0])
    assert away(appearance([shown(turn) for turn in TURNS])) < 0.012


def test_light_is_taken_off_as_it_was_put_on() -> None:
    bright = shown(light=SIDEWAYS)
    assert away(appearance([bright])) < 0.015
    left_in = away(appearance([bright], lit=False))
    assert left_in > 5 * away(appearance([bright])), "and is left in where that is asked for"
    assert np.allclose(appearance([bright, shown()]).colour, (SIDEWAYS + EVEN)[:, 0] / 2)


def test_without_light_the_light_in_the_picture_stays() -> None:
    bright = shown(light=SIDEWAYS)
    look = appearance([bright], lit=False)
    uv = bright.draw(bright.shape, bright.model.uv).values
    area = inner(bright, rim=4)
    again = painted(look.skin, uv)[area] * look.colour
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
    assert away(appearance(views)) < 0.015
    alone = appearance(views[:1])
    assert np.isfinite(alone.skin).all() and away(alone) < 0.06, "filled from its neighbours"


def test_a_look_unlike_the_others_counts_little() -> None:
    views = [spoilt(shown(TURNS[0]), hidden=False), *(shown(turn) for turn in TURNS * 2)]
    plain = away(appearance(views[:1]))
    assert away(appearance(views)) < 0.2 * plain


def test_what_was_never_seen_is_filled() -> None:
    side = appearance([shown((0.9, 0, 0))])
    assert np.isfinite(side.skin).all() and side.skin.min() >= 0 and side.skin.max() < 4
    assert 0.03 < away(side) < 0.25, "a guess"


def test_a_texture_is_read_at_its_coordinates() -> None:
    texture = skin()
    corners = np.array([[[0, 0], [1, 0]], [[0, 1], [1, 1]]], np.float32)
    assert np.allclose(painted(texture, corners), texture[:: SIDE - 1, :: SIDE - 1], atol=1e-5)
    between = np.array([[[0.5 / (SIDE - 1), 0]]], np.float32)
    assert np.allclose(painted(texture, between)[0, 0], texture[0, :2].mean(0), atol=1e-3)


def test_tones_of_eyes_rise_from_the_iris_to_the_white() -> None:
    eyes = appearance([shown()]).eyes
    assert eyes.shape == (LEVELS, 3) and (np.diff(eyes, axis=0) >= 0).all()
    assert eyes[0].max() < 0.5 and eyes[-1] == pytest.approx(1, abs=0.1)


def test_without_eyes_their_tones_are_even() -> None:
    shut = {name: 1.0 for name in ("eyeBlinkLeft", "eyeBlinkRight")}
    eyes = appearance([portrait(replace(held(shut), scale=120.0))]).eyes
    assert np.allclose(eyes, np.linspace(0, 1, LEVELS)[:, None])


TONES = np.linspace(0, 1, LEVELS)[:, None].repeat(3, 1)
PIXELS = np.random.default_rng(0).uniform(0, 1, (400, 3)).astype(np.float32)


def test_equal_tones_change_nothing() -> None:
    assert np.allclose(retoned(PIXELS, 1.5 * TONES, 1.5 * TONES), PIXELS, atol=1e-4)


def test_an_iris_becomes_the_other_s_and_stays_where_it_is() -> None:
    darker = TONES**2
    out = retoned(PIXELS, TONES, darker)
    white = np.quantile(PIXELS, 0.92, axis=0)
    whole = np.minimum(PIXELS / white, 1)
    assert out.shape == PIXELS.shape and np.allclose(out / white, whole**2, atol=2e-3)
    order = np.argsort(PIXELS[:, 0])
    assert (np.diff(out[order, 0]) >= 0).all(), "what was darker is darker"
