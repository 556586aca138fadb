"""Performances as footage has them: any pose, any lens, light from anywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from changeling.actors.acting import ACTIONS
from changeling.actors.model import Floats
from changeling.actors.performance import Performance

WIDEST = np.array([1.15, 0.55, 0.35], np.float32)
"""Yaw, pitch and roll in radians that no head turns beyond."""
LIDS = [k for k, name in enumerate(ACTIONS) if name.startswith(("eyeBlink", "eyeLook"))]


def varied(performance: Performance, seed: int) -> Performance:
    """The performance with wider poses, stronger expressions, another lens, and harder light.

    Each take has its own. Poses up to 66° yaw, 31° pitch, 20° roll; a lens from 0.45 to 2.6 m away
    that shows the face about as large; key and fill from any side, coloured, or nearly none. What
    is between the takes' own movements stays: the performance is as smooth as it was.
    """
    r = np.random.default_rng([seed, 8])
    take = performance.take
    count = int(take.max()) + 1
    actions = performance.actions * r.uniform(0.7, 1.35, (count, 1))[take]
    actions[:, LIDS] = performance.actions[:, LIDS]
    position, focal = _lens(performance, r)
    key, fill = (_anywhere(count, r)[take] for _ in range(2))
    key_colour, fill_colour, sky, ground = (a[take] for a in _colours(count, r))
    return replace(
        performance,
        actions=np.clip(actions, 0, 1).astype(np.float32),
        turn=_wider(performance.turn, take, r),
        position=position,
        focal=focal,
        key=key,
        fill=fill,
        key_colour=key_colour,
        fill_colour=fill_colour,
        sky=sky,
        ground=ground,
    )


def _wider(turn: Floats, take: np.ndarray, r: np.random.Generator) -> Floats:
    count = int(take.max()) + 1
    more = turn * r.uniform(0.6, 1.6, (count, 3))[take]
    more = more + (r.normal(0, 0.4, (count, 3)) * [0.6, 0.35, 0.25])[take]
    return np.asarray(WIDEST * np.tanh(more / WIDEST), np.float32)


def _lens(performance: Performance, r: np.random.Generator) -> tuple[Floats, Floats]:
    """Positions and focal lengths: near and wide, or far and narrow."""
    take = performance.take
    count = int(take.max()) + 1
    distance = np.exp(r.uniform(np.log(0.45), np.log(2.6), count))[take]
    nearer = distance / performance.position[:, 1]
    size = np.exp(r.normal(0, 0.08, count))[take]
    position = performance.position * np.stack(
        [np.ones_like(nearer), nearer, np.ones_like(nearer)], -1
    )
    return position.astype(np.float32), (performance.focal * nearer * size).astype(np.float32)


def _anywhere(count: int, r: np.random.Generator) -> Floats:
    """Unit vectors towards a light, (count, 3): all around, more often before than behind."""
    azimuth = np.clip(r.normal(0, 1.1, count), -3, 3)
    height = r.uniform(-0.6, 1.3, count)
    flat = np.cos(height)
    return np.stack([np.sin(azimuth) * flat, -np.cos(azimuth) * flat, np.sin(height)], -1).astype(
        np.float32
    )


def _colours(count: int, r: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats]:
    """Linear RGB of key, fill, sky and ground, (count, 3) each."""

    def tinted(strength: Floats, spread: float) -> Floats:
        tint = np.exp(r.normal(0, spread, (count, 3)) * [1, 0.5, 1])
        return np.asarray(strength[:, None] * tint, np.float32)

    key = np.asarray(np.exp(r.normal(0, 0.35, count)) * (r.random(count) > 0.1), np.float32)
    fill = np.asarray(np.exp(r.normal(-1.3, 0.7, count)), np.float32)
    sky = np.asarray(np.exp(r.normal(-1.2, 0.5, count)), np.float32)
    ground = np.asarray(sky * r.uniform(0.2, 0.9, count), np.float32)
    return tinted(key, 0.18), tinted(fill, 0.3), tinted(sky, 0.1), tinted(ground, 0.1)
