"""Where errors land that are planted into rendered swaps."""

from functools import cache

import numpy as np
import pytest
from cast import ACTOR, OTHER, performance
from numpy.typing import NDArray

from changeling.actors import Actor, Blend, Performance
from changeling.measuring import Swapping, perturbed, rendered_faces, split
from changeling.measuring.perturbing import FACTORS, STRANGERS, Crops

FRAMES = (30, 110)
SIDE = 48
SIZES = (0.2, 0.5)
"""Of the directions; errors are planted at another one."""
SWAPPING = Swapping(ACTOR, OTHER, performance(), [Performance.from_seed(4, seconds=4)])


@cache
def truth() -> Crops:
    return rendered_faces(SWAPPING.truth, SWAPPING.performance, FRAMES, side=SIDE)


@cache
def directions() -> dict[str, NDArray[np.float32]]:
    return dict(perturbed(SWAPPING, FRAMES, side=SIDE, steps=SIZES))


@cache
def planted(factor: str, goal: int, size: float) -> NDArray[np.float32]:
    """A swap with an error in one factor, less the truth, both with all detail of the skin."""
    wrong = rendered_faces(*SWAPPING.wrong(factor, goal, size), FRAMES, side=SIDE, where=truth())
    return (wrong.pictures.astype(np.float32) - truth().pictures) / np.float32(255)


def test_who_is_wrong_in_what() -> None:
    true = Actor(OTHER.face, ACTOR.styling)
    assert SWAPPING.wrong("identity", 0, 0.3)[0] == Blend(true, (ACTOR.face,), 0.3)
    assert SWAPPING.wrong("identity", 1, 0.3)[0] == Blend(true, STRANGERS, 0.3)
    who, still = SWAPPING.wrong("expression", 0, 1.0)
    assert who == true
    assert not still.actions.any()
    assert np.array_equal(still.turn, performance().turn)
    _, mean = SWAPPING.wrong("pose", 1, 1.0)
    assert mean.turn[5] == pytest.approx(SWAPPING.trained[0].turn.mean(0), abs=1e-6)


def test_directions_are_differences_of_every_goal_and_step() -> None:
    assert tuple(directions()) == FACTORS == ("identity", "expression", "pose", "light")
    for pictures in directions().values():
        assert pictures.shape == (2 * len(SIZES), len(FRAMES), SIDE, SIDE, 3)
        sizes = np.abs(pictures).mean((1, 2, 3, 4))
        assert 0 < sizes[0] < sizes[1] < 0.5
    assert truth().inner.mean() > 0.2


@pytest.mark.parametrize("goal", [0, 1])
@pytest.mark.parametrize("factor", FACTORS)
def test_an_error_of_one_factor_lands_on_it(factor: str, goal: int) -> None:
    """Of a size that no direction has, with details that directions lack."""
    found = split(planted(factor, goal, 0.35), directions(), truth().inner)
    assert dict(found.shares)[factor] > 0.9


def test_the_performance_itself_is_somebody_else() -> None:
    """A in B's place is an error of the identity alone."""
    left = rendered_faces(ACTOR, SWAPPING.performance, FRAMES, side=SIDE, where=truth())
    residual = (left.pictures.astype(np.float32) - truth().pictures) / np.float32(255)
    whole = dict(perturbed(SWAPPING, FRAMES, side=SIDE, steps=(0.5, 1.0)))
    assert dict(split(residual, whole, truth().inner).shares)["identity"] > 0.95


def test_errors_of_two_factors_are_told_apart() -> None:
    parts = {name: planted(name, 0, 0.35)[None] for name in ("expression", "identity")}
    both = np.concatenate(list(parts.values())).sum(0)
    wanted = dict(split(both, parts, truth().inner).shares)
    found = dict(split(both, directions(), truth().inner).shares)
    for name, share in wanted.items():
        assert found[name] == pytest.approx(share, abs=0.1)


def test_the_truth_has_no_error() -> None:
    none = np.zeros_like(planted("light", 0, 0.35))
    assert all(share == 0 for _, share in split(none, directions(), truth().inner).shares)
