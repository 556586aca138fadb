"""The networks of CycleGAN: two kinds of generator, and a judge of patches.

Pictures are −1…1 here. Convolutions before a normalisation, which takes biases out, have none.
"""

from typing import cast

import torch
from torch import Tensor, nn

from changeling.generators.cyclegan_config import Config
from changeling.generators.twins import Layout, Sphere, taught

_DEVIATION = 0.02
"""Of new weights (Zhu et al., section 7.1)."""


class ResNet(nn.Module):
    """The paper's generator (section 7.2): two halvings, residual blocks, two doublings."""

    def __init__(self, filters: int, blocks: int, *, channels: int) -> None:
        """Draw `channels` channels, 3 or 4, through `filters`, 2 and 4 times as many."""
        super().__init__()
        w = filters
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(3),
            *_normed(nn.Conv2d(3, w, 7, bias=False), w),
            *_normed(nn.Conv2d(w, 2 * w, 3, stride=2, padding=1, bias=False), 2 * w),
            *_normed(nn.Conv2d(2 * w, 4 * w, 3, stride=2, padding=1, bias=False), 4 * w),
            *(_Block(4 * w) for _ in range(blocks)),
            *_normed(_doubled(4 * w, 2 * w), 2 * w),
            *_normed(_doubled(2 * w, w), w),
            nn.ReflectionPad2d(3),
            nn.Conv2d(w, channels, 7),
        )
        spread(self)

    def forward(self, faces: Tensor) -> Tensor:
        """Turn faces (n, 3, s, s) into drawings (n, channels, s, s), their colours −1…1."""
        drawn = self.layers(faces)
        return torch.cat([drawn[:, :3].tanh(), drawn[:, 3:]], dim=1)


class Coded(nn.Module):
    """A generator that draws from a short code, so that it may move what it draws.

    It is an autoencoder's network for one person.
    """

    def __init__(self, layout: Layout, *, begun: bool) -> None:
        """Build it; `begun`: with what many actors taught, `UserError` where that does not fit."""
        super().__init__()
        self.network = (taught if begun else Sphere)(layout, 1)

    def forward(self, faces: Tensor) -> Tensor:
        """Turn faces (n, 3, s, s) into drawings (n, 4, s, s), their colours about −1…1."""
        drawn = self.network.draw(self.network.encode((1 + faces) / 2), 0)
        return torch.cat([2 * drawn[:, :3] - 1, drawn[:, 3:]], dim=1)


class PatchJudge(nn.Module):
    """A PatchGAN: it says of every patch of a picture what it takes it for.

    Isola et al., arXiv 1611.07004, section 6.1.2: 4 × 4 convolutions, the first `layers` of them
    with stride 2. A place of its map sees 70 × 70 pixels for 3 layers, 34 × 34 for 2, 16 × 16
    for 1.
    """

    def __init__(self, filters: int, layers: int) -> None:
        """Begin with `filters` channels, twice as many after each layer, 8 times at most."""
        super().__init__()
        widths = [filters * min(8, 2**layer) for layer in range(layers + 1)]
        stack: list[nn.Module] = [nn.Conv2d(3, filters, 4, 2, 1), nn.LeakyReLU(0.2)]
        for layer in range(1, layers + 1):
            stride = 2 if layer < layers else 1
            stack += [nn.Conv2d(widths[layer - 1], widths[layer], 4, stride, 1, bias=False)]
            stack += [nn.InstanceNorm2d(widths[layer]), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*stack, nn.Conv2d(widths[-1], 1, 4, 1, 1))
        spread(self)

    def forward(self, faces: Tensor) -> Tensor:
        """Return a map (n, 1, h, w) for faces (n, 3, s, s); 1 for real, 0 for drawn."""
        return cast(Tensor, self.layers(faces))


def spread(network: nn.Module) -> None:
    """Draw the weights of all convolutions from N(0, 0.02²), their biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, _DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class _Block(nn.Module):
    """Two convolutions beside the identity (He et al., arXiv 1512.03385), no ReLU after the sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            *_normed(nn.Conv2d(width, width, 3, bias=False), width),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3, bias=False),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.layers(x))


def _normed(convolution: nn.Module, width: int) -> list[nn.Module]:
    return [convolution, nn.InstanceNorm2d(width), nn.ReLU()]


def _doubled(before: int, width: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(before, width, 3, stride=2, padding=1, output_padding=1, bias=False)


class Network(nn.Module):
    """For each person a generator that draws it and a judge of its faces."""

    def __init__(self, config: Config) -> None:
        """Build them; raises `UserError` where nothing was taught for the configuration."""
        super().__init__()
        self.generators = nn.ModuleList(_generator(config) for _ in config.people)
        self.judges = nn.ModuleList(
            PatchJudge(config.judge_filters, config.judge_layers) for _ in config.people
        )


def _generator(config: Config) -> nn.Module:
    if config.code:
        return Coded(Layout(config.size, config.widths, config.code), begun=config.taught)
    return ResNet(config.filters, config.blocks, channels=4 if config.mask else 3)
