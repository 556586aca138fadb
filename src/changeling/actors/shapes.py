"""Flat shapes before a face: strokes and boxes as distance fields, textured, with shadows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.actors.backdrop import clouds
from changeling.actors.dice import Dice
from changeling.actors.truth import Segment


@dataclass(frozen=True, eq=False)
class Frame:
    """Coordinates of faces: the origin between the eyes, x to the picture's right, y to the chin.

    The unit is the distance of the eyes as seen from the front.
    """

    origin: Tensor
    """(n, 2) pixels."""
    axes: Tensor
    """(n, 2, 2): columns are the pixels that a step along x and along y makes."""

    @classmethod
    def of(cls, points: Tensor) -> Frame:
        """Measure the landmarks (n, 68 or more, 2); a face from the side keeps its size."""
        eyes, mouth = points[:, 36:48].mean(1), points[:, 48:68].mean(1)
        apart = (points[:, 42:48].mean(1) - points[:, 36:42].mean(1)).norm(dim=1)
        down = mouth - eyes
        size = torch.maximum(apart, 0.95 * down.norm(dim=1)).clamp(min=1)
        y = F.normalize(down, dim=1) * size[:, None]
        return cls(eyes, torch.stack([torch.stack([y[:, 1], -y[:, 0]], 1), y], 2))

    def turned(self, points: Tensor) -> Frame:
        """The same with x along the eyes as they are seen: shorter from the side."""
        x = points[:, 42:48].mean(1) - points[:, 36:42].mean(1)
        least = 0.35 * self.size[:, None]
        x = F.normalize(x, dim=1) * torch.maximum(x.norm(dim=1, keepdim=True), least)
        return Frame(self.origin, torch.stack([x, self.axes[:, :, 1]], 2))

    @property
    def size(self) -> Tensor:
        """Pixels of a unit, (n,)."""
        return self.axes[:, :, 1].norm(dim=1)

    def local(self, points: Tensor) -> Tensor:
        """Pixels → units, (n, k, 2)."""
        return (points - self.origin[:, None]) @ torch.linalg.inv(self.axes).transpose(1, 2)

    def grid(self, h: int, w: int) -> tuple[Tensor, Tensor]:
        """x and y of every pixel, (n, h, w) each."""
        inverse = torch.linalg.inv(self.axes)[..., None, None]
        down = torch.arange(h, device=self.origin.device) - self.origin[:, 1, None]
        across = torch.arange(w, device=self.origin.device) - self.origin[:, 0, None]
        down, across = down[:, :, None], across[:, None, :]
        x = inverse[:, 0, 0] * across + inverse[:, 0, 1] * down
        return x, inverse[:, 1, 0] * across + inverse[:, 1, 1] * down


@dataclass(frozen=True, eq=False)
class Shapes:
    """The union of k strokes a row, each from one end to the other, in units of a `Frame`."""

    ends: Tensor
    """(n, k, 2, 2): the stroke's two ends, x and y."""
    radii: Tensor
    """(n, k, 2): half its width at either end."""
    rim: float | None = None
    """Only a rim of this half width is left of the first two strokes; None: all."""
    square: bool = False
    """Boxes, as wide as at their first end, in place of rounded strokes."""

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        """How far each pixel is from the union, in units, below 0 inside, (n, h, w)."""
        ax, ay, bx, by = self.ends.flatten(2)[..., None, None].unbind(2)
        bx, by = bx - ax, by - ay
        first, last = self.radii[..., None, None].unbind(2)
        long = (bx * bx + by * by).clamp(min=1e-6)
        dx, dy = x[:, None] - ax, y[:, None] - ay
        t = (dx * (bx / long)).addcmul_(dy, by / long)
        if self.square:
            half = long.sqrt() / 2
            across = (dy * (bx / half)).addcmul_(dx, -by / half).abs_().div_(2).sub_(first)
            return torch.maximum(t.sub_(0.5).abs_().sub_(0.5).mul_(2 * half), across).amin(1)
        t.clamp_(0, 1)
        dx.addcmul_(t, -bx)
        dy.addcmul_(t, -by)
        away = dx.mul_(dx).addcmul_(dy, dy).sqrt_().sub_(t.mul_(last - first).add_(first))
        if self.rim is not None:
            away[:, :2] = away[:, :2].abs() - self.rim
        return away.amin(1)


@dataclass(frozen=True, eq=False)
class Material:
    """What shapes are made of."""

    colour: Tensor
    """(n, 3) 0…1."""
    rough: float = 0.1
    """Strength of its blotches."""
    stripes: float = 0.0
    """Strength of its stripes, at most."""
    round: float = 0.5
    """How much darker it gets towards its edge."""
    opacity: Tensor | None = None
    """(n,) 0…1; solid when None."""


def paint(
    pictures: Tensor, segments: Tensor, frame: Frame, shapes: Shapes, material: Material, dice: Dice
) -> tuple[Tensor, Tensor]:
    """Pictures and segments with the shapes before them; their edge is soft by a pixel."""
    x, y = frame.grid(*segments.shape[1:])
    away = shapes.distance(x, y).mul_(frame.size[:, None, None])
    cover = (0.5 - away).clamp_(0, 1)
    if material.opacity is not None:
        cover = cover * material.opacity[:, None, None]
    else:
        pictures = pictures * _shadow(away, frame, dice)
    colour = _texture(away, x, y, frame, material, dice)
    segments = torch.where(cover >= 0.5, int(Segment.OCCLUDER), segments)
    return torch.lerp(pictures, colour, cover[:, None]), segments


def _shadow(away: Tensor, frame: Frame, dice: Dice) -> Tensor:
    """What light is left beside the shapes, (n, 1, h, w): the same shapes moved and blurred."""
    reach = 3
    right, down = dice.whole(0, 2 * reach + 1, 2).tolist()
    h, w = away.shape[1:]
    moved = F.pad(away[:, None], (reach,) * 4, mode="replicate")
    moved = moved[:, :, down : down + h, right : right + w]
    soft = frame.size * dice.uniform(0.05, 0.25, len(away))
    dark = dice.uniform(0, 0.45, len(away))
    inside = (0.5 - moved / soft[:, None, None, None]).clamp_(0, 1)
    return 1 - inside * dark[:, None, None, None]


def _texture(
    away: Tensor, x: Tensor, y: Tensor, frame: Frame, material: Material, dice: Dice
) -> Tensor:
    """Colours of the shapes, (n, 3, h, w) 0…1."""
    n, h, w = away.shape
    light = clouds((n, 1, h, w), 10, dice)[:, 0] * material.rough + 1
    depth = away / frame.size[:, None, None]
    edge = (1 + depth * 5).clamp_(0, 1)
    light -= edge * material.round
    if material.stripes:
        turn = dice.uniform(0, torch.pi, n, 1, 1)
        often = dice.uniform(5, 25, n, 1, 1)
        wave = torch.sin((x * turn.cos() + y * turn.sin()) * often)
        light += wave * dice.uniform(0, 1, n, 1, 1).square() * material.stripes
    return (material.colour[:, :, None, None] * light[:, None]).clamp_(0, 1)
