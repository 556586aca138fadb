"""Laws of the DCGAN: the report's layout, its first weights, its losses, its averaged weights."""

from dataclasses import replace
from itertools import islice
from math import log

import pytest
import torch
from golden import PLAIN
from noise import noise_pictures
from torch import nn

from changeling.errors import UserError
from changeling.faces.pictures import PictureBatch
from changeling.generators import Task, dcgan
from changeling.generators.dcgan import Config, Dcgan
from changeling.training import train

GREY = Task(size=28, channels=1, kinds=10)

pytestmark = pytest.mark.usefixtures("one_thread")


def trained(config: Config, steps: int) -> Dcgan:
    torch.manual_seed(0)
    learner = Dcgan(config, runtime=PLAIN)
    batches = noise_pictures(channels=config.channels, kinds=0, size=config.size)
    for _ in islice(train(learner, batches, workers=0), steps):
        pass
    return learner


def shapes(learner: Dcgan) -> dict[str, tuple[int, ...]]:
    network = learner.state_dict()["network"]
    return {at: tuple(x.shape) for at, x in network.items() if x.ndim == 4}


@pytest.fixture(scope="module")
def report() -> Dcgan:
    torch.manual_seed(0)
    return Dcgan(Config.report(GREY), runtime=PLAIN)


def test_the_report_is_its_listing(report: Dcgan) -> None:
    assert list(shapes(report).values()) == [
        (100, 512, 4, 4), (512, 256, 4, 4), (256, 128, 4, 4), (128, 64, 4, 4), (64, 1, 1, 1),
        (64, 1, 4, 4), (128, 64, 4, 4), (256, 128, 4, 4), (1, 256, 3, 3),
    ]  # fmt: skip
    config = Config.report(GREY)
    assert (config.code, config.batch, config.rate, config.averaged) == (100, 64, 2e-4, False)


def test_the_laptops_network_is_lighter_and_lighter_yet_for_faces() -> None:
    clothes, faces = Config.laptop(GREY), Config.laptop(Task(size=64, channels=3))
    weights = [_weights(config) for config in (Config.report(GREY), clothes, faces)]
    assert weights[0] > 3 * weights[1] > 0.9 * weights[2] and clothes.averaged
    drawn = Dcgan(faces, runtime=PLAIN).draw(1, seed=0)
    assert drawn.shape == (1, 3, 64, 64)


def _weights(config: Config) -> int:
    learner = Dcgan(config, runtime=PLAIN)
    return sum(weight.numel() for weight in learner._network.parameters())


def test_the_border_left_out_makes_28_of_32() -> None:
    last = {size: _last(size) for size in (28, 32, 64, 16)}
    assert {size: layer.padding for size, layer in last.items()} == {
        28: (2, 2), 32: (0, 0), 64: (0, 0), 16: (0, 0),
    }  # fmt: skip
    for size in last:
        drawn = Dcgan(replace(Config.tiny(), size=size), runtime=PLAIN).draw(1, seed=0)
        assert drawn.shape == (1, 1, size, size)


def _last(size: int) -> nn.ConvTranspose2d:
    learner = Dcgan(replace(Config.tiny(), size=size), runtime=PLAIN)
    layers = [x for x in learner._network.generator if isinstance(x, nn.ConvTranspose2d)]
    return layers[-1]


def test_first_weights_have_the_papers_spread(report: Dcgan) -> None:
    state = report.state_dict()["network"]
    for at, tensor in state.items():
        if tensor.ndim == 4 and tensor.numel() > 5000:
            assert abs(tensor.mean()) < 1e-3 and tensor.std() == pytest.approx(0.02, rel=0.05), at
    scales = torch.cat([x for at, x in state.items() if at.endswith("weight") and x.ndim == 1])
    assert scales.mean() == pytest.approx(1, abs=0.005)
    assert scales.std() == pytest.approx(0.02, rel=0.15)


def test_a_judge_that_knows_nothing_costs_the_logarithm_of_two() -> None:
    learner = Dcgan(Config.tiny(), runtime=PLAIN)
    for weight in learner._network.judge[-1].parameters():
        nn.init.zeros_(weight)
    losses = learner.step(noise_pictures(channels=1, kinds=0, size=16)(0))
    assert losses["judge"] == pytest.approx(2 * log(2))
    assert losses["d_real"] == losses["d_fake"] == 0.5
    assert losses["d_after"] != 0.5, "asked after the discriminator's step"


