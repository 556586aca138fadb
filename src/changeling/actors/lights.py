"""Light that falls on a scene from several lamps, as far as a flat picture allows."""

from __future__ import annotations

import torch
from torch import Tensor

from changeling.actors.backdrop import clouds, stretched
from changeling.actors.dice import Dice


def light(pictures: Tensor, dice: Dice) -> Tensor:
    """Coloured lamps from several sides: a smooth gain over the picture, own in each channel."""
    n, _, h, w = pictures.shape
    lamps = dice.uniform(-1, 1, n, 1, 3, 3) * dice.uniform(0, 0.8, n, 1, 1, 1)
    colours = dice.uniform(-0.5, 0.5, n, 3, 3, 3) * dice.uniform(0, 1, n, 1, 1, 1).square()
    return (pictures * stretched(torch.exp2(lamps + colours), h, w)).clamp_(0, 1)


def shade(pictures: Tensor, dice: Dice) -> Tensor:
    """A cast shadow: one edge or the bars of a blind, wavy, sharp or soft."""
    n, _, h, w = pictures.shape
    y = torch.linspace(-1, 1, h, device=dice.device)[:, None]
    x = torch.linspace(-1, 1, w, device=dice.device)
    angle = dice.uniform(0, 2 * torch.pi, n, 1, 1)
    across = x * angle.cos() + y * angle.sin() + dice.uniform(-0.4, 0.4, n, 1, 1)
    across = across + clouds((n, 1, h, w), 5, dice)[:, 0] * dice.uniform(0, 0.4, n, 1, 1)
    bars = torch.sin(across * dice.uniform(4, 12, n, 1, 1)) * 0.2
    across = torch.where(dice.happens(0.3, n)[:, None, None], bars, across)
    soft = dice.uniform(0.05, 0.6, n, 1, 1)
    inside = (across / soft + 0.5).clamp_(0, 1)[:, None]
    left = dice.uniform(0.35, 0.85, n, 1, 1, 1) * dice.uniform(0.9, 1.1, n, 3, 1, 1)
    return (pictures * (1 - inside * (1 - left))).clamp_(0, 1)
