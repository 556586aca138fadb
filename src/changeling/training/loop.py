"""The one training loop: it yields, and whoever consumes it logs, draws, saves or tests."""

from collections.abc import Callable, Generator, Mapping, Sized
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from changeling.training.prefetch import prefetch

Losses = Mapping[str, Tensor]
"""Named losses of one step, each a scalar, detached and finite."""

Batch = TypeVar("Batch", bound=Sized)
"""What a learner learns from in one step; its length counts the samples."""
Learned = TypeVar("Learned", bound=Sized, contravariant=True)

Batches = Callable[[int], Batch]
"""The batch of a step (counted from 0); a pure function of the step that knows its own seed."""


class Learner(Protocol[Learned]):
    """What can be trained: generators and detectors alike own their networks and optimizers."""

    def step(self, batch: Learned, /) -> Losses:
        """Go forward, backward and move the weights once."""
        ...

    def preview(self, batch: Learned, /) -> Tensor:
        """Draw a grid (rows, columns, 3, size, size), 0…1; trains nothing."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return everything that training needs to go on: weights, optimizers, averages."""
        ...

    def load_state_dict(self, state: Mapping[str, Any], /) -> object:
        """Take over what `state_dict` returned."""
        ...


@runtime_checkable
class Validates(Protocol[Learned]):
    """A learner that selects its weights by how it does on samples that it does not learn from."""

    def validate(self, batch: Learned, /) -> Losses:
        """Measure held-out samples and remember the weights if they were never better."""
        ...


@dataclass(frozen=True)
class Step:
    """One finished training step."""

    index: int
    """Steps made so far, this one included (so the first is 1)."""
    losses: Mapping[str, float]
    """The learner's losses of this step."""
    samples: int
    """Samples in the step's batch, `len(batch)`."""


def seed_step(seed: int, index: int) -> None:
    """Seed torch for step `index`, so that a resumed run draws what an uninterrupted one does."""
    torch.manual_seed(int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0]))


def train(
    learner: Learner[Batch],
    batches: Batches[Batch],
    *,
    start: int = 0,
    seed: int = 0,
    workers: int = 1,
) -> Generator[Step, None, None]:
    """Train without end from step `start` on; the caller stops by leaving the iterator.

    `workers` threads prepare the coming batches (0: none, prepared between the steps); their
    number changes nothing but the speed. What `batches` or `learner` raise comes through.
    """
    with closing(prefetch(batches, start=start, workers=workers)) as stream:
        for index, batch in enumerate(stream, start):
            seed_step(seed, index)
            losses = learner.step(batch)
            yield Step(index + 1, {name: float(x) for name, x in losses.items()}, len(batch))
