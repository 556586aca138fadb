"""Twin autoencoder: one encoder for everybody, a decoder per person, swap by another's decoder.

The classic of face swapping (deepfakes, 2017; Perov et al., DeepFaceLab, arXiv 2005.05535), for
two or more people. The encoder sees warped and recoloured faces and the decoder gives back the
true one, so the code keeps the performance and the decoder holds the person. Reconstruction does
not measure the swap: with time the people's codes drift apart. Against that: a tight code on a
sphere with noise on it, shared layers after it, a penalty that keeps the people's codes alike,
and averaged weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from changeling.faces.people import PeopleBatch
from changeling.generators.blocks import (
    Tones,
    check_people,
    check_size,
    discrepancy,
    drawing_losses,
    drawing_sum,
    find_person,
    flattened,
    swap_grid,
    swapped,
)
from changeling.generators.protocols import Swapped, Task
from changeling.generators.twins import SIZE, Layout, Sphere, taught
from changeling.training import Losses, Runtime
from changeling.training.averaged import Averaged


@dataclass(frozen=True)
class Config:
    """Settings of the autoencoder."""

    people: tuple[str, ...]
    """Names, two or more; one decoder each."""
    size: int = SIZE
    """Side of the faces in pixels, divisible by 2 to the number of widths."""
    widths: tuple[int, ...] = (32, 64, 128, 256)
    """Channels at a half, a quarter, … of the size; multiples of 32 are fast."""
    code: int = 256
    """Numbers in the code: the bottleneck between encoder and decoders."""
    noise: float = 0.1
    """Standard deviation of the noise added to the code (whose numbers have deviation 1)."""
    tie: float = 0.01
    """Weight of the difference between the people's codes (maximum mean discrepancy)."""
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
    taught: bool = False
    """Begin with the encoder and the decoder that were taught on many actors, instead of with
    random weights; for the size, widths and code that were taught."""
    batch: int = 8
    """Faces of each person in a step."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(people=("a", "b", "c"), size=16, widths=(8, 12), code=6)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores; at 64 pixels it begins with what was taught.

        It then learns slowly: at three times the rate the people's codes drift apart in minutes.
        """
        scratch = cls.scratch(task)
        return scratch if task.size != SIZE else replace(scratch, taught=True, rate=3e-4)

    @classmethod
    def scratch(cls, task: Task) -> "Config":
        """Return the same with random weights: 128 pixels and above have one level more."""
        if task.size < 128:
            return cls(task.people, task.size)
        return cls(task.people, task.size, widths=(32, 64, 96, 192, 256), code=384)

    @property
    def layout(self) -> Layout:
        """What fixes the shapes of the weights."""
        return Layout(self.size, self.widths, self.code)


class Autoencoder:
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
        begun = taught if config.taught else Sphere
        network = runtime.network(begun(config.layout, len(config.people)))
        adam = runtime.adam(network.parameters(), rate=config.rate, betas=(0.9, 0.99))
        self._tones = Tones(config.people)
        self._averaged = Averaged(network, adam, steady=config.steady)

    def step(self, batch: PeopleBatch, /) -> Losses:
        """Give every face back by its person's decoder; move the weights and their average."""
        self._tones.values = batch.tones
        faces = (batch.inputs, batch.targets, batch.masks)
        inputs, targets, masks = flattened(self._runtime, *faces)
        with self._runtime.autocast():
            codes = self._averaged.network.encode(inputs)
            noisy = codes + self._config.noise * torch.randn_like(codes)
            drawn = self._averaged.network.decode(noisy.chunk(len(self.people)))
        losses = {
            **drawing_losses(drawn.float(), targets, masks, self._config.outside),
            "tie": discrepancy(codes.float().unflatten(0, batch.inputs.shape[:2])),
        }
        self._averaged.move(self._total(losses))
        return {name: loss.detach() for name, loss in losses.items()}

    def preview(self, batch: PeopleBatch, /) -> Tensor:
        """Draw some faces of the batch, each followed by itself as each of the people."""
        return swap_grid(self, batch.targets)

    @torch.no_grad()
    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """Give `faces` back as the person `to`, by the averaged weights (see `Swaps`)."""
        faces = self._tones.levelled(faces, to=to, of=of)
        person = find_person(self.people, to)
        with self._runtime.autocast():
            code = self._averaged.average.encode(self._runtime.pictures(faces))
            drawn = self._averaged.average.draw(code, person)
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
        drawing = drawing_sum(losses, config.structure, config.mask)
        return drawing + config.tie * losses["tie"]
