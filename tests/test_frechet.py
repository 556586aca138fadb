"""What distances between sets of features promise: their laws and independent computations."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from changeling.measuring import frechet_distance, kernel_distance
from changeling.measuring.frechet import Features


def drawn(n: int, d: int, seed: int) -> Features:
    """Features that depend on each other and are skewed, as a network's are."""
    rng = np.random.default_rng(seed)
    return np.maximum(rng.standard_normal((n, d)) @ rng.standard_normal((d, d)), 0)


class _Flat(nn.Module):
    """Takes pictures (n, 3, 1, d) for what they are: features (n, d)."""

    num_features = 6

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures[:, 0, 0].double()


def pictured(features: Features) -> Tensor:
    return torch.from_numpy(features)[:, None, None].expand(-1, 3, 1, -1)


class TestFrechet:
    def test_a_set_is_at_no_distance_from_itself(self) -> None:
        one = drawn(50, 6, 0)
        assert frechet_distance(one, one[::-1]) == pytest.approx(0, abs=1e-9)

    def test_it_is_symmetric(self) -> None:
        one, other = drawn(50, 6, 0), drawn(70, 6, 1)
        assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one))
        assert frechet_distance(one, other) > 1

    def test_shifted_and_stretched_gaussians_have_a_closed_form(self) -> None:
        """Turned alike, the distance is |shift|² + the sum of (s₁ - s₂)² over the axes."""
        one = drawn(400, 3, 2)
        values, vectors = np.linalg.eigh(np.cov(one, rowvar=False))
        stretch = np.array([1.0, 2.0, 0.5])
        other = (one - one.mean(0)) @ (vectors * stretch) @ vectors.T + one.mean(0) + [3, 0, 4]
        expected = 25 + np.sum(values * (1 - stretch) ** 2)
        assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-9)

    def test_one_feature_is_enough(self) -> None:
        """Means 1 and 6, variances 2 and 8."""
        assert frechet_distance(np.array([[0.0], [2]]), np.array([[4.0], [8]])) == pytest.approx(27)

    @pytest.mark.parametrize("wrong", [np.nan, np.inf])
    def test_features_that_are_no_numbers_have_no_distance(self, wrong: float) -> None:
        """Not 0, which would be the best there is."""
        one, other = drawn(9, 3, 0), drawn(9, 3, 1)
        one[4, 1] = wrong
        for distance in (frechet_distance, kernel_distance):
            assert np.isnan(distance(one, other))
            assert np.isnan(distance(other, one))

    def test_fewer_pictures_than_features(self) -> None:
        one, other = drawn(5, 12, 0), drawn(5, 12, 1)
        assert frechet_distance(one, one) == pytest.approx(0, abs=1e-6)
        assert frechet_distance(one, other) > 1

    def test_an_independent_computation_agrees(self) -> None:
        one, other = drawn(300, 6, 0), drawn(200, 6, 1)
        theirs = FrechetInceptionDistance(_Flat()).set_dtype(torch.float64)
        theirs.update(pictured(one), real=True)
        theirs.update(pictured(other), real=False)
        assert frechet_distance(one, other) == pytest.approx(float(theirs.compute()), rel=1e-5)


class TestKernel:
    @pytest.mark.filterwarnings("ignore:Metric .* will save all extracted features")
    def test_an_independent_computation_agrees(self) -> None:
        one, other = drawn(60, 6, 0), drawn(60, 6, 1)
        theirs = KernelInceptionDistance(_Flat(), subsets=1, subset_size=60).set_dtype(
            torch.float64
        )
        theirs.update(pictured(one), real=True)
        theirs.update(pictured(other), real=False)
        assert kernel_distance(one, other) == pytest.approx(float(theirs.compute()[0]), rel=1e-5)

    def test_sets_of_one_size_and_another(self) -> None:
        """By hand: k(0, 0) = 1, k(1, 1) = 8, k(0, 1) = 1."""
        zeros, ones = np.zeros((2, 1)), np.ones((3, 1))
        assert kernel_distance(zeros, ones) == pytest.approx(1 + 8 - 2)

    def test_it_is_zero_on_average_for_samples_of_the_same(self) -> None:
        rng = np.random.default_rng(0)
        found = [kernel_distance(*rng.standard_normal((2, 30, 4))) for _ in range(300)]
        assert min(found) < 0 < max(found)
        assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(300)

    def test_more_rows_than_are_computed_together(self, monkeypatch: pytest.MonkeyPatch) -> None:
        one, other = drawn(25, 6, 0), drawn(17, 6, 1)
        whole = kernel_distance(one, other)
        monkeypatch.setattr("changeling.measuring.frechet._ROWS", 7)
        assert kernel_distance(one, other) == pytest.approx(whole, rel=1e-12)


def test_one_picture_is_no_set() -> None:
    for distance in (frechet_distance, kernel_distance):
        with pytest.raises(AssertionError, match="no features"):
            distance(np.zeros((1, 3)), np.zeros((4, 3)))
