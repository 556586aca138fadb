"""DCGAN: a generator of transposed convolutions and the discriminator that it learns to fool.

Radford, Metz and Chintala, Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks, ICLR 2016, arXiv 1511.06434: no pooling, no dense layers, batch norm in both
networks, Adam with β1 0.5. `Config.report` is the common layout for 28 pixels: 100 random numbers,
4×4 → 8×8 → 16×16 → 32×32, and a last transposed convolution of 1×1 that leaves `padding` pixels
out. As the report prints it, without padding, it would draw 32×32; with the `padding=2` that it
needs, 28×28, which is the one deviation. Other sizes take as many doublings as they need and leave
the same border out.

Beyond the report:

- Where `averaged` is set, pictures are drawn by averaged weights (Yazıcı et al., arXiv 1806.04498),
  which removes the generator's swing from step to step.
- Where there are `kinds`, both networks are told what a picture shows: the generator beside its
  random numbers (Mirza & Osindero, arXiv 1411.1784), the discriminator by one more weight vector
  for every class over its features (Miyato & Koyama, arXiv 1802.05637, equation 3).
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.faces.pictures import PictureBatch
from changeling.generators.blocks import check_batch, check_kind, check_size, picture_grid
from changeling.generators.protocols import Task
from changeling.training import Losses, Runtime, adversarial, load_optimizer, optimizer_state
from changeling.training.averaged import follow

_PREVIEWED = 32
_AT_ONCE = 64


@dataclass(frozen=True)
class Config:
    """Settings of the DCGAN."""

    size: int = 28
    """Side of the pictures in pixels, a multiple of 4."""
    channels: int = 1
    """3 for RGB, 1 for grey."""
    code: int = 100
    """Random numbers from which a picture is drawn (the paper's nz)."""
    drawing: int = 64
    """Channels of the generator's last level (ngf); each level before has twice as many."""
    judging: int = 64
    """Channels of the discriminator's first level (ndf); each level after has twice as many."""
    rate: float = 2e-4
    """Learning rate of Adam, for both networks."""
    kinds: int = 0
    """Classes that both networks are told of; 0: none."""
    averaged: bool = True
    """Draw with averaged weights instead of the last ones."""
    batch: int = 64
    """Pictures in a step."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(size=16, channels=1, code=6, drawing=4, judging=4, kinds=3)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores: half the channels, above 32 pixels a quarter.

        A step of 64 pictures costs 6 billion multiplications at 28 pixels (the report's network
        25), and 10 at 64. The rate is higher than the paper's, since the steps are few.
        """
        width = 32 if task.size <= 32 else 16
        return cls(
            task.size, task.channels, drawing=width, judging=width, rate=5e-4, kinds=task.kinds
        )

    @classmethod
    def report(cls, task: Task) -> "Config":
        """Return the report's network; it ran 25 epochs of FashionMNIST (23,450 steps)."""
        return cls(size=task.size, channels=task.channels, averaged=False)


class Dcgan:
    """The learner, and the `Draws` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the networks on `runtime`; raises `UserError` for a size that does not fit."""
        check_size(config.size, 4)
        check_batch(config.batch)
        self.size = config.size
        """Side of the pictures in pixels."""
        self.channels = config.channels
        """3 for RGB, 1 for grey."""
        self.kinds = config.kinds
        """Classes that it can be asked for; 0: none."""
        self._config = config
        self._runtime = runtime
        self._network = runtime.network(_Network(config))
        self._average = deepcopy(self._network.generator).requires_grad_(False)
        parts = (self._network.generator, self._network.judge)
        self._adams = tuple(
            runtime.adam(part.parameters(), rate=config.rate, betas=(0.5, 0.999)) for part in parts
        )
        self._steps = 0

    def step(self, batch: PictureBatch, /) -> Losses:
        """Teach the discriminator real from drawn, then the generator to be taken for real."""
        real = self._runtime.pictures(2 * batch.pictures - 1)
        code = torch.randn(len(batch), self._config.code, 1, 1)
        kinds = batch.labels.to(self._runtime.device)
        with self._runtime.autocast():
            drawn = self._network.generator(self._told(code, batch.labels))
        seen = self._judge(real, kinds), self._judge(drawn.detach(), kinds)
        judging = _says(seen[0], 1) + _says(seen[1], 0)
        self._move(1, judging)
        self._network.judge.requires_grad_(False)
        fooled = self._judge(drawn, kinds)
        drawing = _says(fooled, 1)
        self._move(0, drawing)
        self._network.judge.requires_grad_(True)
        self._steps += 1
        follow(self._average, self._network.generator, self._steps)
        return {
            "judge": judging.detach(),
            "generator": drawing.detach(),
            **adversarial(seen[0].sigmoid(), seen[1].sigmoid(), drawn, real),
            "d_after": fooled.detach().sigmoid().mean(),
        }

    def preview(self, batch: PictureBatch, /) -> Tensor:
        """Draw some pictures, always from the same random numbers."""
        return picture_grid(self.draw(_PREVIEWED, seed=0))

    @torch.no_grad()
    def draw(self, count: int, *, seed: int, kind: int | None = None) -> Tensor:
        """Draw `count` pictures (see `Draws`), each of a random class unless a `kind` is given.

        Raises `UserError` for a `kind` that it was not told of.
        """
        check_kind(kind, self.kinds)
        dice = torch.Generator().manual_seed(seed)
        codes = torch.randn(count, self._config.code, 1, 1, generator=dice)
        random = torch.randint(max(1, self.kinds), (count,), generator=dice)
        told = self._told(codes, random if kind is None else torch.full((count,), kind))
        generator = self._average if self._config.averaged else self._network.generator
        generator.eval()
        with self._runtime.autocast():
            parts = [generator(x) for x in told.split(_AT_ONCE)]
        generator.train()
        return ((torch.cat(parts).float() + 1) / 2).clamp(0, 1).cpu().contiguous()

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averaged weights, Adam's states and the number of steps."""
        return {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "adams": {i: optimizer_state(adam) for i, adam in enumerate(self._adams)},
            "steps": self._steps,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        for i, adam in enumerate(self._adams):
            load_optimizer(adam, state["adams"][i])
        self._steps = state["steps"]

    def _told(self, code: Tensor, kinds: Tensor) -> Tensor:
        """Put random numbers (n, code, 1, 1) and classes (n,) together for the generator."""
        if self.kinds:
            code = torch.cat([code, F.one_hot(kinds, self.kinds)[:, :, None, None]], dim=1)
        return self._runtime.pictures(code)

    def _judge(self, pictures: Tensor, kinds: Tensor) -> Tensor:
        """Return logits (n, 1), above 0 for pictures that seem real ones of their classes."""
        with self._runtime.autocast():
            said = self._network.judge(pictures).flatten(1).float()
        general: Tensor = said[:, :1]
        return general + said[:, 1:].gather(1, kinds[:, None]) if self.kinds else general

    def _move(self, part: int, loss: Tensor) -> None:
        self._adams[part].zero_grad()
        loss.backward()
        self._adams[part].step()


def _says(logits: Tensor, real: int) -> Tensor:
    """Return the binary cross-entropy of logits against 1 (real) or 0 (drawn)."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, real))


class _Network(nn.Module):
    """Generator and discriminator, their weights drawn as the paper does."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.generator = _generator(config)
        self.judge = _judge(config)
        self.apply(_initialise)


def _initialise(layer: nn.Module) -> None:
    """Draw weights from N(0, 0.02), those of batch norm from N(1, 0.02)."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)


def _generator(config: Config) -> nn.Sequential:
    """Numbers and class (n, code + kinds, 1, 1) → pictures (n, channels, size, size), −1…1."""
    doublings = (config.size - 1).bit_length() - 2
    width = config.drawing * 2**doublings
    given = config.code + config.kinds
    layers: list[nn.Module] = [nn.ConvTranspose2d(given, width, 4, bias=False)]
    for _ in range(doublings):
        layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        layers += [nn.ConvTranspose2d(width, width // 2, 4, stride=2, padding=1, bias=False)]
        width //= 2
    border = (4 * 2**doublings - config.size) // 2
    layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    layers += [nn.ConvTranspose2d(width, config.channels, 1, padding=border, bias=False)]
    return nn.Sequential(*layers, nn.Tanh())


def _judge(config: Config) -> nn.Sequential:
    """Pictures (n, channels, size, size), −1…1 → (n, 1 + kinds, 1, 1): logit, and more by class."""
    before, width, side = config.channels, config.judging, config.size // 2
    layers: list[nn.Module] = [
        nn.Conv2d(before, width, 4, stride=2, padding=1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
    ]
    while side > 4:
        before, width, side = width, 2 * width, side // 2
        layers += [nn.Conv2d(before, width, 4, stride=2, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(width), nn.LeakyReLU(0.2, inplace=True)]
    # At 28 pixels the last side is 3: the listing's 4×4 with padding sees one row of zeros more.
    return nn.Sequential(*layers, nn.Conv2d(width, 1 + config.kinds, side, bias=False))
