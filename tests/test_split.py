"""What the split of an error promises, on directions that are made by hand."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from changeling.measuring import Split, split
from changeling.measuring.split import nonnegative

SIDE, FRAMES = 12, 5
INSIDE = np.zeros((FRAMES, SIDE, SIDE), np.bool_)
INSIDE[:, 2:10, 3:9] = True
Floats = NDArray[np.float64]


def drawn(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal((*shape, SIDE, SIDE, 3))


DIRECTIONS = {
    "identity": drawn(2, FRAMES, seed=1),
    "light": drawn(1, FRAMES, seed=2),
    "pose": drawn(3, FRAMES, seed=3),
}


def shares(found: Split) -> dict[str, float]:
    return dict(found.shares)


def test_the_truth_itself_has_no_error() -> None:
    found = split(np.zeros((FRAMES, SIDE, SIDE, 3)), DIRECTIONS, INSIDE)
    assert shares(found) == {"identity": 0, "light": 0, "pose": 0}
    assert found.remainder == 0


@pytest.mark.parametrize("name", DIRECTIONS)
@pytest.mark.parametrize("size", [0.1, 1.0, 3.0])
def test_an_error_of_one_factor_lands_on_it(name: str, size: float) -> None:
    """Of any size, and of all its directions together."""
    weights = np.arange(1, len(DIRECTIONS[name]) + 1)
    error = size * np.tensordot(weights, DIRECTIONS[name], 1)
    found = split(error, DIRECTIONS, INSIDE)
    assert shares(found)[name] == pytest.approx(1)
    assert found.remainder == pytest.approx(0, abs=1e-9)
    assert sum(map(abs, shares(found).values())) == pytest.approx(1)


def test_two_at_once_are_told_apart() -> None:
    """Directions that are nearly at right angles: energies add up."""
    first, second = 2 * DIRECTIONS["light"][0], DIRECTIONS["identity"][1]
    found = split(first + second, DIRECTIONS, INSIDE)
    energies = [float((part[INSIDE] ** 2).sum()) for part in (first, second)]
    assert shares(found)["light"] == pytest.approx(energies[0] / sum(energies), abs=0.05)
    assert shares(found)["identity"] == pytest.approx(energies[1] / sum(energies), abs=0.05)
    assert shares(found)["pose"] == pytest.approx(0, abs=0.02)


def test_what_no_factor_explains_is_left() -> None:
    found = split(drawn(FRAMES, seed=9), DIRECTIONS, INSIDE)
    assert found.remainder > 0.9
    both = split(drawn(FRAMES, seed=9) + DIRECTIONS["light"][0], DIRECTIONS, INSIDE)
    assert both.remainder == pytest.approx(0.5, abs=0.06)
    assert sum(shares(both).values()) + both.remainder == pytest.approx(1)


def test_no_direction_is_taken_backwards() -> None:
    found = split(-DIRECTIONS["light"][0], {"light": DIRECTIONS["light"]}, INSIDE)
    assert shares(found)["light"] == 0
    assert found.remainder == 1


def test_factors_that_look_the_same() -> None:
    """The shares cannot tell, `alone` and `alike` say so."""
    same = {"one": DIRECTIONS["light"], "other": DIRECTIONS["light"] + 0.05 * drawn(1, FRAMES)}
    found = split(DIRECTIONS["light"][0], same, INSIDE)
    assert dict(found.alone)["one"] == pytest.approx(1)
    assert dict(found.alone)["other"] > 0.99
    ((*both, cosine),) = found.alike
    assert both == ["one", "other"]
    assert cosine > 0.99
    assert all(cosine < 0.3 for *_, cosine in split(same["one"][0], DIRECTIONS, INSIDE).alike)


def test_what_lies_outside_the_mask_does_not_matter() -> None:
    error = drawn(FRAMES, seed=9) + DIRECTIONS["pose"][2]
    other = np.where(INSIDE[..., None], error, 100)
    assert split(other, DIRECTIONS, INSIDE) == split(error, DIRECTIONS, INSIDE)


def test_fine_errors_are_said_to_be_fine() -> None:
    """A chessboard of pixels is, an even brightness is not."""
    board = np.broadcast_to(
        (np.indices((48, 48)).sum(0) % 2 - 0.5)[None, ..., None], (1, 48, 48, 3)
    )
    even, inside = np.full((1, 1, 48, 48, 3), 0.1), np.ones((1, 48, 48), np.bool_)
    found = [split(error, {"light": even}, inside) for error in (board, even[0])]
    assert found[0].fine > 0.95
    assert found[0].remainder > 0.99
    assert found[1].fine == pytest.approx(0, abs=1e-9)


def test_frames_count_by_their_energy() -> None:
    error = DIRECTIONS["light"][0].copy()
    error[0] = 10 * DIRECTIONS["identity"][0][0]
    found = shares(split(error, DIRECTIONS, INSIDE))
    assert found["identity"] == pytest.approx(100 / (100 + FRAMES - 1), abs=0.02)


def brute_force(gram: Floats, aims: Floats) -> Floats:
    """The best of all sets of free directions whose weights are not below 0."""
    best, least = np.zeros(len(aims)), 0.0
    for count in range(1, len(aims) + 1):
        for free in combinations(range(len(aims)), count):
            weights = np.zeros(len(aims))
            weights[list(free)] = np.linalg.solve(gram[np.ix_(free, free)], aims[list(free)])
            value = float(weights @ gram @ weights / 2 - aims @ weights)
            if weights.min() >= 0 and value < least:
                best, least = weights, value
    return best


@pytest.mark.parametrize("seed", range(40))
def test_the_weights_are_the_best_that_are_not_negative(seed: int) -> None:
    random = np.random.default_rng(seed)
    columns = random.standard_normal((9, 6)) + random.uniform(0, 2)
    gram, aims = columns.T @ columns, columns.T @ random.standard_normal(9)
    assert nonnegative(gram, aims) == pytest.approx(brute_force(gram, aims), abs=1e-8)


def test_directions_that_depend_on_each_other() -> None:
    columns = np.random.default_rng(0).standard_normal((9, 2))[:, [0, 1, 0, 1]]
    aims = columns.T @ (columns @ [1.0, 2.0, 0, 0])
    weights = nonnegative(columns.T @ columns, aims)
    assert weights.min() >= 0
    assert columns @ weights == pytest.approx(columns @ [1.0, 2.0, 0, 0])
    assert np.array_equal(nonnegative(np.zeros((2, 2)), np.zeros(2)), np.zeros(2))


def test_nothing_to_split() -> None:
    for directions, inside in (({}, INSIDE), (DIRECTIONS, np.zeros_like(INSIDE))):
        with pytest.raises(ValueError, match="a split needs"):
            split(np.zeros((FRAMES, SIDE, SIDE, 3)), directions, inside)
