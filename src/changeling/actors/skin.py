"""The skin of an actor, baked into the atlas: two pigments, pores, lips, brows and stubble."""

from __future__ import annotations

import cv2
import numpy as np
import warp as wp

from changeling.actors.actor import FaceTraits, StylingTraits
from changeling.actors.atlas import ATLAS, atlas
from changeling.actors.hair import STYLES, hairline_polar, scalp_centre
from changeling.actors.model import Floats

wp.set_module_options({"enable_backward": False})

LEVELS = 4
"""Sizes of the atlas that the shader chooses from: each half of the one before."""


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


@wp.func
def pigments(p: wp.vec3, lip: float, ear: float, lid: float, fine: float, skin: Skin) -> wp.vec2:
    """Melanin and blood of the skin at a point, both about 0…1."""
    q = p + skin.offset
    melanin = skin.melanin * (1.0 + 0.12 * wp.noise(wp.rand_init(7), q * 16.0) + 0.10 * fine) + 0.03
    if skin.freckles > 0.02:
        speck = wp.clamp((wp.noise(wp.rand_init(23), q * 330.0) - 0.42) * 9.0, 0.0, 1.0)
        melanin += skin.freckles * 0.55 * speck * (blob(p, 0.03, -0.03, 0.03, 0.02) + 0.15)
    mole = wp.clamp((wp.noise(wp.rand_init(29), q * 75.0) - 0.72) * 12.0, 0.0, 1.0)
    melanin += 0.35 * mole * (1.0 - lip)
    shade = blob(p, 0.032, -0.012, 0.016, 0.006) + 0.5 * lid
    melanin += 0.05 * shade
    red = blob(p, 0.04, -0.04, 0.020, 0.017) + blob(p, 0.0, -0.035, 0.014, 0.012)
    red += 0.7 * ear + 0.35 * shade + 0.4 * blob(p, 0.0, -0.095, 0.02, 0.012)
    blood = skin.haemoglobin * (1.0 + 0.16 * layered(q, 45.0)) + 0.28 * skin.redness * red
    blemish = wp.clamp((wp.noise(wp.rand_init(31), q * 95.0) - 0.66) * 9.0, 0.0, 1.0)
    blood += 0.30 * blemish + lip * (0.55 + 0.75 * skin.lip_colour)
    melanin += 0.10 * lip * (0.4 + skin.melanin)
    return wp.vec2(wp.clamp(melanin, 0.0, 1.3), blood)


@wp.func
def reflected(melanin: float, blood: float) -> wp.vec3:
    """Linear RGB that skin sends back: light is absorbed by both pigments (Beer and Lambert)."""
    absorb = wp.vec3(0.24, 0.50, 0.76) + wp.vec3(0.55, 1.25, 1.95) * melanin
    absorb += wp.vec3(1.40, 1.20, 0.85) * (melanin * melanin) + wp.vec3(0.03, 0.30, 0.25) * blood
    return wp.vec3(wp.exp(-absorb[0]), wp.exp(-absorb[1]), wp.exp(-absorb[2]))


@wp.func
def overgrown(colour: wp.vec3, p: wp.vec3, lip: float, scalp: float, skin: Skin) -> wp.vec3:
    """Skin under stubble, the hair of the scalp, and brows."""
    q = p + skin.offset
    beard = skin.stubble * beard_zone(p) * (1.0 - lip)
    if beard > 0.01:
        grain = 0.5 + 0.5 * wp.clamp(wp.noise(wp.rand_init(37), q * 1300.0) * 3.0, -1.0, 1.0)
        colour = wp.lerp(colour, skin.brow_colour * 0.8, wp.min(beard * (0.35 + 0.4 * grain), 0.7))
    if scalp > 0.01:
        strands = 0.75 + 0.25 * layered(q, 260.0)
        colour = wp.lerp(colour, skin.hair_colour * 0.6, wp.clamp(scalp * strands, 0.0, 0.97))
    return wp.lerp(colour, skin.brow_colour * 0.55, 0.96 * brow(p, skin))


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
    ear = ears[y, x]
    fine = wp.noise(wp.rand_init(7), q * 420.0) + 0.5 * wp.noise(wp.rand_init(7), q * 853.0)
    pore = wp.noise(wp.rand_init(5), q * 1500.0)
    pigment = pigments(p, lip, ear, lids[y, x], fine, skin)
    colour = reflected(pigment[0], pigment[1]) * (1.0 + 0.05 * fine + 0.04 * pore * (1.0 - lip))
    colour = overgrown(colour, p, lip, hair[y, x] * (1.0 - ear) * skin.hair_cover, skin)
    height = 0.00010 * pore + 0.00009 * fine
    if lip > 0.02:
        wrinkle = wp.noise(wp.rand_init(41), wp.vec3(q[0] * 900.0, q[1] * 60.0, q[2] * 200.0))
        height += lip * 0.00015 * wrinkle
    out[y, x] = wp.vec4(colour[0], colour[1], colour[2], height * (1.0 - 0.8 * lip))


def bake(face: FaceTraits, styling: StylingTraits, *, coarse: bool = False) -> Floats:
    """The texture of an actor, (texels, 4) linear RGB and height: all levels, one after another.

    coarse: only every fourth texel each way is computed, sixteen times faster, for small pictures.
    """
    step = 4 if coarse else 1
    maps = atlas()
    position = np.ascontiguousarray(maps.position[::step, ::step])
    masks = [np.ascontiguousarray(a[::step, ::step]) for a in (maps.lips, maps.ears, maps.lids)]
    inputs = [position, *masks, _hair_map(position, styling)]
    side = len(position)
    kinds = [wp.vec3, float, float, float, float]
    arrays = [wp.array(a, dtype=k, device="cpu") for a, k in zip(inputs, kinds, strict=True)]
    out = wp.empty((side, side), dtype=wp.vec4, device="cpu")
    wp.launch(_bake, (side, side), inputs=[*arrays, _skin(face, styling), out], device="cpu")
    level = out.numpy()
    if coarse:
        level = cv2.resize(level, (ATLAS, ATLAS), interpolation=cv2.INTER_LINEAR)
        level[..., 3] = 0  # pores this far apart would be bumps
    levels = [level.reshape(-1, 4)]
    for _ in range(LEVELS - 1):
        level = cv2.resize(level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        levels.append(level.reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)


def _skin(face: FaceTraits, styling: StylingTraits) -> Skin:
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
    skin.hair_cover = STYLES[styling.style].cover
    return skin


def _hair_map(position: Floats, styling: StylingTraits) -> Floats:
    """Where the scalp shows hair, 0…1, with a soft hairline."""
    d = position - scalp_centre()
    azimuth = np.arctan2(d[..., 0], -d[..., 1])
    polar = np.arctan2(np.hypot(d[..., 0], d[..., 1]), d[..., 2])
    end = hairline_polar(STYLES[styling.style], scalp_centre(), azimuth)
    return np.asarray(np.clip((end - polar) / 0.07 + 0.35, 0, 1), np.float32)
