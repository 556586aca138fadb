"""What the cost of a family counts."""

import sys

import pytest
import torch
from torch import nn

from changeling.generators.autoencoder import Autoencoder, Config
from changeling.measuring import Memory, operations, parameters
from changeling.training import Runtime

CPU = torch.device("cpu")


def test_parameters_count_once() -> None:
    layer = nn.Linear(3, 4)
    shared = nn.Sequential(layer, nn.ReLU(), layer)
    assert parameters(layer.parameters()) == 3 * 4 + 4
    assert parameters([*layer.parameters(), *shared.parameters()]) == 3 * 4 + 4
    assert parameters([]) == 0


def test_operations_are_two_for_each_multiplication() -> None:
    picture = torch.zeros(2, 3, 8, 8)
    layer = nn.Conv2d(3, 5, 3, padding=1)
    with torch.inference_mode():
        assert operations(lambda: layer(picture)) == 2 * (2 * 8 * 8) * 5 * (3 * 3 * 3)
    assert operations(lambda: nn.Linear(3, 4)(torch.zeros(7, 3))) == 2 * 7 * 3 * 4
    assert operations(lambda: None) == 0


def test_a_family_at_work() -> None:
    """A swap by a tiny autoencoder is counted as it is done, in eval and without gradients."""
    config = Config.tiny()
    learner = Autoencoder(config, runtime=Runtime.best().plain())

    def swapped(faces: int) -> int:
        pictures = torch.zeros(faces, 3, config.size, config.size)
        return operations(lambda: learner.swap(pictures, to=config.people[1]))

    assert swapped(1) > 1e4
    assert swapped(3) == 3 * swapped(1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can forget")
def test_memory_is_what_work_takes_at_the_most() -> None:
    """What work before it took and freed hides nothing and counts for nothing.

    Small tensors, because the system takes large ones back at once.
    """
    for _ in range(2):
        with Memory(CPU) as memory:
            held = [torch.ones(4, 1024) for _ in range(12_000)]
            del held
        assert 190e6 < memory.taken < 230e6
    with Memory(CPU) as memory:
        pass
    assert 0 <= memory.taken < 10e6
