"""Denoising autoencoder: clean pictures from noisy ones, and how unlike the known a picture is.

Vincent, Larochelle, Bengio & Manzagol, "Extracting and Composing Robust Features with Denoising
Autoencoders", ICML 2008: noise in, the clean picture out, through a code with fewer numbers than
the picture has. What the code was never asked to hold comes back wrong, so the error of a picture
that is given back says how unusual it is (`Restorer.unlikeness`). A wide code restores well
(`Config.laptop`), a narrow one notices more (`Config.watchful`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.faces.pictures import PictureBatch
from changeling.generators.blocks import PREVIEWED, Residual, check_size, with_noise
from changeling.generators.protocols import Task
from changeling.training import Losses, Runtime
from changeling.training.averaged import Averaged

_BLOCK = 4
"""Side in pixels of the blocks over which `unlikeness` averages."""


@dataclass(frozen=True)
class Config:
    """Settings of the denoising autoencoder."""

    size: int = 64
    """Side of the pictures in pixels, divisible by 2 to the number of widths."""
    channels: int = 3
    """3 for RGB, 1 for grey."""
    kinds: int = 0
    """Classes of the pictures, which it does not ask for."""
    batch: int = 16
    """Pictures in a step."""
    widths: tuple[int, ...] = (64, 128, 128)
    """Channels at a half, a quarter, … of the size; multiples of 32 are fast."""
    code: int = 16
    """Numbers of the code at each place of the smallest grid."""
    noise: float = 0.2
    """Standard deviation of the noise that is added to pictures (0…1)."""
    rate: float = 1e-3
    """Learning rate of Adam after its warm-up and before its decay."""
    steady: int = 2000
    """Steps after which the learning rate begins to fall with the root of the step."""

    @property
    def components(self) -> int:
        """Numbers in the code of a picture."""
        return self.code * (self.size // 2 ** len(self.widths)) ** 2

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(size=16, widths=(8, 12), code=2)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration that restores: 16 numbers for every 8 × 8 pixels."""
        return cls(task.size, task.channels, task.kinds)

    @classmethod
    def watchful(cls, task: Task) -> "Config":
        """Return the configuration that notices the unusual: 4 numbers for 16 × 16 pixels."""
        widths = (32, 64, 128, 256)
        return cls(task.size, task.channels, task.kinds, widths=widths, code=4, noise=0.1)


class Restorer:
    """The learner, and the `Restores` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the network on `runtime`; raises `UserError` for a size that does not fit."""
        check_size(config.size, 2 ** len(config.widths))
        self.size = config.size
        """Side of the pictures in pixels."""
        self.channels = config.channels
        """3 for RGB, 1 for grey."""
        self.kinds = config.kinds
        """Classes of the pictures it learns from."""
        self._config = config
        self._runtime = runtime
        network = runtime.network(_Network(config))
        adam = runtime.adam(network.parameters(), rate=config.rate, betas=(0.9, 0.99))
        self._averaged = Averaged(network, adam, steady=config.steady)

    def step(self, batch: PictureBatch, /) -> Losses:
        """Give noisy pictures back clean; move the weights and their average."""
        clean = self._runtime.pictures(batch.pictures)
        # Drawn before the layout is chosen, in which random numbers would come in another order.
        noise = self._config.noise * torch.randn(batch.pictures.shape)
        noisy = clean + self._runtime.pictures(noise)
        with self._runtime.autocast():
            drawn = self._averaged.network(noisy)
        loss = F.mse_loss(drawn.float(), clean)
        self._averaged.move(loss)
        return {"mse": loss.detach()}

    def preview(self, batch: PictureBatch, /) -> Tensor:
        """Draw some pictures of the batch: as they are, with noise, restored."""
        clean = batch.pictures[:PREVIEWED].cpu()
        noisy = with_noise(clean, self._config.noise, seed=0)
        rows = torch.stack([clean, noisy, self.restore(noisy).cpu()], dim=1)
        return rows.expand(-1, -1, 3, -1, -1).contiguous()

    @torch.no_grad()
    def restore(self, pictures: Tensor, *, noise: float | None = None) -> Tensor:
        """Give noisy pictures back clean, by the averaged weights (see `Restores`).

        It knows only the noise that it was taught with, so it does not ask how much there is.
        """
        with self._runtime.autocast():
            drawn = self._averaged.average(self._runtime.pictures(pictures))
        return cast(Tensor, drawn).float().clamp(0, 1).contiguous()

    def unlikeness(self, pictures: Tensor) -> Tensor:
        """Return how badly each of the pictures is given back (see the function), (n,)."""
        return unlikeness(pictures.to(self._runtime.device), self.restore(pictures))

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averaged weights, Adam's state and the number of steps."""
        return self._averaged.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._averaged.load_state_dict(state)


def unlikeness(pictures: Tensor, given: Tensor) -> Tensor:
    """Return how far n pictures (n, channels, s, s) 0…1 are from what was given back, (n,).

    The mean square of the differences, averaged over blocks of 4 × 4 pixels since finer ones tell
    how sharp a picture is, as a share of the picture's standard deviation since differences grow
    with contrast.
    """
    coarse = F.avg_pool2d(pictures - given, _BLOCK).square().flatten(1).mean(1)
    return coarse / pictures.flatten(1).std(1).clamp(min=1e-3)


class _Network(nn.Module):
    """Encoder, code and decoder; whatever the decoder knows has gone through the code."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths, last = config.widths, config.widths[-1]
        layers: list[nn.Module] = [nn.PixelUnshuffle(2)]
        for i, (before, width) in enumerate(pairwise((4 * config.channels, *widths))):
            layers += [_convolution(before, width, min(i + 1, 2)), nn.LeakyReLU(0.1)]
            layers += [Residual(width)]
        self.encoder = nn.Sequential(*layers, nn.Conv2d(last, config.code, 1))
        layers = [nn.Conv2d(config.code, last, 1), Residual(last)]
        for before, width in zip(widths[:0:-1], widths[-2::-1], strict=True):
            layers += [nn.Conv2d(before, 4 * width, 1), nn.PixelShuffle(2), nn.LeakyReLU(0.1)]
            layers += [Residual(width)]
        layers += [_convolution(widths[0], 4 * config.channels, 1), nn.PixelShuffle(2)]
        self.decoder = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return pictures (n, channels, s, s) as the code lets them be; grey is 0 inside."""
        return cast(Tensor, (1 + self.decoder(self.encoder(2 * pictures - 1))) / 2)


def _convolution(before: int, width: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(before, width, 3, stride=stride, padding=1)
