"""Hair as strand surfaces: curves from the crown to the hairline that hang freely from there."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from changeling.actors.model import Floats, Ints

COLUMNS = 56
"""Strand curves around the head."""
ROWS = 22
"""Points along each curve."""
LAYERS = (1.0, 0.7, 0.35)
"""Heights of the layers in parts of the thickness, outside first; the lowest is closed."""

# Where hair ends on a head, from the point between the eyes: (x, y, z) in metres on the left side.
HAIRLINE = np.array(
    [
        (0.000, 0.005, 0.076),
        (0.040, 0.014, 0.074),
        (0.058, 0.030, 0.055),
        (0.068, 0.050, 0.020),
        (0.074, 0.070, -0.012),
        (0.078, 0.085, 0.026),
        (0.078, 0.110, 0.020),
        (0.068, 0.130, -0.020),
        (0.045, 0.150, -0.060),
        (0.000, 0.160, -0.072),
    ]
)


@dataclass(frozen=True)
class Style:
    """A hair style; lengths in metres."""

    top: float
    """Thickness over the crown."""
    side: float
    """Thickness at the sides and the back."""
    drop: float
    """How far hair falls below the hairline at the back and the sides."""
    fringe: float
    """How far hair falls over the forehead."""
    whorl: float
    """Where curves start: 0 at the crown, ±1 at a parting on the left or right."""
    recede: float
    """How far the hairline retreats at the temples."""
    curl: float
    """Waves of the curves sideways."""
    puff: float
    """Lumps of the surface."""
    cover: float
    """Part of the scalp's area that hair covers."""


