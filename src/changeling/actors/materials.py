"""Materials: the light that skin, eyes, hair, cloth and teeth send to the camera."""

from __future__ import annotations

import warp as wp

from changeling.actors.model import Part
from changeling.actors.raster import ripple
from changeling.actors.scene import Light, Look, Mesh, Point, around_light, gleam, point_on, power
from changeling.actors.texture import ATLAS_SIZE, bumped, sample_texture

wp.set_module_options({"enable_backward": False, "fast_math": True})

SKIN = wp.constant(int(Part.SKIN))
LEFT_EYE = wp.constant(int(Part.LEFT_EYE))
RIGHT_EYE = wp.constant(int(Part.RIGHT_EYE))
TEETH = wp.constant(int(Part.TEETH))
TONGUE = wp.constant(int(Part.TONGUE))
LASHES = wp.constant(int(Part.LASHES))
MOUTH = wp.constant(int(Part.MOUTH))
SHIRT = wp.constant(int(Part.SHIRT))
HAIR = wp.constant(int(Part.HAIR))
GLASSES = wp.constant(int(Part.GLASSES))


@wp.func
def shade_skin(
    mesh: Mesh, t: int, w: wp.vec3, s: Point, light: Light, look: Look, pixels: float
) -> wp.vec3:
    """Skin: wrapped diffuse light, redder where it ends, two highlights and a rim."""
    at = mesh.uv[t, 0] * w[0] + mesh.uv[t, 1] * w[1] + mesh.uv[t, 2] * w[2]
    a = mesh.uv[t, 1] - mesh.uv[t, 0]
    b = mesh.uv[t, 2] - mesh.uv[t, 0]
    ratio = wp.abs(a[0] * b[1] - a[1] * b[0]) * float(ATLAS_SIZE * ATLAS_SIZE) / pixels
    level = wp.clamp(int(0.5 * wp.log2(wp.max(ratio, 1.0e-6)) + 0.35), 0, 3)
    paint = sample_texture(mesh.texture, at[0], at[1], level)
    n = s.n
    if level < 2:
        n = bumped(mesh, t, s.n, at, level, paint)
    nl = wp.dot(n, light.key)
    red = wp.max(0.0, (wp.dot(s.n, light.key) * 0.6 + nl * 0.4 + 0.36) / 1.36)
    green = wp.max(0.0, (nl + 0.16) / 1.16)
    blue = wp.max(0.0, (nl + 0.10) / 1.10)
    shadow = wp.vec3(0.75 * s.key + 0.25 * wp.sqrt(s.key), s.key, s.key * (0.3 + 0.7 * s.key))
    direct = wp.cw_mul(wp.cw_mul(wp.vec3(red, green, blue), shadow), light.key_colour)
    arrive = direct + around_light(s, n, light)
    base = wp.vec3(paint[0], paint[1], paint[2])
    facing = wp.max(0.0, wp.dot(n, s.view))
    rim = (1.0 - facing) * (1.0 - facing) * (1.0 - facing)
    shine = 0.020 * gleam(s, n, light, 14) + 0.016 * gleam(s, n, light, 55)
    shine = shine * look.gloss * wp.clamp(nl * 4.0, 0.0, 1.0) * s.key * (1.0 + 2.5 * rim)
    glow = (light.sky * (0.06 * s.sky) + light.fill_colour * 0.03) * rim
    return wp.cw_mul(base, arrive) + light.key_colour * shine + glow


