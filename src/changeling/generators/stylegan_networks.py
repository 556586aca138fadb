"""The networks of StyleGAN: mapping, synthesis by styles, and the discriminator.

All weights are drawn from N(0, 1) and scaled when they are used, the equalised learning rate
(Karras et al., Progressive Growing of GANs, arXiv 1710.10196, section 4.1). Where a paper doubles
or halves pictures before or after a convolution, one wider convolution does both.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import gcd, sqrt
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from changeling.generators.stylegan import Config

SLOPE = 0.2
"""Of the leaky rectifiers below zero."""
GAIN = sqrt(2)
"""What a rectifier takes from the deviation, given back by the weights before it."""
TINY = 1e-8
FAINT = 0.25
"""Deviation of the weights of colours at first."""


class Linear(nn.Module):
    """A linear layer with an equalised learning rate, times `rate`."""

    def __init__(
        self, before: int, width: int, *, gain: float = 1.0, rate: float = 1.0, bias: float = 0.0
    ) -> None:
        """Map (n, before) to (n, width); `bias` is where the biases begin."""
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, before) / rate)
        self.bias = nn.Parameter(torch.full((width,), bias / rate))
        self._scale, self._rate = gain * rate / sqrt(before), rate

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, width)."""
        return F.linear(x, self.weight * self._scale, self.bias * self._rate)


class Convolution(nn.Module):
    """A convolution with an equalised learning rate, which may halve the grid."""

    def __init__(
        self, before: int, width: int, side: int, *, gain: float = GAIN, halve: bool = False
    ) -> None:
        """Map `before` channels to `width` by kernels of `side` (1 or 3)."""
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, before, side, side))
        self.bias = nn.Parameter(torch.zeros(width))
        self._scale, self._halve = gain / sqrt(before * side * side), halve

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, width, h, w), or half the grid."""
        weight = self.weight * self._scale
        if self._halve:
            return F.conv2d(x, spread(weight) / 4, self.bias, stride=2, padding=1)
        return F.conv2d(x, weight, self.bias, padding=weight.shape[-1] // 2)


def spread(weight: Tensor) -> Tensor:
    """Return kernels (…, 4, 4) that do what (…, 3, 3) do on a grid twice as fine.

    As a transposed convolution with stride 2 they are: nearest neighbours twice as large, then
    the kernel. A quarter of them with stride 2 is: the kernel, then the mean of each 2 × 2.
    """
    wide = F.pad(weight, (1, 1, 1, 1))
    return wide[..., 1:, 1:] + wide[..., :-1, 1:] + wide[..., 1:, :-1] + wide[..., :-1, :-1]


class Mapping(nn.Sequential):
    """Latent numbers z to styles w (StyleGAN, section 2): z on a sphere, then plain layers."""

    def __init__(self, code: int, layers: int, rate: float) -> None:
        """Map (n, code) to (n, code); the layers learn at `rate` times the learning rate."""
        super().__init__()
        for _ in range(layers):
            self.append(Linear(code, code, gain=GAIN, rate=rate))
            self.append(nn.LeakyReLU(SLOPE))

    def forward(self, z: Tensor) -> Tensor:
        """Return styles (n, code)."""
        return super().forward(z * (z.square().mean(1, keepdim=True) + TINY).rsqrt())


class Modulated(nn.Module):
    """A convolution whose input channels the style scales (StyleGAN2, section 2.2)."""

    def __init__(self, config: "Config", before: int, width: int, *, double: bool) -> None:
        """Map `before` channels to `width`; `double` the grid before."""
        super().__init__()
        self.style = Linear(config.code, before, bias=1.0)
        self.weight = nn.Parameter(torch.randn(width, before, 3, 3))
        self.noise = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(width, 1, 1))
        self._scale, self._double = 1 / sqrt(before * 9), double

    def forward(self, x: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """Return (n, width, h, w); noise is (n, 1, h, w)."""
        weight, scales = self.weight * self._scale, self.style(style)
        x = convolved(x * scales[:, :, None, None], weight, double=self._double)
        x = x * (GAIN * demodulation(weight, scales))[:, :, None, None]
        return F.leaky_relu(x + self.noise * noise + self.bias, SLOPE)


class Adaptive(nn.Module):
    """A convolution after which the style says mean and deviation (StyleGAN, equation 1)."""

    def __init__(self, config: "Config", before: int, width: int, *, double: bool) -> None:
        """Map `before` channels to `width`; `double` the grid before."""
        super().__init__()
        self.style = Linear(config.code, 2 * width)
        self.weight = nn.Parameter(torch.randn(width, before, 3, 3))
        self.noise = nn.Parameter(torch.zeros(1))
        self.bias = nn.Parameter(torch.zeros(width, 1, 1))
        self._scale, self._double = GAIN / sqrt(before * 9), double

    def forward(self, x: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """Return (n, width, h, w); noise is (n, 1, h, w)."""
        x = convolved(x, self.weight * self._scale, double=self._double)
        x = F.leaky_relu(x + self.noise * noise + self.bias, SLOPE)
        deviation, mean = self.style(style).chunk(2, dim=1)
        return adapted(x, mean, 1 + deviation)


def convolved(x: Tensor, weight: Tensor, *, double: bool) -> Tensor:
    """Convolve (n, before, h, w) with (width, before, 3, 3), after doubling the grid if asked."""
    if double:
        return F.conv_transpose2d(x, spread(weight).transpose(0, 1).flip(2, 3), stride=2, padding=1)
    return F.conv2d(x, weight, padding=1)


def demodulation(weight: Tensor, scales: Tensor) -> Tensor:
    """Return (n, width) factors that give scaled kernels the length 1 (StyleGAN2, equation 3).

    weight: (width, before, h, w); scales: (n, before), of the input channels.
    """
    return (scales.square() @ weight.square().sum(dim=(2, 3)).T + TINY).rsqrt()


def adapted(x: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Give each channel of (n, c, h, w) this mean and deviation (n, c): AdaIN."""
    even = F.instance_norm(x)
    return even * deviation[:, :, None, None] + mean[:, :, None, None]


