"""Twin autoencoder: one encoder for everybody, a decoder per person, swap by another's decoder.

The classic of face swapping (deepfakes, 2017; Perov et al., DeepFaceLab, arXiv 2005.05535), for
two or more people. The encoder sees warped and recoloured faces and the decoder gives back the
true one, so the code keeps the performance and the decoder holds the person. Reconstruction does
not measure the swap: with time the people's codes drift apart. Against that: a tight code on a
sphere with noise on it, shared layers after it, a penalty that keeps the people's codes alike,
and averaged weights.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.faces.people import PeopleBatch
from changeling.generators.blocks import check_people, check_size, find_person, swap_grid
from changeling.generators.protocols import Swapped, Task
from changeling.training import Losses, Runtime, load_optimizer, optimizer_state


@dataclass(frozen=True)
class Config:
    """Settings of the autoencoder."""

    people: tuple[str, ...]
    """Names, two or more; one decoder each."""
    size: int = 64
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

    @classmethod
    def tiny(cls) -> "Config":
        """Return the smallest configuration that still runs every line."""
        return cls(people=("a", "b", "c"), size=16, widths=(8, 12), code=6)

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        """Return the configuration for two cores: 128 pixels and above have one level more."""
        if task.size < 128:
            return cls(task.people, task.size)
        return cls(task.people, task.size, widths=(32, 64, 96, 192, 256), code=384)


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
        self._network = runtime.network(_Network(config))
        self._average = deepcopy(self._network).requires_grad_(False).eval()
        self._adam = runtime.adam(self._network.parameters(), rate=config.rate, betas=(0.9, 0.99))
        self._steps = 0

    def step(self, batch: PeopleBatch, /) -> Losses:
        """Give every face back by its person's decoder; move the weights and their average."""
        inputs = self._runtime.pictures(batch.inputs.flatten(0, 1))
        targets = self._runtime.pictures(batch.targets.flatten(0, 1))
        masks = self._runtime.pictures(batch.masks.flatten(0, 1))
        with self._runtime.autocast():
            codes = self._network.encode(inputs)
            noisy = codes + self._config.noise * torch.randn_like(codes)
            drawn = self._network.decode(noisy.chunk(len(self.people)))
        losses = {
            **_drawing_losses(drawn.float(), targets, masks, self._config.outside),
            "tie": discrepancy(codes.float().unflatten(0, batch.inputs.shape[:2])),
        }
        self._move(self._total(losses))
        return {name: loss.detach() for name, loss in losses.items()}

    def preview(self, batch: PeopleBatch, /) -> Tensor:
        """Draw some faces of the batch, each followed by itself as each of the people."""
        return swap_grid(self, batch.targets)

    @torch.no_grad()
    def swap(self, faces: Tensor, *, to: str) -> Swapped:
        """Give `faces` back as the person `to`, by the averaged weights (see `Swaps`)."""
        person = find_person(self.people, to)
        with self._runtime.autocast():
            code = self._average.encode(self._runtime.pictures(faces))
            drawn = self._average.draw(code, person)
        drawn = drawn.float().contiguous()
        return Swapped(drawn[:, :3].clamp(0, 1), drawn[:, 3:].sigmoid())

    def state_dict(self) -> dict[str, Any]:
        """Return weights, averaged weights, Adam's state and the number of steps."""
        return {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "adam": optimizer_state(self._adam),
            "steps": self._steps,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Take over what `state_dict` returned."""
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        load_optimizer(self._adam, state["adam"])
        self._steps = state["steps"]

    def _total(self, losses: Mapping[str, Tensor]) -> Tensor:
        config = self._config
        drawing = losses["l1"] + config.structure * losses["dssim"] + config.mask * losses["mask"]
        return drawing + config.tie * losses["tie"]

    def _move(self, total: Tensor) -> None:
        self._adam.zero_grad()
        total.backward()
        self._steps += 1
        for group in self._adam.param_groups:
            group["lr"] = self._config.rate * pace(self._steps, self._config.steady)
        self._adam.step()
        learnt = 1 - memory(self._steps)
        pairs = zip(self._average.parameters(), self._network.parameters(), strict=True)
        for average, weight in pairs:
            average.lerp_(weight.detach(), learnt)


def pace(step: int, steady: int, warm: int = 50) -> float:
    """Return the learning rate at `step` (from 1) as a share of its peak.

    Linear warm-up, then constant, then falling with the root of the step (Karras et al., EDM2,
    arXiv 2312.02696, equation 67): no horizon, so a budget in minutes resumes exactly.
    """
    return min(1.0, step / warm) * min(1.0, (steady / step) ** 0.5)


def memory(step: int, power: float = 16.0) -> float:
    """Return the share of the averaged weights that is kept at `step` (from 1).

    A power-function average (EDM2, arXiv 2312.02696, section 3.1): its window is a fixed share of
    the training so far, so that it too needs no horizon.
    """
    return (1 - 1 / step) ** (power + 1)


def discrepancy(codes: Tensor) -> Tensor:
    """Return how much the codes (people, n, numbers) of the people differ; 0 expected if alike.

    The unbiased squared maximum mean discrepancy with a Gaussian kernel (Gretton et al., A Kernel
    Two-Sample Test, JMLR 2012, equation 4), the mean over all pairs of people. It compares no
    face with that of the same row, so rows may share their light.
    """
    people, n, numbers = codes.shape
    flat = codes.flatten(0, 1)
    similar = torch.exp(-torch.cdist(flat, flat).square() / (2 * numbers))
    others = 1 - torch.eye(n, device=codes.device).repeat(people, people)
    blocks = (similar * others).unflatten(0, (people, n)).unflatten(2, (people, n)).sum(dim=(1, 3))
    means = blocks / max(1, n * (n - 1))
    across = (means.sum() - means.trace()) / (people * (people - 1))
    return 2 * (means.diagonal().mean() - across)


def _drawing_losses(
    drawn: Tensor, targets: Tensor, masks: Tensor, outside: float
) -> dict[str, Tensor]:
    """Compare drawn faces (n, 4, s, s) with the targets, mainly inside the masks."""
    faces, logits = drawn[:, :3], drawn[:, 3:]
    weights = outside + (1 - outside) * masks
    differences = (faces - targets).abs().mean(dim=1, keepdim=True)
    return {
        "l1": (weights * differences).sum() / weights.sum(),
        "dssim": dissimilarity(faces, targets, weights),
        "mask": F.binary_cross_entropy_with_logits(logits, masks),
    }


def dissimilarity(faces: Tensor, targets: Tensor, weights: Tensor, window: int = 7) -> Tensor:
    """Return the mean of (1 - SSIM) / 2, weighted per pixel: 0 for equal pictures, at most 1.

    SSIM (Wang et al., IEEE TIP 2004) of pictures in 0…1, in windows of `window`² equal weights at
    every second pixel: neighbouring windows say nearly the same, for four times the price.
    """
    x, xx, xy = _window_means([faces, faces**2, faces * targets], window)
    y, yy, weight = _window_means([targets, targets**2, weights.expand_as(targets)], window)
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * x * y + c1) / (x**2 + y**2 + c1)
    structure = (2 * (xy - x * y) + c2) / (xx - x**2 + yy - y**2 + c2)
    return (weight * (1 - luminance * structure)).sum() / (2 * weight.sum())


def _window_means(pictures: list[Tensor], window: int) -> tuple[Tensor, ...]:
    rows = F.avg_pool2d(torch.cat(pictures, dim=1), (window, 1), stride=(2, 1))
    return F.avg_pool2d(rows, (1, window), stride=(1, 2)).chunk(len(pictures), dim=1)


class _Network(nn.Module):
    """Encoder, the layers shared after the code, one decoder per person."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        grid = config.size // 2 ** len(config.widths)
        last = config.widths[-1]
        self.encoder = _encoder(config, last * grid * grid)
        self.shared = nn.Sequential(
            nn.Linear(config.code, last * grid * grid),
            nn.Unflatten(1, (last, grid, grid)),
            _Residual(last),
        )
        self.decoders = nn.ModuleList(_decoder(config.widths) for _ in config.people)

    def encode(self, faces: Tensor) -> Tensor:
        """Return the codes (n, code) of faces (n, 3, size, size) in 0…1.

        Grey is 0 to the encoder: else brightness would scale all it sees, which the sphere undoes.
        """
        return cast(Tensor, self.encoder(2 * faces - 1))

    def decode(self, codes: tuple[Tensor, ...]) -> Tensor:
        """Draw each person's codes (n, code) by its decoder, as (people · n, 4, size, size)."""
        shared = self.shared(torch.cat(codes)).chunk(len(codes))
        drawn = [decoder(x) for decoder, x in zip(self.decoders, shared, strict=True)]
        return torch.cat(drawn)

    def draw(self, code: Tensor, person: int) -> Tensor:
        """Draw codes (n, code) by one person's decoder, as (n, 4, size, size)."""
        return cast(Tensor, self.decoders[person](self.shared(code)))


class _Residual(nn.Module):
    """A convolution beside the identity; begins close to the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x + self.convolution(x), 0.1)


def _encoder(config: Config, features: int) -> nn.Sequential:
    """Halve the size once by moving pixels to channels, then by strides."""
    layers: list[nn.Module] = [nn.PixelUnshuffle(2)]
    for i, (before, width) in enumerate(zip((12, *config.widths), config.widths, strict=False)):
        layers += [nn.Conv2d(before, width, 3, stride=min(i + 1, 2), padding=1), nn.LeakyReLU(0.1)]
    layers += [nn.Flatten(), nn.Linear(features, config.code)]
    return nn.Sequential(*layers, nn.LayerNorm(config.code, elementwise_affine=False))


def _decoder(widths: tuple[int, ...]) -> nn.Sequential:
    """Double the size by moving channels to pixels; never a convolution at full size."""
    layers: list[nn.Module] = []
    for before, width in zip(widths[:0:-1], widths[-2::-1], strict=True):
        layers += [nn.Conv2d(before, 4 * width, 1), nn.PixelShuffle(2), nn.LeakyReLU(0.1)]
        layers += [_Residual(width)]
    return nn.Sequential(*layers, nn.Conv2d(widths[0], 16, 3, padding=1), nn.PixelShuffle(2))
