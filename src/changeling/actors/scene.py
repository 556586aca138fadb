"""What the shading kernels share: the posed mesh, the light of a frame, a point in that light."""

from __future__ import annotations

import warp as wp

from changeling.actors.raster import Pose, turn
from changeling.actors.visibility import Vec16, harmonics

wp.set_module_options({"enable_backward": False, "fast_math": True})


@wp.struct
class Light:
    """Light of one frame: directions towards the light, colours in linear RGB."""

    key: wp.vec3
    key_colour: wp.vec3
    fill: wp.vec3
    fill_colour: wp.vec3
    sky: wp.vec3
    ground: wp.vec3


@wp.struct
class Look:
    """What an actor's materials need beside the texture."""

    gloss: float
    iris: wp.vec3
    hair: wp.vec3
    shirt: wp.vec3
    shirt_second: wp.vec3
    pattern: int
    frame: wp.vec3
    left_eye: wp.vec3
    right_eye: wp.vec3
    left_gaze: wp.vec3
    right_gaze: wp.vec3


@wp.struct
class Mesh:
    """The posed actor."""

    world: wp.array[wp.vec3]
    screen: wp.array[wp.vec3]
    normals: wp.array[wp.vec3]
    triangles: wp.array[wp.vec3i]
    part: wp.array[int]
    uv: wp.array2d[wp.vec2]
    strand: wp.array[wp.vec4]
    inner: wp.array[float]
    lit: wp.array[wp.vec2]
    texture: wp.array[wp.vec4]


@wp.struct
class Point:
    """One shaded point: position, normal, view direction, visibility of the key light, open sky."""

    p: wp.vec3
    n: wp.vec3
    view: wp.vec3
    key: float
    sky: float


@wp.kernel
def light_vertices(
    seen: wp.array[Vec16],
    sky: wp.array[float],
    share: wp.array[float],
    pose: Pose,
    light: Light,
    lit: wp.array[wp.vec2],
) -> None:
    """How much of the key light and of the open sky reaches each vertex."""
    i = wp.tid()
    d = turn(light.key, pose.axis, -pose.angle * share[i])
    lit[i] = wp.vec2(wp.clamp((wp.dot(harmonics(d), seen[i]) - 0.12) * 1.35, 0.0, 1.0), sky[i])


@wp.func
def around_light(s: Point, n: wp.vec3, light: Light) -> wp.vec3:
    """Fill and ambient light that falls on a point."""
    up = 0.5 + 0.5 * n[2]
    fill = wp.max(0.0, 0.25 + 0.75 * wp.dot(n, light.fill))
    return (light.fill_colour * fill + light.sky * up + light.ground * (1.0 - up)) * s.sky


@wp.func
def power(x: float, n: int) -> float:
    """x to the n-th, by squaring: several times faster than `wp.pow`."""
    out = float(1.0)
    while n > 0:
        if n % 2 == 1:
            out *= x
        x = x * x
        n = n // 2
    return out


@wp.func
def gleam(s: Point, n: wp.vec3, light: Light, sharpness: int) -> float:
    """Blinn's highlight of the key light, normalised."""
    h = wp.normalize(light.key + s.view)
    return power(wp.max(0.0, wp.dot(n, h)), sharpness) * (float(sharpness) + 8.0) * 0.04


@wp.func
def weights(mesh: Mesh, t: int, x: float, y: float) -> wp.vec4:
    """Barycentric coordinates of a sample, kept near the triangle; twice its area in samples."""
    tri = mesh.triangles[t]
    a = mesh.screen[tri[0]]
    b = mesh.screen[tri[1]]
    c = mesh.screen[tri[2]]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
    w1 = ((x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / area
    w2 = ((b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])) / area
    w1 = wp.clamp(w1, -0.2, 1.2)
    w2 = wp.clamp(w2, -0.2, 1.2)
    return wp.vec4(1.0 - w1 - w2, w1, w2, wp.abs(area))


@wp.func
def point_on(mesh: Mesh, t: int, w: wp.vec3) -> Point:
    tri = mesh.triangles[t]
    s = Point()
    s.p = mesh.world[tri[0]] * w[0] + mesh.world[tri[1]] * w[1] + mesh.world[tri[2]] * w[2]
    n = mesh.normals[tri[0]] * w[0] + mesh.normals[tri[1]] * w[1] + mesh.normals[tri[2]] * w[2]
    s.view = -wp.normalize(s.p)
    s.n = wp.normalize(n)
    lit = mesh.lit[tri[0]] * w[0] + mesh.lit[tri[1]] * w[1] + mesh.lit[tri[2]] * w[2]
    s.key = wp.clamp(lit[0], 0.0, 1.0)
    s.sky = wp.clamp(lit[1], 0.0, 1.0)
    return s