class Colours(nn.Module):
    """Features to colours: a convolution of one pixel, modulated, not demodulated."""

    def __init__(self, config: "Config", before: int) -> None:
        """Draw a square of `fold`² pixels at each place."""
        super().__init__()
        self.style = Linear(config.code, before, bias=1.0)
        # All pixels of a square begin alike, else they begin as a grid of dots; and faint, so that
        # all grids together begin with about the contrast of photographs.
        weight = torch.randn(config.channels, before, 1, 1).repeat_interleave(config.fold**2, 0)
        self.weight = nn.Parameter(FAINT * weight)
        self.bias = nn.Parameter(torch.zeros(config.channels, 1, 1))
        self._scale, self._fold = 1 / sqrt(before), config.fold

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return (n, channels, fold · h, fold · w)."""
        scaled = x * self.style(style)[:, :, None, None]
        drawn = F.conv2d(scaled, self.weight * self._scale)
        return F.pixel_shuffle(drawn, self._fold) + self.bias


class Synthesis(nn.Module):
    """Styles to pictures: from a learnt constant, colours summed over the grids (StyleGAN2)."""

    def __init__(self, config: "Config", layer: type[Modulated] | type[Adaptive]) -> None:
        """Build one layer for the coarsest grid and two for each finer one."""
        super().__init__()
        grid, first = config.size // divisor(config), config.widths[0]
        self.constant = nn.Parameter(torch.randn(1, first, grid, grid))
        self.layers = nn.ModuleList([layer(config, first, first, double=False)])
        self.grids = [grid]
        for before, width in pairwise(config.widths):
            self.layers.append(layer(config, before, width, double=True))
            self.layers.append(layer(config, width, width, double=False))
            self.grids += [2 * self.grids[-1]] * 2
        self.colours = nn.ModuleList(Colours(config, width) for width in config.widths)

    def forward(self, styles: Tensor, noises: Sequence[Tensor]) -> Tensor:
        """Draw styles (n, layers, code) with `noises`, as (n, channels, size, size) about -1…1."""
        x = self.constant.expand(len(styles), -1, -1, -1)
        drawn = styles.new_zeros(())
        for i, layer in enumerate(self.layers):
            x = layer(x, styles[:, i], noises[i])
            if i % 2 == 0:
                finer = self.colours[i // 2](x, styles[:, i])
                drawn = finer + (doubled(drawn) if i else 0)
        return drawn

    def noises(self, count: int, generator: torch.Generator | None = None) -> list[Tensor]:
        """Draw the noise (count, 1, grid, grid) of each layer; None: the global generator."""
        device = self.constant.device
        return [torch.randn(count, 1, g, g, generator=generator).to(device) for g in self.grids]


def doubled(pictures: Tensor) -> Tensor:
    """Return pictures twice as large: bilinear, which is StyleGAN2's filter 1, 3, 3, 1."""
    return F.interpolate(pictures, scale_factor=2, mode="bilinear", align_corners=False)


