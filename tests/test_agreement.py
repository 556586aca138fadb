"""Agreement, rank correlation and mean opinions: worked examples, laws, another implementation."""

import numpy as np
import pytest
import torch
from torchmetrics.functional import spearman_corrcoef

from changeling.measuring import krippendorff_alpha, mean_opinion, rank_correlation, spearman
from changeling.measuring.agreement import Level

NAN = np.nan
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval")
WORKED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
"""Four observers, twelve units: Krippendorff 2011, the example of its section on missing data."""


@pytest.mark.parametrize(
    ("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_of_the_worked_example(level: Level, alpha: float) -> None:
    assert krippendorff_alpha(WORKED, level) == pytest.approx(alpha, abs=5e-4)


@pytest.mark.parametrize("level", LEVELS)
def test_alpha_is_one_for_perfect_agreement_and_about_zero_for_chance(level: Level) -> None:
    random = np.random.default_rng(0)
    told = random.integers(1, 6, 400).astype(float)
    assert krippendorff_alpha(np.stack([told, told, told]), level) == pytest.approx(1)
    chance = random.integers(1, 6, (3, 4000)).astype(float)
    assert krippendorff_alpha(chance, level) == pytest.approx(0, abs=0.03)


def test_alpha_is_negative_where_people_contradict_each_other() -> None:
    # Dₒ = 1, Dₑ = 2·2·2 / (4·3): two answers of each kind, never together.
    assert krippendorff_alpha(np.array([[0, 1.0], [1, 0]]), "nominal") == pytest.approx(-0.5)


def test_alpha_ignores_single_answers_and_the_order_of_people_and_things() -> None:
    random = np.random.default_rng(1)
    whole = krippendorff_alpha(WORKED, "ordinal")
    shuffled = WORKED[random.permutation(4)][:, random.permutation(12)]
    assert krippendorff_alpha(shuffled, "ordinal") == pytest.approx(whole)
    assert krippendorff_alpha(WORKED[:, :-1], "ordinal") == pytest.approx(whole)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("answers", [[[1, NAN], [NAN, 2]], [[3, 3], [3, 3]], [[NAN], [NAN]]])
def test_alpha_is_none_where_nothing_can_be_compared(
    answers: list[list[float]], level: Level
) -> None:
    assert krippendorff_alpha(np.array(answers, np.float64), level) is None


def test_spearman_agrees_with_torchmetrics_also_with_ties() -> None:
    random = np.random.default_rng(2)
    for steps in (3, 1000):
        one, other = random.integers(0, steps, (2, 50)).astype(np.float64)
        theirs = float(spearman_corrcoef(torch.from_numpy(one), torch.from_numpy(other)))
        assert spearman(one, other) == pytest.approx(theirs, abs=1e-5)


def test_spearman_sees_only_order() -> None:
    figures = np.array([3.0, 1, 4, 1.5, 9])
    assert spearman(figures, np.exp(figures)) == pytest.approx(1)
    assert spearman(figures, -(figures**3)) == pytest.approx(-1)
    assert spearman(figures, np.ones(5)) == 0


def test_the_interval_of_a_correlation_holds_it_and_narrows_with_more_clips() -> None:
    random = np.random.default_rng(3)
    widths = []
    for count in (10, 200):
        one = random.normal(size=count)
        clips = [str(index) for index in range(count)]
        found = rank_correlation(one, one + random.normal(size=count), clips)
        assert found is not None
        assert found.low <= found.value <= found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2


@pytest.mark.parametrize(("one", "other"), [([1.0, 2], [1.0, 2]), ([1.0, 1, 1], [1.0, 2, 3])])
def test_too_few_or_equal_figures_correlate_with_nothing(
    one: list[float], other: list[float]
) -> None:
    assert rank_correlation(one, other, ["a", "b", "c"][: len(one)]) is None


def test_a_mean_opinion_resamples_people() -> None:
    # Forty people who never change their mind: 3 ± 1.96 / √40, however often each is asked.
    for often in (1, 3):
        said = [(2 + 2 * (index % 2), str(index)) for index in range(40) for _ in range(often)]
        values, people = zip(*said, strict=True)
        found = mean_opinion(values, people, scale=(1, 5))
        assert (found.value, found.clips) == (3, 40)
        assert found.high - 3 == pytest.approx(1.96 / 40**0.5, rel=0.1)
        assert 3 - found.low == pytest.approx(1.96 / 40**0.5, rel=0.1)
    alone = mean_opinion([1, 5], ["a", "a"], scale=(1, 5))
    assert (alone.value, alone.low, alone.high) == (3, 3, 3)
    # Of two people nearly nothing can be said, but no more than that it is on the scale.
    two = mean_opinion([2, 4], ["a", "b"], scale=(1, 5))
    assert (two.value, two.low, two.high, two.clips) == (3, 1, 5, 2)
