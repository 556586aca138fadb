"""Busy backgrounds behind cut-out actors: gradients, shapes, noise, sharp or out of focus."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.actors.dice import Dice
from changeling.actors.photograph import blur
from changeling.actors.truth import Segment

SHAPES = 6
"""Boxes and discs a background."""


def replace_background(pictures: Tensor, segments: Tensor, dice: Dice) -> Tensor:
    """Paint a new background where segments (n, h, w) say so; its edge is soft by a pixel."""
    behind = (segments == Segment.BACKGROUND).float()[:, None]
    share = F.avg_pool2d(behind, 3, 1, 1, count_include_pad=False)
    return torch.lerp(pictures, backdrops(pictures.shape, dice), share)


def backdrops(shape: torch.Size, dice: Dice) -> Tensor:
    """Backgrounds of this shape, (n, 3, h, w) 0…1."""
    n, _, h, w = shape
    canvas = clouds(shape, 2, dice) * 0.25 + _colours(n, 1, dice)[..., None]
    pick = _pieces(n, h, w, dice)
    colours = torch.cat([dice.uniform(0, 0, n, 3, 1), _colours(n, SHAPES, dice)], 2)
    painted = colours.gather(2, pick.flatten(1)[:, None].expand(-1, 3, -1)).view(shape)
    canvas = torch.where(pick[:, None] > 0, painted + 0.3 * canvas - 0.15, canvas)
    canvas += clouds(torch.Size((n, 1, h, w)), 24, dice) * dice.uniform(0, 0.6, n, 1, 1, 1).square()
    fuzzy = dice.uniform(0.3, 1, n).square() * 0.06 * w
    return blur(canvas, fuzzy).clamp_(0, 1)


def clouds(shape: torch.Size, cells: int, dice: Dice) -> Tensor:
    """Smooth noise about 0, -1…1: `cells` times `cells` values stretched over the picture."""
    n, c, h, w = shape
    coarse = dice.uniform(-1, 1, n, c, cells, cells)
    return F.interpolate(coarse, (h, w), mode="bilinear", align_corners=True)


def _colours(n: int, k: int, dice: Dice) -> Tensor:
    """(n, 3, k): mostly dull ones of every brightness."""
    dull = dice.uniform(0, 1, n, 1, k)
    return dull + dice.uniform(-0.4, 0.4, n, 3, k) * dice.uniform(0, 1, n, 1, k).square()


def _pieces(n: int, h: int, w: int, dice: Dice) -> Tensor:
    """Which shape is on top at each pixel, (n, h, w) int64, 0 for none."""
    y = torch.linspace(0, 1, h, device=dice.device)[:, None]
    x = torch.linspace(0, 1, w, device=dice.device)
    pick = torch.zeros(n, h, w, dtype=torch.int64, device=dice.device)
    for k in range(1, SHAPES + 1):
        turn = dice.uniform(-0.5, 0.5, n, 1, 1) * dice.happens(0.5, n)[:, None, None]
        dx, dy = x - dice.uniform(0, 1, n, 1, 1), y - dice.uniform(0, 1, n, 1, 1)
        u = (dx * turn.cos() + dy * turn.sin()).abs() / dice.uniform(0.02, 0.3, n, 1, 1)
        v = (dy * turn.cos() - dx * turn.sin()).abs() / dice.uniform(0.05, 0.5, n, 1, 1)
        round_ = dice.happens(0.3, n)[:, None, None]
        inside = torch.where(round_, u * u + v * v, torch.maximum(u, v)) < 1
        pick = pick.masked_fill_(inside, k)
    return pick
