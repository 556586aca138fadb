"""A swapper taught by the true answer: one network for all people, told whom to draw by pictures.

A renderer knows what nobody can film: B's face under A's styling in A's performance. The network
(`supervised_network`) sees A's face and a few pictures of B and learns to draw that, with hundreds
of faces; it ships taught (`supervised_teaching`).

Training with two people's faces first remembers pictures of each, which is all that a swap needs:
one step does. Further steps refine: a face of B is drawn as A by the averaged network, and given
back as B it must be what it was (after Sennrich et al., back-translation, arXiv 1511.06709). That
is a reconstruction, which gets better while the swap gets worse: watch the truth curve.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from changeling.errors import UserError
from changeling.faces.people import PeopleBatch
from changeling.faces.weights import read_weights
from changeling.generators.blocks import (
    check_people,
    check_size,
    drawing_losses,
    drawing_sum,
    find_person,
    flattened,
    swap_grid,
    swapped,
)
from changeling.generators.protocols import Swapped, Task
from changeling.generators.supervised_network import Shape, Swapper
from changeling.training import Losses, Runtime
from changeling.training.averaged import Averaged

SIZE = 64
"""Side in pixels of the faces that the weights that ship draw."""
WEIGHTS = Path(__file__).parent / "weights" / "swapper.safetensors"
"""The weights that ship; swapper.json beside them has their SHA-256 and how they were taught."""
_LOOKED_AT = 4
"""Pictures of each person that a step of refining looks at."""


@dataclass(frozen=True)
class Config:
    """Settings of the supervised swapper."""

    people: tuple[str, ...]
    """Names, two or more."""
    size: int = SIZE
    """Side of the faces in pixels."""
    shape: Shape = field(default_factory=Shape)
    """The network; that of the weights that ship, where it begins with them."""
    taught: bool = True
    """Whether it begins with the weights that ship, or with random ones."""
    batch: int = 8
    """Faces of each person in a step."""
    references: int = 8
    """Pictures of each person that it remembers, from the first step's."""
    rate: float = 1e-5
    """Learning rate of Adam after its warm-up and before its decay; low, since refining gained
    0.2 dB at most and lost 0.5 dB within two minutes at 1e-4."""
    steady: int = 1000
    """Steps after which the learning rate begins to fall with the root of the step."""
    scene: float = 0.0
    """Change of its faces' light: none, since it has learnt to see light and remembers faces."""
    structure: float = 0.25
    """Weight of the structural dissimilarity beside the absolute difference."""
    outside: float = 0.1
    """Weight of a pixel outside the face, where one inside weighs 1."""
    mask: float = 0.1
    """Weight of the mask's loss."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        shape = Shape(widths=(8, 12), looked_up=(1,), heads=2, code=6)
        return cls(("a", "b", "c"), size=16, shape=shape, taught=False, references=2)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration that begins with the weights that ship."""
        return cls(task.people, task.size)


class Supervised:
    """The learner, and the `Swaps` that it is from its first step on."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the network on `runtime`.

        Raises `UserError` for sizes that do not fit, and for weights that are missing or damaged.
        """
        check_people(config.people)
        check_size(config.size, 2 ** len(config.shape.widths))
        self.people = config.people
        """The names of the people it knows."""
        self.size = config.size
        """Side of the faces in pixels."""
        self._config = config
        self._runtime = runtime
        network = runtime.network(_taught(config) if config.taught else _random(config))
        adam = runtime.adam(network.parameters(), rate=config.rate, betas=(0.9, 0.99))
        self._averaged = Averaged(network, adam, steady=config.steady)
        remembered = (len(config.people), config.references, 3, config.size, config.size)
        self._references = torch.zeros(remembered, device=runtime.device)

    def step(self, batch: PeopleBatch, /) -> Losses:
        """Give every face back from what the averaged network makes of it as somebody else.

        The first step remembers the batch's faces as pictures of their people. The inputs of the
        batch are not looked at: their colours are levelled, and this network has to see them.
        """
        if not self._averaged.steps:
            self._references.copy_(_repeated(batch.targets, self._config.references))
        targets, masks = flattened(self._runtime, batch.targets, batch.masks)
        inputs = self._as_others(targets)
        looked_at = torch.randperm(self._references.shape[1])[:_LOOKED_AT]
        references = self._runtime.pictures(self._references[:, looked_at].flatten(0, 1))
        with self._runtime.autocast():
            drawn = self._averaged.network(inputs, references, len(self.people))
        losses = drawing_losses(drawn.float(), targets, masks, self._config.outside)
        config = self._config
        self._averaged.move(drawing_sum(losses, config.structure, config.mask))
        return {name: loss.detach() for name, loss in losses.items()}

    def preview(self, batch: PeopleBatch, /) -> Tensor:
        """Draw some faces of the batch, each followed by itself as each of the people."""
        return swap_grid(self, batch.targets)

    @torch.no_grad()
    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """Give `faces` back as the person `to`, by the averaged weights (see `Swaps`)."""
        references = self._runtime.pictures(self._references[find_person(self.people, to)])
        with self._runtime.autocast():
            drawn = self._averaged.average(self._runtime.pictures(faces), references, 1)
        return swapped(drawn)

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averaged weights, remembered pictures, Adam's state and the steps."""
        return {**self._averaged.state_dict(), "references": self._references}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._averaged.load_state_dict(state)
        self._references.copy_(state["references"])

    @torch.no_grad()
    def _as_others(self, faces: Tensor) -> Tensor:
        """Each person's faces (people · n, 3, s, s), drawn as one of the others."""
        others = torch.randint(1, len(self.people), ()) + torch.arange(len(self.people))
        references = self._references[others % len(self.people)].flatten(0, 1)
        references = self._runtime.pictures(references)
        with self._runtime.autocast():
            drawn = self._averaged.average(faces, references, len(self.people))
        # Whole drawings: pasted, the person's own neck and ears would tell the answer's colours.
        return self._runtime.pictures(drawn[:, :3].float().clamp(0, 1))


def _taught(config: Config) -> Swapper:
    if config.size != SIZE:
        raise UserError(f"size {config.size} is not what supervised was taught: give --size {SIZE}")
    network = _random(config)
    network.load_state_dict(read_weights(WEIGHTS, network="swapper")[0])
    return network


def _random(config: Config) -> Swapper:
    return Swapper(config.size, config.shape)


def _repeated(pictures: Tensor, count: int) -> Tensor:
    """`count` pictures of each person from (people, n, …): the first ones, over and over."""
    return pictures[:, torch.arange(count) % pictures.shape[1]]
