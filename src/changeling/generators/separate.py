"""Two autoencoders fitted one after the other, swapped by encoder A and decoder B.

The network of a student's comparison of face-to-face conversion, in Keras there: halving by a
5×5 convolution of stride 2 and a pooling, three times; a dense layer to a 3×3 bottleneck; three
times a convolution of stride 2 and a doubling; a dense layer to the picture. A's and B's share no
weight, so nothing makes B's decoder understand A's code. `joint` ties the encoder, which is the
mend (deepfakes, 2017), and leaves all else as it is, so that the two can be compared.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.errors import UserError
from changeling.faces.people import PeopleBatch
from changeling.generators.blocks import check_people, check_size, find_person, swap_grid
from changeling.generators.protocols import Swapped, Task
from changeling.training import Losses, Runtime, load_optimizer, optimizer_state


@dataclass(frozen=True)
class Config:
    """Settings of the two autoencoders."""

    people: tuple[str, ...]
    """The two names."""
    size: int = 64
    """Side of the faces in pixels, divisible by 8, at least 32."""
    filters: tuple[int, int, int] = (64, 128, 256)
    """Channels of the three convolutions; the decoder has them backwards."""
    joint: bool = False
    """One encoder for both people, fitted together, instead of one after the other."""
    steps: int = 3000
    """Steps in all; fitted one after the other, each person gets half of them."""
    rate: float = 5e-5
    """Learning rate of Adam."""
    kept: tuple[float, ...] = (0.2, 0.15)
    """Share of each person's faces that is not learnt from but selects the best weights."""
    batch: int = 16
    """Faces of each person in a step."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(("a", "b"), size=_LEAST, filters=(4, 6, 8), steps=4, rate=1e-3)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return a quarter of the report's filters, and a faster rate for fewer steps."""
        return cls(task.people, task.size, steps=task.steps or cls.steps, rate=2e-4)

    @classmethod
    def report(cls, task: Task) -> "Config":
        """Return what the report ran at 120 pixels; an epoch of its faces is about one step."""
        filters, epochs = (256, 512, 1024), 2700
        steps = task.steps or 2 * epochs
        return cls(task.people, 120, filters, steps=steps, batch=512)


