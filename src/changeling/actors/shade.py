"""What each pixel looks like: materials lit by key, fill and ambient, once a pixel where its samples agree."""

from __future__ import annotations

import warp as wp

from changeling.actors.model import Part
from changeling.actors.raster import EMPTY, Pose, ripple, turn

wp.set_module_options({"enable_backward": False, "fast_math": True})

ATLAS_SIZE = wp.constant(1024)
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


@wp.func
def harmonics(d: wp.vec3, vis: wp.array2d[float], i: int) -> float:
    """Visibility of vertex i in direction d, from its 16 real spherical harmonics."""
    x = d[0]
    y = d[1]
    z = d[2]
    s = 0.282095 * vis[i, 0]
    s += 0.488603 * (y * vis[i, 1] + z * vis[i, 2] + x * vis[i, 3])
    s += 1.092548 * (x * y * vis[i, 4] + y * z * vis[i, 5] + x * z * vis[i, 7])
    s += 0.315392 * (3.0 * z * z - 1.0) * vis[i, 6] + 0.546274 * (x * x - y * y) * vis[i, 8]
    s += 0.590044 * (y * (3.0 * x * x - y * y) * vis[i, 9] + x * (x * x - 3.0 * y * y) * vis[i, 15])
    s += 2.890611 * x * y * z * vis[i, 10] + 1.445306 * z * (x * x - y * y) * vis[i, 14]
    s += 0.457046 * (5.0 * z * z - 1.0) * (y * vis[i, 11] + x * vis[i, 13])
    return s + 0.373176 * (5.0 * z * z * z - 3.0 * z) * vis[i, 12]


@wp.kernel
def light_vertices(
    vis: wp.array2d[float],
    share: wp.array[float],
    pose: Pose,
    light: Light,
    lit: wp.array[wp.vec2],
) -> None:
    """How much of the key light and of the open sky reaches each vertex, from the resting head's visibility."""
    i = wp.tid()
    d = turn(light.key, pose.axis, -pose.angle * share[i])
    seen = wp.clamp((harmonics(d, vis, i) - 0.12) * 1.35, 0.0, 1.0)
    lit[i] = wp.vec2(seen, vis[i, 16])


@wp.func
def around_light(s: Point, n: wp.vec3, light: Light) -> wp.vec3:
    """Fill and ambient light that falls on a point."""
    up = 0.5 + 0.5 * n[2]
    fill = wp.max(0.0, 0.25 + 0.75 * wp.dot(n, light.fill))
    return (light.fill_colour * fill + light.sky * up + light.ground * (1.0 - up)) * s.sky


@wp.func
def gleam(s: Point, n: wp.vec3, light: Light, power: float) -> float:
    """Blinn's highlight of the key light, normalised."""
    h = wp.normalize(light.key + s.view)
    return wp.pow(wp.max(0.0, wp.dot(n, h)), power) * (power + 8.0) * 0.04


@wp.func
def texel(texture: wp.array[wp.vec4], base: int, size: int, x: int, y: int) -> wp.vec4:
    row = wp.clamp(y, 0, size - 1)
    column = (x + size) % size
    return texture[base + row * size + column]


@wp.func
def sample_texture(texture: wp.array[wp.vec4], u: float, v: float, level: int) -> wp.vec4:
    """Bilinear lookup in one level of the atlas."""
    size = ATLAS_SIZE >> level
    base = int(0)
    for k in range(level):
        base += (ATLAS_SIZE >> k) * (ATLAS_SIZE >> k)
    x = u * float(size) - 0.5
    y = v * float(size) - 0.5
    ix = int(wp.floor(x))
    iy = int(wp.floor(y))
    fx = x - float(ix)
    fy = y - float(iy)
    top = texel(texture, base, size, ix, iy) * (1.0 - fx)
    top += texel(texture, base, size, ix + 1, iy) * fx
    low = texel(texture, base, size, ix, iy + 1) * (1.0 - fx)
    low += texel(texture, base, size, ix + 1, iy + 1) * fx
    return top * (1.0 - fy) + low * fy


@wp.func
def bumped(mesh: Mesh, t: int, n: wp.vec3, at: wp.vec2, level: int, here: wp.vec4) -> wp.vec3:
    """Normal bent by the texture's height (Mikkelsen 2010, equation 4)."""
    tri = mesh.triangles[t]
    step = float(1 << level) / float(ATLAS_SIZE)
    hu = sample_texture(mesh.texture, at[0] + step, at[1], level)[3] - here[3]
    hv = sample_texture(mesh.texture, at[0], at[1] + step, level)[3] - here[3]
    e1 = mesh.world[tri[1]] - mesh.world[tri[0]]
    e2 = mesh.world[tri[2]] - mesh.world[tri[0]]
    a = (mesh.uv[t, 1] - mesh.uv[t, 0]) / step
    b = (mesh.uv[t, 2] - mesh.uv[t, 0]) / step
    area = a[0] * b[1] - a[1] * b[0]
    if wp.abs(area) < 1.0e-9:
        return n
    pu = (e1 * b[1] - e2 * a[1]) / area
    pv = (e2 * a[0] - e1 * b[0]) / area
    r1 = wp.cross(pv, n)
    r2 = wp.cross(n, pu)
    det = wp.dot(pu, r1)
    if wp.abs(det) < 1.0e-12:
        return n
    return wp.normalize(n - (r1 * hu + r2 * hv) / det)


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
    shine = 0.020 * gleam(s, n, light, 14.0) + 0.016 * gleam(s, n, light, 55.0)
    shine = shine * look.gloss * wp.clamp(nl * 4.0, 0.0, 1.0) * s.key * (1.0 + 2.5 * rim)
    glow = (light.sky * (0.06 * s.sky) + light.fill_colour * 0.03) * rim
    return wp.cw_mul(base, arrive) + light.key_colour * shine + glow


