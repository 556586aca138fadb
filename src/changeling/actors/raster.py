"""Which triangle is seen at each sample: a compiled rasteriser, the same kernels on CPU and CUDA."""

from __future__ import annotations

import warp as wp

wp.set_module_options({"enable_backward": False, "fast_math": True})

SAMPLES = 2
"""Samples across and down each pixel."""

SOLID = wp.constant(0)
"""A surface seen from outside only."""
SHEET = wp.constant(1)
"""A surface seen from both sides."""
STRANDS = wp.constant(2)
"""Hair that lies on the head: seen from outside only, with holes between its strands."""
CUT = wp.constant(3)
"""A sheet that ends where the last number of `strand` falls below 0."""
FRINGE = wp.constant(4)
"""Lashes: closed at the lid, where the last number of `strand` is 0, and ragged at the tips, where it is 1."""
LOCKS = wp.constant(5)
"""Hair that hangs: strands seen from both sides."""
EMPTY = wp.constant(wp.uint64(0xFFFFFFFFFFFFFFFF))


@wp.struct
class Pose:
    """Where the head is in one frame; x to the right, y away from the camera, z up, in metres."""

    origin: wp.vec3
    """Where the point between the eyes of the resting head stands."""
    pivot: wp.vec3
    """The point in the neck about which the head turns, from the point between the eyes."""
    axis: wp.vec3
    """Axis of the head's rotation."""
    angle: float
    """Radians."""
    focal: float
    """Focal length in samples."""
    centre: wp.vec2
    """Principal point in samples."""


@wp.func
def head_share(z: float) -> float:
    """How much of the head's turn a resting point at height z takes part in: 0 shoulders, 1 head."""
    t = wp.clamp((z + 0.175) / 0.105, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@wp.func
def turn(v: wp.vec3, axis: wp.vec3, angle: float) -> wp.vec3:
    """Rodrigues' rotation."""
    c = wp.cos(angle)
    return v * c + wp.cross(axis, v) * wp.sin(angle) + axis * (wp.dot(axis, v) * (1.0 - c))


@wp.kernel
def place(
    moving: wp.array[wp.vec3],
    fixed: wp.array[wp.vec3],
    share: wp.array[float],
    pose: Pose,
    world: wp.array[wp.vec3],
    screen: wp.array[wp.vec3],
) -> None:
    """Resting vertices → camera space and samples (x, y, depth)."""
    i = wp.tid()
    count = moving.shape[0]
    v = wp.vec3()
    if i < count:
        v = moving[i]
    else:
        v = fixed[i - count]
    p = pose.pivot + turn(v - pose.pivot, pose.axis, pose.angle * share[i]) + pose.origin
    world[i] = p
    scale = pose.focal / p[1]
    screen[i] = wp.vec3(p[0] * scale + pose.centre[0], pose.centre[1] - p[2] * scale, p[1])


@wp.kernel
def smooth_normals(
    world: wp.array[wp.vec3],
    triangles: wp.array[wp.vec3i],
    start: wp.array[int],
    around: wp.array[int],
    normals: wp.array[wp.vec3],
) -> None:
    """Normal of each vertex: the sum of the normals of the triangles around it, by area."""
    i = wp.tid()
    total = wp.vec3()
    for k in range(start[i], start[i + 1]):
        t = triangles[around[k]]
        a = world[t[0]]
        total += wp.cross(world[t[1]] - a, world[t[2]] - a)
    normals[i] = wp.normalize(total)


@wp.func
def hash01(a: int, b: int) -> float:
    """A repeatable number in 0…1 for two integers."""
    h = wp.uint32(a) * wp.uint32(374761393) + wp.uint32(b) * wp.uint32(668265263)
    h = (h ^ (h >> wp.uint32(13))) * wp.uint32(1274126177)
    return float((h ^ (h >> wp.uint32(16))) & wp.uint32(65535)) / 65535.0


@wp.func
def ripple(x: float, row: int) -> float:
    """Smooth noise along a line, 0…1."""
    cell = int(wp.floor(x))
    t = x - wp.floor(x)
    t = t * t * (3.0 - 2.0 * t)
    return wp.lerp(hash01(cell, row), hash01(cell + 1, row), t)


@wp.func
def hair_is_there(strand: wp.vec4, cover: float) -> bool:
    """Whether a strand passes here: the lowest layer is closed, the others let it through, tips are ragged."""
    clump = ripple(strand[0] * 74.0 + 1.5 * strand[1], 3)
    ragged = 0.035 + 0.30 * wp.max(0.0, 1.0 - strand[3])
    if strand[1] > 1.0 - 1.5 * ragged:
        fine = ripple(strand[0] * 260.0, 5)
        if strand[1] > 1.0 - ragged * ((0.5 + 0.5 * strand[2]) * clump + 0.5 * fine):
            return False
    if strand[2] < 0.25:
        return True
    dense = ripple(strand[0] * 520.0, 7) * 0.6 + 0.4 * clump
    return dense + 0.4 * (cover - 0.9) > 0.60 * strand[2] + 0.5 * wp.max(0.0, strand[1] - 0.8)


@wp.kernel
def rasterise(
    screen: wp.array[wp.vec3],
    triangles: wp.array[wp.vec3i],
    first: int,
    surface: int,
    strand: wp.array[wp.vec4],
    cover: float,
    keys: wp.array2d[wp.uint64],
) -> None:
    """Keep, for each sample, the nearest triangle: depth in the upper half of the key, index in the lower."""
    k = wp.tid() + first
    t = triangles[k]
    a = screen[t[0]]
    b = screen[t[1]]
    c = screen[t[2]]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
    if area == 0.0 or (area > 0.0 and (surface == SOLID or surface == STRANDS)):
        return
    height = keys.shape[0]
    width = keys.shape[1]
    x_from = wp.max(0, int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])) - 0.5)))
    x_to = wp.min(width - 1, int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])) - 0.5)))
    y_from = wp.max(0, int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)))
    y_to = wp.min(height - 1, int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])) - 0.5)))
    inverse = 1.0 / area
    dw1 = (c[1] - a[1]) * inverse
    dw2 = -(b[1] - a[1]) * inverse
    for y in range(y_from, y_to + 1):
        py = float(y) + 0.5 - a[1]
        px = float(x_from) + 0.5 - a[0]
        w1 = (px * (c[1] - a[1]) - (c[0] - a[0]) * py) * inverse
        w2 = ((b[0] - a[0]) * py - px * (b[1] - a[1])) * inverse
        for x in range(x_from, x_to + 1):
            if w1 >= 0.0 and w2 >= 0.0 and w1 + w2 <= 1.0:
                depth = a[2] + w1 * (b[2] - a[2]) + w2 * (c[2] - a[2])
                key = (wp.uint64(wp.cast(depth, wp.uint32)) << wp.uint64(32)) | wp.uint64(k)
                if key < keys[y, x]:
                    seen = bool(True)
                    if surface >= STRANDS:
                        w0 = 1.0 - w1 - w2
                        s = w0 * strand[t[0]] + w1 * strand[t[1]] + w2 * strand[t[2]]
                        if surface == STRANDS or surface == LOCKS:
                            seen = hair_is_there(s, cover)
                        elif surface == FRINGE:
                            seen = s[3] < 0.16 + 0.75 * ripple(s[0] * 2300.0, 19)
                        else:
                            seen = s[3] > 0.0
                    if seen:
                        wp.atomic_min(keys, y, x, key)
            w1 += dw1
            w2 += dw2