def test_the_generator_learns_what_is_bright() -> None:
    """Real pictures are bright above and dark below: so are the drawn ones after some steps."""
    above = torch.zeros(1, 1, 16, 16)
    above[:, :, :8] = 1

    def halves(step: int) -> PictureBatch:
        noise = torch.rand(8, 1, 16, 16, generator=torch.Generator().manual_seed(step))
        return PictureBatch(0.8 * above + 0.2 * noise, torch.zeros(8, dtype=torch.int64))

    torch.manual_seed(0)
    config = replace(Config.tiny(), drawing=8, judging=8, rate=2e-3, kinds=0)
    learner = Dcgan(config, runtime=PLAIN)
    for _ in islice(train(learner, halves, workers=0), 150):
        pass
    drawn = learner.draw(16, seed=0)
    assert drawn[:, :, :7].mean() > 0.7 and drawn[:, :, 9:].mean() < 0.3


def test_pictures_come_from_the_averaged_weights() -> None:
    learner = trained(Config.tiny(), 5)
    before = learner.draw(2, seed=0)
    with torch.no_grad():
        for weight in learner._network.generator.parameters():
            weight.zero_()
    assert torch.equal(learner.draw(2, seed=0), before)


def test_the_report_draws_with_the_last_weights() -> None:
    learner = trained(replace(Config.tiny(), averaged=False), 5)
    with torch.no_grad():
        for weight in learner._network.generator.parameters():
            weight.zero_()
    assert torch.equal(learner.draw(2, seed=0), torch.full((2, 1, 16, 16), 0.5))


def test_the_average_takes_batch_norms_means_along() -> None:
    learner = trained(Config.tiny(), 6)
    state = learner.state_dict()
    mean, now = state["average"]["1.running_mean"], state["network"]["generator.1.running_mean"]
    assert not torch.equal(mean, now) and torch.allclose(mean, now, atol=0.05)
    assert state["average"]["1.num_batches_tracked"] == 6


def test_a_picture_does_not_depend_on_those_drawn_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = trained(Config.tiny(), 3)
    many = learner.draw(20, seed=0)
    monkeypatch.setattr(dcgan, "_AT_ONCE", 7)
    assert torch.allclose(many, learner.draw(20, seed=0), atol=1e-6)


def test_no_class_can_be_asked_of_who_learnt_none() -> None:
    learner = Dcgan(replace(Config.tiny(), kinds=0), runtime=PLAIN)
    with pytest.raises(UserError, match="kind 0: it learnt none, leave --kind out"):
        learner.draw(1, seed=0, kind=0)
    assert Config.report(GREY).kinds == 0 and Config.laptop(GREY).kinds == 10


def test_a_class_that_it_was_told_of_can_be_asked_for() -> None:
    """Class 0 is black, 1 grey and 2 white: so is what is drawn of each after some steps."""

    def shades(step: int) -> PictureBatch:
        labels = torch.arange(9) % 3
        noise = torch.rand(9, 1, 16, 16, generator=torch.Generator().manual_seed(step))
        return PictureBatch(labels.view(9, 1, 1, 1) * 0.4 + 0.2 * noise, labels)

    torch.manual_seed(0)
    learner = Dcgan(replace(Config.tiny(), drawing=8, judging=8, rate=2e-3), runtime=PLAIN)
    for _ in islice(train(learner, shades, workers=0), 200):
        pass
    means = [float(learner.draw(16, seed=0, kind=kind).mean()) for kind in range(3)]
    assert means == pytest.approx([0.1, 0.5, 0.9], abs=0.12)
    of_all = learner.draw(60, seed=0).mean(dim=(1, 2, 3))
    assert {round(float(x) * 2.5 - 0.25) for x in of_all} == {0, 1, 2}
    with pytest.raises(UserError, match="kind 3: give --kind 0…2"):
        learner.draw(1, seed=0, kind=3)


def test_the_judge_looks_for_the_class_that_it_is_told() -> None:
    """Its weights for class 2 move what it says of pictures of class 2 and of no other."""
    learner = Dcgan(Config.tiny(), runtime=PLAIN)
    pictures, labels = torch.rand(6, 1, 16, 16), torch.arange(6) % 3
    before = learner._judge(pictures, labels)
    assert before.shape == (6, 1)
    *_, last = learner._network.judge.parameters()
    with torch.no_grad():
        last[1 + 2].add_(1)
    moved = (learner._judge(pictures, labels) != before).flatten()
    assert torch.equal(moved, labels == 2)
