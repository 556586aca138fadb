"""What hides a part of a face: hands, hair, glasses, masks, microphones, cards, hats.

Places are in units of a `Frame`: the mouth at about (0, 1), the chin at 1.75, the brows at -0.35,
the temples at (±1.1, 0).
"""

from __future__ import annotations

import torch
from torch import Tensor

from changeling.actors.dice import Dice
from changeling.actors.shapes import Frame, Material, Shapes, paint

SKIN = (
    (0.96, 0.80, 0.69),
    (0.87, 0.66, 0.52),
    (0.72, 0.50, 0.36),
    (0.50, 0.33, 0.23),
    (0.30, 0.20, 0.15),
)
"""Colours of hands, pale to dark."""
HAIR = (
    (0.07, 0.06, 0.05),
    (0.22, 0.14, 0.09),
    (0.42, 0.28, 0.17),
    (0.75, 0.60, 0.38),
    (0.6, 0.58, 0.56),
)
"""Black to fair, and grey."""
CLOTH = ((0.65, 0.80, 0.90), (0.92, 0.93, 0.94), (0.09, 0.09, 0.10), (0.45, 0.47, 0.50))
"""Of masks: blue, white, black, grey."""


def put_hand(
    pictures: Tensor, segments: Tensor, points: Tensor, dice: Dice
) -> tuple[Tensor, Tensor]:
    """A hand from outside, its fingers on the face."""
    n, frame = len(points), Frame.of(points)
    at = frame.local(points)[torch.arange(n), dice.whole(0, 68, n)]
    outward = torch.atan2(at[:, 1] - 0.5, at[:, 0]) + dice.uniform(-0.8, 0.8, n)
    big = dice.uniform(0.75, 1.1, n)
    palm = at + _towards(outward, dice.uniform(0.5, 1.4, n) * big)
    strokes = [(palm, palm + _towards(outward, 0.45 * big), 0.5 * big, 0.42 * big)]
    strokes += [(palm, palm + _towards(outward, 4 * big), 0.36 * big, 0.45 * big)]
    spread = dice.uniform(0.08, 0.3, n)
    for k in range(4):
        angle = outward + torch.pi + (k - 1.5) * spread
        root = palm + _towards(outward + torch.pi / 2, (1.5 - k) * 0.24 * big)
        tip = root + _towards(angle, dice.uniform(0.7, 1.35, n) * big)
        strokes.append((root, tip, 0.15 * big, 0.11 * big))
    side = torch.where(dice.happens(0.5, n), 0.9, -0.9)
    thumb = palm + _towards(outward + torch.pi + side, 1.0 * big)
    strokes.append((palm, thumb, 0.2 * big, 0.13 * big))
    own = _seen(pictures, points[:, 27:36])
    colour = torch.where(dice.happens(0.6, n)[:, None], own, _one_of(SKIN, n, dice))
    return paint(
        pictures,
        segments,
        frame,
        _shapes(strokes),
        Material(_vary(colour, 0.15, dice), 0.12, 0, 0.4),
        dice,
    )


def put_strands(
    pictures: Tensor, segments: Tensor, points: Tensor, dice: Dice
) -> tuple[Tensor, Tensor]:
    """Thin curved locks from above."""
    n, frame = len(points), Frame.of(points)
    middle, strokes = dice.uniform(-0.9, 0.9, n), []
    lean = dice.uniform(-0.4, 0.4, n)
    for _ in range(5):
        x = middle + dice.uniform(-0.5, 0.5, n)
        top = torch.stack([x, dice.uniform(-1.4, -1.0, n)], 1)
        long, wide = dice.uniform(0.3, 1.2, n), dice.uniform(0.02, 0.07, n)
        bend = top + torch.stack([lean + dice.uniform(-0.2, 0.2, n), long], 1)
        tip = bend + torch.stack([dice.uniform(-0.3, 0.3, n), long * 0.8], 1)
        strokes += [(top, bend, wide, wide), (bend, tip, wide, 0.2 * wide)]
    material = Material(_vary(_one_of(HAIR, n, dice), 0.2, dice), 0.3, 0.2, 0.2)
    return paint(pictures, segments, frame, _shapes(strokes), material, dice)


