"""Laws of the VAE/GAN: who follows which loss, what the discriminator sees, what likeness is."""

from dataclasses import replace
from itertools import islice
from math import log

import pytest
import torch
from golden import PLAIN
from noise import noise_batches
from torch import Tensor, nn

from changeling.faces.people import PeopleBatch
from changeling.generators.vaegan import VAEGAN, Config, difference, judgement
from changeling.training import from_json, to_json, train

BATCHES = noise_batches(people=3, size=16)

pytestmark = pytest.mark.usefixtures("one_thread")


def stepped(
    config: Config, batch: PeopleBatch | None = None, *, steps: int = 2
) -> tuple[VAEGAN, dict[str, Tensor]]:
    """A learner after some steps, all losses at work from the second on, and the last losses."""
    torch.manual_seed(0)
    learner = VAEGAN(replace(config, rise=1), runtime=PLAIN)
    losses = [learner.step(batch or BATCHES(0)) for _ in range(steps)]
    return learner, dict(losses[-1])


def moved(learner: VAEGAN) -> dict[str, Tensor]:
    """The weights of each part, end to end."""
    network = learner.state_dict()["network"]
    parts = {"judge": list(network["judge"].values()), "encoder": [], "decoders": []}
    for name, weight in network["twins"].items():
        parts["encoder" if name.startswith("encoder") else "decoders"].append(weight)
    return {name: torch.cat([w.flatten() for w in weights]) for name, weights in parts.items()}


@pytest.mark.parametrize(
    ("field", "followers"),
    [
        ("beta", {"encoder"}),
        ("gamma", {"encoder", "decoders"}),
        ("deceive", {"decoders"}),
    ],
)
def test_each_part_follows_its_share_of_the_losses(field: str, followers: set[str]) -> None:
    """Algorithm 1: the encoder never sees the verdict, the discriminator nothing else."""
    plain = moved(stepped(Config.tiny())[0])
    heavy = moved(stepped(from_json(Config, to_json(Config.tiny()) | {field: 50.0}))[0])
    assert {name for name in plain if not torch.equal(plain[name], heavy[name])} == followers


def test_the_encoder_follows_the_whole_likeness_through_the_decoders() -> None:
    """Its gradient is that of the plain sum of losses, worked out in one go."""
    torch.manual_seed(0)
    learner = VAEGAN(replace(Config.tiny(), beta=0.1), runtime=PLAIN)
    inputs, targets, masks = (
        x.flatten(0, 1) for x in (BATCHES(0).inputs, BATCHES(0).targets, BATCHES(0).masks)
    )
    torch.manual_seed(1)
    learner._steps = learner._config.rise
    drawn = learner._draw(inputs)
    losses = learner._losses(drawn, learner._judged(drawn, targets, masks), targets, masks)
    config = learner._config
    total = losses["l1"] + config.structure * losses["dssim"] + config.mask * losses["mask"]
    total = total + config.gamma * losses["like"] + config.beta * losses["kl"]
    part = learner._parts["encoder"]
    whole = torch.autograd.grad(total, part, retain_graph=True)
    learner._route(drawn, losses)
    for weight, gradient in zip(part, whole, strict=True):
        assert weight.grad is not None and torch.allclose(weight.grad, gradient, atol=1e-6)


def test_the_verdict_begins_at_nothing() -> None:
    """In the first step the weights of deception, features and divergence are 0."""
    plain, heavy = (
        VAEGAN(replace(Config.tiny(), deceive=d, gamma=d, beta=d), runtime=PLAIN)
        for d in (0.0, 9.0)
    )
    heavy.load_state_dict(plain.state_dict())
    after = []
    for learner in (plain, heavy):
        torch.manual_seed(1)
        learner.step(BATCHES(0))
        after.append(moved(learner))
    assert all(torch.equal(after[0][name], after[1][name]) for name in after[0])


def test_likeness_is_a_share_of_the_energy() -> None:
    torch.manual_seed(0)
    true, other = torch.randn(3, 4, 2, 2), torch.randn(3, 4, 2, 2)
    assert difference(true, true) == 0
    assert difference(torch.zeros_like(true), true) == pytest.approx(1)
    assert difference(3 * true, true) == pytest.approx(4)
    assert difference(5 * other, 5 * true) == pytest.approx(
        float(difference(other, true)), rel=1e-5
    )


def test_judgement_is_cross_entropy_of_half_true_pictures() -> None:
    assert judgement(torch.zeros(2), torch.zeros(4)) == pytest.approx(2 * log(2))
    assert judgement(torch.full((2,), 30.0), torch.full((4,), -30.0)) == pytest.approx(0, abs=1e-6)
    assert judgement(torch.full((2,), -30.0), torch.full((4,), 30.0)) == pytest.approx(60)


def test_the_discriminator_sees_the_inner_face_alone() -> None:
    batch = BATCHES(0)
    around = torch.where(batch.masks > 0, batch.targets, 1 - batch.targets)
    inside = torch.where(batch.masks > 0, 1 - batch.targets, batch.targets)
    seen, unseen, changed = (
        stepped(Config.tiny(), replace(batch, targets=targets), steps=1)[1]
        for targets in (batch.targets, around, inside)
    )
    assert seen["judge"] == unseen["judge"] and seen["like"] == unseen["like"]
    assert seen["judge"] != changed["judge"] and seen["like"] != changed["like"]


def test_no_layer_of_the_discriminator_magnifies_much() -> None:
    torch.manual_seed(0)
    learner = VAEGAN(replace(Config.tiny(), judge_rate=0.05), runtime=PLAIN)
    for _ in islice(train(learner, BATCHES, workers=0), 20):
        pass
    layers = [x for x in learner._judge.modules() if isinstance(x, nn.Conv2d | nn.Linear)]
    weights = [layer.weight for layer in layers]
    assert len(weights) == 3
    for weight in weights:
        assert torch.linalg.matrix_norm(weight.detach().flatten(1), 2) == pytest.approx(1, abs=0.3)


def test_the_discriminator_learns_who_is_true() -> None:
    torch.manual_seed(0)
    config = replace(Config.tiny(), rate=1e-5, judge_rate=0.05)
    losses = [
        s.losses for s in islice(train(VAEGAN(config, runtime=PLAIN), BATCHES, workers=0), 40)
    ]
    assert losses[-1]["judge"] < 0.5 * losses[0]["judge"]
    assert losses[-1]["d_real"] > 0.7 > 0.3 > losses[-1]["d_fake"]


def test_a_swap_is_the_same_every_time_and_each_person_has_a_decoder() -> None:
    learner, _ = stepped(Config.tiny())
    faces = torch.rand(2, 3, 16, 16)
    one, again, other = (learner.swap(faces, to=to).faces for to in "bbc")
    assert torch.equal(one, again) and not torch.equal(one, other)