STYLES = {
    "buzz": Style(0.004, 0.003, 0.0, 0.0, 0.0, 0.006, 0.0, 0.0, 0.80),
    "crop": Style(0.016, 0.008, 0.002, 0.004, 0.1, 0.004, 0.001, 0.002, 0.95),
    "side": Style(0.026, 0.010, 0.004, 0.008, 0.8, 0.008, 0.002, 0.002, 0.97),
    "swept": Style(0.030, 0.014, 0.012, 0.012, -0.7, 0.002, 0.004, 0.003, 0.97),
    "curly": Style(0.034, 0.026, 0.010, 0.010, 0.0, 0.000, 0.010, 0.010, 0.92),
    "afro": Style(0.058, 0.052, 0.012, 0.000, 0.0, 0.000, 0.004, 0.006, 0.96),
    "bob": Style(0.022, 0.020, 0.120, 0.000, 0.5, 0.000, 0.003, 0.002, 0.99),
    "long": Style(0.020, 0.022, 0.260, 0.000, -0.4, 0.000, 0.006, 0.002, 0.99),
    "tied": Style(0.012, 0.010, 0.000, 0.000, 0.0, 0.000, 0.001, 0.001, 0.99),
    "receding": Style(0.010, 0.009, 0.000, 0.000, 0.0, 0.028, 0.001, 0.001, 0.85),
    "bald": Style(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}


@dataclass(frozen=True, eq=False)
class Hair:
    """A mesh of strand surfaces, in metres from the point between the eyes."""

    vertices: Floats
    """(n, 3)."""
    triangles: Ints
    """(m, 3)."""
    strand: Floats
    """(n, 4), all 0…1: around the head, along the curve, layer, part of the curve on the scalp."""


def hairline_polar(style: Style, centre: Floats, azimuth: Floats) -> Floats:
    """Polar angle from the crown at which hair ends, per azimuth (0 front, π back), in radians."""
    line = HAIRLINE.copy()
    line[1:3, 2] += style.recede
    line[1:3, 1] += style.recede
    line[0, 2] += 0.5 * style.recede
    d = line - centre
    angle = np.arctan2(d[:, 0], -d[:, 1])
    polar = np.arctan2(np.hypot(d[:, 0], d[:, 1]), d[:, 2])
    return np.interp(np.abs(azimuth), angle, polar).astype(np.float32)


def scalp_centre() -> Floats:
    """The middle of the skull, (3,), from the point between the eyes."""
    return np.array([0.0, 0.085, 0.02], np.float32)


def grow(style: Style, skull: Floats, seed: int) -> Hair:
    """Hair of a style on a skull.

    skull: (n, 3) points of the skin without ears, from the point between the eyes.
    """
    r = np.random.default_rng([seed, 3])
    azimuth = np.linspace(-pi, pi, COLUMNS + 1).astype(np.float32)
    radius = _Skull(skull)
    layers = [_layer(style, radius, azimuth, height, r) for height in LAYERS]
    vertices = np.concatenate([points.reshape(-1, 3) for points, _ in layers])
    along = np.linspace(0, 1, ROWS)
    strand = [
        np.stack(
            [
                np.broadcast_to((azimuth[:, None] / (2 * pi) + 0.5), (COLUMNS + 1, ROWS)),
                np.broadcast_to(along[None], (COLUMNS + 1, ROWS)),
                np.full((COLUMNS + 1, ROWS), 1 - k / (len(LAYERS) - 1)),
                np.broadcast_to(part[:, None], (COLUMNS + 1, ROWS)),
            ],
            -1,
        ).reshape(-1, 4)
        for k, (_, part) in enumerate(layers)
    ]
    grid = _grid(COLUMNS + 1, ROWS)
    count = (COLUMNS + 1) * ROWS
    triangles = np.concatenate([grid + k * count for k in range(len(LAYERS))])
    out = Hair(vertices.astype(np.float32), triangles, np.concatenate(strand).astype(np.float32))
    return _with_bun(out, radius) if style is STYLES["tied"] else out


class _Skull:
    """Distance from the skull's centre to the skin in any direction."""

    def __init__(self, skull: Floats) -> None:
        d = skull[:: max(1, len(skull) // 900)] - scalp_centre()
        self.length = np.linalg.norm(d, axis=1)
        self.direction = d / self.length[:, None]

    def __call__(self, direction: Floats) -> Floats:
        """Directions (..., 3) of unit length → metres (...)."""
        near = direction.reshape(-1, 3) @ self.direction.T
        weight = np.exp((near - near.max(1, keepdims=True)) / 0.0012)
        metres = (weight * self.length).sum(1) / weight.sum(1)
        return metres.reshape(direction.shape[:-1]).astype(np.float32)


def _layer(
    style: Style, radius: _Skull, azimuth: Floats, height: float, r: np.random.Generator
) -> tuple[Floats, Floats]:
    """Points (columns, rows, 3) of one layer and the part of each curve that lies on the scalp."""
    polar_end = hairline_polar(style, scalp_centre(), azimuth)
    front = np.exp(-((azimuth / 0.75) ** 2))
    fall = style.fringe * front + style.drop * (1 - np.exp(-((azimuth / 0.95) ** 4)))
    fall = fall * (0.9 + 0.2 * np.sin(azimuth * 7 + 3))
    on_scalp = polar_end * 0.1
    part = on_scalp / (on_scalp + fall)
    s = np.linspace(0, 1, ROWS, dtype=np.float32)[None]
    polar = np.minimum(s / part[:, None], 1) * polar_end[:, None]
    sideways = style.curl * np.sin(s * 40 + 9 * np.sin(azimuth * 5)[:, None]) * 6 * s
    direction = _direction(azimuth[:, None] + sideways, polar, style.whorl)
    thick = _thickness(style, azimuth[:, None], polar, polar_end[:, None], s, part[:, None])
    lumps = style.puff * np.sin(azimuth[:, None] * 11 + 2) * np.sin(polar * 13 + azimuth[:, None])
    distance = radius(direction) + height * (thick + lumps * (thick > 0.004)) + 0.0012
    points = scalp_centre() + direction * distance[..., None]
    return _hang(points, s, part, fall, radius, style, height * thick), part


def _direction(azimuth: Floats, polar: Floats, whorl: float) -> Floats:
    """Unit vectors; the pole leans back to the crown, or to the side for a parting."""
    plain = np.stack(
        [np.sin(polar) * np.sin(azimuth), -np.sin(polar) * np.cos(azimuth), np.cos(polar)], -1
    )
    lean = np.array([0.55 * whorl, 0.45 - 0.6 * abs(whorl), 0.0])
    out = plain + lean * (np.clip(1 - polar / 1.25, 0, 1) ** 1.5)[..., None]
    return np.asarray(out / np.linalg.norm(out, axis=-1, keepdims=True), np.float32)


def _thickness(
    style: Style, azimuth: Floats, polar: Floats, end: Floats, s: Floats, part: Floats
) -> Floats:
    """Metres of hair over the scalp."""
    height = np.clip(np.cos(polar), 0, 1)
    full = style.side + (style.top - style.side) * height
    taper = np.clip((end - polar) / 0.35, 0, 1) ** 0.6
    ends_on_scalp = np.clip((part - 0.75) / 0.25, 0, 1)
    low = 0.25 if style.top > 0.02 else 0.15
    return np.asarray(full * (1 - ends_on_scalp * (1 - np.maximum(taper, low))), np.float32)


def _hang(
    points: Floats,
    s: Floats,
    part: Floats,
    fall: Floats,
    radius: _Skull,
    style: Style,
    thick: Floats,
) -> Floats:
    """Let the part of each curve beyond the hairline fall, outside the head."""
    step = fall / np.maximum((1 - part) * (ROWS - 1), 1)
    out = points.copy()
    for k in range(1, ROWS):
        free = s[0, k] > part
        along = out[:, k - 1] - out[:, k - 2] if k > 1 else np.zeros_like(out[:, 0])
        along = along / (np.linalg.norm(along, axis=-1, keepdims=True) + 1e-9)
        aim = 0.72 * along + np.array([0, 0, -0.38])
        aim = aim / np.linalg.norm(aim, axis=-1, keepdims=True)
        new = out[:, k - 1] + aim * step[:, None]
        d = new - scalp_centre()
        metres = np.linalg.norm(d, axis=-1)
        floor = radius((d / metres[:, None]).astype(np.float32)) + 0.004 + 0.7 * thick[:, k]
        inside = (metres < floor) & (new[:, 2] > -0.13)
        new = np.where(inside[:, None], scalp_centre() + d / metres[:, None] * floor[:, None], new)
        out[:, k] = np.where(free[:, None], new, out[:, k])
    return np.asarray(out, np.float32)


def _grid(columns: int, rows: int) -> Ints:
    index = np.arange(columns * rows, dtype=np.int32).reshape(columns, rows)
    a, b, c, d = (
        x.ravel() for x in (index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:])
    )
    return np.concatenate([np.stack([a, c, b], -1), np.stack([a, d, c], -1)]).astype(np.int32)


def _with_bun(hair: Hair, radius: _Skull) -> Hair:
    """Tied hair: a ball at the back of the crown."""
    columns, rows = 25, 13
    turn, lift = np.meshgrid(np.linspace(-pi, pi, columns), np.linspace(0, pi, rows), indexing="ij")
    ball = np.stack([np.sin(lift) * np.sin(turn), -np.sin(lift) * np.cos(turn), np.cos(lift)], -1)
    way = np.array([0.0, 0.75, 0.66], np.float32)
    way = way / np.linalg.norm(way)
    where = scalp_centre() + way * (radius(way) + 0.028)
    points = where + ball * np.array([0.038, 0.038, 0.034])
    flat = np.stack([turn / (2 * pi) + 0.5, lift / pi, 0 * turn, 1 + 0 * turn], -1)
    return Hair(
        np.concatenate([hair.vertices, points.reshape(-1, 3)]).astype(np.float32),
        np.concatenate([hair.triangles, _grid(columns, rows) + len(hair.vertices)]),
        np.concatenate([hair.strand, flat.reshape(-1, 4)]).astype(np.float32),
    )