class Separate:
    """The learner, and the `Swaps` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the networks; raises `UserError` for people or sizes that do not fit."""
        check_people(config.people)
        if len(config.people) > 2:
            raise UserError(
                f"people are {', '.join(config.people)}, but one's encoder goes with the other's "
                "decoder: give two of them"
            )
        check_size(config.size, 8, least=_LEAST)
        self.people = config.people
        """The two names."""
        self.size = config.size
        """Side of the faces in pixels."""
        self._config = config
        self._runtime = runtime
        self._network = runtime.network(_Network(config))
        self._best = deepcopy(self._network).requires_grad_(False).eval()
        self._adam = runtime.adam(self._network.parameters(), rate=config.rate, betas=(0.5, 0.999))
        self._lowest = [torch.inf] * len(config.people)
        self._steps = 0

    def step(self, batch: PeopleBatch, /) -> Losses:
        """Give the faces back of whoever's turn it is: by absolute difference, unwarped."""
        losses = []
        for person in self._turn():
            faces = self._runtime.pictures(batch.targets[person])
            with self._runtime.autocast():
                drawn = self._network(faces, encoder=person, decoder=person)
            losses.append(F.l1_loss(drawn.float(), faces))
        loss = torch.stack(losses).mean()
        self._adam.zero_grad()
        loss.backward()
        self._adam.step()
        self._steps += 1
        return {"l1": loss.detach()}

    @torch.no_grad()
    def validate(self, batch: PeopleBatch, /) -> Losses:
        """Measure held-out faces of whoever's turn it was; keep the weights if never better."""
        losses = {}
        for person in self._turn(after=True):
            faces = self._runtime.pictures(batch.targets[person])
            with self._runtime.autocast():
                drawn = self._network(faces, encoder=person, decoder=person)
            loss = F.l1_loss(drawn.float(), faces)
            losses[f"held_out_{self.people[person]}"] = loss
            if float(loss) < self._lowest[person]:
                self._lowest[person] = float(loss)
                self._best.take(self._network, person)
        return losses

    def preview(self, batch: PeopleBatch, /) -> Tensor:
        """Draw some faces of the batch, each followed by itself as each of the people."""
        return swap_grid(self, batch.targets)

    @torch.no_grad()
    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """Give `faces` of the other person back as `to`, in a mask of ones (see `Swaps`).

        By the other's encoder and the decoder of `to`, with the weights that were best on faces
        held out, or the present ones of somebody who was never looked at.
        """
        decoder = find_person(self.people, to)
        encoder = 1 - decoder
        parts = [self._part(encoder).encoder(encoder), self._part(decoder).decoders[decoder]]
        x = self._runtime.pictures(faces)
        with self._runtime.autocast():
            for part in parts:
                x = part(x)
        drawn = x.float().clamp(0, 1).contiguous()
        return Swapped(drawn, torch.ones_like(drawn[:, :1]))

    def state_dict(self) -> dict[str, Any]:
        """Return the weights, the best ones, Adam's state and where training stands."""
        return {
            "network": self._network.state_dict(),
            "best": self._best.state_dict(),
            "adam": optimizer_state(self._adam),
            "lowest": torch.tensor(self._lowest),
            "steps": self._steps,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._network.load_state_dict(state["network"])
        self._best.load_state_dict(state["best"])
        load_optimizer(self._adam, state["adam"])
        self._lowest = state["lowest"].tolist()
        self._steps = state["steps"]

    def _turn(self, *, after: bool = False) -> tuple[int, ...]:
        """Who learns in the coming step, or who learnt in the last one."""
        if self._config.joint:
            return (0, 1)
        return (int(self._steps - after >= self._config.steps // 2),)

    def _part(self, person: int) -> "_Network":
        return self._network if self._lowest[person] == torch.inf else self._best


class _Network(nn.Module):
    """An encoder and a decoder per person; joint, one encoder for both."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(
            _encoder(config) for _ in range(1 if config.joint else len(config.people))
        )
        self.decoders = nn.ModuleList(_decoder(config) for _ in config.people)

    def forward(self, faces: Tensor, *, encoder: int, decoder: int) -> Tensor:
        drawn: Tensor = self.decoders[decoder](self.encoder(encoder)(faces))
        return drawn

    def encoder(self, person: int) -> nn.Module:
        return self.encoders[min(person, len(self.encoders) - 1)]

    def take(self, other: "_Network", person: int) -> None:
        """Take over one person's weights."""
        self.encoder(person).load_state_dict(other.encoder(person).state_dict())
        self.decoders[person].load_state_dict(other.decoders[person].state_dict())


_GRID = 3
"""Side of the bottleneck."""
_LEAST = 32
"""Smallest side of the faces: below, the last convolution would see one pixel, where most of its
weights meet nothing, and oneDNN leaves their gradients in bfloat16 as they lie in memory."""


def _encoder(config: Config) -> nn.Sequential:
    layers: list[nn.Module] = []
    grid = config.size
    for before, width in zip((3, *config.filters), config.filters, strict=False):
        layers += [nn.Conv2d(before, width, 5, stride=2, padding=2), nn.LeakyReLU(0.1)]
        grid = -(-grid // 2)
        if grid > 1:  # nothing is left to pool in the smallest of pictures
            layers.append(nn.MaxPool2d(2))
            grid //= 2
    last = config.filters[-1]
    dense = nn.Linear(last * grid * grid, last * _GRID * _GRID)
    return nn.Sequential(*layers, nn.Flatten(), dense, nn.Unflatten(1, (last, _GRID, _GRID)))


def _decoder(config: Config) -> nn.Sequential:
    layers: list[nn.Module] = []
    widths = config.filters[::-1]
    grid = _GRID
    for before, width in zip((widths[0], *widths), widths, strict=False):
        layers += [nn.Conv2d(before, width, 5, stride=2, padding=2), nn.LeakyReLU(0.1)]
        layers.append(nn.Upsample(scale_factor=2))
        grid = -(-grid // 2) * 2
    size = config.size
    dense = nn.Linear(widths[-1] * grid * grid, 3 * size * size)
    shape = nn.Unflatten(1, (3, size, size))
    return nn.Sequential(*layers, nn.Flatten(), dense, shape, nn.Sigmoid())