def put_glasses(
    pictures: Tensor, segments: Tensor, points: Tensor, dice: Dice
) -> tuple[Tensor, Tensor]:
    """Rims round the eyes; the lenses clear, tinted or dark."""
    n = len(points)
    frame = Frame.of(points).turned(points)
    eyes = frame.local(torch.stack([points[:, 36:42].mean(1), points[:, 42:48].mean(1)], 1))
    ears = frame.local(points[:, [0, 16]])
    wide, high = dice.uniform(0.04, 0.16, n), dice.uniform(0.24, 0.34, n)
    aside, lower = _point(wide, 0 * wide), _point(0 * wide, 0.06 + 0 * wide)
    lenses = [(eyes[:, k] - aside + lower, eyes[:, k] + aside + lower, high, high) for k in (0, 1)]
    reach = _point(wide + high, 0 * wide)
    thin = dice.uniform(0.02, 0.05, n)
    bridge = (eyes[:, 0] + reach, eyes[:, 1] - reach, thin, thin)
    sides = [
        (eyes[:, 0] - reach, ears[:, 0], thin, thin),
        (eyes[:, 1] + reach, ears[:, 1], thin, thin),
    ]
    opacity = torch.where(dice.happens(0.4, n), dice.uniform(0.5, 1, n), dice.uniform(0, 0.15, n))
    lens = Material(
        _vary(torch.full((n, 3), 0.08, device=dice.device), 1.0, dice), 0.4, 0.3, 0, opacity
    )
    pictures, segments = paint(pictures, segments, frame, _shapes(lenses), lens, dice)
    rims = _shapes([*lenses, bridge, *sides], rim=float(dice.uniform(0.02, 0.05, 1)))
    colour = dice.uniform(0, 0.5, n, 1) * dice.uniform(0.3, 1, n, 3)
    return paint(pictures, segments, frame, rims, Material(colour, 0.2, 0, 0), dice)


def put_mask(
    pictures: Tensor, segments: Tensor, points: Tensor, dice: Dice
) -> tuple[Tensor, Tensor]:
    """Cloth over mouth and nose, or below the nose, with straps to the ears."""
    n, frame = len(points), Frame.of(points)
    at = frame.local(points)
    wide = torch.full((n,), 0.24, device=dice.device)
    over = ((28, 2), (28, 14), (30, 3), (30, 13), (33, 4), (33, 12), (5, 11), (6, 10), (7, 9))
    strokes = [(at[:, a], at[:, b], wide, wide) for a, b in over]
    strokes.append((at[:, 30], at[:, 57], 1.5 * wide, 2 * wide))
    straps = ((2, 0), (14, 16), (4, 1), (12, 15))
    strokes += [(at[:, a], at[:, b], 0.1 * wide, 0.1 * wide) for a, b in straps]
    material = Material(_vary(_one_of(CLOTH, n, dice), 0.25, dice), 0.15, 0.15, 0.15)
    return paint(pictures, segments, frame, _shapes(strokes), material, dice)


def put_microphone(
    pictures: Tensor, segments: Tensor, points: Tensor, dice: Dice
) -> tuple[Tensor, Tensor]:
    """A ball below the mouth on a stick."""
    n, frame = len(points), Frame.of(points)
    ball = _point(dice.uniform(-0.8, 0.8, n), dice.uniform(1.0, 1.9, n))
    angle, wide = dice.uniform(0.8, 2.3, n), dice.uniform(0.22, 0.42, n)
    end = ball + _towards(angle, 4 + 0 * angle)
    head = ball + _towards(angle, 0.3 * wide)
    strokes = [(ball, head, wide, 0.9 * wide), (ball, end, 0.5 * wide, 0.4 * wide)]
    colour = dice.uniform(0.03, 0.5, n, 1).square() * 2 * dice.uniform(0.8, 1, n, 3)
    return paint(pictures, segments, frame, _shapes(strokes), Material(colour, 0.3, 0.2, 0.4), dice)


