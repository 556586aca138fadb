"""Training without a known end: a learning rate that keeps pace, and averaged weights that follow.

Nothing here has a horizon, so a budget in minutes can be prolonged and a run resumes exactly.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Generic

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from changeling.training.runtime import Network, load_optimizer, optimizer_state

POWER = 16.0
"""Exponent of the average: it looks back over about 1 / 18 of the training."""


def pace(step: int, steady: int, warm: int = 50) -> float:
    """Return the learning rate at `step` (from 1) as a share of its peak.

    Linear warm-up, then constant, then falling with the root of the step (Karras et al., EDM2,
    arXiv 2312.02696, equation 67).
    """
    return min(1.0, step / warm) * min(1.0, (steady / step) ** 0.5)


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give all that the optimizer moves the learning rate `rate`."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def memory(step: int, power: float = POWER) -> float:
    """Return the share of the averaged weights that is kept at `step` (from 1).

    A power-function average (EDM2, arXiv 2312.02696, section 3.1): its window is a fixed share of
    the training so far, the mean age of what it holds 1 / (`power` + 2) of it.
    """
    return (1 - 1 / step) ** (power + 1)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, step: int, power: float = POWER) -> None:
    """Move averaged weights towards those of the network after `step` (from 1); see `memory`.

    What a network gathers beside its weights, such as batch norm's running statistics, is averaged
    likewise; whole numbers are copied.
    """
    learnt = 1 - memory(step, power)
    now = network.state_dict()
    for name, mean in average.state_dict().items():
        if mean.is_floating_point():
            mean.lerp_(now[name], learnt)
        else:
            mean.copy_(now[name])


class Averaged(Generic[Network]):
    """A network that one optimizer moves, and the average of its weights, which is what is used."""

    def __init__(
        self,
        network: Network,
        optimizer: Optimizer,
        *,
        steady: int | None = None,
        warm: int = 50,
        power: float = POWER,
        steepest: float | None = None,
    ) -> None:
        """Take a network where it shall stay, and an optimizer at its highest learning rate.

        steady and warm: how the rate keeps `pace`; without `steady` it is left as it is. power: of
        the average. steepest: length that a gradient is shortened to where it is longer.
        """
        self.network = network
        """What is taught."""
        self.average: Network = deepcopy(network).requires_grad_(False).eval()
        """What is used."""
        self.optimizer = optimizer
        """What moves the network."""
        self.steps = 0
        """Steps made so far."""
        self._rate: float = optimizer.param_groups[0]["lr"]
        self._steady, self._warm = steady, warm
        self._power, self._steepest = power, steepest

    def move(self, loss: Tensor) -> None:
        """Make a step against the gradient of `loss`; the average follows."""
        self.steps += 1
        if self._steady is not None:
            set_rate(self.optimizer, self._rate * pace(self.steps, self._steady, self._warm))
        self.optimizer.zero_grad()
        loss.backward()
        if self._steepest is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), self._steepest)
        self.optimizer.step()
        follow(self.average, self.network, self.steps, self._power)

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averaged weights, the optimizer's state and the number of steps."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "adam": optimizer_state(self.optimizer),
            "steps": self.steps,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        load_optimizer(self.optimizer, state["adam"])
        self.steps = int(state["steps"])
