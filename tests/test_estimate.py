"""What an interval over clips promises."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from changeling.measuring import Estimate, estimate, scattered
from changeling.measuring.estimate import Values

CLIPS, FRAMES = 20, 15


def clips(seed: int, *, between: float = 1.0, within: float = 0.3) -> tuple[Values, list[str]]:
    """Figures of frames whose mean is 5 over all clips, and which clip each is of."""
    random = np.random.default_rng(seed)
    effects = np.repeat(random.normal(0, between, CLIPS), FRAMES)
    names = np.repeat([f"clip {k}" for k in range(CLIPS)], FRAMES)
    return 5 + effects + random.normal(0, within, CLIPS * FRAMES), list(names)


def test_it_holds_the_truth_nineteen_times_in_twenty() -> None:
    """Also with few clips, whose plain percentiles would hold it 3 times in 4."""
    for count in (4, CLIPS):
        draws = [clips(seed) for seed in range(200)]
        few = [(values[: count * FRAMES], names[: count * FRAMES]) for values, names in draws]
        found = [estimate(*one, draws=200) for one in few]
        held = np.mean([one.low <= 5 <= one.high for one in found])
        assert 0.91 < held < 0.99


def test_two_clips_tell_little() -> None:
    """Student's quantile for one degree of freedom is 12.7."""
    one = estimate([1.0, 3.0], ["a", "b"])
    assert (one.low, one.high) == pytest.approx((2 - 12.706 * 2**0.5 / 1.96, 2 + 9.168), abs=0.01)


def test_frames_taken_for_clips_would_hold_it_seldom() -> None:
    """Why whole clips are drawn: frames of one clip are alike."""
    held = []
    for seed in range(100):
        values, _ = clips(seed)
        one = estimate(values, [str(k) for k in range(len(values))], draws=200)
        held.append(one.low <= 5 <= one.high)
    assert np.mean(held) < 0.6


def test_it_is_as_wide_as_theory_says() -> None:
    """Twice 2.093 deviations of a mean of twenty clips."""
    widths = [one.high - one.low for one in (estimate(*clips(seed)) for seed in range(30))]
    assert np.mean(widths) == pytest.approx(2 * 2.093 / np.sqrt(CLIPS), rel=0.08)


def test_the_value_is_the_statistic_of_all() -> None:
    values, names = clips(0)
    assert estimate(values, names).value == pytest.approx(values.mean())
    median = estimate(values, names, statistic=lambda x: float(np.median(x)))
    assert median.value == np.median(values)
    assert median.low < median.value < median.high
    assert median.clips == CLIPS


def test_clips_count_by_their_frames_and_in_any_order() -> None:
    values, names = clips(0)
    order = np.random.default_rng(1).permutation(len(values))
    shuffled = estimate(values[order], [names[k] for k in order])
    plain = estimate(values, names)
    assert shuffled.low == pytest.approx(plain.low)
    assert shuffled.high == pytest.approx(plain.high)
    assert estimate([1, 1, 1, 5], ["a", "a", "a", "b"]).value == 2


def test_alike_clips_have_a_narrow_interval() -> None:
    found = [estimate(*clips(0, between=spread)) for spread in (0.01, 0.3, 1, 3)]
    assert all(one.high - one.low < two.high - two.low for one, two in pairwise(found))
    constant = estimate([2.0] * 6, list("aabbcc"))
    assert constant == Estimate(2.0, 2.0, 2.0, 3)


def test_one_clip_tells_nothing_of_chance() -> None:
    assert estimate([1.0, 2.0, 6.0], ["a"] * 3) == Estimate(3.0, 3.0, 3.0, 1)


def test_the_seed_repeats_it() -> None:
    values, names = clips(0)
    assert estimate(values, names, seed=3) == estimate(values, names, seed=3)
    assert estimate(values, names, seed=3) != estimate(values, names, seed=4)


def test_values_and_clips_belong_together() -> None:
    for values, names in (([], []), ([1.0], []), ([1.0, 2.0], ["a"])):
        with pytest.raises(ValueError, match="values of"):
            estimate(values, names)


def test_the_scatter_of_a_set_is_that_of_its_mean() -> None:
    """About the value: 1.96 s / √n for a mean, whatever else is computed of the same rows."""
    values = np.random.default_rng(0).normal(5, 2, 400)

    def figures(rows: NDArray[np.int64]) -> dict[str, float]:
        return {"mean": float(values[rows].mean()), "size": float(len(np.unique(rows)))}

    found = scattered(figures, 400, draws=400)
    mean, size = found["mean"], found["size"]
    assert (mean.value, mean.clips) == (values.mean(), 400)
    assert mean.high - mean.value == pytest.approx(1.96 * values.std() / 20, rel=0.1)
    assert mean.value - mean.low == pytest.approx(mean.high - mean.value)
    # Of 400 pictures 253 come up in a draw: percentiles would not reach the value.
    assert size.low < size.value == 400 < size.high
    assert scattered(figures, 400, draws=400) == found