def divisor(config: "Config") -> int:
    """Return what the size must be a multiple of; the quotient is the coarsest grid."""
    return int(config.fold * 2 ** (len(config.widths) - 1))


class Generator(nn.Module):
    """Latent numbers to styles, styles to pictures."""

    def __init__(self, config: "Config") -> None:
        """Build mapping and synthesis, with layers as the configuration says."""
        super().__init__()
        layer = Adaptive if config.style == "adain" else Modulated
        self.mapping = Mapping(config.code, config.mapping, config.mapping_rate)
        self.synthesis = Synthesis(config, layer)

    def layered(self, styles: Tensor) -> Tensor:
        """Give every layer its style, (n, layers, code), unless each has one already."""
        if styles.dim() == 3:
            return styles
        return styles[:, None].expand(-1, len(self.synthesis.layers), -1)


class Discriminator(nn.Sequential):
    """Pictures to scores, the logit of being real: residual blocks (StyleGAN2, figure 7)."""

    def __init__(self, config: "Config") -> None:
        """Build the synthesis' mirror image."""
        grid, widths = config.size // divisor(config), config.widths[::-1]
        last = widths[-1]
        super().__init__(
            nn.PixelUnshuffle(config.fold),
            Convolution(config.channels * config.fold**2, widths[0], 1),
            nn.LeakyReLU(SLOPE),
            *(Halving(before, width) for before, width in pairwise(widths)),
            Deviation(),
            Convolution(last + 1, last, 3),
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
            Linear(last * grid * grid, last, gain=GAIN),
            nn.LeakyReLU(SLOPE),
            Linear(last, 1),
        )


class Halving(nn.Module):
    """Two convolutions, the second to half the grid, beside a shortcut."""

    def __init__(self, before: int, width: int) -> None:
        """Map `before` channels to `width`."""
        super().__init__()
        self.same = Convolution(before, before, 3)
        self.halve = Convolution(before, width, 3, halve=True)
        self.shortcut = Convolution(before, width, 1, gain=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, width, h / 2, w / 2)."""
        fine = F.leaky_relu(self.same(x), SLOPE)
        deep = F.leaky_relu(self.halve(fine), SLOPE)
        return (deep + self.shortcut(F.avg_pool2d(x, 2))) / GAIN


class Deviation(nn.Module):
    """One channel more: how much the pictures of a group differ (arXiv 1710.10196, section 3)."""

    group = 4
    """Pictures that are compared; fewer where they do not divide the batch."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, c + 1, h, w)."""
        n, _, height, width = x.shape
        groups = x.float().unflatten(0, (-1, gcd(n, self.group)))
        spreads = (groups.var(1, correction=0) + TINY).sqrt().mean(dim=(1, 2, 3))
        channel = spreads.repeat_interleave(groups.shape[1]).to(x.dtype)
        return torch.cat([x, channel[:, None, None, None].expand(-1, 1, height, width)], dim=1)
