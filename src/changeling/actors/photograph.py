"""What a lens, a sensor and a grader do to a picture: blur, noise, exposure, colour, tone.

Pictures are (n, 3, h, w) float32 0…1; every other argument has one value a row. Light is taken as
the square of a pixel: near enough to sRGB's curve, and many times cheaper.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.actors.dice import Dice

LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in brightness (ITU-R BT.601)."""


def expose(pictures: Tensor, gains: Tensor) -> Tensor:
    """Multiply the light by gains (n, 3), one a channel; what is too bright is cut off."""
    return (pictures * gains.sqrt()[:, :, None, None]).clamp_(0, 1)


def tone(pictures: Tensor, bias: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    """Bend the tone curve, then move brightness and colours away from the middle.

    bias: what becomes of 0.5 (Schlick 1994, a cheap stand-in for gamma). contrast, saturation: 1
    changes nothing.
    """
    b, c, s = (x[:, None, None, None] for x in (bias, contrast, saturation))
    bent = pictures / ((1 / b - 2) * (1 - pictures) + 1)
    grey = luma(bent)
    middle = grey.mean((2, 3), keepdim=True)
    return (bent * (c * s)).add_(grey * (c * (1 - s)) + middle * (1 - c)).clamp_(0, 1)


def luma(pictures: Tensor) -> Tensor:
    """Brightness, (n, 1, h, w)."""
    red, green, blue = pictures.split(1, 1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def add_noise(pictures: Tensor, shot: Tensor, read: Tensor, dice: Dice) -> Tensor:
    """Sensor noise: variance shot · light + read² (Foi et al. 2008, equation 2)."""
    light = pictures * pictures
    deviation = (light * shot[:, None, None, None] + (read**2)[:, None, None, None]).sqrt_()
    grain = _grain(pictures.shape, dice)
    return torch.addcmul(light, deviation, grain).clamp_(0, 1).sqrt_()


def _grain(shape: torch.Size, dice: Dice) -> Tensor:
    """Normal noise: every row a window of one long strip, as drawing it all is slow."""
    long = shape[1:].numel()
    strip = dice.normal(4 * long)
    starts = dice.whole(0, 3 * long, shape[0])
    return strip.unfold(0, long, 1)[starts].view(shape)


def blur(pictures: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur by sigma pixels; at the border only what is inside counts."""
    n, _, h, w = pictures.shape
    across = torch.bmm(pictures.reshape(n, 3 * h, w), _gaussian(w, sigma)).view(n, 3, h, w)
    return _gaussian(h, sigma).transpose(1, 2)[:, None] @ across


def _gaussian(size: int, sigma: Tensor) -> Tensor:
    """A matrix a row, (n, size, size); columns sum to 1; lines of pixels times it are blurred."""
    at = torch.arange(size, device=sigma.device, dtype=torch.float32)
    away = (at[:, None] - at) / sigma.clamp(min=0.05)[:, None, None]
    # Cut off, as numbers near zero make arithmetic several times slower.
    weight = (torch.exp((-0.5 * away * away).clamp_(min=-8)) - math.exp(-8)).clamp_(min=0)
    return weight / weight.sum(1, keepdim=True)


def shake(pictures: Tensor, length: Tensor, angle: Tensor) -> Tensor:
    """Motion blur along a line of `length` pixels, at most 11, at `angle` radians."""
    n, _, h, w = pictures.shape
    line = torch.arange(-5.0, 6.0, device=pictures.device)
    y, x = line[:, None, None], line[None, :, None]
    steps = torch.linspace(-0.5, 0.5, 12, device=pictures.device)[:, None] * length
    to_x, to_y = steps * angle.cos(), steps * angle.sin()
    near_x = (1 - (x[..., None] - to_x).abs()).clamp(min=0)
    near_y = (1 - (y[..., None] - to_y).abs()).clamp(min=0)
    kernel = (near_x * near_y).sum(2).permute(2, 0, 1)
    kernel = (kernel / kernel.sum((1, 2), keepdim=True)).repeat_interleave(3, 0)[:, None]
    padded = F.pad(pictures, (5, 5, 5, 5), mode="replicate").view(1, 3 * n, h + 10, w + 10)
    return F.conv2d(padded, kernel, groups=3 * n).view(n, 3, h, w)
