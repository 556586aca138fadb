"""Diffusion as a learner: what it draws, mends and shows, and the report's network."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from golden import PLAIN
from noise import noise_pictures
from torch import Tensor

from changeling.faces.pictures import PictureBatch
from changeling.generators.ddpm import Config, Ddpm
from changeling.generators.ddpm_networks import ReportNet, waves
from changeling.generators.ddpm_process import Sampling
from changeling.generators.protocols import Task
from changeling.training import train

REPORT = replace(
    Config.report(Task()), channels=1, size=16, widths=(4, 8, 12), steps=10, sampling=Sampling(10)
)

pytestmark = pytest.mark.usefixtures("one_thread")


def dice(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=dice(seed))


def halves(step: int) -> PictureBatch:
    """Class 0 is bright, class 1 is dark, class 2 between."""
    labels = torch.arange(12) % 3
    brightness = torch.tensor([0.9, 0.1, 0.5])[labels][:, None, None, None]
    return PictureBatch(brightness.expand(12, 1, 16, 16).clone(), labels)


@pytest.fixture(scope="module")
def taught() -> Ddpm:
    """Knows the three classes a little."""
    torch.manual_seed(0)
    sampling = Sampling(10, guidance=1.5)
    learner = Ddpm(replace(Config.tiny(), rate=2e-2, sampling=sampling), runtime=PLAIN)
    for _ in islice(train(learner, halves, workers=0), 100):
        pass
    return learner


class TestLearner:
    def test_a_class_is_drawn_as_it_was_learnt(self, taught: Ddpm) -> None:
        for kind, brightness in enumerate((0.9, 0.1, 0.5)):
            drawn = taught.draw(8, seed=1, kind=kind)
            assert float(drawn.mean()) == pytest.approx(brightness, abs=0.1)

    def test_any_class_is_all_classes(self, taught: Ddpm) -> None:
        means = taught.draw(24, seed=0).mean(dim=(1, 2, 3))
        assert means.min() < 0.25 and means.max() > 0.75

    def test_ancestral_drawing_comes_to_the_same(self, taught: Ddpm) -> None:
        ancestral = Sampling(20, eta=1.0, guidance=1.5)
        drawn = taught.draw(8, seed=1, kind=0, sampling=ancestral)
        assert float(drawn.mean()) == pytest.approx(0.9, abs=0.1)
        assert not torch.equal(drawn, taught.draw(8, seed=1, kind=0))

    def test_noise_is_taken_off(self, taught: Ddpm) -> None:
        clean = torch.full((6, 1, 16, 16), 0.5)
        spoilt = clean + 0.2 * noise(6, 1, 16, 16)
        for restored in (taught.restore(spoilt), taught.restore(spoilt, noise=0.2)):
            assert (restored - clean).square().mean() < 0.25 * (spoilt - clean).square().mean()

    def test_a_hole_is_filled_with_what_fits(self, taught: Ddpm) -> None:
        known = torch.ones(4, 1, 16, 16)
        known[:, :, 4:10, 4:10] = 0
        bright = torch.full((4, 1, 16, 16), 0.9)
        filled = taught.fill(bright * known, known)
        assert torch.allclose(filled * known, bright * known, atol=1e-5)
        assert float(filled[:, :, 4:10, 4:10].mean()) == pytest.approx(0.9, abs=0.15)

    def test_a_picture_without_noise_or_holes_is_left_as_it_is(self) -> None:
        learner, pictures = Ddpm(Config.tiny(), runtime=PLAIN), torch.rand(2, 1, 16, 16)
        assert torch.allclose(learner.restore(pictures, noise=0.0), pictures, atol=1e-5)
        whole = torch.ones(2, 1, 16, 16)
        assert torch.allclose(learner.fill(pictures, whole), pictures, atol=1e-5)

    def test_strips_begin_and_end_where_they_should(self, taught: Ddpm) -> None:
        pictures = torch.rand(2, 1, 16, 16)
        drowning = taught.forward_strip(pictures, 5, seed=0)
        assert drowning.shape == (5, 2, 1, 16, 16)
        assert torch.allclose(drowning[0], pictures, atol=1e-6)
        assert drowning[-1].std() > 0.3
        drawing = taught.reverse_strip(3, 4, seed=2, kind=1)
        foreseen = taught.reverse_strip(3, 4, seed=2, kind=1, foreseen=True)
        for strip in (drawing, foreseen):
            assert strip.shape == (4, 3, 1, 16, 16)
            assert torch.equal(strip[-1], taught.draw(3, seed=2, kind=1))
        assert drawing[0].std() > foreseen[0].std()

    def test_a_class_that_is_always_kept_back_is_not_learnt(self) -> None:
        learner = Ddpm(replace(Config.tiny(), dropped=1.0), runtime=PLAIN)
        before = learner.state_dict()["network"]["kind.weight"].clone()
        learner.step(halves(0))
        after = learner.state_dict()["network"]["kind.weight"]
        assert torch.equal(before[:3], after[:3]) and not torch.equal(before[3], after[3])


class TestReport:
    def test_its_network_is_as_large_as_the_original(self) -> None:
        config = Config.report(Task())
        assert config.size == 64
        with torch.device("meta"):
            network = ReportNet(3, config.widths)
        assert sum(weight.numel() for weight in network.parameters()) == 62_438_883

    def test_it_draws_with_the_last_weights_and_saves_no_average(self) -> None:
        torch.manual_seed(0)
        learner, batches = Ddpm(REPORT, runtime=PLAIN), noise_pictures(channels=1, kinds=0, size=16)
        for _ in islice(train(learner, batches, workers=0), 2):
            pass
        state = learner.state_dict()
        assert "average" not in state
        again = Ddpm(REPORT, runtime=PLAIN)
        again.load_state_dict(state)
        assert torch.equal(again.draw(2, seed=0), learner.draw(2, seed=0))
        errors = []
        for one in (learner, again):
            torch.manual_seed(0)
            errors.append(float(one.step(batches(2))["error"]))
        assert errors[0] == errors[1]

    def test_it_draws_a_picture_alike_in_any_company(self) -> None:
        """Batch norm uses what it learnt, not the company."""
        learner = Ddpm(REPORT, runtime=PLAIN)
        learner.step(noise_pictures(channels=1, kinds=0, size=16)(0))
        spoilt = torch.rand(5, 1, 16, 16, generator=dice())
        together, alone = learner.restore(spoilt, noise=0.3), learner.restore(spoilt[:1], noise=0.3)
        assert torch.allclose(together[:1], alone, atol=1e-5)

    def test_every_weight_moves(self) -> None:
        learner = Ddpm(REPORT, runtime=PLAIN)
        before = {name: x.clone() for name, x in learner.state_dict()["network"].items()}
        learner.step(noise_pictures(channels=1, kinds=0, size=16)(0))
        after = learner.state_dict()["network"]
        assert [name for name in before if torch.equal(before[name], after[name])] == []


class TestNetworks:
    def test_the_time_is_told_by_waves(self) -> None:
        found = waves(torch.tensor([0, 3]), 6)
        assert found[0].tolist() == [0, 0, 0, 1, 1, 1]
        angles = torch.tensor([3, 3 / 100, 3 / 10_000])
        assert torch.allclose(found[1], torch.cat([angles.sin(), angles.cos()]))

    @pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (64, 3)])
    def test_the_laptop_works_on_about_16_places_a_side(self, size: int, channels: int) -> None:
        config = Config.laptop(Task((), size, channels, 10))
        network = Ddpm(config, runtime=PLAIN).state_dict()["network"]
        assert config.size // config.patch in (14, 16)
        assert sum(weight.numel() for weight in network.values()) <= 3_000_000
