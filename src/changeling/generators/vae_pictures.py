"""Variational autoencoder of small pictures: two layers down to a Gaussian code, two layers back.

Kingma & Welling, Auto-Encoding Variational Bayes, arXiv 1312.6114, in the size that teaching
examples have: 784-400-20-400-784. With two decoders, A and B, behind one encoder, both trained on
the same pictures, it is the network of the report, whose sum of both decoders' losses fell from
573.48 to 485.36 per picture of FashionMNIST in 10 epochs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.faces.pictures import PictureBatch
from changeling.generators.blocks import (
    PREVIEWED,
    check_kind,
    check_size,
    divergence,
    picture_grid,
    reparameterise,
)
from changeling.generators.protocols import Task
from changeling.training import Losses, Runtime, load_optimizer, optimizer_state


@dataclass(frozen=True)
class Config:
    """Settings of the variational autoencoder of pictures."""

    kinds: ClassVar[int] = 0
    """Classes that can be asked for: none, since the network never sees them."""
    size: int = 28
    """Side of the pictures in pixels, divisible by 4."""
    channels: int = 1
    """3 for RGB, 1 for grey."""
    hidden: int = 400
    """Numbers in the layer between picture and code, on both sides."""
    code: int = 20
    """Numbers in the code."""
    decoders: int = 1
    """Decoders behind the encoder, all trained on the same pictures; the first one is used."""
    rate: float = 1e-3
    """Learning rate of Adam."""
    batch: int = 128
    """Pictures in a step."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(size=8, hidden=12, code=3, decoders=2)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores: one decoder is as good as each of two."""
        return cls(task.size, task.channels)

    @classmethod
    def report(cls, task: Task) -> "Config":
        """Return the report's network. Its code and batch are not stated; 20 and 128 repeat it."""
        return cls(task.size, task.channels, decoders=2)


class PictureVAE:
    """The learner, and the `Draws` and `Restores` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the network on `runtime`; raises `UserError` for a size that does not fit."""
        check_size(config.size, 4)
        self.size = config.size
        """Side of the pictures in pixels."""
        self.channels = config.channels
        """3 for RGB, 1 for grey."""
        self.kinds = config.kinds
        """0: it cannot be asked for a class."""
        self._code = config.code
        self._runtime = runtime
        self._network = runtime.network(_Network(config))
        self._adam = runtime.adam(self._network.parameters(), rate=config.rate, betas=(0.9, 0.999))

    def step(self, batch: PictureBatch, /) -> Losses:
        """Give every picture back by every decoder and move the weights.

        The losses are per picture and summed over the decoders, each of which draws a code of its
        own: the Bernoulli likelihood of the pixels and the divergence of the code.
        """
        pictures = self._runtime.pictures(batch.pictures)
        with self._runtime.autocast():
            mean, log_variance = self._network.encode(pictures)
        mean, log_variance = mean.float(), log_variance.float()
        bce = torch.zeros((), device=pictures.device)
        for decoder in self._network.decoders:
            with self._runtime.autocast():
                drawn = decoder(reparameterise(mean, log_variance))
            bce = bce + F.binary_cross_entropy_with_logits(drawn.float(), pictures, reduction="sum")
        kl = len(self._network.decoders) * divergence(mean, log_variance).sum()
        self._adam.zero_grad()
        (bce + kl).backward()
        self._adam.step()
        return {"bce": bce.detach() / len(batch), "kl": kl.detach() / len(batch)}

    def preview(self, batch: PictureBatch, /) -> Tensor:
        """Draw some pictures, each followed by itself restored and by one that is made up."""
        pictures = batch.pictures[: 2 * PREVIEWED]
        columns = [pictures, self.restore(pictures), self.draw(len(pictures), seed=0)]
        return picture_grid(torch.stack([x.cpu() for x in columns], dim=1).flatten(0, 1), 3)

    @torch.no_grad()
    def restore(self, pictures: Tensor, *, seed: int | None = None) -> Tensor:
        """Give `pictures` back through the mean of their codes (see `Restores`).

        With a `seed`, through codes drawn from their Gaussians, as training does.
        """
        with self._runtime.autocast():
            code, log_variance = self._network.encode(self._runtime.pictures(pictures))
            if seed is not None:
                dice = torch.Generator().manual_seed(seed)
                noise = torch.randn(code.shape, generator=dice).to(code.device)
                code = code + (0.5 * log_variance).exp() * noise
            return self._drawn(code)

    @torch.no_grad()
    def draw(self, count: int, *, seed: int, kind: int | None = None) -> Tensor:
        """Draw pictures of random codes (see `Draws`); raises `UserError` for any `kind`."""
        check_kind(kind, self.kinds)
        code = torch.randn(count, self._code, generator=torch.Generator().manual_seed(seed))
        with self._runtime.autocast():
            return self._drawn(code.to(self._runtime.device)).cpu()

    def state_dict(self) -> dict[str, Any]:
        """Return the weights and Adam's state."""
        return {"network": self._network.state_dict(), "adam": optimizer_state(self._adam)}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._network.load_state_dict(state["network"])
        load_optimizer(self._adam, state["adam"])

    def _drawn(self, code: Tensor) -> Tensor:
        drawn: Tensor = self._network.decoders[0](code)
        return drawn.float().sigmoid().contiguous()


class _Network(nn.Module):
    """Pictures to the mean and the logarithm of the variance of their codes; codes to logits."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        shape = (config.channels, config.size, config.size)
        pixels = config.channels * config.size**2
        self.hidden = nn.Linear(pixels, config.hidden)
        self.mean = nn.Linear(config.hidden, config.code)
        self.log_variance = nn.Linear(config.hidden, config.code)
        self.decoders = nn.ModuleList(
            nn.Sequential(
                nn.Linear(config.code, config.hidden),
                nn.ReLU(),
                nn.Linear(config.hidden, pixels),
                nn.Unflatten(1, shape),
            )
            for _ in range(config.decoders)
        )

    def encode(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.hidden(pictures.flatten(1)).relu()
        return self.mean(hidden), self.log_variance(hidden)
