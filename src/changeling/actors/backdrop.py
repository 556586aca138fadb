"""Busy backgrounds behind cut-out actors: gradients, shapes, noise, sharp or out of focus."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.actors.dice import Dice
from changeling.actors.photograph import blur
from changeling.actors.truth import Segment

SHAPES = 6
"""Boxes and discs a background."""


def replace_background(pictures: Tensor, segments: Tensor, dice: Dice) -> Tensor:
    """Put a new background where segments (n, h, w) say so; its edge is soft by a pixel.

    Few are painted, and each row takes one of them, mirrored or not, in colours of its own.
    """
    n, _, h, w = pictures.shape
    few = backdrops(-(-n // 4), h, w, dice)
    few = torch.cat([few, few.flip(3)])
    tint = _colours(n, 1, dice)[..., None]
    chosen = few.index_select(0, dice.whole(0, len(few), n))
    chosen = chosen.lerp_(tint, dice.uniform(0, 0.6, n, 1, 1, 1)).clamp_(0, 1)
    behind = (segments == Segment.BACKGROUND).float()
    return torch.lerp(pictures, chosen, _softened(behind)[:, None])


def backdrops(n: int, h: int, w: int, dice: Dice) -> Tensor:
    """Backgrounds, (n, 3, h, w) 0…1."""
    canvas = clouds((n, 3, h, w), 2, dice) * 0.25 + _colours(n, 1, dice)[..., None]
    pick = _pieces(n, h, w, dice)
    colours = torch.cat([dice.uniform(0, 0, n, 3, 1), _colours(n, SHAPES, dice)], 2)
    painted = colours.gather(2, pick.flatten(1)[:, None].expand(-1, 3, -1)).view(n, 3, h, w)
    canvas = torch.where(pick[:, None] > 0, painted + 0.3 * canvas - 0.15, canvas)
    canvas += clouds((n, 1, h, w), 24, dice) * dice.uniform(0, 0.6, n, 1, 1, 1).square()
    fuzzy = dice.uniform(0.3, 1, n).square() * 0.06 * w
    return blur(canvas, fuzzy).clamp_(0, 1)


def _softened(mask: Tensor) -> Tensor:
    """The mean of the 3 by 3 pixels around each, (n, h, w); the border repeats itself."""
    wide = F.pad(mask, (1, 1, 1, 1), mode="replicate")
    across = wide[:, :, :-2] + wide[:, :, 1:-1] + wide[:, :, 2:]
    return (across[:, :-2] + across[:, 1:-1] + across[:, 2:]).div_(9)


def clouds(shape: Sequence[int], cells: int, dice: Dice) -> Tensor:
    """Smooth noise about 0, -1…1: `cells` times `cells` values stretched over the picture."""
    n, c, h, w = shape
    return stretched(dice.uniform(-1, 1, n, c, cells, cells), h, w)


def stretched(coarse: Tensor, h: int, w: int) -> Tensor:
    """A few values (n, c, k, k) blended smoothly to a picture (n, c, h, w)."""
    k, device = coarse.shape[-1], coarse.device
    return _blend(k, h, device).T @ (coarse @ _blend(k, w, device))


@lru_cache(maxsize=64)
def _blend(cells: int, size: int, device: torch.device) -> Tensor:
    """Shares of each value in each pixel of a line, (cells, size): smoothstep between two."""
    at = torch.linspace(0, cells - 1, size, device=device)
    near = (1 - (at - torch.arange(cells, device=device)[:, None]).abs()).clamp(min=0)
    return near * near * (3 - 2 * near)


def _colours(n: int, k: int, dice: Dice) -> Tensor:
    """(n, 3, k): mostly dull ones of every brightness."""
    dull = dice.uniform(0, 1, n, 1, k)
    return dull + dice.uniform(-0.4, 0.4, n, 3, k) * dice.uniform(0, 1, n, 1, k).square()


def _pieces(n: int, h: int, w: int, dice: Dice) -> Tensor:
    """Which shape is on top at each pixel, (n, h, w) int64, 0 for none."""
    each = (n, SHAPES, 1, 1)
    y = torch.linspace(0, 1, h, device=dice.device)[:, None]
    x = torch.linspace(0, 1, w, device=dice.device)
    turn = dice.uniform(-0.5, 0.5, *each) * (dice.uniform(0, 1, *each) < 0.5)
    dx, dy = x - dice.uniform(0, 1, *each), y - dice.uniform(0, 1, *each)
    u = (dx * turn.cos() + dy * turn.sin()).abs_().div_(dice.uniform(0.02, 0.3, *each))
    v = (dy * turn.cos() - dx * turn.sin()).abs_().div_(dice.uniform(0.05, 0.5, *each))
    disc = dice.uniform(0, 1, *each) < 0.3
    inside = torch.where(disc, u * u + v * v, torch.maximum(u, v)) < 1
    number = torch.arange(1, SHAPES + 1, device=dice.device)[:, None, None]
    return (inside * number).amax(1)
