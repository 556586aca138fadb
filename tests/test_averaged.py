"""Laws of the learning rate, of averaged weights, and of the two with an optimizer."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam

from changeling.training import load_state, save_state
from changeling.training.averaged import POWER, Averaged, follow, memory, pace

POWERS = (0.0, 8.0, POWER)


def test_memory_forgets_the_start_and_keeps_a_fixed_share() -> None:
    assert memory(1) == 0
    assert all(memory(t) < memory(t + 1) < 1 for t in range(1, 50))
    weights = [1.0]
    for t in range(2, 401):
        weights = [memory(t) * w for w in weights] + [1 - memory(t)]
    assert sum(weights) == pytest.approx(1)
    mean_age = sum(w * (400 - t) for t, w in enumerate(weights, 1)) / 400
    assert mean_age == pytest.approx(1 / 18, rel=0.03)  # of a density t^16


def test_pace_warms_up_stays_and_falls_with_the_root() -> None:
    rates = [pace(step, steady=100, warm=10) for step in range(1, 500)]
    assert rates[0] == 0.1
    assert rates[9:100] == [1.0] * 91
    assert rates[399] == pytest.approx(0.5)
    assert all(later < earlier for earlier, later in pairwise(rates[100:]))


@pytest.mark.parametrize("power", POWERS)
def test_the_average_weighs_steps_by_a_power_of_their_index(power: float) -> None:
    torch.manual_seed(0)
    average, network, seen = nn.Linear(3, 2), nn.Linear(3, 2), []
    for step in range(1, 7):
        nn.init.normal_(network.weight)
        seen.append(network.weight.detach().clone())
        follow(average, network, step, power)
    borders = [(step / 6) ** (power + 1) for step in range(7)]
    shares = [after - before for before, after in pairwise(borders)]
    wanted = sum(share * weight for share, weight in zip(shares, seen, strict=True))
    assert torch.allclose(average.weight, torch.as_tensor(wanted), atol=1e-6)


def test_running_statistics_are_averaged_and_whole_numbers_copied() -> None:
    torch.manual_seed(0)
    average, network = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    means = []
    for step in (1, 2):
        network(torch.randn(8, 2))
        means.append(buffers(network)["running_mean"].clone())
        follow(average, network, step, power=0)
    assert torch.allclose(buffers(average)["running_mean"], (means[0] + means[1]) / 2)
    assert not torch.equal(buffers(average)["running_mean"], means[1])
    assert buffers(average)["num_batches_tracked"] == 2


def buffers(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.named_buffers())


def make(seed: int = 0) -> Averaged[nn.Sequential]:
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 1))
    return Averaged(network, Adam(network.parameters(), lr=0.01), steady=3, warm=2)


def steps(averaged: Averaged[nn.Sequential], start: int, stop: int) -> None:
    for step in range(start, stop):
        x = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
        averaged.move((averaged.network(x) - x[:, :1]).square().mean())


def tensors(state: object) -> Iterator[Tensor]:
    """The tensors and numbers of a nested state, in order."""
    if isinstance(state, dict):
        for key in sorted(state, key=str):
            yield from tensors(state[key])
    else:
        yield torch.as_tensor(state).clone()


def test_a_state_saved_and_loaded_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole, first, second = make(), make(), make(seed=1)
    steps(whole, 0, 6)
    steps(first, 0, 3)
    assert set(first.state_dict()) == {"network", "average", "adam", "steps"}
    save_state(tmp_path / "state", first.state_dict())
    second.load_state_dict(load_state(tmp_path / "state", mend=""))
    steps(second, 3, 6)
    pairs = zip(tensors(whole.state_dict()), tensors(second.state_dict()), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert second.steps == 6


def test_the_rate_keeps_pace_or_is_left_as_it_is() -> None:
    averaged, rates = make(), []
    for step in range(5):
        steps(averaged, step, step + 1)
        rates.append(averaged.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.01 * pace(step, 3, 2) for step in range(1, 6)])
    weight = nn.Linear(1, 1)
    free = Averaged(weight, SGD(weight.parameters(), lr=0.5))
    free.move(weight(torch.ones(1)).sum())
    assert free.optimizer.param_groups[0]["lr"] == 0.5


def test_the_average_is_for_use_and_follows_with_its_power() -> None:
    network = nn.Linear(1, 1, bias=False)
    averaged = Averaged(network, SGD(network.parameters(), lr=1.0), power=0)
    nn.init.zeros_(network.weight)
    for _ in range(3):
        averaged.move(network(torch.ones(1)).sum())
    assert network.weight.item() == -3
    assert averaged.average.weight.item() == pytest.approx(-2)  # the mean of -1, -2 and -3
    assert not averaged.average.training and network.training
    assert [x.requires_grad for x in averaged.average.parameters()] == [False]


@pytest.mark.parametrize(("slope", "moved"), [(3.0, 0.5), (0.2, 0.2)])
def test_a_gradient_is_shortened_where_it_is_too_long(slope: float, moved: float) -> None:
    network = nn.Linear(2, 1, bias=False)
    averaged = Averaged(network, SGD(network.parameters(), lr=1.0), steepest=0.5)
    before = network.weight.detach().clone()
    averaged.move(network(torch.tensor([0.6, 0.8]) * slope).sum())
    way = (before - network.weight).detach()
    assert torch.allclose(way, moved * torch.tensor([[0.6, 0.8]]), atol=1e-5)
