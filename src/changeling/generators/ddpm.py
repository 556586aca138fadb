"""Diffusion: a network learns to see through noise, and draws by taking noise away in many steps.

Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models, arXiv 2006.11239. Beyond it: the
cosine schedule (Nichol and Dhariwal, arXiv 2102.09672), drawing in few steps (Song, Meng and
Ermon, DDIM, arXiv 2010.02502), guidance by class without a classifier (Ho and Salimans, arXiv
2207.12598), velocity in place of noise (Salimans and Ho, arXiv 2202.00512), weights by the
signal-to-noise ratio (Hang et al., arXiv 2303.09556), and averaged weights. A spoilt picture is
mended by the same steps, begun where the noise is as strong as the picture's, or filled in around
what is known (Lugmayr et al., RePaint, arXiv 2201.09865).
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.faces.pictures import PictureBatch
from changeling.generators.blocks import check_kind, check_size, picture_grid
from changeling.generators.ddpm_networks import PatchNet, ReportNet
from changeling.generators.ddpm_process import (
    Predict,
    Process,
    Sampling,
    draws,
    guided,
    noise_level,
)
from changeling.generators.protocols import Task
from changeling.training import Losses, Runtime, load_optimizer, optimizer_state
from changeling.training.averaged import follow, pace, set_rate

_PREVIEWED, _AT_ONCE = 16, 64
_MENDING, _REPEATS = 25, 5
"""Steps in which a picture is mended; how often each is gone where a hole is filled."""


@dataclass(frozen=True)
class Config:
    """Settings of diffusion."""

    size: int = 28
    """Side of the pictures in pixels, a multiple of the patch times 2 to the widths less one."""
    channels: int = 1
    """3 for RGB, 1 for grey."""
    kinds: int = 0
    """Classes that it is told of; 0: none."""
    network: Literal["patches", "report"] = "patches"
    """A U-Net for two cores, or the report's."""
    patch: int = 2
    """Side in pixels of the squares that become channels; only for the network of patches."""
    widths: tuple[int, ...] = (64, 128)
    """Channels at each level; multiples of 32 are fast."""
    depth: int = 1
    """Residual blocks at each level, down and up; only for the network of patches."""
    schedule: Literal["cosine", "linear"] = "cosine"
    """How fast the noise grows; linear: its variance from 0.0001 to 0.02 a step."""
    steps: int = 1000
    """Steps from a picture to noise."""
    predicts: Literal["velocity", "noise"] = "velocity"
    """What the network tells of a noisy picture."""
    loss: Literal["squared", "absolute"] = "squared"
    """How predictions are compared."""
    cap: float | None = 5.0
    """Signal-to-noise ratio above which a picture counts no more in the loss; None: all alike."""
    dropped: float = 0.1
    """Share of the pictures whose class is kept back, so that guidance has both."""
    sampling: Sampling = field(default_factory=Sampling)
    """How pictures are drawn unless asked otherwise."""
    averaged: bool = True
    """Draw with averaged weights instead of the last ones."""
    rate: float = 1e-3
    """Learning rate of Adam after its warm-up and before its decay."""
    steady: int | None = 4000
    """Steps after which the learning rate begins to fall; None: no warm-up and no decay."""
    batch: int = 64
    """Pictures in a step."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(size=16, kinds=3, widths=(8, 12), steps=20, sampling=Sampling(4, guidance=2.0))

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores: however large, it works on about 16×16 places."""
        patch, sampling = max(2, task.size // 16), Sampling(guidance=1.5)
        return cls(task.size, task.channels, task.kinds, patch=patch, sampling=sampling)

    @classmethod
    def report(cls, task: Task) -> "Config":
        """Return what the report ran, at 64 pixels: days of training on two cores.

        After its 300 steps 5 % of the picture's variance are left, yet it draws from pure noise.
        """
        return cls(
            64, task.channels, network="report", widths=(64, 128, 256, 512, 1024),
            schedule="linear", steps=300, predicts="noise", loss="absolute", cap=None,
            sampling=Sampling(300, eta=1.0), averaged=False, steady=None, batch=128,
        )  # fmt: skip

    @property
    def divisor(self) -> int:
        """What the side of the pictures must be a multiple of."""
        patch = self.patch if self.network == "patches" else 1
        return int(patch * 2 ** (len(self.widths) - 1))


class Ddpm:
    """The learner, and the `Draws` and `Restores` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the network on `runtime`; raises `UserError` for a size that does not fit."""
        check_size(config.size, config.divisor)
        self.size = config.size
        """Side of the pictures in pixels."""
        self.channels = config.channels
        """3 for RGB, 1 for grey."""
        self.kinds = config.kinds
        """Classes that it can be asked for."""
        self.sampling = config.sampling
        """How pictures are drawn unless asked otherwise."""
        self._config = config
        self._runtime = runtime
        self._network: nn.Module = runtime.network(_network(config))
        self._average = self._network
        if config.averaged:
            self._average = deepcopy(self._network).requires_grad_(False)
        self._adam = runtime.adam(self._network.parameters(), rate=config.rate, betas=(0.9, 0.999))
        self._process = Process(config.schedule, config.steps, config.predicts)
        self._steps = 0

    def step(self, batch: PictureBatch, /) -> Losses:
        """Put noise on the pictures, let the network see through it, and move the weights."""
        self._network.train()
        clean = self._runtime.pictures(2 * batch.pictures - 1)
        noise = torch.randn_like(clean)
        times = torch.randint(1, self._config.steps + 1, (len(clean),))
        kept = torch.rand(len(clean)) >= self._config.dropped
        kinds = torch.where(kept & (self.kinds > 0), batch.labels, self.kinds)
        noisy = self._process.noised(clean, noise, times)
        with self._runtime.autocast():
            said = self._network(noisy, times.to(clean.device), kinds.to(clean.device))
        wanted = self._process.wanted(clean, noise, times)
        compare = F.mse_loss if self._config.loss == "squared" else F.l1_loss
        errors = compare(said.float(), wanted, reduction="none").mean(dim=(1, 2, 3))
        loss = (self._process.weights(times, self._config.cap).to(errors) * errors).mean()
        self._move(loss)
        return {"error": loss.detach()}

    def preview(self, batch: PictureBatch, /) -> Tensor:
        """Draw some pictures, class after class, always from the same noise, in few steps."""
        dice = torch.Generator().manual_seed(0)
        kinds = torch.arange(_PREVIEWED) % self.kinds if self.kinds else self._unknown(_PREVIEWED)
        sampling = replace(self.sampling, steps=20, eta=0.0)
        return picture_grid(_shown(self._last(kinds, sampling, dice)))

    def draw(
        self, count: int, *, seed: int, kind: int | None = None, sampling: Sampling | None = None
    ) -> Tensor:
        """Draw `count` pictures (see `Draws`), each of a random class unless a `kind` is given.

        `sampling` stands in for the configuration's.
        """
        check_kind(kind, self.kinds)
        dice = torch.Generator().manual_seed(seed)
        sampling = sampling or self.sampling
        parts = self._kinds(count, kind, dice).split(_AT_ONCE)
        return _shown(torch.cat([self._last(kinds, sampling, dice) for kinds in parts]))

    @torch.no_grad()
    def restore(self, pictures: Tensor, *, noise: float | None = None) -> Tensor:
        """Give noisy `pictures` back clean (see `Restores`); None: as much as is seen on each."""
        dice = torch.Generator().manual_seed(0)
        given = self._runtime.pictures(2 * pictures - 1)
        seen = noise_level(pictures) if noise is None else torch.full((len(given),), noise)
        start = self._process.time_of(2 * seen)
        noisy = self._process.noised(given, torch.zeros_like(given), start)
        times = self._process.times(start, _MENDING)
        *_, (last, _) = self._process.walk(self._unguided(given), noisy, times, eta=0.0, dice=dice)
        return _shown(last)

    @torch.no_grad()
    def fill(self, pictures: Tensor, known: Tensor) -> Tensor:
        """Make up what is missing in `pictures` (see `Fills`)."""
        dice = torch.Generator().manual_seed(0)
        given = self._runtime.pictures(2 * pictures - 1)
        times = self._process.times(self._start(len(given)), _MENDING)
        predict, kept = self._unguided(given), known.to(given)
        return _shown(self._process.fill(predict, given, kept, times, repeats=_REPEATS, dice=dice))

    def forward_strip(self, pictures: Tensor, columns: int, *, seed: int) -> Tensor:
        """Show `pictures` (n, c, s, s), 0…1, as they drown in noise, (columns, n, c, s, s), 0…1.

        From the clean picture to the last step, evenly.
        """
        dice = torch.Generator().manual_seed(seed)
        clean = 2 * pictures - 1
        noise = draws(clean, dice)
        times = self._process.times(self._start(len(clean)), columns - 1).flip(0)
        return torch.stack([_shown(self._process.noised(clean, noise, at)) for at in times])

    def reverse_strip(
        self,
        count: int,
        columns: int,
        *,
        seed: int,
        kind: int | None = None,
        foreseen: bool = False,
    ) -> Tensor:
        """Show `count` pictures as they are drawn, from noise on, (columns, count, c, s, s), 0…1.

        foreseen: show at each step the picture that the network sees behind the noise instead.
        """
        check_kind(kind, self.kinds)
        dice = torch.Generator().manual_seed(seed)
        kinds = self._kinds(count, kind, dice)
        walked = list(self._walk(kinds, self.sampling, dice))
        chosen = torch.linspace(0, len(walked) - 1, columns).round().long()
        return torch.stack([_shown(walked[i][int(foreseen)]) for i in chosen])

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averaged weights if there are, Adam's state and the number of steps."""
        averaged = {"average": self._average.state_dict()} if self._config.averaged else {}
        moved = {"adam": optimizer_state(self._adam), "steps": self._steps}
        return {"network": self._network.state_dict(), **averaged, **moved}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._network.load_state_dict(state["network"])
        if self._config.averaged:
            self._average.load_state_dict(state["average"])
        load_optimizer(self._adam, state["adam"])
        self._steps = state["steps"]

    def _move(self, loss: Tensor) -> None:
        self._adam.zero_grad()
        loss.backward()
        self._steps += 1
        if self._config.steady is not None:
            set_rate(self._adam, self._config.rate * pace(self._steps, self._config.steady))
        self._adam.step()
        if self._config.averaged:
            follow(self._average, self._network, self._steps)

    def _last(self, kinds: Tensor, sampling: Sampling, dice: torch.Generator) -> Tensor:
        *_, (last, _) = self._walk(kinds, sampling, dice)
        return last

    def _walk(
        self, kinds: Tensor, sampling: Sampling, dice: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Draw a picture of each of the `kinds`: see `Process.walk`."""
        shape = (len(kinds), self.channels, self.size, self.size)
        noise = self._runtime.pictures(torch.randn(shape, generator=dice))
        times = self._process.times(self._start(len(kinds)), sampling.steps)
        guidance = sampling.guidance if self.kinds else 1
        predict = guided(self._say, kinds, self._unknown(len(kinds)), guidance)
        yield from self._process.walk(predict, noise, times, eta=sampling.eta, dice=dice)

    @torch.no_grad()
    def _say(self, noisy: Tensor, times: Tensor, kinds: Tensor) -> Tensor:
        network, at = self._average.eval(), noisy.device
        with self._runtime.autocast():
            said: Tensor = network(self._runtime.pictures(noisy), times.to(at), kinds.to(at))
        return said.float()

    def _kinds(self, count: int, kind: int | None, dice: torch.Generator) -> Tensor:
        if kind is None and self.kinds:
            return torch.randint(self.kinds, (count,), generator=dice)
        return torch.full((count,), self.kinds if kind is None else kind)

    def _unguided(self, given: Tensor) -> Predict:
        """What the network says of pictures of which no class is known."""
        unknown = self._unknown(len(given))
        return guided(self._say, unknown, unknown, 1)

    def _unknown(self, count: int) -> Tensor:
        return torch.full((count,), self.kinds)

    def _start(self, count: int) -> Tensor:
        return torch.full((count,), self._config.steps)


def _network(config: Config) -> nn.Module:
    if config.network == "report":
        return ReportNet(config.channels, config.widths)
    return PatchNet(
        config.channels, config.kinds, patch=config.patch, widths=config.widths, depth=config.depth
    )


def _shown(pictures: Tensor) -> Tensor:
    """From -1…1 to 0…1, on the CPU."""
    return ((pictures.float() + 1) / 2).clamp(0, 1).cpu().contiguous()
