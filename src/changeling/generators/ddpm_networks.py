"""The two U-Nets of diffusion: the report's, and one that two cores can afford."""

import math
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ReportNet(nn.Module):
    """The report's U-Net: blocks that halve or double, the time added once in each.

    Pictures (n, channels, s, s), times (n,), classes (n,), which it does not look at → the same
    shape; s is a multiple of 2 to the number of `widths` less one.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], embedded: int = 32) -> None:
        """Build for `widths`, such as 64, 128, 256, 512, 1024, and times of `embedded` numbers."""
        super().__init__()
        self.embedded = embedded
        self.time = nn.Sequential(nn.Linear(embedded, embedded), nn.ReLU())
        self.first = nn.Conv2d(channels, widths[0], 3, padding=1)
        steps = list(pairwise(widths))
        self.down = nn.ModuleList(Block(a, b, embedded) for a, b in steps)
        self.up = nn.ModuleList(Block(b, a, embedded, up=True) for a, b in reversed(steps))
        self.last = nn.Conv2d(widths[0], channels, 1)

    def forward(self, pictures: Tensor, times: Tensor, kinds: Tensor) -> Tensor:
        """Return what was predicted."""
        time = self.time(waves(times, self.embedded))
        x, kept = self.first(pictures), []
        for block in self.down:
            x = block(x, time)
            kept.append(x)
        for block in self.up:
            x = block(torch.cat([x, kept.pop()], dim=1), time)
        return cast(Tensor, self.last(x))


class Block(nn.Module):
    """Convolution, ReLU, norm; the time; convolution, ReLU, norm; then half or double the size."""

    def __init__(self, before: int, width: int, embedded: int, *, up: bool = False) -> None:
        """Take `before` channels, or twice as many on the way `up`, and give `width`."""
        super().__init__()
        self.time = nn.Linear(embedded, width)
        self.first = nn.Conv2d(2 * before if up else before, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(2))
        sized = nn.ConvTranspose2d if up else nn.Conv2d
        self.sized = sized(width, width, 4, stride=2, padding=1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Return features of half or double the size."""
        x = self.norms[0](F.relu(self.first(x)))
        x = x + F.relu(self.time(time))[:, :, None, None]
        return cast(Tensor, self.sized(self.norms[1](F.relu(self.second(x)))))


class PatchNet(nn.Module):
    """A U-Net that never convolves at full size: pixels become channels first, and pixels again.

    Pictures (n, channels, s, s), times (n,), classes (n,), where the class `kinds` means none →
    the same shape; s is a multiple of patch · 2 to the number of `widths` less one. Patches instead
    of convolutions at full size: Hoogeboom, Heek and Salimans, Simple Diffusion, ICML 2023,
    arXiv 2301.11093, section 3.3. What comes up is added to what went down, not put beside it,
    which halves the multiplications on the way up.
    """

    def __init__(
        self, channels: int, kinds: int, *, patch: int, widths: tuple[int, ...], depth: int
    ) -> None:
        """Build with `depth` residual blocks at each level, down and up."""
        super().__init__()
        self.embedded = 2 * widths[0]
        inside = 2 * self.embedded
        self.time = nn.Sequential(nn.Linear(self.embedded, inside), nn.SiLU())
        self.kind = nn.Embedding(kinds + 1, inside)
        self.first = nn.Sequential(
            nn.PixelUnshuffle(patch), nn.Conv2d(channels * patch**2, widths[0], 3, padding=1)
        )
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for before, width in zip((widths[0], *widths), widths, strict=False):
            self.down.append(_Level(before, width, inside, depth))
            self.up.insert(0, _Level(width, before, inside, depth))
        self.middle = _Attention(widths[-1])
        self.last = nn.Sequential(
            nn.GroupNorm(_groups(widths[0]), widths[0]), nn.SiLU(),
            nn.Conv2d(widths[0], channels * patch**2, 3, padding=1), nn.PixelShuffle(patch),
        )  # fmt: skip

    def forward(self, pictures: Tensor, times: Tensor, kinds: Tensor) -> Tensor:
        """Return what was predicted."""
        told = F.silu(self.time(waves(times, self.embedded)) + self.kind(kinds))
        x, kept = self.first(pictures), []
        for i, level in enumerate(self.down):
            x = level(F.avg_pool2d(x, 2) if i else x, told)
            kept.append(x)
        x = self.middle(x)
        for i, level in enumerate(self.up):
            x = level((F.interpolate(x, scale_factor=2.0) if i else x) + kept.pop(), told)
        return cast(Tensor, self.last(x))


class _Level(nn.Module):
    """Residual blocks at one size; the first changes the width on the way down, the last up."""

    def __init__(self, before: int, width: int, told: int, depth: int) -> None:
        super().__init__()
        inner = max(before, width)
        widths = [before, *[inner] * (depth - 1), width]
        self.blocks = nn.ModuleList(_Told(a, b, told) for a, b in pairwise(widths))

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, told)
        return x


class _Told(nn.Module):
    """Two convolutions beside the identity, scaled and shifted by what it is told.

    Dhariwal and Nichol, Diffusion Models Beat GANs, arXiv 2105.05233, section 3 (AdaGN).
    """

    def __init__(self, before: int, width: int, told: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(_groups(w), w) for w in (before, width))
        self.first = nn.Conv2d(before, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.told = nn.Linear(told, 2 * width)
        self.skip = nn.Identity() if before == width else nn.Conv2d(before, width, 1)
        # Close to the identity at first, yet with a gradient to everything from the first step on.
        nn.init.normal_(self.second.weight, std=0.1 / math.sqrt(9 * width))

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        scale, shift = self.told(told)[:, :, None, None].chunk(2, dim=1)
        inner = self.norms[1](self.first(F.silu(self.norms[0](x))))
        return cast(Tensor, self.skip(x) + self.second(F.silu(inner * (1 + scale) + shift)))


class _Attention(nn.Module):
    """Every place looks at every other, beside the identity: for the smallest maps."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = _groups(width) // 2
        self.norm = nn.GroupNorm(_groups(width), width)
        self.asked = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        nn.init.normal_(self.out.weight, std=0.1 / math.sqrt(width))

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        asked = self.asked(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, -1))
        query, key, value = asked.transpose(3, 4).unbind(1)
        seen = F.scaled_dot_product_attention(query, key, value)
        return cast(Tensor, x + self.out(seen.transpose(2, 3).reshape(n, c, h, w)))


def waves(times: Tensor, numbers: int) -> Tensor:
    """Return sines and cosines (n, numbers) of times (n,) at wavelengths from 2π to 20,000π.

    Vaswani et al., Attention Is All You Need, arXiv 1706.03762, section 3.5.
    """
    half = numbers // 2
    places = torch.arange(half, device=times.device) / max(1, half - 1)
    angles = times[:, None].float() * torch.exp(-math.log(10_000) * places)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _groups(width: int) -> int:
    """Groups of 16 channels, at least 2."""
    return max(2, width // 16)
