"""Laws of diffusion's mathematics: its schedules, its way there and back, guidance and mending."""

from itertools import pairwise
from typing import Literal

import pytest
import torch
from torch import Tensor

from changeling.generators.ddpm_process import (
    Predict,
    Process,
    guided,
    noise_level,
    shares,
)

Tells = Literal["velocity", "noise"]


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=dice(seed))


class TestSchedules:
    @pytest.mark.parametrize("name", ["cosine", "linear"])
    def test_the_share_of_the_picture_falls_from_one(
        self, name: Literal["cosine", "linear"]
    ) -> None:
        kept = shares(name, 300)
        assert len(kept) == 301 and kept[0] == 1 and kept[-1] > 0
        assert all(after < before for before, after in pairwise(kept.tolist()))

    def test_linear_ends_where_the_paper_and_the_report_end(self) -> None:
        """Ho et al., section 4: after 1,000 steps 4e-5 are left; after the report's 300, 5 %."""
        assert shares("linear", 1000)[1] == pytest.approx(1 - 1e-4)
        assert float(shares("linear", 1000)[-1]) == pytest.approx(4.0e-5, rel=0.02)
        assert float(shares("linear", 300)[-1]) == pytest.approx(0.048, abs=0.001)

    def test_cosine_is_a_squared_cosine(self) -> None:
        kept, half = shares("cosine", 1000), torch.tensor(torch.pi / 2, dtype=torch.float64)
        places = torch.arange(1001, dtype=torch.float64) / 1000
        wave = torch.cos((places + 0.008) / 1.008 * half).square()
        assert torch.allclose(kept[:-1], (wave / wave[0])[:-1], atol=1e-12)
        assert kept[500] == pytest.approx(0.5, abs=0.01) and kept[-1] < 1e-8


@pytest.mark.parametrize("tells", ["velocity", "noise"])
class TestProcess:
    def test_a_noisy_picture_has_the_mean_and_variance_of_its_time(self, tells: Tells) -> None:
        process = Process("linear", 100, tells)
        times = torch.full((4000,), 70)
        noisy = process.noised(torch.full((4000, 1, 2, 2), 0.8), noise(4000, 1, 2, 2), times)
        kept = float(process.kept[70])
        assert float(noisy.mean()) == pytest.approx(0.8 * kept**0.5, abs=0.02)
        assert float(noisy.var()) == pytest.approx(1 - kept, rel=0.03)

    def test_what_is_wanted_means_the_clean_picture(self, tells: Tells) -> None:
        process, times = Process("cosine", 50, tells), torch.arange(1, 49)
        clean, grain = noise(48, 2, 3, 3), noise(48, 2, 3, 3, seed=1)
        noisy = process.noised(clean, grain, times)
        found = process.clean(process.wanted(clean, grain, times), noisy, times)
        assert torch.allclose(found, clean, atol=2e-3)

    def test_weights_count_clean_pictures_by_their_ratio_up_to_the_cap(self, tells: Tells) -> None:
        """One error of the clean picture is told as errors of noise or velocity of other sizes."""
        process, times = Process("cosine", 40, tells), torch.arange(1, 39)
        noisy, clean = noise(38, 1, 4, 4), noise(38, 1, 4, 4, seed=1)
        errors = []
        for guess in (clean, clean + 0.1):
            signal = process.kept[times].sqrt().float()[:, None, None, None]
            grain = (noisy - signal * guess) / (1 - signal**2).sqrt()
            errors.append(process.wanted(guess, grain, times))
        squared = (errors[1] - errors[0]).square().mean(dim=(1, 2, 3)) / 0.01
        ratio = (process.kept / (1 - process.kept))[times]
        weighed = process.weights(times, 5.0) * squared
        assert weighed.tolist() == pytest.approx(ratio.clamp(max=5).tolist(), rel=2e-3)
        assert process.weights(times, None).tolist() == [1.0] * 38

    def test_single_ancestral_steps_are_the_posterior(self, tells: Tells) -> None:
        """Ho et al., equation 7, written as there."""
        process, t = Process("linear", 100, tells), 60
        kept, before = float(process.kept[t]), float(process.kept[t - 1])
        beta = 1 - kept / before
        times = torch.full((5000,), t)
        clean, noisy = torch.full((5000, 1, 1, 1), 0.3), torch.full((5000, 1, 1, 1), -0.7)
        drawn = process.back(clean, noisy, times, times - 1, eta=1.0, dice=dice())
        mean = before**0.5 * beta * 0.3 + (1 - beta) ** 0.5 * (1 - before) * -0.7
        variance = (1 - before) / (1 - kept) * beta
        assert float(drawn.mean()) == pytest.approx(mean / (1 - kept), abs=0.005)
        assert float(drawn.var()) == pytest.approx(variance, rel=0.05)

    @pytest.mark.parametrize("eta", [0.0, 1.0])
    def test_who_knows_only_one_picture_draws_it(self, tells: Tells, eta: float) -> None:
        process, point = Process("linear", 100, tells), noise(1, 2, 4, 4).clamp(-1, 1)
        predict = knowing(process, point)
        times = process.times(torch.full((3,), 100), 10)
        walked = list(process.walk(predict, noise(3, 2, 4, 4), times, eta=eta, dice=dice()))
        assert len(walked) == 10
        assert torch.allclose(walked[-1][0], point.expand(3, -1, -1, -1), atol=1e-4)

    @pytest.mark.parametrize("eta", [0.0, 1.0])
    def test_who_knows_the_spread_of_gaussian_pictures_draws_it(
        self, tells: Tells, eta: float
    ) -> None:
        process, spread = Process("linear", 500, tells), 0.2

        def predict(noisy: Tensor, times: Tensor) -> Tensor:
            kept = process.kept[times].float()[:, None, None, None]
            clean = kept.sqrt() * spread**2 / (kept * spread**2 + 1 - kept) * noisy
            return process.wanted(clean, (noisy - kept.sqrt() * clean) / (1 - kept).sqrt(), times)

        times = process.times(torch.full((2000,), 500), 250)
        *_, (drawn, _) = process.walk(predict, noise(2000, 1, 1, 1), times, eta=eta, dice=dice(1))
        assert float(drawn.std()) == pytest.approx(spread, rel=0.06)
        assert abs(float(drawn.mean())) < 0.02