@wp.func
def shade_eye(s: Point, centre: wp.vec3, gaze: wp.vec3, light: Light, look: Look) -> wp.vec3:
    """An eyeball: sclera, iris with fibres and a dark ring, pupil, and a wet highlight."""
    d = wp.normalize(s.p - centre)
    across = wp.dot(d, gaze)
    angle = wp.acos(wp.clamp(across, -1.0, 1.0))
    side = wp.normalize(wp.cross(gaze, wp.vec3(0.0, 0.0, 1.0)))
    up = wp.cross(side, gaze)
    spin = wp.atan2(wp.dot(d, up), wp.dot(d, side))
    r = angle / 0.40
    fibre = 0.65 + 0.5 * ripple(spin * 14.0 + 50.0, 3) + 0.25 * ripple(spin * 37.0 + 90.0, 5)
    iris = look.iris * fibre * (0.55 + 0.8 * wp.clamp(r - 0.25, 0.0, 1.0))
    iris = iris * (1.0 - 0.75 * wp.smoothstep(0.78, 1.0, r))
    iris = iris * wp.smoothstep(0.36, 0.44, r) + wp.vec3(0.004)
    red = 0.10 * wp.clamp(angle - 0.55, 0.0, 1.0)
    white = wp.vec3(0.60 - 0.3 * red, 0.55 - red, 0.52 - red)
    colour = wp.lerp(iris, white, wp.smoothstep(0.92, 1.05, r))
    lid = wp.clamp(1.0 - 0.55 * wp.max(0.0, angle - 0.35), 0.3, 1.0)
    top = wp.clamp(1.05 - 1.1 * wp.max(0.0, d[2] - 0.12), 0.25, 1.0)
    n = wp.normalize(d * 0.8 + s.n * 0.2)
    wrap = wp.max(0.0, (wp.dot(n, light.key) + 0.3) / 1.3)
    arrive = light.key_colour * wrap * s.key + around_light(s, n, light) * 1.1
    bulge = wp.normalize(d + gaze * (0.55 * wp.smoothstep(1.25, 0.3, r)))
    wet = 0.035 * gleam(s, bulge, light, 220) * wp.clamp(s.key * 2.0 + 0.35, 0.0, 1.0)
    window = wp.smoothstep(0.80, 0.9, wp.dot(bulge, wp.normalize(s.view + light.fill)))
    return (
        wp.cw_mul(colour, arrive) * (lid * top)
        + light.key_colour * wp.min(wet, 1.6)
        + light.fill_colour * (0.06 * window)
    )


@wp.func
def shade_hair(mesh: Mesh, t: int, w: wp.vec3, s: Point, light: Light, look: Look) -> wp.vec3:
    """Strands (Kajiya and Kay 1989) with two highlights shifted along the strand."""
    tri = mesh.triangles[t]
    s0 = mesh.strand[tri[0]]
    s1 = mesh.strand[tri[1]]
    s2 = mesh.strand[tri[2]]
    strand = s0 * w[0] + s1 * w[1] + s2 * w[2]
    e1 = mesh.world[tri[1]] - mesh.world[tri[0]]
    e2 = mesh.world[tri[2]] - mesh.world[tri[0]]
    area = (s1[0] - s0[0]) * (s2[1] - s0[1]) - (s2[0] - s0[0]) * (s1[1] - s0[1])
    along = e2 * (s1[0] - s0[0]) - e1 * (s2[0] - s0[0])
    fine = ripple(strand[0] * 420.0, 11)
    clump = ripple(strand[0] * 96.0 + 1.2 * strand[1], 13)
    tangent = wp.normalize(along * wp.sign(area) + s.n * ((fine - 0.5) * 0.0004 + 1.0e-9))
    n = wp.normalize(s.n + wp.cross(tangent, s.n) * ((clump - 0.5) * 0.9 + (fine - 0.5) * 0.5))
    h = wp.normalize(light.key + s.view)
    th = wp.dot(tangent, h) + 0.10 * (fine - 0.5)
    first = power(wp.max(0.0, 1.0 - (th + 0.06) * (th + 0.06)), 90)
    second = power(wp.max(0.0, 1.0 - (th - 0.10) * (th - 0.10)), 26)
    tl = wp.dot(tangent, light.key)
    nl = wp.clamp(wp.dot(n, light.key) * 0.8 + 0.25, 0.0, 1.0)
    diffuse = wp.sqrt(wp.max(0.0, 1.0 - tl * tl)) * nl
    deep = (0.55 + 0.45 * strand[2]) * (0.70 + 0.45 * clump) * (0.86 + 0.28 * fine)
    base = look.hair * deep
    arrive = light.key_colour * (diffuse * s.key) + around_light(s, n, light)
    tint = look.hair * 0.9 + wp.vec3(0.05)
    shine = (tint * (0.55 * second) + wp.vec3(0.055 * first)) * (nl * s.key * deep)
    return wp.cw_mul(base, arrive) + wp.cw_mul(shine, light.key_colour)


