"""What real footage has and rendered actors lack, drawn from a seed; the labels stay right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.actors.backdrop import replace_background
from changeling.actors.compress import h264, jpeg
from changeling.actors.dice import Dice
from changeling.actors.lights import light, shade
from changeling.actors.occluders import (
    put_card,
    put_glasses,
    put_hand,
    put_hat,
    put_mask,
    put_microphone,
    put_strands,
)
from changeling.actors.photograph import add_noise, blur, expose, luma, shake, tone
from changeling.actors.truth import Segment

SIZES = 2
"""Low resolutions a call: few, so that rows of one size can be worked on together."""


@dataclass(frozen=True)
class Spoil:
    """How often each effect befalls a picture, 0…1, and how strong it then is at most."""

    background: float = 0.5
    """Another background: shapes, gradients and noise, sharp or out of focus."""
    hand: float = 0.07
    """Palm and fingers from outside, often in the actor's own colour."""
    strands: float = 0.07
    """Locks of hair over the face."""
    glasses: float = 0.1
    """Rims; lenses clear, tinted or dark."""
    mask: float = 0.04
    """Cloth over mouth and nose."""
    microphone: float = 0.05
    """A ball on a stick below the mouth."""
    card: float = 0.08
    """A flat box from the side, some in skin tones."""
    hat: float = 0.08
    """A crown over the brows and a brim."""
    lights: float = 0.4
    """Coloured lamps from several sides."""
    shadow: float = 0.2
    """A cast shadow, or those of a blind."""
    focus: float = 0.3
    """Gaussian blur."""
    motion: float = 0.12
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
    jpeg: float = 0.3
    """JPEG's blocks."""
    h264: float = 0.15
    """H.264's: the real codec, between two frames."""
    grey: float = 0.06
    """Brightness without colour."""
    stops: float = 1.0
    """Exposure off by up to this, as powers of two."""
    sigma: float = 1.8
    """Focus blur in pixels, at most."""
    streak: float = 8.0
    """Motion blur in pixels, at most; no more than 10."""
    grain: float = 0.01
    """Shot noise: variance over light, at most; as much read noise."""
    smallest: float = 0.45
    """Side of the lowest resolution, as a share of the picture's."""
    quality: float = 15.0
    """JPEG's quality, at least; 90 at most."""
    quantiser: float = 36.0
    """H.264's quantiser, at most; 20 at least."""

    @classmethod
    def none(cls) -> Spoil:
        """Nothing happens."""
        return cls(
            background=0, hand=0, strands=0, glasses=0, mask=0, microphone=0, card=0, hat=0,
            lights=0, shadow=0, focus=0, motion=0, exposure=0, white_balance=0, tone=0,
            low_resolution=0, noise=0, jpeg=0, h264=0, grey=0,
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
    _behind(pictures, segments, dice, spoil)
    _before(pictures, segments, points, dice, spoil)
    _light(pictures, dice, spoil)
    _lens(pictures, dice, spoil)
    _develop(pictures, dice, spoil)
    _record(pictures, dice, spoil)
    return Randomised(pictures, segments, _covered(segments, points))


def _some(pictures: Tensor, rows: Tensor, effect: Callable[[Tensor], Tensor]) -> None:
    """Put what an effect makes of some rows in their place."""
    if len(rows):
        pictures.index_copy_(0, rows, effect(pictures.index_select(0, rows)))


def _behind(pictures: Tensor, segments: Tensor, dice: Dice, spoil: Spoil) -> None:
    rows = dice.rows(spoil.background, len(pictures))
    _some(pictures, rows, lambda some: replace_background(some, segments[rows], dice))


def _before(pictures: Tensor, segments: Tensor, points: Tensor, dice: Dice, spoil: Spoil) -> None:
    """Put things before the faces; later ones hide earlier ones."""
    kinds = (
        (put_glasses, spoil.glasses),
        (put_mask, spoil.mask),
        (put_hat, spoil.hat),
        (put_strands, spoil.strands),
        (put_microphone, spoil.microphone),
        (put_hand, spoil.hand),
        (put_card, spoil.card),
    )
    for put, chance in kinds:
        rows = dice.rows(chance, len(pictures))
        if len(rows):
            painted = put(pictures[rows], segments[rows], points[rows], dice)
            pictures[rows], segments[rows] = painted


def _light(pictures: Tensor, dice: Dice, spoil: Spoil) -> None:
    _some(pictures, dice.rows(spoil.lights, len(pictures)), lambda some: light(some, dice))
    _some(pictures, dice.rows(spoil.shadow, len(pictures)), lambda some: shade(some, dice))


def _lens(pictures: Tensor, dice: Dice, spoil: Spoil) -> None:
    rows = dice.rows(spoil.focus, len(pictures))
    sigma = 0.4 + dice.uniform(0, 1, len(rows)).square() * (spoil.sigma - 0.4)
    _some(pictures, rows, lambda some: blur(some, sigma))
    rows = dice.rows(spoil.motion, len(pictures))
    length, angle = dice.uniform(2, spoil.streak, len(rows)), dice.uniform(0, torch.pi, len(rows))
    _some(pictures, rows, lambda some: shake(some, length, angle))


def _develop(pictures: Tensor, dice: Dice, spoil: Spoil) -> None:
    """Exposure, colour and tone."""
    n = len(pictures)
    stops = dice.uniform(-1, 1, n) * spoil.stops * dice.happens(spoil.exposure, n)
    warm, green = dice.uniform(-0.5, 0.5, n), dice.uniform(-0.15, 0.15, n)
    balance = torch.stack([warm, green, -warm], 1) * dice.happens(spoil.white_balance, n)[:, None]
    gains = torch.exp2(stops[:, None] + balance)
    rows = (gains != 1).any(1).nonzero()[:, 0]
    _some(pictures, rows, lambda some: expose(some, gains[rows]))
    rows = dice.rows(spoil.tone, n)
    k = len(rows)
    bias, contrast = dice.uniform(0.38, 0.65, k), dice.uniform(0.6, 1.4, k)
    saturation = dice.uniform(0.2, 1.6, k)
    _some(pictures, rows, lambda some: tone(some, bias, contrast, saturation))


def _record(pictures: Tensor, dice: Dice, spoil: Spoil) -> None:
    """Sensor, storage and grey scale; rows of few pixels are stretched afterwards.

    Rows of one size are worked on together; those for H.264 have one size, as a codec takes
    milliseconds to start.
    """
    n = len(pictures)
    few, film = dice.happens(spoil.low_resolution, n), dice.happens(spoil.h264, n)
    group = torch.where(few, dice.whole(0, SIZES, n), SIZES).masked_fill(film, SIZES + 1)
    shares = dice.uniform(spoil.smallest, 0.9, SIZES + 1).tolist()
    last = shares.pop()
    coded = last if dice.happens(spoil.low_resolution, 1) else 1.0
    for k, share in enumerate([*shares, 1.0, coded]):
        taken = partial(_taken, share=share, film=k == SIZES + 1, dice=dice, spoil=spoil)
        _some(pictures, (group == k).nonzero()[:, 0], taken)
    rows = dice.rows(spoil.grey, n)
    _some(pictures, rows, lambda some: luma(some).expand(-1, 3, -1, -1))


def _taken(pictures: Tensor, *, share: float, film: bool, dice: Dice, spoil: Spoil) -> Tensor:
    """Noise and compression on a share of the pixels; the fewer, the weaker, to keep a face."""
    full = pictures.shape[2:]
    if share < 1:
        size = (max(8, round(full[0] * share)), max(8, round(full[1] * share)))
        pictures = F.interpolate(pictures, size, mode="bilinear", antialias=True)
    rows = dice.rows(spoil.noise, len(pictures))
    shot = dice.uniform(0, 1, len(rows)).square() * spoil.grain * share
    read = dice.uniform(0, 1, len(rows)).square() * spoil.grain * share
    _some(pictures, rows, lambda some: add_noise(some, shot, read, dice))
    rows = dice.rows(spoil.jpeg, len(pictures))
    worst = spoil.quality + (90 - spoil.quality) * (1 - share) / 2
    quality = (90 - dice.uniform(0, 1, len(rows)).square() * (90 - worst)).round()
    _some(pictures, rows, lambda some: jpeg(some, quality))
    if film:
        coarsest = max(20.0, spoil.quantiser - 12 * (1 - share))
        pictures = h264(pictures, dice.uniform(20, coarsest, len(pictures)))
    return F.interpolate(pictures, full, mode="bilinear") if share < 1 else pictures


def _covered(segments: Tensor, points: Tensor) -> Tensor:
    """Which points (n, k, 2) lie on a pixel of OCCLUDER; none outside the picture."""
    h, w = segments.shape[1:]
    x, y = points.round().long().unbind(2)
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    at = y.clamp(0, h - 1) * w + x.clamp(0, w - 1)
    return inside & (segments.flatten(1).gather(1, at) == Segment.OCCLUDER)
