"""Networks of the faceswap-GAN: a generator of face and alpha, a judge, and their choice of layers.

Upscaling is by sub-pixel convolutions (Shi et al., arXiv 1609.05158) that begin without a
checkerboard (ICNR; Aitken et al., arXiv 1707.02937). Self-attention: SAGAN (Zhang et al., ICML
2019). Half normalised features: IBN-Net (Pan et al., ECCV 2018).
"""

from dataclasses import dataclass
from math import gcd
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Norm = Literal["instance", "batch", "layer", "group", "none", "hybrid"]
Capacity = Literal["standard", "lite"]

SLOPE = 0.2
_GROUPS = 8
_COARSEST = 4
"""The encoder halves a face until its side is not above this."""
_PATCHES = 8
"""The judge halves a face until its side is not above this; it judges each place."""
_ATTENDED = 16
"""The largest side of a map whose places all look at each other."""


@dataclass(frozen=True)
class Style:
    """What all layers of the networks have in common."""

    norm: Norm
    """What follows a convolution; layer: over all features of a face; hybrid: half of them."""
    attended: int
    """Side of the maps whose places all look at each other; 0: none."""

    @classmethod
    def choose(cls, norm: Norm, size: int, *, attention: bool) -> "Style":
        """Return the style for faces of `size` pixels: attention on the largest that is cheap."""
        fits = [side for side in _halves(size, 1)[1:] if side <= _ATTENDED]
        return cls(norm, max(fits) if attention else 0)


class Generator(nn.Module):
    """One encoder for everybody, a decoder per person: faces in, faces and alphas out.

    `standard` begins and ends with convolutions at full size; `lite` has half the filters, moves
    pixels to channels first and back last, and looks at full size at nothing.
    """

    def __init__(
        self,
        size: int,
        filters: int,
        code: int,
        *,
        people: int,
        capacity: Capacity,
        style: Style,
        even: bool = False,
    ) -> None:
        """Build for faces of `size` pixels, a multiple of 16, with `filters` at full size.

        `even` gives every code a mean of 0 and a deviation of 1.
        """
        super().__init__()
        lite = capacity == "lite"
        first = filters // 2 if lite else filters
        sides = _halves(size, _COARSEST)
        widths = [first * min(2**level, 16) for level in range(len(sides))]
        start = [nn.PixelUnshuffle(2), *_convolved(12, widths[1], 3, 1, style)]
        if not lite:
            start = _convolved(3, first, 5, 1, style)
            start += _convolved(first, widths[1], 3, 2, style)
        self.encoder = nn.Sequential(
            *start, *_down(widths[1:], sides[1:], style),
            nn.Flatten(), nn.Linear(widths[-1] * sides[-1] ** 2, code),
            *([nn.LayerNorm(code, elementwise_affine=False)] if even else []),
        )  # fmt: skip
        self.shared = nn.Sequential(
            nn.Linear(code, widths[-1] * sides[-1] ** 2),
            nn.Unflatten(1, (widths[-1], sides[-1], sides[-1])),
            *_up(widths[:-3:-1], sides[:-3:-1], style, lite=lite),
        )
        last = 1 if lite else 0
        decoded = widths[last:-1][::-1], sides[last:-1][::-1]
        self.decoders = nn.ModuleList(
            nn.Sequential(*_up(*decoded, style, lite=lite), *_head(widths[last], style, lite=lite))
            for _ in range(people)
        )

    def encode(self, faces: Tensor) -> Tensor:
        """Return the codes (n, code) of faces (n, 3, size, size) in -1…1."""
        return cast(Tensor, self.encoder(faces))

    def decode(self, codes: Tensor, people: tuple[int, ...]) -> Tensor:
        """Draw codes (n, code), in as many equal parts as `people`, each part by its decoder.

        Returns (n, 4, size, size): RGB before its tanh and alpha before its sigmoid.
        """
        parts = self.shared(codes).chunk(len(people))
        drawn = [self.decoders[one](part) for one, part in zip(people, parts, strict=True)]
        return torch.cat(drawn)


def judge(size: int, filters: int, *, capacity: Capacity, style: Style) -> nn.Sequential:
    """Return a network that says of each place of (n, 6, size, size) how real it is: 1 real, 0 not.

    The six channels are a face and the input that it was drawn from, both -1…1.
    """
    sides = _halves(size, _PATCHES)
    first = filters // 2 if capacity == "lite" else filters
    widths = [first * min(2**level, 8) for level in range(len(sides) - 1)]
    layers: list[nn.Module] = [nn.Conv2d(6, first, 4, 2, 1), nn.LeakyReLU(SLOPE)]
    layers += _down(widths, sides[1:], style, kernel=4)
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, padding=1))


