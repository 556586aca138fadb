"""StyleGAN: a generator whose layers are told by styles what to draw, and a discriminator.

Karras et al., A Style-Based Generator Architecture for GANs (arXiv 1812.04948), with adaptive
instance normalisation; and Analyzing and Improving the Image Quality of StyleGAN (arXiv
1912.04958), with modulated and demodulated convolutions; a setting chooses. Both have the second
paper's skip generator and residual discriminator and no progressive growing. On two cores the
finest grid has half the picture's side: each place draws and reads 2 × 2 pixels.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.faces.pictures import PictureBatch
from changeling.generators import stylegan_networks as networks
from changeling.generators.blocks import check_batch, check_kind, check_size, picture_grid
from changeling.generators.protocols import Task
from changeling.training import Losses, Runtime, adversarial, load_optimizer, optimizer_state
from changeling.training.averaged import follow, pace, set_rate

BETAS = (0.0, 0.99)
CENTRED = 0.005
"""Share of the average style that each step renews."""
PREVIEWED = 64
"""Pictures of a preview."""


@dataclass(frozen=True)
class Config:
    """Settings of StyleGAN."""

    size: int = 64
    """Side of the pictures: a multiple of fold · 2 to the number of widths less one."""
    channels: int = 3
    """3 for RGB, 1 for grey."""
    style: Literal["adain", "modulated"] = "modulated"
    """How styles act: AdaIN (StyleGAN, 2019) or modulated convolutions (StyleGAN2, 2020)."""
    widths: tuple[int, ...] = (128, 128, 64, 32)
    """Channels at the coarsest grid and at each one twice as fine; multiples of 32 are fast."""
    fold: int = 2
    """Side in pixels of what one place of the finest grid draws: 1 as in the papers, 2 is fast."""
    code: int = 128
    """Numbers in z and in a style."""
    mapping: int = 4
    """Layers of the mapping network."""
    mapping_rate: float = 0.01
    """Learning rate of the mapping network as a share of the others'."""
    mixing: float = 0.9
    """Share of the pictures that are drawn with two styles."""
    r1: float = 0.3
    """γ, the weight of R1."""
    lazy: int = 16
    """R1 is computed every so many steps, and then weighs as many times as much."""
    rate: float = 5e-3
    """Learning rate of both Adams after its warm-up and before its decay."""
    steady: int = 4000
    """Steps after which the learning rate begins to fall with the root of the step."""
    batch: int = 16
    """Pictures of a step."""
    truncation: float = 0.7
    """How far drawn styles lie from the average style, 1: as far as they were learnt."""

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(size=16, widths=(8, 8), code=6, mapping=2, lazy=2)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores: as many grids as the size can be halved."""
        finest, widths = task.size // 2, (32, 64, 128, 128)
        levels = 1
        while finest % 2 == 0 and finest >= 8:
            finest, levels = finest // 2, levels + 1
        wide = tuple(widths[min(level, 3)] for level in range(levels))
        return cls(task.size, task.channels, widths=wide[::-1])

    @property
    def kinds(self) -> int:
        """0: it is never told what a picture shows."""
        return 0


class StyleGAN:
    """The learner, and the `Draws` that it becomes."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        """Build the networks on `runtime`; raises `UserError` for sizes that do not fit."""
        check_size(config.size, networks.divisor(config))
        check_batch(config.batch)
        self.size = config.size
        """Side of the pictures in pixels."""
        self.channels = config.channels
        """3 for RGB, 1 for grey."""
        self.kinds = config.kinds
        """0: it cannot be asked for a class."""
        self._config = config
        self._runtime = runtime
        self._generator = runtime.network(networks.Generator(config))
        self._judge = runtime.network(networks.Discriminator(config))
        self._average = deepcopy(self._generator).requires_grad_(False).eval()
        self._centre = torch.zeros(config.code, device=runtime.device)
        self._artist = runtime.adam(self._generator.parameters(), rate=config.rate, betas=BETAS)
        self._critic = runtime.adam(self._judge.parameters(), rate=config.rate, betas=BETAS)
        self._steps, self._r1 = 0, 0.0

    def step(self, batch: PictureBatch, /) -> Losses:
        """Draw as many pictures as the batch has; move the judge, the generator and its average.

        Besides the losses says how the two get on (see `training.collapse`), and R1 as it was
        when it was last computed.
        """
        real = self._runtime.pictures(2 * batch.pictures - 1)
        drawn = self._draw_mixed(len(real))
        self._set_pace()
        losses = {**self._teach_judge(real, drawn.detach()), **self._teach_generator(drawn)}
        self._steps += 1
        follow(self._average, self._generator, self._steps)
        return {name: loss.detach() for name, loss in losses.items()}

    def preview(self, batch: PictureBatch, /) -> Tensor:
        """Draw some pictures, always from the same random numbers."""
        return picture_grid(self.draw(PREVIEWED, seed=0))

    def draw(self, count: int, *, seed: int, kind: int | None = None) -> Tensor:
        """Draw truncated styles (see `Draws`); raises `UserError` for any `kind`."""
        check_kind(kind, self.kinds)
        return self.draw_styles(self.styles(count, seed=seed), seed=seed)

    @torch.no_grad()
    def styles(self, count: int, *, seed: int, truncation: float | None = None) -> Tensor:
        """Draw styles (count, code), on the CPU, `truncation` times as far from the average.

        None: as far as the configuration says. 0: the average style itself.
        """
        reach = self._config.truncation if truncation is None else truncation
        z = torch.randn(count, self._config.code, generator=_dice(seed))
        styles = self._average.mapping(z.to(self._runtime.device))
        return torch.lerp(self._centre, styles, reach).cpu()

    @torch.no_grad()
    def draw_styles(self, styles: Tensor, *, seed: int = 0, batch: int = 64) -> Tensor:
        """Draw styles (n, code), or one for each layer (n, layers, code), by averaged weights.

        Returns float32 (n, channels, size, size), 0…1, on the CPU. All pictures have the same
        noise, that of the seed, so that only the styles make them differ.
        """
        synthesis = self._average.synthesis
        styles = self._average.layered(styles.to(self._runtime.device))
        noises = synthesis.noises(1, _dice(seed))
        drawn = []
        for some in styles.split(batch):
            with self._runtime.autocast():
                drawn.append(synthesis(some, noises).float().cpu())
        return ((torch.cat(drawn) + 1) / 2).clamp(0, 1).contiguous()

    def mix(self, rows: int, columns: int, *, seed: int) -> Tensor:
        """Draw a grid (rows + 1, columns + 1, channels, size, size) of mixed styles.

        The first column shows the rows' own styles, the first row the columns', the corner the
        average; each other picture takes its coarser half of the layers from its row and the
        finer half from its column (StyleGAN, figure 3).
        """
        styles = self._average.layered(self.styles(rows + columns, seed=seed))
        centre = self._average.layered(self._centre[None].cpu())
        across = torch.cat([centre, styles[rows:]]).expand(rows + 1, -1, -1, -1)
        down = torch.cat([centre, styles[:rows]])[:, None].expand(-1, columns + 1, -1, -1)
        coarse = torch.arange(styles.shape[1])[:, None] < styles.shape[1] / 2
        mixed = torch.where(coarse, down, across).clone()
        mixed[0], mixed[:, 0] = across[0], down[:, 0]
        return self.draw_styles(mixed.flatten(0, 1), seed=seed).unflatten(0, mixed.shape[:2])

    def walk(self, frames: int, *, seed: int, stops: int = 8) -> Iterator[Tensor]:
        """Draw a smooth closed walk through `stops` styles, (channels, size, size) a frame.

        A Catmull-Rom spline, whose first frame shows the first stop and follows the last one.
        """
        styles = self.styles(stops, seed=seed)
        for frame in range(frames):
            yield self.draw_styles(along(styles, frame / frames)[None], seed=seed)[0]

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averaged weights, the average style, both Adams' states, counters."""
        return {
            "network": {
                "generator": self._generator.state_dict(),
                "judge": self._judge.state_dict(),
            },
            "average": self._average.state_dict(),
            "centre": self._centre,
            "artist": optimizer_state(self._artist),
            "critic": optimizer_state(self._critic),
            "steps": self._steps,
            "r1": self._r1,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._generator.load_state_dict(state["network"]["generator"])
        self._judge.load_state_dict(state["network"]["judge"])
        self._average.load_state_dict(state["average"])
        self._centre.copy_(state["centre"])
        load_optimizer(self._artist, state["artist"])
        load_optimizer(self._critic, state["critic"])
        self._steps, self._r1 = state["steps"], state["r1"]

    def _set_pace(self) -> None:
        rate = self._config.rate * pace(self._steps + 1, self._config.steady)
        for adam in (self._artist, self._critic):
            set_rate(adam, rate)

    def _draw_mixed(self, count: int) -> Tensor:
        """Draw with fresh noise; most pictures change to a second style at some layer."""
        z = torch.randn(2 * count, self._config.code).to(self._runtime.device)
        with self._runtime.autocast():
            one, other = self._generator.layered(self._generator.mapping(z)).chunk(2)
            self._centre.lerp_(one[:, 0].detach().float().mean(0), CENTRED)
            layers = one.shape[1]
            change = torch.randint(1, layers, (count, 1, 1))
            change[torch.rand(count) >= self._config.mixing] = layers
            kept = torch.arange(layers)[None, :, None] < change
            styles = torch.where(kept.to(one.device), one, other)
            synthesis = self._generator.synthesis
            return synthesis(styles, synthesis.noises(count)).float()

    def _teach_judge(self, real: Tensor, drawn: Tensor) -> dict[str, Tensor]:
        """Move the judge by the logistic loss and, now and then, R1."""
        self._judge.requires_grad_(True)
        lazy = self._config.lazy if self._steps % self._config.lazy == 0 else 0
        real.requires_grad_(lazy > 0)
        with self._runtime.autocast():
            trusted, doubted = self._judge(real).float(), self._judge(drawn).float()
        loss = F.softplus(-trusted).mean() + F.softplus(doubted).mean()
        total = loss
        if lazy:
            penalty = r1(trusted, real)
            total = loss + self._config.r1 / 2 * lazy * penalty
            self._r1 = float(penalty.detach())
        _move(self._critic, total)
        return {
            "judge": loss,
            "r1": loss.new_tensor(self._r1),
            **adversarial(trusted.sigmoid(), doubted.sigmoid(), drawn, real),
        }

    def _teach_generator(self, drawn: Tensor) -> dict[str, Tensor]:
        """Move the generator by the non-saturating logistic loss."""
        self._judge.requires_grad_(False)
        with self._runtime.autocast():
            scores = self._judge(drawn).float()
        loss = F.softplus(-scores).mean()
        _move(self._artist, loss)
        return {"generator": loss}


def r1(scores: Tensor, pictures: Tensor) -> Tensor:
    """Return the mean squared length of the gradient of scores (n, 1) for pictures (n, …).

    Mescheder et al., Which Training Methods for GANs do actually Converge (arXiv 1801.04406),
    equation 9, without γ / 2.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), pictures, create_graph=True)
    return gradient.float().square().flatten(1).sum(1).mean()


def along(styles: Tensor, way: float) -> Tensor:
    """Return the style (code,) at `way`, 0…1, of the closed Catmull-Rom spline through styles.

    Catmull and Rom, A class of local interpolating splines, 1974.
    """
    stop, t = divmod(way * len(styles), 1.0)
    before, one, two, after = (styles[(int(stop) + i) % len(styles)] for i in (-1, 0, 1, 2))
    bend = 2 * before - 5 * one + 4 * two - after
    twist = 3 * (one - two) + after - before
    return one + t / 2 * (two - before + t * (bend + t * twist))


def _move(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _dice(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
