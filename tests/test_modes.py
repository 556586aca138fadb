"""What the number of modes promises."""

import numpy as np
import pytest

from changeling.measuring import Modes, clusters, kinds_of, modes
from changeling.measuring.neighbours import Features

CENTRES = 20 * np.random.default_rng(9).standard_normal((8, 5))


def drawn(n: int, seed: int, kinds: tuple[int, ...] = tuple(range(8))) -> Features:
    """Pictures of some of eight kinds, each as often."""
    random = np.random.default_rng(seed)
    return CENTRES[random.choice(kinds, n)] + random.standard_normal((n, 5))


def labels(*counts: int) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


def test_a_set_has_its_own_modes() -> None:
    assert modes(labels(10, 20, 30), labels(10, 20, 30)) == Modes(3, 3, 0)
    assert modes(labels(10, 20, 30), labels(1, 2, 3)) == Modes(3, 3, 0)


def test_sets_apart() -> None:
    assert modes(labels(50, 50), labels(0, 0, 70)) == Modes(2, 0, 3)


def test_a_share_differs_beyond_chance() -> None:
    """By hand: 50 and 63 of 100 are 1.86 deviations apart, 50 and 64 are 2.00."""
    assert modes(labels(50, 50), labels(63, 37)).different == 0
    assert modes(labels(50, 50), labels(64, 36)).different == 2


def test_one_in_twenty_differs_by_chance() -> None:
    random = np.random.default_rng(0)
    found = [
        modes(random.integers(10, size=1000), random.integers(10, size=1000)).different
        for _ in range(200)
    ]
    assert np.mean(found) / 10 == pytest.approx(0.05, abs=0.015)


def test_a_planted_collapse_is_seen() -> None:
    """Three of the eight kinds are never drawn, so the others are too often."""
    centres = clusters(drawn(2000, 0), 8)
    real, fake = drawn(1000, 1), drawn(1000, 2, (0, 1, 2, 3, 4))
    found = modes(kinds_of(real, centres), kinds_of(fake, centres))
    assert found == Modes(kinds=8, covered=5, different=8)
    fine = modes(kinds_of(real, centres), kinds_of(drawn(1000, 3), centres))
    assert fine.covered == 8
    assert fine.different <= 2


def test_clusters_are_found_whatever_the_seed() -> None:
    points = drawn(1000, 0)
    for seed in range(5):
        found = clusters(points, 8, seed=seed)
        assert np.array_equal(found, clusters(points, 8, seed=seed))
        spread = np.square(points - found[kinds_of(points, found)]).sum(1).mean()
        assert spread < 4 * 5, seed


def test_each_centre_is_the_mean_of_its_own() -> None:
    points = np.random.default_rng(1).standard_normal((300, 2))
    centres = clusters(points, 6)
    kinds = kinds_of(points, centres)
    own = [points[kinds == kind].mean(0) for kind in range(6)]
    assert centres == pytest.approx(np.stack(own))


def test_copies_are_one_cluster() -> None:
    assert len(np.unique(kinds_of(np.ones((9, 2)), clusters(np.ones((9, 2)), 4)))) == 1


def test_too_little() -> None:
    with pytest.raises(ValueError, match="5 clusters of 4"):
        clusters(CENTRES[:4], 5)
    with pytest.raises(ValueError, match="empty set"):
        modes(labels(3), labels(0))
