"""Expressions and traits given to a face: a driver's over time, or what a slider or curve asks."""

from dataclasses import replace

import numpy as np
import pytest
from painted import held, inner, portrait, somebody

from changeling.errors import UserError
from changeling.faces import face_model
from changeling.faces.morphable import Floats
from changeling.faces.view import View
from changeling.generators.edit import GROUPS, Change, Edit, changeable, check
from changeling.generators.protocols import Redrawn
from changeling.generators.reenact import Reenact, driven_by
from changeling.generators.reshaping import reshaped

OWN = held({"mouthSmileLeft": 0.3, "eyeLookUpLeft": 0.4, "jawOpen": 0.2})


def shown(time: float = 0.0) -> View:
    return replace(portrait(OWN, somebody(1)), time=time)


def actions(**strengths: float) -> Floats:
    return held(strengths).actions


def same(one: Redrawn, other: Redrawn) -> bool:
    return np.array_equal(one.pixels, other.pixels) and np.array_equal(one.mask, other.mask)


def change(drawn: Redrawn, view: View) -> float:
    """The largest change in levels."""
    return float(np.abs(np.rint(255 * drawn.pixels) - view.pixels).max())


def test_its_own_expression_changes_nothing() -> None:
    own = driven_by([(0.0, OWN.actions), (1.0, OWN.actions)])
    assert change(own.redraw(shown(0.5)), shown()) <= 1


def test_no_strength_leaves_everything() -> None:
    wild = driven_by([(0.0, actions(jawOpen=1.0, mouthSmileRight=1.0))], strength=0.0)
    assert change(wild.redraw(shown()), shown()) <= 1
    whole = replace(wild, strength=1.0)
    assert change(whole.redraw(shown()), shown()) > 60


@pytest.mark.parametrize("strength", [0.5, 1.0, 3.0])
def test_the_difference_is_given_by_its_strength(strength: float) -> None:
    wanted = actions(jawOpen=0.6, browInnerUp=0.5)
    view = shown()
    drawn = driven_by([(0.0, wanted)], strength).redraw(view)
    expected = np.clip(OWN.actions + strength * (wanted - OWN.actions), 0, 1)
    gaze = view.model.actions.index("eyeLookUpLeft")
    expected[gaze] = OWN.actions[gaze]
    assert same(drawn, reshaped(view, view.identity, expected))


def test_gaze_is_not_transferred() -> None:
    looks = {name: 1.0 for name in face_model().actions if name.startswith("eyeLook")}
    assert len(looks) == 8
    driver = driven_by([(0.0, OWN.actions + actions(**looks))])
    assert change(driver.redraw(shown()), shown()) <= 1


def test_a_driver_is_followed_between_its_frames_and_ends_with_its_last() -> None:
    driver = driven_by([(0.2, actions(jawOpen=0.2)), (0.6, actions(jawOpen=1.0))])
    jaw = face_model().actions.index("jawOpen")
    times = (-1.0, 0.2, 0.3, 0.4, 0.6, 9.0)
    assert [driver.at(time)[jaw] for time in times] == pytest.approx([0.2, 0.2, 0.4, 0.6, 1, 1])
    assert np.array_equal(driver.times, [0.2, 0.6]) and driver.actions.shape == (2, 50)
    later = driver.redraw(shown(0.6))
    assert same(later, Reenact(driver.times, driver.actions).redraw(shown(5.0)))
    assert not same(later, driver.redraw(shown(0.2)))


def edited(name: str, *curve: tuple[float, float], time: float = 0.0) -> Redrawn:
    return Edit((Change(name, curve),)).redraw(shown(time))


def test_a_change_of_nothing_changes_nothing() -> None:
    for name in ("age", "smile", "jawOpen"):
        assert change(edited(name, (0.0, 0.0)), shown()) <= 1
    assert change(Edit(()).redraw(shown()), shown()) <= 1


def test_curves_interpolate_and_are_level_outside() -> None:
    curve = Change("smile", ((1.0, 0.0), (3.0, 1.0), (4.0, -1.0)))
    times = (0.0, 1.0, 2.0, 3.0, 3.5, 4.0, 99.0)
    assert [curve.at(time) for time in times] == pytest.approx([0, 0, 0.5, 1, 0, -1, -1])
    assert Change("smile", ((7.0, 0.4),)).at(0.0) == 0.4
    ramp = ((1.0, 0.0), (3.0, 1.0))
    assert same(edited("smile", *ramp, time=2.0), edited("smile", (0.0, 0.5)))


@pytest.mark.parametrize("strength", [0.7, -0.7])
def test_a_trait_moves_the_identity_by_its_step(strength: float) -> None:
    model, view = face_model(), shown()
    for k, name in enumerate(model.traits):
        wanted = view.identity + strength * model.trait_steps[k]
        assert same(edited(name, (0.0, strength)), reshaped(view, wanted, OWN.actions))


@pytest.mark.parametrize(("name", "strength"), [("smile", 0.5), ("gaze-up", 0.9), ("jawOpen", -1)])
def test_actions_are_added_within_bounds(name: str, strength: float) -> None:
    view, wanted = shown(), OWN.actions.copy()
    for action in GROUPS.get(name, (name,)):
        wanted[view.model.actions.index(action)] += strength
    drawn = edited(name, (0.0, strength))
    assert same(drawn, reshaped(view, view.identity, np.clip(wanted, 0, 1)))


def test_changes_are_made_together() -> None:
    both = Edit((Change("smile", ((0.0, 0.3),)), Change("smile", ((0.0, 0.2),)))).redraw(shown())
    assert np.allclose(both.pixels, edited("smile", (0.0, 0.5)).pixels, atol=1e-3)


def test_an_edit_moves_what_it_names() -> None:
    view = shown()
    area, half = inner(view), view.pixels.shape[0] // 2
    brows, jaw = (
        np.abs(np.rint(255 * edited(name, (0.0, 1.0)).pixels) - view.pixels).max(2) * area
        for name in ("brows", "jawOpen")
    )
    assert brows[: half - 10].mean() > 5 * brows[half + 20 :].mean()
    assert jaw[half + 20 :].mean() > 5 * jaw[: half - 10].mean()


def test_all_that_can_be_changed_is_known() -> None:
    model = face_model()
    names = changeable(model)
    assert len(names) == len(set(names)) == 3 + len(GROUPS) + 50
    assert all(action in model.actions for group in GROUPS.values() for action in group)
    check([Change(name, ((0.0, 1.0),)) for name in names], model)


def test_an_unknown_name_is_refused() -> None:
    unknown = [Change("age", ((0.0, 1.0),)), Change("grin", ((0.0, 1.0),))]
    with pytest.raises(UserError, match="a face has no 'grin' to change: give one of age, gender"):
        check(unknown, face_model())
    with pytest.raises(UserError, match="no 'grin'"):
        Edit(unknown).redraw(shown())
