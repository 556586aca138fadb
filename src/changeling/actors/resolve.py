"""Samples → pixels: shaded once a pixel where its four samples agree, else once a sample."""

from __future__ import annotations

import warp as wp

from changeling.actors.materials import (
    HAIR,
    LASHES,
    LEFT_EYE,
    MOUTH,
    RIGHT_EYE,
    SKIN,
    TEETH,
    TONGUE,
    shade,
)
from changeling.actors.raster import EMPTY
from changeling.actors.scene import Light, Look, Mesh, weights
from changeling.actors.truth import Segment

wp.set_module_options({"enable_backward": False, "fast_math": True})

STRIP = 16
"""Pixels of a row that one thread resolves: starting one costs a CPU as much as a pixel does."""
STEP = wp.constant(STRIP)
FAR = wp.constant(1.0e9)
"""Depth where no actor is, in metres."""
FLAT = wp.constant(0.006)
"""Metres of depth between the samples of a pixel below which they count as one surface."""

FACE_LABEL = wp.constant(int(Segment.FACE))
SKIN_LABEL = wp.constant(int(Segment.SKIN))
HAIR_LABEL = wp.constant(int(Segment.HAIR))
EYES_LABEL = wp.constant(int(Segment.EYES))
MOUTH_LABEL = wp.constant(int(Segment.MOUTH))
CLOTHES_LABEL = wp.constant(int(Segment.CLOTHES))


@wp.struct
class Samples:
    """What the four samples of a pixel have in common."""

    empty: int
    """How many show the background."""
    near: float
    """Metres to the nearest; FAR where there is none."""
    far: float
    """Metres to the farthest."""
    part: int
    """The part that all show; −1 where they differ."""


@wp.func
def index_of(key: wp.uint64) -> int:
    return int(key & wp.uint64(0xFFFFFFFF))


@wp.func
def depth_of(key: wp.uint64) -> float:
    return wp.cast(wp.uint32(key >> wp.uint64(32)), wp.float32)


@wp.func
def sample(keys: wp.array2d[wp.uint64], row: int, column: int, k: int) -> wp.uint64:
    """Sample k of the four of a pixel, row by row."""
    return keys[2 * row + k / 2, 2 * column + k % 2]


@wp.func
def compare(keys: wp.array2d[wp.uint64], part: wp.array[int], row: int, column: int) -> Samples:
    s = Samples()
    s.near = FAR
    s.part = -2
    for k in range(4):
        key = sample(keys, row, column, k)
        if key == EMPTY:
            s.empty += 1
        else:
            s.near = wp.min(s.near, depth_of(key))
            s.far = wp.max(s.far, depth_of(key))
            here = part[index_of(key)]
            if s.part == -2:
                s.part = here
            if s.part != here:
                s.part = -1
    return s


@wp.func
def label_of(mesh: Mesh, key: wp.uint64, x: float, y: float) -> int:
    """The `Segment` of a sample at (x, y)."""
    if key == EMPTY:
        return 0
    t = index_of(key)
    part = mesh.part[t]
    if part == SKIN:
        w = weights(mesh, t, x, y)
        tri = mesh.triangles[t]
        inner = mesh.inner[tri[0]] * w[0] + mesh.inner[tri[1]] * w[1] + mesh.inner[tri[2]] * w[2]
        if inner > 0.0:
            return FACE_LABEL
        return SKIN_LABEL
    if part == HAIR:
        return HAIR_LABEL
    if part == LEFT_EYE or part == RIGHT_EYE:
        return EYES_LABEL
    if part == TEETH or part == TONGUE or part == MOUTH:
        return MOUTH_LABEL
    if part == LASHES:
        return FACE_LABEL
    return CLOTHES_LABEL


@wp.func
def tone(c: wp.vec3) -> wp.vec3:
    """Soft shoulder of a camera: highlights roll off instead of clipping, 0…1."""
    x = c * 0.84
    out = wp.vec3()
    for k in range(3):
        v = wp.max(x[k], 0.0)
        out[k] = wp.min(v * (2.2 * v + 0.10) / (v * (2.05 * v + 0.62) + 0.13), 1.0)
    return out


@wp.func
def shade_at(mesh: Mesh, key: wp.uint64, x: float, y: float, light: Light, look: Look) -> wp.vec3:
    """Linear RGB, 0…1, of the triangle of a key where it meets sample (x, y)."""
    t = index_of(key)
    w = weights(mesh, t, x, y)
    return tone(shade(mesh, t, wp.vec3(w[0], w[1], w[2]), light, look, 0.25 * w[3] + 1.0e-6))


@wp.func
def encode(v: float, curve: wp.array[wp.uint8]) -> wp.uint8:
    """Linear 0…1 → sRGB byte, through a table over the square root."""
    return curve[int(wp.sqrt(wp.clamp(v, 0.0, 1.0)) * 4095.0 + 0.5)]


@wp.func
def mixed(
    mesh: Mesh,
    keys: wp.array2d[wp.uint64],
    row: int,
    column: int,
    step: int,
    behind: wp.vec3,
    light: Light,
    look: Look,
) -> wp.vec3:
    """Mean colour of a pixel whose samples differ; a step of 3 takes two of the four samples."""
    total = wp.vec3()
    count = float(0.0)
    for k in range(0, 4, step):
        key = sample(keys, row, column, k)
        count += 1.0
        if key == EMPTY:
            total += behind
        else:
            x = 2.0 * float(column) + float(k % 2) + 0.5
            y = 2.0 * float(row) + float(k / 2) + 0.5
            total += shade_at(mesh, key, x, y, light, look)
    return total / count


@wp.kernel
def resolve(
    mesh: Mesh,
    keys: wp.array2d[wp.uint64],
    light: Light,
    look: Look,
    background: wp.array2d[wp.vec3],
    background_bytes: wp.array3d[wp.uint8],
    curve: wp.array[wp.uint8],
    picture: wp.array3d[wp.uint8],
    labels: wp.array2d[wp.uint8],
    depth: wp.array2d[float],
) -> None:
    """Colour (sRGB bytes), label of the first sample and nearest depth (metres) of each pixel."""
    row, strip = wp.tid()
    for column in range(strip * STEP, wp.min((strip + 1) * STEP, labels.shape[1])):
        s = compare(keys, mesh.part, row, column)
        depth[row, column] = s.near
        if s.empty == 4:
            labels[row, column] = wp.uint8(0)
            for k in range(3):
                picture[row, column, k] = background_bytes[row, column, k]
            continue
        x = 2.0 * float(column)
        y = 2.0 * float(row)
        first = sample(keys, row, column, 0)
        labels[row, column] = wp.uint8(label_of(mesh, first, x + 0.5, y + 0.5))
        colour = wp.vec3()
        whole = s.empty == 0 and s.part >= 0
        if whole and s.far - s.near < FLAT:
            colour = shade_at(mesh, first, x + 1.0, y + 1.0, light, look)
        else:
            step = wp.where(whole and s.part == HAIR, 3, 1)
            colour = mixed(mesh, keys, row, column, step, background[row, column], light, look)
        for k in range(3):
            picture[row, column, k] = encode(colour[k], curve)
