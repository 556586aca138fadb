"""What is behind an actor: an out-of-focus room painted from a seed."""

from __future__ import annotations

import cv2
import numpy as np

from changeling.actors.model import Floats


def paint(seed: int, take: int, size: tuple[int, int]) -> Floats:
    """A blurred room, (height, width, 3) linear RGB 0…1: wall, floor, furniture, lamps."""
    width, height = 384, 216
    r = np.random.default_rng([seed, take, 6])
    wall, second = _colour(r, 0.10, 0.45), _colour(r, 0.05, 0.35)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    side = r.uniform(-0.35, 0.35)
    canvas = wall * (1.12 - 0.35 * y + side * (x - 0.5)) * np.ones((height, width, 1), np.float32)
    edge = int(height * r.uniform(0.68, 1.1))
    canvas[edge:] = second * 0.7
    for _ in range(int(r.integers(3, 9))):
        _furniture(canvas, r)
    canvas = cv2.GaussianBlur(canvas.astype(np.float32), (0, 0), r.uniform(3.0, 7.0))
    for _ in range(int(r.integers(0, 10))):
        _lamp(canvas, r)
    canvas = cv2.GaussianBlur(canvas, (0, 0), 1.6)
    scale = max(size[0] / width, size[1] / height)
    out = cv2.resize(canvas, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    top, left = (out.shape[0] - size[1]) // 2, (out.shape[1] - size[0]) // 2
    out = out[top : top + size[1], left : left + size[0]]
    return np.ascontiguousarray(np.clip(out, 0, 1), np.float32)


def _colour(r: np.random.Generator, low: float, high: float) -> Floats:
    value = r.uniform(low, high)
    tint = 1 + r.uniform(0, 0.5) * (r.random(3) - 0.5)
    return np.asarray(value * tint, np.float32)


def _furniture(canvas: Floats, r: np.random.Generator) -> None:
    height, width = canvas.shape[:2]
    w, h = int(width * r.uniform(0.06, 0.3)), int(height * r.uniform(0.1, 0.7))
    left, top = int(r.uniform(-0.1, 1.0) * width), int(r.uniform(-0.1, 0.9) * height)
    colour = [float(c) for c in _colour(r, 0.02, 0.6)]
    if r.random() < 0.25:
        cv2.ellipse(canvas, (left, top), (w // 2, h // 2), 0, 0, 360, colour, -1)
        return
    cv2.rectangle(canvas, (left, top), (left + w, top + h), colour, -1)
    if r.random() < 0.5:
        shelves = int(r.integers(2, 6))
        for k in range(1, shelves):
            line = top + h * k // shelves
            cv2.rectangle(canvas, (left, line), (left + w, line + 2), [c * 0.4 for c in colour], -1)


def _lamp(canvas: Floats, r: np.random.Generator) -> None:
    """A disc of light, as a lens draws lamps out of focus."""
    height, width = canvas.shape[:2]
    disc = np.zeros((height, width), np.float32)
    at = (int(r.uniform(0, width)), int(r.uniform(0, 0.7 * height)))
    cv2.circle(disc, at, int(r.uniform(3, 9)), 1.0, -1, cv2.LINE_AA)
    canvas += disc[..., None] * _colour(r, 0.08, 0.35)
