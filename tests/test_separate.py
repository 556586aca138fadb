"""Laws of the two autoencoders that are fitted one after the other."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from golden import PLAIN
from noise import noise_batches
from torch import Tensor, nn

from changeling.errors import UserError
from changeling.generators import Task
from changeling.generators.separate import Config, Separate
from changeling.training import train

TINY = Config.tiny()
BATCHES = noise_batches(people=2, size=32)


def make(*, joint: bool = False) -> Separate:
    torch.manual_seed(0)
    return Separate(replace(TINY, joint=joint), runtime=PLAIN)


def after(learner: Separate, steps: int, start: int = 0) -> dict[str, Tensor]:
    for _ in islice(train(learner, BATCHES, start=start, workers=0), steps):
        pass
    return {name: x.clone() for name, x in learner.state_dict()["network"].items()}


def moved(one: dict[str, Tensor], other: dict[str, Tensor]) -> set[str]:
    """Which of the networks' parts differ, such as encoders.0."""
    changed = [name for name in one if not torch.equal(one[name], other[name])]
    return {".".join(name.split(".")[:2]) for name in changed}


def test_a_learns_in_the_first_half_of_the_steps_and_b_in_the_second() -> None:
    learner = make()
    begin = after(learner, 0)
    half = after(learner, 2)
    end = after(learner, 2, start=2)
    assert moved(begin, half) == {"encoders.0", "decoders.0"}
    assert moved(half, end) == {"encoders.1", "decoders.1"}


def test_a_joint_encoder_is_one_and_all_learn_together() -> None:
    learner = make(joint=True)
    assert moved(after(learner, 0), after(learner, 1)) == {"encoders.0", "decoders.0", "decoders.1"}


def test_the_swap_takes_the_others_encoder_and_ones_own_decoder() -> None:
    learner, faces = make(), torch.rand(2, 3, 32, 32)
    network = learner._network
    wanted = network.decoders[1](network.encoders[0](faces))
    assert torch.allclose(learner.swap(faces, to="b").faces, wanted, atol=1e-6)
    wanted = network.decoders[0](network.encoders[1](faces))
    assert torch.allclose(learner.swap(faces, to="a").faces, wanted, atol=1e-6)
    assert (learner.swap(faces, to="a").masks == 1).all()


def test_the_weights_that_were_best_on_held_out_faces_swap() -> None:
    learner, faces = make(joint=True), torch.rand(2, 3, 32, 32)
    after(learner, 3)
    first = learner.validate(BATCHES(90))
    assert first.keys() == {"held_out_a", "held_out_b"}
    best = learner.swap(faces, to="b").faces
    with torch.no_grad():
        for weight in learner._network.parameters():
            weight.add_(0.5)
    worse = learner.validate(BATCHES(90))
    assert all(worse[name] > first[name] for name in first)
    assert torch.equal(learner.swap(faces, to="b").faces, best)


def test_the_report_network_has_its_sizes() -> None:
    with torch.device("meta"):
        learner = Separate(Config.report(Task(("a", "b"))), runtime=replace(PLAIN, device=META))
    network = learner._network
    shapes = [
        tuple(layer.weight.shape)
        for layer in network.encoder(0).modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    assert shapes == [(256, 3, 5, 5), (512, 256, 5, 5), (1024, 512, 5, 5), (9216, 4096)]
    code = network.encoder(0)(torch.zeros(1, 3, 120, 120, device=META))
    assert code.shape == (1, 1024, 3, 3)
    drawn = [
        layer.weight.shape[0]
        for layer in network.decoders[0].modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    assert drawn == [1024, 512, 256, 120 * 120 * 3]
    config = learner._config
    assert (config.steps, config.batch, config.kept, config.joint) == (
        5400,
        512,
        (0.2, 0.15),
        False,
    )


META = torch.device("meta")


def test_a_third_person_is_refused() -> None:
    with pytest.raises(UserError, match=r"a, b, c, but .* give two of them"):
        Separate(replace(TINY, people=("a", "b", "c")), runtime=PLAIN)
