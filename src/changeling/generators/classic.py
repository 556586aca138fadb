"""The classic face-swap network of the field, kept to its letter as the yardstick of speed.

Two decoders behind one encoder at 64 pixels (deepfakes, 2017), 82,062,470 parameters; trained
with L1 and Adam 5e-5. It has no mask: the whole square is the face.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.faces.people import PeopleBatch
from changeling.generators.blocks import Tones, check_people, check_size, find_person, swap_grid
from changeling.generators.protocols import Swapped, Task
from changeling.training import Losses, Runtime, load_optimizer, optimizer_state


@dataclass(frozen=True)
class Config:
    """Settings of the classic network."""

    people: tuple[str, ...]
    """Names, two or more; one decoder each."""
    size: int = 64
    """Side of the faces in pixels, divisible by 16."""
    filters: int = 128
    """Channels of the first convolution; the others are 2, 4 and 8 times as many."""
    code: int = 1024
    """Numbers in the code."""
    rate: float = 5e-5
    """Learning rate of Adam."""

    batch: int = 8
    """Faces of each person in a step."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(people=("a", "b"), size=16, filters=4, code=6)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for a size."""
        return cls(task.people, task.size)


class Classic:
    """The learner, and the `Swaps` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the networks on `runtime`; raises `UserError` for sizes that do not fit."""
        check_people(config.people)
        check_size(config.size, 16)
        self.people = config.people
        """The names of the people that have a decoder."""
        self.size = config.size
        """Side of the faces in pixels."""
        self._runtime = runtime
        self._tones = Tones(config.people)
        self._network = runtime.network(_Network(config))
        self._adam = runtime.adam(self._network.parameters(), rate=config.rate, betas=(0.5, 0.999))

    def step(self, batch: PeopleBatch, /) -> Losses:
        """Give every face back by its person's decoder and move the weights."""
        self._tones.values = batch.tones
        inputs = self._runtime.pictures(batch.inputs.flatten(0, 1))
        targets = self._runtime.pictures(batch.targets.flatten(0, 1))
        with self._runtime.autocast():
            codes = self._network.encoder(inputs).chunk(len(self.people))
            pairs = zip(self._network.decoders, codes, strict=True)
            faces = torch.cat([decoder(code) for decoder, code in pairs])
        loss = F.l1_loss(faces.float(), targets)
        self._adam.zero_grad()
        loss.backward()
        self._adam.step()
        return {"l1": loss.detach()}

    def preview(self, batch: PeopleBatch, /) -> Tensor:
        """Draw some faces of the batch, each followed by itself as each of the people."""
        return swap_grid(self, batch.targets)

    @torch.no_grad()
    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """Give `faces` back as the person `to`, in a mask of ones (see `Swaps`)."""
        faces = self._tones.levelled(faces, to=to, of=of)
        decoder = self._network.decoders[find_person(self.people, to)]
        with self._runtime.autocast():
            drawn = decoder(self._network.encoder(self._runtime.pictures(faces)))
        drawn = drawn.float().contiguous()
        return Swapped(drawn, torch.ones_like(drawn[:, :1]))

    def state_dict(self) -> dict[str, Any]:
        """Return the weights, Adam's state and the people's colours."""
        return {
            "network": self._network.state_dict(),
            "adam": optimizer_state(self._adam),
            "tones": self._tones.values,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._network.load_state_dict(state["network"])
        load_optimizer(self._adam, state["adam"])
        self._tones.values = state["tones"]


class _Network(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        w, grid = config.filters, config.size // 16
        self.encoder = nn.Sequential(
            *_down(3, w),
            *_down(w, 2 * w),
            *_down(2 * w, 4 * w),
            *_down(4 * w, 8 * w),
            nn.Flatten(),
            nn.Linear(8 * w * grid * grid, config.code),
            nn.Linear(config.code, 8 * w * grid * grid),
            nn.Unflatten(1, (8 * w, grid, grid)),
            *_up(8 * w, 4 * w),
        )
        self.decoders = nn.ModuleList(_decoder(w) for _ in config.people)


def _decoder(w: int) -> nn.Sequential:
    return nn.Sequential(
        *_up(4 * w, 2 * w),
        *_up(2 * w, w),
        *_up(w, w // 2),
        nn.Conv2d(w // 2, 3, 5, padding=2),
        nn.Sigmoid(),
    )


def _down(before: int, width: int) -> list[nn.Module]:
    return [nn.Conv2d(before, width, 5, stride=2, padding=2), nn.LeakyReLU(0.1)]


def _up(before: int, width: int) -> list[nn.Module]:
    return [nn.Conv2d(before, 4 * width, 3, padding=1), nn.LeakyReLU(0.1), nn.PixelShuffle(2)]
