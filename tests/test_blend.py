"""What faces and performances on the way to others promise."""

from dataclasses import fields

import numpy as np
import pytest
from cast import ACTOR, OTHER, performance, shots

from changeling.actors import (
    Actor,
    Blend,
    Factor,
    Performance,
    at_rest,
    averaged,
    moved,
    render,
)
from changeling.actors.actor import FaceTraits, face_traits, styling_traits
from changeling.actors.blend import traits

OTHERS = (5, 6, 11)


def numbers(face: FaceTraits) -> list[float]:
    """All traits but the seed."""
    named = [number for _, number in face.phenotypes + face.changes]
    rest = [getattr(face, field.name) for field in fields(face)[3:]]
    return [*named, *np.hstack(rest).tolist()]


def changed(one: Performance, other: Performance) -> set[str]:
    names = [field.name for field in fields(one)]
    return {n for n in names if not np.array_equal(getattr(one, n), getattr(other, n))}


def test_an_actor_is_who_it_was() -> None:
    assert traits(ACTOR) == (face_traits(ACTOR.face), styling_traits(ACTOR.styling))
    assert traits(Blend(ACTOR, OTHERS, 0)) == traits(ACTOR)


def test_a_face_goes_straight_to_the_mean_of_others() -> None:
    own = numbers(face_traits(ACTOR.face))
    goal = np.mean([numbers(face_traits(seed)) for seed in OTHERS], 0)
    for share in (0.25, 1.0):
        face, styling = traits(Blend(ACTOR, OTHERS, share))
        assert numbers(face) == pytest.approx(own + share * (goal - own))
        assert face.seed == ACTOR.face
        assert styling == styling_traits(ACTOR.styling)
    assert len(own) > 40


@pytest.mark.parametrize("factor", list(Factor))
def test_one_factor_moves_and_all_else_stays(factor: Factor) -> None:
    given = performance()
    goal = Performance.from_seed(3, seconds=6)
    assert changed(moved(given, factor, goal, 0.5), given) == set(factor.value)
    assert changed(moved(given, factor, goal, 0), given) <= {"key", "fill"}
    there = moved(given, factor, goal, 1)
    for name in factor.value:
        assert getattr(there, name) == pytest.approx(getattr(goal, name), abs=1e-6)


def test_half_way() -> None:
    goal = Performance.from_seed(3, seconds=6)
    halfway = moved(performance(), Factor.POSE, goal, 0.5)
    assert halfway.turn == pytest.approx((performance().turn + goal.turn) / 2, abs=1e-6)


def test_what_moves_stays_possible() -> None:
    goal = at_rest(performance())
    for share in (-1.0, 0.5, 1.5):
        light = moved(performance(), Factor.LIGHT, goal, share)
        for vectors in (light.key, light.fill):
            assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
        assert min(light.key_colour.min(), light.sky.min(), light.ground.min()) >= 0
        face = moved(performance(), Factor.EXPRESSION, goal, share)
        assert face.actions.min() >= 0
        assert face.actions.max() <= 1


def test_at_rest() -> None:
    rest = at_rest(performance())
    assert len(rest) == 1
    assert not rest.actions.any()
    assert not rest.turn.any()
    assert np.ptp(np.concatenate([rest.sky, rest.ground])) == 0
    still = moved(performance(), Factor.POSE, rest, 1)
    assert len(still) == len(performance())
    assert not still.turn.any()


def test_the_mean_of_several_performances() -> None:
    both = [performance(), Performance.from_seed(3, seconds=2)]
    mean = averaged(both)
    rows = np.concatenate([one.actions for one in both])
    assert mean.actions == pytest.approx(rows.mean(0, keepdims=True), abs=1e-6)
    assert np.linalg.norm(mean.key) == pytest.approx(1)
    assert len(mean) == 1


def test_it_can_be_rendered() -> None:
    """A blend by nothing is the actor, byte for byte; by all it is the other but for the grain."""
    own = shots(frames=(0,))[0].frame.pixels

    def shown(who: Actor | Blend) -> np.ndarray:
        (shot,) = render(who, performance(), size=(160, 120), frames=(0,))
        return shot.frame.pixels

    assert np.array_equal(shown(Blend(ACTOR, (OTHER.face,), 0)), own)
    swapped = shown(Actor(OTHER.face, ACTOR.styling)).astype(float)
    there = shown(Blend(ACTOR, (OTHER.face,), 1)).astype(float)
    assert np.abs(there - swapped).mean() < 0.1 * np.abs(own - swapped).mean()
