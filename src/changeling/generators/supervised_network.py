"""The network of the supervised swapper: a face and some pictures of somebody else → their swap.

The encoder's maps pass to the decoder at every size but the finest (Ronneberger et al., U-Net,
arXiv 1505.04597): what the answer shares with the face need not be learnt, what is left of the
face's owner must be drawn anew. Who it shall be comes as a vector that modulates normalised maps
(Huang & Belongie, AdaIN, arXiv 1703.06868), as mean maps, and as maps that the decoder looks
things up in (Vaswani et al., arXiv 1706.03762).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    """The network's measures."""

    widths: tuple[int, ...] = (32, 64, 128, 256)
    """Channels at a half, a quarter, … of the size; multiples of 32 are fast."""
    looked_up: tuple[int, ...] = (2,)
    """At which of these sizes, counted from 0, it looks things up in the person's pictures."""
    heads: int = 4
    """Things that are looked up at once."""
    code: int = 256
    """Numbers that tell who it is."""


class Swapper(nn.Module):
    """Faces, and pictures of people → the people under the faces' styling and performance."""

    def __init__(self, size: int, shape: Shape) -> None:
        """Build the network with random weights; `size` is divisible by 2 for each width."""
        super().__init__()
        widths = shape.widths
        sizes = [size // 2 ** (i + 1) for i in range(len(widths))]
        self.face = _Pyramid(widths)
        self.person = _Pyramid(widths)
        self.code = nn.Sequential(
            nn.Flatten(),
            nn.Linear(widths[-1] * sizes[-1] ** 2, shape.code),
            nn.LeakyReLU(0.1),
            nn.LayerNorm(shape.code, elementwise_affine=False),
        )
        self.given = nn.ModuleList(nn.Conv2d(width, width, 1) for width in widths[1:])
        self.like = nn.ModuleList(nn.Conv2d(width, width, 1) for width in widths)
        self.look = nn.ModuleDict(
            {str(i): _LookUp(widths[i], shape.heads, sizes[i]) for i in shape.looked_up}
        )
        self.blocks = nn.ModuleList(
            _Block(width, shape.code, deep=i > 0) for i, width in enumerate(widths)
        )
        self.grow = nn.ModuleList(
            nn.Conv2d(after, 4 * before, 1) for before, after in pairwise(widths)
        )
        self.paint = nn.Conv2d(widths[0], 16, 3, padding=1)

    def forward(self, faces: Tensor, references: Tensor, people: int) -> Tensor:
        """Draw faces (people · m, 3, s, s) as those of references (people · k, 3, s, s), 0…1.

        Returns drawings (people · m, 4, s, s): RGB, and the logits of the mask.
        """
        given, shown = self.face(faces), self.person(references)
        each = len(faces) // people
        code = self.code(shown[-1]).unflatten(0, (people, -1)).mean(1).repeat_interleave(each, 0)
        x = torch.zeros_like(given[-1])
        for i in reversed(range(len(given))):
            pictures = shown[i].unflatten(0, (people, -1))
            x = x + self.like[i](pictures.mean(1)).repeat_interleave(each, 0)
            if i:
                x = x + self.given[i - 1](given[i])
            if str(i) in self.look:
                x = x + self.look[str(i)](x, pictures)
            x = self.blocks[i](x, code)
            if i:
                x = F.pixel_shuffle(self.grow[i - 1](x), 2)
        return F.pixel_shuffle(self.paint(x), 2)


class _Pyramid(nn.Module):
    """Pictures (n, 3, s, s) → maps at a half, a quarter, … of the size."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.levels = nn.ModuleList()
        for i, (before, width) in enumerate(zip((12, *widths), widths, strict=False)):
            stride = min(i + 1, 2)
            halve = nn.Conv2d(before, width, 3, stride=stride, padding=1)
            self.levels.append(
                nn.Sequential(halve, nn.LeakyReLU(0.1), *([_Same(width)] if i > 1 else []))
            )

    def forward(self, pictures: Tensor) -> list[Tensor]:
        # Grey is 0: else brightness would scale all that is seen.
        x = F.pixel_unshuffle(2 * pictures - 1, 2)
        maps = []
        for level in self.levels:
            x = level(x)
            maps.append(x)
        return maps


class _Same(nn.Module):
    """A convolution beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x + self.convolution(x), 0.1)


class _Block(nn.Module):
    """One or two convolutions beside the identity; the code gives the first one its statistics."""

    def __init__(self, width: int, code: int, *, deep: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1) if deep else nn.Identity()
        self.even = nn.GroupNorm(max(1, width // 16), width, affine=False)
        self.style = nn.Linear(code, 2 * width)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        scale, shift = self.style(code)[:, :, None, None].chunk(2, dim=1)
        h = F.leaky_relu(self.even(self.first(x)) * (1 + scale) + shift, 0.1)
        return F.leaky_relu(x + self.second(h), 0.1)


class _LookUp(nn.Module):
    """Each place of the drawing takes what it needs from all places of all pictures."""

    def __init__(self, width: int, heads: int, grid: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Conv2d(width, width, 1)
        self.key_value = nn.Conv2d(width, 2 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        self.place = nn.Parameter(_places(width // heads, grid).repeat(heads, 1, 1))

    def forward(self, x: Tensor, pictures: Tensor) -> Tensor:
        """x: (p · m, c, g, g); pictures: (p, k, c, g, g)."""
        p, g = len(pictures), x.shape[-1]
        place = self.place.to(x.dtype)
        query = self._split(self.query(x)) + place
        key, value = (
            self._split(part) for part in self.key_value(pictures.flatten(0, 1)).chunk(2, dim=1)
        )
        key = key + place
        query, key, value = (self._gathered(part, p) for part in (query, key, value))
        found = F.scaled_dot_product_attention(query, key, value)
        found = found.unflatten(2, (-1, g * g)).transpose(1, 2).flatten(0, 1)
        maps = found.transpose(2, 3).flatten(1, 2).unflatten(2, (g, g))
        return cast(Tensor, self.out(maps))

    def _split(self, maps: Tensor) -> Tensor:
        """(n, c, g, g) → (n, heads, g · g, c / heads)."""
        return maps.flatten(2).unflatten(1, (self.heads, -1)).transpose(2, 3)

    @staticmethod
    def _gathered(rows: Tensor, people: int) -> Tensor:
        """(p · n, heads, g · g, d) → (p, heads, n · g · g, d)."""
        return rows.unflatten(0, (people, -1)).transpose(1, 2).flatten(2, 3)


def _places(numbers: int, grid: int) -> Tensor:
    """(grid · grid, numbers): near places have like numbers, so that looking begins near by.

    Random Fourier features of a Gaussian about a tenth of the picture wide (Rahimi & Recht,
    Random Features for Large-Scale Kernel Machines, NIPS 2007).
    """
    line = (torch.arange(grid) + 0.5) / grid
    at = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).flatten(0, 1)
    waves = torch.randn(2, numbers // 2) / 0.1
    angles = at @ waves
    # With `numbers` terms and attention's root of `numbers`, equal places score 4.
    return torch.cat([angles.cos(), angles.sin()], 1) * (8 / numbers**0.5) ** 0.5