@wp.func
def shade_eye(s: Point, centre: wp.vec3, gaze: wp.vec3, light: Light, look: Look) -> wp.vec3:
    """An eyeball: sclera, iris with fibres and a dark ring, pupil, and the wet highlight of the cornea."""
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
    wet = 0.035 * gleam(s, bulge, light, 220.0) * wp.clamp(s.key * 2.0 + 0.35, 0.0, 1.0)
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
    first = wp.pow(wp.max(0.0, 1.0 - (th + 0.06) * (th + 0.06)), 90.0)
    second = wp.pow(wp.max(0.0, 1.0 - (th - 0.10) * (th - 0.10)), 26.0)
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
def shade_plain(s: Point, base: wp.vec3, light: Light, shine: float, power: float) -> wp.vec3:
    """Cloth, teeth, tongue, frames: diffuse light and one highlight."""
    nl = wp.clamp((wp.dot(s.n, light.key) + 0.08) / 1.08, 0.0, 1.0)
    out = wp.cw_mul(base, light.key_colour * (nl * s.key) + around_light(s, s.n, light))
    if shine > 0.0:
        out += light.key_colour * (shine * gleam(s, s.n, light, power) * s.key)
    return out


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


@wp.func
def shade(mesh: Mesh, t: int, w: wp.vec3, light: Light, look: Look, pixels: float) -> wp.vec3:
    """Linear RGB of triangle t at barycentric w; `pixels` is twice the triangle's area on the picture."""
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
        return shade_plain(s, wp.vec3(0.60, 0.55, 0.46) * line, light, 0.012, 60.0)
    if part == TONGUE:
        return shade_plain(s, wp.vec3(0.34, 0.10, 0.09), light, 0.010, 30.0)
    if part == MOUTH:
        return shade_plain(s, wp.vec3(0.22, 0.055, 0.05), light, 0.006, 30.0)
    if part == SHIRT:
        return shade_plain(s, shirt_paint(at, look), light, 0.0, 1.0)
    if part == GLASSES:
        return shade_plain(s, look.frame, light, 0.05, 90.0)
    return wp.vec3(0.006, 0.005, 0.004)


@wp.func
def label_of(mesh: Mesh, t: int, w: wp.vec3) -> int:
    """The `Segment` of triangle t at barycentric w."""
    part = mesh.part[t]
    if part == SKIN:
        tri = mesh.triangles[t]
        inner = mesh.inner[tri[0]] * w[0] + mesh.inner[tri[1]] * w[1] + mesh.inner[tri[2]] * w[2]
        if inner > 0.0:
            return 1
        return 2
    if part == HAIR:
        return 3
    if part == LEFT_EYE or part == RIGHT_EYE:
        return 4
    if part == TEETH or part == TONGUE or part == MOUTH:
        return 5
    if part == LASHES:
        return 1
    return 6


@wp.func
def weights(mesh: Mesh, t: int, x: float, y: float) -> wp.vec4:
    """Barycentric coordinates of a sample, not far outside the triangle, and twice its area in samples."""
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
def tone(c: wp.vec3) -> wp.vec3:
    """Soft shoulder of a camera: highlights roll off instead of clipping, 0…1."""
    x = c * 0.84
    out = wp.vec3()
    for k in range(3):
        v = wp.max(x[k], 0.0)
        out[k] = wp.min(v * (2.2 * v + 0.10) / (v * (2.05 * v + 0.62) + 0.13), 1.0)
    return out


@wp.func
def index_of(key: wp.uint64) -> int:
    return int(key & wp.uint64(0xFFFFFFFF))


@wp.func
def depth_of(key: wp.uint64) -> float:
    return wp.cast(wp.uint32(key >> wp.uint64(32)), wp.float32)


@wp.func
def shade_at(mesh: Mesh, key: wp.uint64, x: float, y: float, light: Light, look: Look) -> wp.vec3:
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
        key = keys[2 * row + k / 2, 2 * column + k % 2]
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
    """Samples → one pixel: colour (sRGB bytes), label of its first sample, nearest depth in metres."""
    row, column = wp.tid()
    near = float(1.0e9)
    far = float(0.0)
    part = int(-1)
    empty = int(0)
    same = bool(True)
    for k in range(4):
        key = keys[2 * row + k / 2, 2 * column + k % 2]
        if key == EMPTY:
            empty += 1
        else:
            near = wp.min(near, depth_of(key))
            far = wp.max(far, depth_of(key))
            here = mesh.part[index_of(key)]
            same = same and (part < 0 or part == here)
            part = here
    depth[row, column] = near
    labels[row, column] = wp.uint8(0)
    if empty == 4:
        for k in range(3):
            picture[row, column, k] = background_bytes[row, column, k]
        return
    x = 2.0 * float(column)
    y = 2.0 * float(row)
    first = keys[2 * row, 2 * column]
    if first != EMPTY:
        w = weights(mesh, index_of(first), x + 0.5, y + 0.5)
        label = label_of(mesh, index_of(first), wp.vec3(w[0], w[1], w[2]))
        labels[row, column] = wp.uint8(label)
    colour = wp.vec3()
    if empty == 0 and same and far - near < 0.006:
        colour = shade_at(mesh, first, x + 1.0, y + 1.0, light, look)
    else:
        step = int(1)
        if empty == 0 and same and part == HAIR:
            step = 3
        colour = mixed(mesh, keys, row, column, step, background[row, column], light, look)
    for k in range(3):
        picture[row, column, k] = encode(colour[k], curve)