def put_card(
    pictures: Tensor, segments: Tensor, points: Tensor, dice: Dice
) -> tuple[Tensor, Tensor]:
    """A box from the side over a part of the face."""
    n, frame = len(points), Frame.of(points)
    where, turn = dice.uniform(0, 2 * torch.pi, n), dice.uniform(0, torch.pi, n)
    high, wide = dice.uniform(0.2, 1.0, n), dice.uniform(0.15, 0.8, n)
    middle = _point(0 * where, 0.5 + 0 * where) + _towards(
        where, dice.uniform(0.7, 1.5, n) + 0.5 * wide
    )
    stroke = (middle - _towards(turn, high), middle + _towards(turn, high), wide, wide)
    skin = dice.happens(0.3, n)[:, None]
    colour = torch.where(skin, _vary(_one_of(SKIN, n, dice), 0.2, dice), dice.uniform(0, 1, n, 3))
    return paint(
        pictures,
        segments,
        frame,
        _shapes([stroke], square=True),
        Material(colour, 0.3, 0.3, 0.1),
        dice,
    )


def put_hat(
    pictures: Tensor, segments: Tensor, points: Tensor, dice: Dice
) -> tuple[Tensor, Tensor]:
    """A crown over the brows and a brim."""
    n, frame = len(points), Frame.of(points)
    back = frame.local(points[:, [0, 16]])[:, :, 0].mean(1)
    edge, tall = dice.uniform(-0.85, -0.5, n), dice.uniform(0.5, 0.7, n)
    half = 0.7 + 0.25 * back.abs() + 0.65 - tall
    crown = (_point(back - half, edge - tall), _point(back + half, edge - tall), tall, tall)
    front, out, thick = -0.6 * back, dice.uniform(0.6, 2.2, n), dice.uniform(0.08, 0.2, n)
    brim = (_point(front - out, edge), _point(front + out, edge), thick, thick)
    colour = dice.uniform(0, 1, n, 1) * dice.uniform(0.6, 1, n, 3)
    return paint(
        pictures, segments, frame, _shapes([crown, brim]), Material(colour, 0.25, 0.25, 0.25), dice
    )


Stroke = tuple[Tensor, Tensor, Tensor, Tensor]
"""From, to (n, 2); half the width there and there (n,)."""


def _shapes(strokes: list[Stroke], *, rim: float | None = None, square: bool = False) -> Shapes:
    ends = torch.stack([torch.stack([a, b], 1) for a, b, _, _ in strokes], 1)
    radii = torch.stack([torch.stack([r, s], 1) for _, _, r, s in strokes], 1)
    return Shapes(ends, radii, rim, square)


def _point(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack([x, y], 1)


def _towards(angle: Tensor, far: Tensor) -> Tensor:
    """(n, 2): `far` units in the direction of `angle` radians."""
    return _point(angle.cos() * far, angle.sin() * far)


def _one_of(colours: tuple[tuple[float, ...], ...], n: int, dice: Dice) -> Tensor:
    """(n, 3): each between two neighbours of a list of colours."""
    every = torch.tensor(colours, device=dice.device)
    place = dice.uniform(0, len(colours) - 1, n)
    below = place.long().clamp(max=len(colours) - 2)
    return torch.lerp(every[below], every[below + 1], (place - below)[:, None])


def _vary(colour: Tensor, much: float, dice: Dice) -> Tensor:
    n = len(colour)
    return colour * (1 + dice.uniform(-much, much, n, 1) + dice.uniform(-much, much, n, 3) / 3)


def _seen(pictures: Tensor, points: Tensor) -> Tensor:
    """(n, 3): the mean colour at points (n, k, 2), those outside at the border."""
    h, w = pictures.shape[2:]
    x, y = (
        points[..., 0].round().long().clamp(0, w - 1),
        points[..., 1].round().long().clamp(0, h - 1),
    )
    at = (y * w + x)[:, None].expand(-1, 3, -1)
    return pictures.flatten(2).gather(2, at).mean(2)
