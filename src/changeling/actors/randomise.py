"""What real footage has and rendered actors lack, drawn from a seed; the labels stay right."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.actors.backdrop import replace_background
from changeling.actors.compress import jpeg
from changeling.actors.dice import Dice
from changeling.actors.photograph import add_noise, blur, expose, luma, shake, tone


@dataclass(frozen=True)
class Spoil:
    """How often each effect befalls a picture, 0…1, and how strong it then is at most."""

    background: float = 0.5
    """Another background: shapes, gradients and noise, sharp or out of focus."""
    focus: float = 0.3
    """Gaussian blur."""
    motion: float = 0.15
    """Blur along a line."""
    exposure: float = 0.6
    """Too dark or too bright."""
    white_balance: float = 0.5
    """Too warm, too cold, too green."""
    tone: float = 0.5
    """Another tone curve, contrast and saturation."""
    low_resolution: float = 0.3
    """Taken with fewer pixels: noise and compression then work on those."""
    noise: float = 0.5
    """Shot and read noise of the sensor."""
    jpeg: float = 0.35
    """JPEG's blocks."""
    grey: float = 0.06
    """Brightness without colour."""
    stops: float = 1.0
    """Exposure off by up to this, as powers of two."""
    sigma: float = 1.8
    """Focus blur in pixels, at most."""
    streak: float = 8.0
    """Motion blur in pixels, at most; no more than 10."""
    grain: float = 0.01
    """Shot noise: variance over light, at most."""
    smallest: float = 0.4
    """Side of the smallest low resolution, as a share of the picture's."""
    quality: float = 15.0
    """JPEG's quality, at least; 90 at most."""

    @classmethod
    def none(cls) -> Spoil:
        """Nothing happens."""
        return cls(
            background=0, focus=0, motion=0, exposure=0, white_balance=0, tone=0,
            low_resolution=0, noise=0, jpeg=0, grey=0,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Randomised:
    """Pictures as footage would have them, and their labels."""

    pictures: Tensor
    """(n, 3, h, w) float32 0…1."""
    segments: Tensor
    """(n, h, w) uint8 of `Segment`; what was put before the actor is OCCLUDER."""
    covered: Tensor
    """(n, k) bool: which points something was put before."""


def randomise(
    pictures: Tensor,
    segments: Tensor,
    points: Tensor,
    *,
    seed: int,
    spoil: Spoil = Spoil(),
) -> Randomised:
    """Spoil pictures as cameras, compression and the world do, each row in its own way.

    pictures (n, 3, h, w) float32 0…1; segments (n, h, w) uint8 of `Segment`; points (n, k, 2)
    pixels, the 68 landmarks in 300-W order first; all on one device, where the answer will be. The
    same seed on the same machine gives the same bytes.
    """
    dice = Dice(seed, pictures.device)
    pictures, segments = pictures.clone(), segments.clone()
    covered = torch.zeros(points.shape[:2], dtype=torch.bool, device=points.device)
    _stage(pictures, segments, dice, spoil)
    _lens(pictures, dice, spoil)
    _develop(pictures, dice, spoil)
    _record(pictures, dice, spoil)
    return Randomised(pictures, segments, covered)


def _stage(pictures: Tensor, segments: Tensor, dice: Dice, spoil: Spoil) -> None:
    """Put things behind the actors, in place."""
    rows = dice.rows(spoil.background, len(pictures))
    if len(rows):
        pictures[rows] = replace_background(pictures[rows], segments[rows], dice)


def _lens(pictures: Tensor, dice: Dice, spoil: Spoil) -> None:
    """Blur, in place."""
    rows = dice.rows(spoil.focus, len(pictures))
    if n := len(rows):
        pictures[rows] = blur(pictures[rows], dice.uniform(0.4, spoil.sigma, n))
    rows = dice.rows(spoil.motion, len(pictures))
    if n := len(rows):
        length, angle = dice.uniform(2, spoil.streak, n), dice.uniform(0, torch.pi, n)
        pictures[rows] = shake(pictures[rows], length, angle)


def _develop(pictures: Tensor, dice: Dice, spoil: Spoil) -> None:
    """Exposure, colour and tone, in place."""
    n = len(pictures)
    stops = dice.uniform(-1, 1, n) * spoil.stops * dice.happens(spoil.exposure, n)
    warm, green = dice.uniform(-0.5, 0.5, n), dice.uniform(-0.15, 0.15, n)
    balance = torch.stack([warm, green, -warm], 1) * dice.happens(spoil.white_balance, n)[:, None]
    rows = ((stops != 0) | (balance != 0).any(1)).nonzero()[:, 0]
    if len(rows):
        pictures[rows] = expose(pictures[rows], torch.exp2(stops[:, None] + balance)[rows])
    rows = dice.rows(spoil.tone, n)
    if k := len(rows):
        bias, contrast = dice.uniform(0.35, 0.65, k), dice.uniform(0.6, 1.5, k)
        pictures[rows] = tone(pictures[rows], bias, contrast, dice.uniform(0.2, 1.6, k))


def _record(pictures: Tensor, dice: Dice, spoil: Spoil) -> None:
    """Sensor, storage and grey scale, in place; rows of few pixels are stretched afterwards."""
    h, w = pictures.shape[2:]
    few = dice.happens(spoil.low_resolution, len(pictures))
    choice = dice.whole(0, 4, len(pictures))
    for k in range(5):
        rows = ((few & (choice == k)) if k < 4 else ~few).nonzero()[:, 0]
        if not len(rows):
            continue
        if k == 4:
            pictures[rows] = _stored(pictures[rows], dice, spoil)
            continue
        scale = spoil.smallest + (0.85 - spoil.smallest) * k / 3
        size = (max(8, round(h * scale)), max(8, round(w * scale)))
        small = F.interpolate(pictures[rows], size, mode="bilinear", antialias=True)
        small = _stored(small, dice, spoil)
        pictures[rows] = F.interpolate(small, (h, w), mode="bilinear")
    rows = dice.rows(spoil.grey, len(pictures))
    pictures[rows] = luma(pictures[rows]).expand(-1, 3, -1, -1)


def _stored(pictures: Tensor, dice: Dice, spoil: Spoil) -> Tensor:
    """Noise and compression on the pixels there are, in place."""
    rows = dice.rows(spoil.noise, len(pictures))
    if n := len(rows):
        shot = dice.uniform(0, 1, n).square() * spoil.grain
        read = dice.uniform(0, 1, n).square() * spoil.grain
        pictures[rows] = add_noise(pictures[rows], shot, read, dice)
    rows = dice.rows(spoil.jpeg, len(pictures))
    if n := len(rows):
        pictures[rows] = jpeg(pictures[rows], dice.uniform(spoil.quality, 90, n).round())
    return pictures
