"""Laws of the variational autoencoders: divergence, reparameterisation, schedule, report."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from golden import PLAIN
from noise import noise_batches, noise_pictures
from torch.distributions import Normal, kl_divergence

from changeling.errors import UserError
from changeling.faces.pictures import PictureBatch
from changeling.generators.blocks import divergence, reparameterise, rising
from changeling.generators.protocols import Task
from changeling.generators.vae import Config, FaceVAE
from changeling.generators.vae_pictures import Config as PictureConfig
from changeling.generators.vae_pictures import PictureVAE
from changeling.training import train

pytestmark = pytest.mark.usefixtures("one_thread")


def test_divergence_of_the_prior_is_zero_and_of_all_else_more() -> None:
    zeros = torch.zeros(2, 3)
    assert torch.equal(divergence(zeros, zeros), torch.zeros(2))
    shifted = divergence(torch.tensor([[3.0, 0.0], [1.0, -1.0]]), torch.zeros(2, 2))
    assert torch.allclose(shifted, torch.tensor([4.5, 1.0]))  # half the square of the shift
    torch.manual_seed(0)
    mean, log_variance = torch.randn(5, 4), torch.randn(5, 4)
    own = Normal(mean, (0.5 * log_variance).exp())
    exact = kl_divergence(own, Normal(torch.zeros(4), torch.ones(4))).sum(dim=1)
    assert torch.allclose(divergence(mean, log_variance), exact, atol=1e-5)
    assert divergence(mean, log_variance).min() > 0


def test_reparameterised_codes_have_the_moments_and_the_gradients() -> None:
    torch.manual_seed(0)
    mean = torch.full((20_000, 1), 2.0, requires_grad=True)
    log_variance = torch.full((20_000, 1), 0.6, requires_grad=True)
    codes = reparameterise(mean, log_variance)
    deviation = float(torch.tensor(0.3).exp())
    assert codes.mean().item() == pytest.approx(2.0, abs=0.03)
    assert codes.std().item() == pytest.approx(deviation, abs=0.03)
    codes.sum().backward()
    assert mean.grad is not None and log_variance.grad is not None
    assert torch.equal(mean.grad, torch.ones_like(mean))
    assert torch.allclose(log_variance.grad, (codes - mean).detach() / 2, atol=1e-6)


def test_beta_begins_at_nothing_and_ends_where_it_should() -> None:
    assert [rising(step, 4) for step in range(7)] == [0, 0.25, 0.5, 0.75, 1, 1, 1]


def test_the_divergence_draws_the_codes_to_the_prior() -> None:
    batches = noise_batches(people=3, size=16)
    left = []
    for weight in (0.0, 100.0):
        torch.manual_seed(0)
        learner = FaceVAE(replace(Config.tiny(), beta=weight, rise=1, rate=0.1), runtime=PLAIN)
        learner.state_dict()["network"]["encoder.6.bias"][:6] = 2  # the means
        left += [step.losses["kl"] for step in islice(train(learner, batches, workers=0), 24, 25)]
    assert left[0] > 10 and left[1] < 8


def test_a_swap_decodes_the_mean_by_the_average_of_the_weights() -> None:
    torch.manual_seed(0)
    learner = FaceVAE(Config.tiny(), runtime=PLAIN)
    for step in range(2):
        learner.step(noise_batches(people=3, size=16)(step))
    faces = torch.rand(2, 3, 16, 16)
    first, again = (learner.swap(faces, to="b") for _ in range(2))
    assert torch.equal(first.faces, again.faces) and torch.equal(first.masks, again.masks)
    state = learner.state_dict()
    last = "encoder.6.weight"
    assert state["average"][last].shape == (12, 12 * 4 * 4)
    state["average"][last][6:] = 0  # the variance's half
    learner.load_state_dict(state)
    assert torch.equal(learner.swap(faces, to="b").faces, first.faces)
    zeros = {name: torch.zeros_like(value) for name, value in state["network"].items()}
    learner.load_state_dict({**state, "network": zeros})
    assert torch.equal(learner.swap(faces, to="b").faces, first.faces)
    assert not torch.equal(learner.swap(faces, to="c").faces, first.faces)


def test_the_report_has_exactly_the_network_it_names() -> None:
    config = PictureConfig.report(Task(size=28, channels=1))
    weights = PictureVAE(config, runtime=PLAIN).state_dict()["network"]
    encoder = 784 * 400 + 400 + 2 * (400 * 20 + 20)
    decoder = 20 * 400 + 400 + 400 * 784 + 784
    assert sum(weight.numel() for weight in weights.values()) == encoder + 2 * decoder
    assert (config.rate, config.batch, config.decoders) == (1e-3, 128, 2)
    assert PictureConfig.laptop(Task(size=28, channels=1)) == replace(config, decoders=1)


def test_pictures_pay_by_their_bits_and_by_every_decoder() -> None:
    """A network of zeros says one half everywhere; its codes' means are shifted by 1."""
    learner = PictureVAE(PictureConfig.tiny(), runtime=PLAIN)
    zeros = {k: torch.zeros_like(v) for k, v in learner.state_dict()["network"].items()}
    zeros["mean.bias"] += 1
    learner.load_state_dict({**learner.state_dict(), "network": zeros})
    losses = learner.step(noise_pictures(channels=1, kinds=0, size=8)(0))
    assert losses["bce"] == pytest.approx(2 * 8 * 8 * 0.693147, rel=1e-5)
    assert losses["kl"] == pytest.approx(2 * 3 / 2)  # decoders, numbers of the code, a half


def test_learnt_pictures_are_restored_and_drawn() -> None:
    torch.manual_seed(0)
    pictures = torch.zeros(8, 1, 8, 8)
    pictures[::2, :, :4], pictures[1::2, :, 4:] = 0.9, 0.9
    batch = PictureBatch(pictures, torch.zeros(8, dtype=torch.int64))
    config = replace(PictureConfig.tiny(), rate=1e-2)
    learner = PictureVAE(config, runtime=PLAIN)
    steps = islice(train(learner, lambda step: batch, workers=0), 150)
    last = [step.losses for step in steps][-1]
    assert torch.allclose(learner.restore(pictures), pictures, atol=0.1)
    drawn = learner.draw(200, seed=3)
    near = [
        float((drawn - kind).abs().mean(dim=(1, 2, 3)).lt(0.1).float().mean())
        for kind in pictures[:2]
    ]
    assert min(near) > 0.15
    assert 0.5 < last["kl"] / 2 < 3  # one bit is 0.69 nats


def test_pictures_come_back_through_the_mean_or_through_a_drawn_code() -> None:
    torch.manual_seed(0)
    learner = PictureVAE(PictureConfig.tiny(), runtime=PLAIN)
    picture = torch.rand(1, 1, 8, 8)
    by_mean = learner.restore(picture)
    drawn = learner.restore(picture.expand(400, -1, -1, -1), seed=1)
    assert torch.equal(drawn, learner.restore(picture.expand(400, -1, -1, -1), seed=1))
    assert drawn.std(dim=0).min() > 0.01
    assert torch.allclose(drawn.mean(dim=0), by_mean[0], atol=0.05)


def test_no_class_can_be_drawn() -> None:
    with pytest.raises(UserError, match=r"kind 3: .*leave --kind out"):
        PictureVAE(PictureConfig.tiny(), runtime=PLAIN).draw(1, seed=0, kind=3)
