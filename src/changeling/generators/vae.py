"""Variational autoencoder of faces: one encoder to a Gaussian code, a decoder per person.

Kingma & Welling, Auto-Encoding Variational Bayes, arXiv 1312.6114, made to swap faces: the encoder
gives every face a Gaussian, training draws the code from it, and a swap decodes its mean by the
other person's decoder. The divergence from N(0, 1), which all people share, keeps their codes
alike, as the tie of the autoencoder does. Its weight grows from 0 to `beta` (Bowman et al., arXiv
1511.06349; the weight is that of Higgins et al., beta-VAE, ICLR 2017), else the decoders
learn to do without the code before it says anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from changeling.faces.people import PeopleBatch
from changeling.generators.blocks import (
    Tones,
    check_people,
    check_size,
    divergence,
    drawing_losses,
    drawing_sum,
    find_person,
    flattened,
    reparameterise,
    rising,
    swap_grid,
    swapped,
)
from changeling.generators.protocols import Swapped, Task
from changeling.generators.twins import Twins
from changeling.training import Losses, Runtime
from changeling.training.averaged import Averaged


@dataclass(frozen=True)
class Config:
    """Settings of the variational autoencoder of faces."""

    people: tuple[str, ...]
    """Names, two or more; one decoder each."""
    size: int = 64
    """Side of the faces in pixels, divisible by 2 to the number of widths."""
    widths: tuple[int, ...] = (32, 64, 128, 256)
    """Channels at a half, a quarter, … of the size; multiples of 32 are fast."""
    code: int = 256
    """Numbers in the code."""
    beta: float = 1e-4
    """Weight of a nat of divergence in the end, beside differences of pixels on the scale 0…1."""
    rise: int = 1000
    """Steps in which the divergence's weight grows from 0 to `beta`."""
    structure: float = 0.25
    """Weight of the structural dissimilarity beside the absolute difference."""
    outside: float = 0.1
    """Weight of a pixel outside the face, where one inside weighs 1."""
    mask: float = 0.3
    """Weight of the mask's loss."""
    rate: float = 1e-3
    """Learning rate of Adam after its warm-up and before its decay."""
    steady: int = 2000
    """Steps after which the learning rate begins to fall with the root of the step."""
    batch: int = 8
    """Faces of each person in a step."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(people=("a", "b", "c"), size=16, widths=(8, 12), code=6, rise=10)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores: 128 pixels and above have one level more."""
        if task.size < 128:
            return cls(task.people, task.size)
        return cls(task.people, task.size, widths=(32, 64, 96, 192, 256), code=384)


class FaceVAE:
    """The learner, and the `Swaps` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the networks on `runtime`; raises `UserError` for sizes that do not fit."""
        check_people(config.people)
        check_size(config.size, 2 ** len(config.widths))
        self.people = config.people
        """The names of the people that have a decoder."""
        self.size = config.size
        """Side of the faces in pixels."""
        self._config = config
        self._runtime = runtime
        people, code = len(config.people), config.code
        twins = Twins(config.size, config.widths, people=people, encoded=2 * code, code=code)
        network = runtime.network(twins)
        adam = runtime.adam(network.parameters(), rate=config.rate, betas=(0.9, 0.99))
        self._tones = Tones(config.people)
        self._averaged = Averaged(network, adam, steady=config.steady)

    def step(self, batch: PeopleBatch, /) -> Losses:
        """Give every face back by its person's decoder; move the weights and their average."""
        self._tones.values = batch.tones
        faces = (batch.inputs, batch.targets, batch.masks)
        inputs, targets, masks = flattened(self._runtime, *faces)
        with self._runtime.autocast():
            mean, log_variance = self._averaged.network.encode(inputs).float().chunk(2, dim=1)
            codes = reparameterise(mean, log_variance)
            drawn = self._averaged.network.decode(codes.chunk(len(self.people)))
        losses = {
            **drawing_losses(drawn.float(), targets, masks, self._config.outside),
            "kl": divergence(mean, log_variance).mean(),
        }
        self._averaged.move(self._total(losses))
        return {name: loss.detach() for name, loss in losses.items()}

    def preview(self, batch: PeopleBatch, /) -> Tensor:
        """Draw some faces of the batch, each followed by itself as each of the people."""
        return swap_grid(self, batch.targets)

    @torch.no_grad()
    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """Give the means of the codes of `faces` back as the person `to` (see `Swaps`)."""
        faces = self._tones.levelled(faces, to=to, of=of)
        person = find_person(self.people, to)
        with self._runtime.autocast():
            mean, _ = self._averaged.average.encode(self._runtime.pictures(faces)).chunk(2, dim=1)
            drawn = self._averaged.average.draw(mean, person)
        return swapped(drawn)

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averaged weights, the people's colours, Adam's state and the steps."""
        return {**self._averaged.state_dict(), "tones": self._tones.values}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._averaged.load_state_dict(state)
        self._tones.values = state["tones"]

    def _total(self, losses: Mapping[str, Tensor]) -> Tensor:
        config = self._config
        weight = config.beta * rising(self._averaged.steps, config.rise)
        return drawing_sum(losses, config.structure, config.mask) + weight * losses["kl"]