class Attention(nn.Module):
    """Each place looks at all places of a map (n, width, h, w) and adds what it finds.

    Zhang et al., "Self-attention generative adversarial networks", ICML 2019, equations 1 to 3.
    """

    def __init__(self, width: int) -> None:
        """Keep `width` channels, at least one of eight for queries and keys."""
        super().__init__()
        self.narrow = max(1, width // 8)
        self.seek = nn.Conv2d(width, 2 * self.narrow + width, 1)
        # The paper begins with 0, which leaves the other weights without a gradient at first.
        self.share = nn.Parameter(torch.full((1,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        parts = [self.narrow, self.narrow, x.shape[1]]
        queries, keys, values = self.seek(x).flatten(2).split(parts, dim=1)
        looks = torch.softmax(queries.mT @ keys, dim=2)
        return x + self.share * (values @ looks.mT).unflatten(2, x.shape[2:])


class Hybrid(nn.Module):
    """Half of the features with instance norm, the other half with a 1 × 1 convolution."""

    def __init__(self, width: int) -> None:
        """Keep `width` channels, an even number."""
        super().__init__()
        self.mixed = nn.Conv2d(width // 2, width // 2, 1)
        self.norm = nn.InstanceNorm2d(width // 2, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        mixed, normal = x.chunk(2, dim=1)
        return torch.cat([self.mixed(mixed), self.norm(normal)], dim=1)


class _Residual(nn.Module):
    def __init__(self, width: int, style: Style) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=style.norm == "none"), *_norm(width, style)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x + self.inner(x), SLOPE)


def _halves(size: int, least: int) -> list[int]:
    """Return the sides of a map that is halved until it is not above `least`, or odd."""
    sides = [size]
    while sides[-1] > least and sides[-1] % 2 == 0:
        sides.append(sides[-1] // 2)
    return sides


def _down(widths: list[int], sides: list[int], style: Style, kernel: int = 3) -> list[nn.Module]:
    """Return the layers that go from the first of the maps to the last, each of half the side."""
    layers = _attending(widths[0], sides[0], style)
    for i in range(1, len(widths)):
        layers += _convolved(widths[i - 1], widths[i], kernel, 2, style)
        layers += _attending(widths[i], sides[i], style)
    return layers


def _up(widths: list[int], sides: list[int], style: Style, *, lite: bool) -> list[nn.Module]:
    """Return the layers that go from the first of the maps to the last, each of twice the side."""
    layers: list[nn.Module] = []
    for i in range(1, len(widths)):
        kernel = 1 if lite else 3
        wide = nn.Conv2d(widths[i - 1], 4 * widths[i], kernel, padding=kernel // 2)
        smooth(wide)
        layers += [wide, nn.PixelShuffle(2), *_norm(widths[i], style), nn.LeakyReLU(SLOPE)]
        layers += [_Residual(widths[i], style)] if lite else []
        layers += _attending(widths[i], sides[i], style)
    return layers


def _head(width: int, style: Style, *, lite: bool) -> list[nn.Module]:
    if not lite:
        return [_Residual(width, style), nn.Conv2d(width, 4, 5, padding=2)]
    wide = nn.Conv2d(width, 16, 3, padding=1)
    smooth(wide)
    return [wide, nn.PixelShuffle(2)]


@torch.no_grad()
def smooth(wide: nn.Conv2d) -> None:
    """Let the four channels that `PixelShuffle(2)` makes one pixel's neighbours begin alike."""
    wide.weight.copy_(wide.weight[::4].repeat_interleave(4, dim=0))
    if wide.bias is not None:
        wide.bias.copy_(wide.bias[::4].repeat_interleave(4))


def _convolved(before: int, width: int, kernel: int, stride: int, style: Style) -> list[nn.Module]:
    # A norm takes away what a bias would add.
    bias = style.norm == "none"
    layer = nn.Conv2d(before, width, kernel, stride, (kernel - 1) // 2, bias=bias)
    return [layer, *_norm(width, style), nn.LeakyReLU(SLOPE)]


def _attending(width: int, side: int, style: Style) -> list[nn.Module]:
    return [Attention(width)] if side == style.attended else []


def _norm(width: int, style: Style) -> list[nn.Module]:
    match style.norm:
        case "instance":
            return [nn.InstanceNorm2d(width, affine=True)]
        case "batch":
            return [nn.BatchNorm2d(width)]
        case "layer":
            return [nn.GroupNorm(1, width)]
        case "group":
            return [nn.GroupNorm(gcd(_GROUPS, width), width)]
        case "hybrid":
            return [Hybrid(width)]
        case "none":
            return []
