"""Which triangle each sample shows: a compiled rasteriser, the same kernels on CPU and CUDA."""

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
"""Lashes: closed at the lid, where the last number of `strand` is 0, ragged at the tips, at 1."""
LOCKS = wp.constant(5)
"""Hair that hangs: strands seen from both sides."""
SLACK = wp.constant(1.0e-4)
"""Share of itself by which a triangle reaches beyond its edges, so that no crack is left."""
EMPTY = wp.constant(wp.uint64(0xFFFFFFFFFFFFFFFF))


@wp.struct
class Pose:
    """Where the head is in one frame; x right, y away from the camera, z up, in metres."""

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
def turn(v: wp.vec3, axis: wp.vec3, angle: float) -> wp.vec3:
    """Rodrigues' rotation."""
    c = wp.cos(angle)
    return v * c + wp.cross(axis, v) * wp.sin(angle) + axis * (wp.dot(axis, v) * (1.0 - c))


@wp.kernel
def place(
    rest: wp.array[wp.vec3],
    start: wp.array[int],
    action: wp.array[int],
    move: wp.array[wp.vec3],
    strength: wp.array[float],
    fixed: wp.array[wp.vec3],
    share: wp.array[float],
    pose: Pose,
    world: wp.array[wp.vec3],
    screen: wp.array[wp.vec3],
) -> None:
    """Resting vertices, moved by the actions → camera space and samples (x, y, depth)."""
    i = wp.tid()
    count = rest.shape[0]
    v = wp.vec3()
    if i < count:
        v = rest[i]
        for k in range(start[i], start[i + 1]):
            v += strength[action[k]] * move[k]
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
def hair_is_there(s: wp.vec4, cover: float) -> bool:
    """Whether a strand passes here: the lowest layer is closed, the others ajar, tips ragged."""
    ragged = 0.035 + 0.30 * wp.max(0.0, 1.0 - s[3])
    tip = s[1] > 1.0 - 1.5 * ragged
    if s[2] < 0.25 and not tip:
        return True
    clump = ripple(s[0] * 74.0 + 1.5 * s[1], 3)
    if tip:
        fine = ripple(s[0] * 260.0, 5)
        if s[1] > 1.0 - ragged * ((0.5 + 0.5 * s[2]) * clump + 0.5 * fine):
            return False
    if s[2] < 0.25:
        return True
    dense = ripple(s[0] * 520.0, 7) * 0.6 + 0.4 * clump
    return dense + 0.4 * (cover - 0.9) > 0.60 * s[2] + 0.5 * wp.max(0.0, s[1] - 0.8)


@wp.func
def is_there(surface: int, s: wp.vec4, cover: float) -> bool:
    """Whether a surface is there, not a hole, where its four numbers are s."""
    if surface < STRANDS:
        return True
    if surface == CUT:
        return s[3] > 0.0
    if surface == FRINGE:
        return s[3] < 0.16 + 0.75 * ripple(s[0] * 2300.0, 19)
    return hair_is_there(s, cover)


@wp.func
def key_of(depth: float, triangle: int) -> wp.uint64:
    """What a sample keeps: its depth in the upper half, so that the nearest is the least."""
    return (wp.uint64(wp.cast(depth, wp.uint32)) << wp.uint64(32)) | wp.uint64(triangle)


@wp.func
def crossing(slope: float) -> float:
    """1 / slope; a slope of 0 counts as a very small one."""
    return 1.0 / wp.where(wp.abs(slope) < 1.0e-12, 1.0e-12, slope)


@wp.func
def clipped(span: wp.vec2, e: float, inverse: float) -> wp.vec2:
    """The part of a span of x where e + x / inverse is not below 0."""
    x = -e * inverse
    rises = inverse > 0.0
    low = wp.max(span[0], wp.where(rises, x, span[0]))
    return wp.vec2(low, wp.min(span[1], wp.where(rises, span[1], x)))


@wp.func
def columns(y: float, g1: wp.vec2, g2: wp.vec2, inverse: wp.vec3, row: wp.vec2) -> wp.vec2:
    """The span of x in which row y runs through a triangle.

    x and y are measured from its first corner; g1 and g2 are the gradients of the weights of the
    other two, `inverse` is 1 over the slope along x of each weight, `row` the span of the picture.
    """
    span = clipped(row, 1.0 - y * (g1[1] + g2[1]) + SLACK, inverse[0])
    span = clipped(span, y * g1[1] + SLACK, inverse[1])
    return clipped(span, y * g2[1] + SLACK, inverse[2])


@wp.kernel
def rasterise(
    screen: wp.array[wp.vec3],
    triangles: wp.array[wp.vec3i],
    surface: wp.array[int],
    strand: wp.array[wp.vec4],
    cover: float,
    keys: wp.array2d[wp.uint64],
) -> None:
    """Keep the nearest triangle of each sample: a key is its depth, then its index."""
    i = wp.tid()
    t = triangles[i]
    kind = surface[i]
    a = screen[t[0]]
    b = screen[t[1]] - a
    c = screen[t[2]] - a
    area = b[0] * c[1] - c[0] * b[1]
    if area == 0.0 or (area > 0.0 and (kind == SOLID or kind == STRANDS)):
        return
    g1 = wp.vec2(c[1], -c[0]) / area
    g2 = wp.vec2(-b[1], b[0]) / area
    inverse = wp.vec3(crossing(-g1[0] - g2[0]), crossing(g1[0]), crossing(g2[0]))
    s = strand[t[0]]
    top = wp.max(0, int(wp.ceil(a[1] + wp.min(0.0, wp.min(b[1], c[1])) - 0.5)))
    bottom = int(wp.floor(a[1] + wp.max(0.0, wp.max(b[1], c[1])) - 0.5))
    left = 0.5 - a[0]
    for row in range(top, wp.min(bottom, keys.shape[0] - 1) + 1):
        y = float(row) + 0.5 - a[1]
        span = columns(y, g1, g2, inverse, wp.vec2(left, left + float(keys.shape[1] - 1)))
        for column in range(int(wp.ceil(span[0] - left)), int(wp.floor(span[1] - left)) + 1):
            p = wp.vec2(float(column) + left, y)
            w = wp.vec2(wp.dot(p, g1), wp.dot(p, g2))
            key = key_of(a[2] + w[0] * b[2] + w[1] * c[2], i)
            if key < keys[row, column]:
                at = s + w[0] * (strand[t[1]] - s) + w[1] * (strand[t[2]] - s)
                if is_there(kind, at, cover):
                    wp.atomic_min(keys, row, column, key)
