"""What is around an actor: takes, each with its light, camera and background."""

from __future__ import annotations

import numpy as np

from changeling.actors.acting import wander
from changeling.actors.model import Floats, Ints

TAKE_SECONDS = 4.0
"""A performance is cut into takes of about this length."""


def cut(count: int, rate: float, r: np.random.Generator) -> Ints:
    """The take of each of `count` frames, (count,)."""
    takes = max(1, round(count / rate / TAKE_SECONDS))
    edges = (
        np.linspace(0, count, takes + 1)[1:-1] + r.uniform(-0.15, 0.15, takes - 1) * count / takes
    )
    return np.searchsorted(edges, np.arange(count), side="right").astype(np.int32)


def stage(take: Ints, r: np.random.Generator) -> dict[str, Floats]:
    """Light, position and focal length of a `Performance` with these takes."""
    count = len(take)
    drift = wander(count, 3, 40.0, r)
    scenes = [_scene(r) for _ in range(int(take[-1]) + 1)]
    rows = {name: np.stack([scenes[k][name] for k in take]) for name in scenes[0]}
    azimuth = rows["azimuth"][:, 0] + 0.18 * drift[:, 0]
    height = rows["height"][:, 0] + 0.08 * drift[:, 1]
    rows["key"] = _towards(azimuth, height)
    rows["fill"] = _towards(-azimuth * 0.8, np.full(count, 0.15))
    rows["position"] = rows["position"] + 0.012 * wander(count, 3, 22.0, r)
    rows["focal"] = rows["focal"][:, 0]
    kept = ("key", "key_colour", "fill", "fill_colour", "sky", "ground", "position", "focal")
    return {name: rows[name].astype(np.float32) for name in kept}


def _towards(azimuth: Floats, height: Floats) -> Floats:
    """Unit vectors to a light: 0 is behind the camera, height in radians."""
    return np.stack(
        [np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)], -1
    )


def _scene(r: np.random.Generator) -> dict[str, Floats]:
    """Light and camera of one take."""
    warm = r.uniform(-0.14, 0.16)
    strength = r.uniform(0.75, 1.25)
    return {
        "azimuth": np.array([r.uniform(0.15, 1.25) * r.choice((-1, 1))]),
        "height": np.array([r.uniform(0.15, 0.95)]),
        "key_colour": np.array([1 + warm, 1.0, 1 - warm]) * 1.05 * strength,
        "fill_colour": np.array([1 - warm, 1.0, 1 + warm]) * r.uniform(0.10, 0.40),
        "sky": np.array([0.94, 1.0, 1.08]) * r.uniform(0.22, 0.46),
        "ground": np.array([1.06, 1.0, 0.9]) * r.uniform(0.08, 0.20),
        "position": np.array([r.uniform(-0.05, 0.05), r.uniform(1.0, 1.3), r.uniform(0.005, 0.03)]),
        "focal": np.array([r.uniform(2.5, 2.85)]),
    }
