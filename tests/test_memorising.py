"""What the search for copies promises."""

from itertools import pairwise

import numpy as np
import pytest

from changeling.measuring import memorising
from changeling.measuring.neighbours import Features, nearest


def drawn(n: int, seed: int) -> Features:
    return np.random.default_rng(seed).standard_normal((n, 8))


LEARNT, KEPT = drawn(800, 0), drawn(400, 1)


def test_the_nearest() -> None:
    asked, among = drawn(20, 2), drawn(30, 3)
    slow = [min(np.linalg.norm(x - y) for y in among) for x in asked]
    assert nearest(asked, among) == pytest.approx(slow)


def test_new_pictures_are_no_copies() -> None:
    found = memorising(drawn(2000, 2), LEARNT, KEPT)
    assert found.expected == 0.05
    assert found.copies == pytest.approx(0.05, abs=0.03)
    assert found.distance == pytest.approx(1, abs=0.05)


def test_kept_pictures_are_what_is_expected() -> None:
    found = memorising(KEPT, LEARNT, KEPT, expected=0.1)
    assert found.copies == found.expected == 0.1
    assert found.distance == 1


@pytest.mark.parametrize("share", [0.1, 0.3, 1.0])
def test_planted_copies_are_found(share: float) -> None:
    """As many as were planted, beside the few that seem to be."""
    new, copied = drawn(500, 2), LEARNT[:500] + 0.05 * drawn(500, 3)
    count = round(500 * share)
    found = memorising(np.concatenate([copied[:count], new[count:]]), LEARNT, KEPT)
    assert found.copies == pytest.approx(share + 0.05 * (1 - share), abs=0.02)


def test_the_nearer_the_more() -> None:
    found = [
        memorising(LEARNT[:300] + level * drawn(300, 3), LEARNT, KEPT)
        for level in (0, 0.3, 0.6, 1.2)
    ]
    assert found[0].copies == 1
    assert found[0].distance == pytest.approx(0, abs=1e-6)
    assert all(one.copies >= other.copies for one, other in pairwise(found))
    assert all(one.distance < other.distance for one, other in pairwise(found))


def test_bad_pictures_are_far_from_everything() -> None:
    found = memorising(drawn(100, 2) + 9, LEARNT, KEPT)
    assert found.copies == 0
    assert found.distance > 5


def test_an_empty_set() -> None:
    with pytest.raises(ValueError, match="empty set"):
        memorising(LEARNT[:0], LEARNT, KEPT)
