"""What precision, recall, density and coverage promise: their laws and their definitions."""

import numpy as np
import pytest

from changeling.measuring import Manifold, manifold
from changeling.measuring.neighbours import Features


def drawn(n: int, seed: int, *, d: int = 8) -> Features:
    return np.random.default_rng(seed).standard_normal((n, d))


def slow(real: Features, fake: Features, k: int, wider: int) -> Manifold:
    """The papers' equations, written as loops."""

    def away(a: Features, b: Features) -> float:
        return float(np.linalg.norm(a - b))

    def reach(features: Features, near: int) -> list[float]:
        return [sorted(away(x, y) for y in features)[near] for x in features]

    narrow, own, wide = reach(real, k), reach(fake, k), reach(real, wider)
    precise = [any(away(x, y) <= r for x, r in zip(real, narrow, strict=True)) for y in fake]
    recalled = [any(away(x, y) <= r for x, r in zip(fake, own, strict=True)) for y in real]
    inside = [[away(x, y) < r for x, r in zip(real, wide, strict=True)] for y in fake]
    return Manifold(
        float(np.mean(precise)),
        float(np.mean(recalled)),
        float(np.mean(np.sum(inside, 1))) / wider,
        float(np.mean(np.any(inside, 0))),
    )


@pytest.mark.parametrize(("k", "wider"), [(3, 5), (1, 2)])
def test_the_definitions_agree(k: int, wider: int) -> None:
    real, fake = drawn(40, 0, d=3), 0.7 * drawn(30, 1, d=3) + 1.2
    found, wanted = manifold(real, fake, neighbours=k, wider=wider), slow(real, fake, k, wider)
    assert found == wanted
    assert 0 < found.recall < found.precision < 1
    assert 0 < found.coverage < 1


def test_a_set_is_all_of_itself() -> None:
    one = drawn(60, 0)
    assert manifold(one, one) == Manifold(1, 1, 1, 1)


def test_two_samples_of_the_same_are_near_one() -> None:
    found = manifold(drawn(800, 0), drawn(800, 1))
    assert found.density == pytest.approx(1, abs=0.1)
    assert found.coverage > 0.9
    assert min(found.precision, found.recall) > 0.8


def test_sets_apart_have_nothing_in_common() -> None:
    assert manifold(drawn(60, 0), drawn(50, 1) + 100) == Manifold(0, 0, 0, 0)


def test_a_collapse_is_precise_and_shows_little() -> None:
    """All that is drawn lies about one real picture of many."""
    real = drawn(500, 0)
    fake = real[0] + 0.01 * drawn(500, 1)
    found = manifold(real, fake)
    assert found.precision == 1
    assert found.recall < 0.05
    assert found.coverage < 0.1


def test_half_of_the_kinds() -> None:
    """Two kinds are real and one of them is drawn: all of it is good, half is missing."""
    real = np.concatenate([drawn(200, 0), drawn(200, 1) + 50])
    found = manifold(real, drawn(400, 2))
    assert found.precision > 0.8
    assert found.recall == pytest.approx(0.5, abs=0.1)
    assert found.coverage == pytest.approx(0.5, abs=0.05)


def test_one_odd_picture_makes_precision_believe_but_not_density() -> None:
    """An odd real picture has a wide neighbourhood that takes in whatever is drawn near it."""
    real = np.concatenate([drawn(200, 0), np.full((1, 8), 20.0)])
    fake = drawn(200, 1) + 12
    found = manifold(real, fake)
    assert found.precision > 0.9
    assert found.density < 0.3
    assert found.coverage < 0.05


def test_more_rows_than_are_computed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    real, fake = drawn(45, 0, d=3), drawn(38, 1, d=3)
    whole = manifold(real, fake)
    monkeypatch.setattr("changeling.measuring.neighbours._ROWS", 7)
    assert manifold(real, fake) == whole


def test_copies_in_the_set_do_not_confuse_it() -> None:
    one = np.repeat(drawn(12, 0), 10, axis=0)
    assert manifold(one, one).precision == manifold(one, one).recall == 1


def test_too_few_pictures() -> None:
    with pytest.raises(ValueError, match="5 pictures have no 5 neighbours"):
        manifold(drawn(5, 0), drawn(50, 1))