@wp.func
def shirt_paint(at: wp.vec4, look: Look) -> wp.vec3:
    """The printed cloth: plain, stripes, checks or a chest band."""
    mix = float(0.0)
    if look.pattern == 1:
        mix = wp.smoothstep(0.42, 0.5, wp.abs(at[1] * 22.0 - wp.floor(at[1] * 22.0) - 0.5))
    if look.pattern == 2:
        a = wp.smoothstep(0.30, 0.36, wp.abs(at[0] * 18.0 - wp.floor(at[0] * 18.0) - 0.5))
        b = wp.smoothstep(0.30, 0.36, wp.abs(at[1] * 18.0 - wp.floor(at[1] * 18.0) - 0.5))
        mix = 0.5 * a + 0.5 * b
    if look.pattern == 3:
        mix = wp.smoothstep(0.235, 0.239, -at[1])
    if at[3] < 0.010:
        mix = 1.0 - 0.6 * mix
    return wp.lerp(look.shirt, look.shirt_second, mix)


@wp.func
def shade_plain(s: Point, base: wp.vec3, light: Light, shine: float, sharpness: int) -> wp.vec3:
    """Cloth, teeth, tongue, frames: diffuse light and one highlight."""
    nl = wp.clamp((wp.dot(s.n, light.key) + 0.08) / 1.08, 0.0, 1.0)
    out = wp.cw_mul(base, light.key_colour * (nl * s.key) + around_light(s, s.n, light))
    if shine > 0.0:
        out += light.key_colour * (shine * gleam(s, s.n, light, sharpness) * s.key)
    return out


@wp.func
def shade(mesh: Mesh, t: int, w: wp.vec3, light: Light, look: Look, pixels: float) -> wp.vec3:
    """Linear RGB of triangle t at barycentric w; `pixels` is twice its area on the picture."""
    s = point_on(mesh, t, w)
    part = mesh.part[t]
    if part == SKIN:
        return shade_skin(mesh, t, w, s, light, look, pixels)
    tri = mesh.triangles[t]
    at = mesh.strand[tri[0]] * w[0] + mesh.strand[tri[1]] * w[1] + mesh.strand[tri[2]] * w[2]
    if part == HAIR:
        if wp.dot(s.n, s.view) < 0.0:
            s.n = -s.n
        return shade_hair(mesh, t, w, s, light, look)
    if part == LEFT_EYE:
        return shade_eye(s, look.left_eye, look.left_gaze, light, look)
    if part == RIGHT_EYE:
        return shade_eye(s, look.right_eye, look.right_gaze, light, look)
    if part == TEETH:
        gap = wp.abs(at[0] / 0.0078 - wp.floor(at[0] / 0.0078) - 0.5)
        line = 1.0 - 0.45 * wp.smoothstep(0.40, 0.5, gap)
        return shade_plain(s, wp.vec3(0.60, 0.55, 0.46) * line, light, 0.012, 60)
    if part == TONGUE:
        return shade_plain(s, wp.vec3(0.34, 0.10, 0.09), light, 0.010, 30)
    if part == MOUTH:
        return shade_plain(s, wp.vec3(0.22, 0.055, 0.05), light, 0.006, 30)
    if part == SHIRT:
        return shade_plain(s, shirt_paint(at, look), light, 0.0, 1)
    if part == GLASSES:
        return shade_plain(s, look.frame, light, 0.05, 90)
    return wp.vec3(0.006, 0.005, 0.004)