def knowing(process: Process, point: Tensor) -> Predict:
    """The prediction of a network that has only ever seen one picture."""

    def predict(noisy: Tensor, times: Tensor) -> Tensor:
        kept = process.kept[times].float()[:, None, None, None]
        clean = point.expand_as(noisy)
        return process.wanted(clean, (noisy - kept.sqrt() * clean) / (1 - kept).sqrt(), times)

    return predict


class TestMending:
    def test_what_is_known_stays_and_the_rest_is_drawn(self) -> None:
        process, point = Process("cosine", 60, "velocity"), noise(1, 1, 6, 6).clamp(-1, 1)
        known = torch.zeros(2, 1, 6, 6)
        known[:, :, :, :3] = 1
        given = known * noise(2, 1, 6, 6, seed=4).clamp(-1, 1)
        times = process.times(torch.full((2,), 60), 6)
        filled = process.fill(knowing(process, point), given, known, times, repeats=3, dice=dice())
        assert torch.equal(filled[..., :3], given[..., :3])
        assert torch.allclose(filled[..., 3:], point.expand(2, -1, -1, -1)[..., 3:], atol=1e-4)

    def test_the_time_of_a_noise_is_where_the_process_makes_as_much(self) -> None:
        process = Process("cosine", 1000, "velocity")
        times = process.time_of(torch.tensor([0.0, 0.1, 0.5, 2.0, 1e9]))
        ratios = ((1 - process.kept) / process.kept).sqrt()[times]
        assert times[0] == 0 and times[-1] == 1000
        assert ratios[1:4].tolist() == pytest.approx([0.1, 0.5, 2.0], rel=0.02)

    def test_the_noise_of_a_picture_is_seen(self) -> None:
        line = torch.linspace(0.2, 0.8, 64)
        smooth = (line[:, None] * line).expand(2, 3, 64, 64).clone()
        smooth[:, :, 20:40, 20:40] = 0.1
        level = torch.tensor([0.02, 0.15])[:, None, None, None]
        found = noise_level(smooth + level * noise(2, 3, 64, 64))
        assert found.tolist() == pytest.approx([0.02, 0.15], rel=0.1)


class TestGuidance:
    @staticmethod
    def told(noisy: Tensor, times: Tensor, kinds: Tensor) -> Tensor:
        return noisy + times[:, None, None, None] + 10.0 * kinds[:, None, None, None]

    @pytest.mark.parametrize(("guidance", "kind"), [(0, 3), (1, 1), (3, -3), (0.5, 2)])
    def test_it_pulls_from_the_unknown_to_the_class(self, guidance: float, kind: float) -> None:
        """The answer for class 1, where the unknown is class 3, is as if for a class between."""
        kinds, unknown = torch.ones(4).long(), torch.full((4,), 3)
        noisy, times = noise(4, 1, 2, 2), torch.arange(4)
        found = guided(self.told, kinds, unknown, guidance)(noisy, times)
        assert torch.allclose(found, self.told(noisy, times, torch.full((4,), kind)), atol=1e-4)
