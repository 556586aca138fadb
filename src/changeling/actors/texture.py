"""The atlas as the shader reads it: filtered colours, and bumps from its heights."""

from __future__ import annotations

import warp as wp

from changeling.actors.atlas import ATLAS
from changeling.actors.scene import Mesh

wp.set_module_options({"enable_backward": False, "fast_math": True})

ATLAS_SIZE = wp.constant(ATLAS)


@wp.func
def texel(texture: wp.array[wp.vec4], base: int, size: int, x: int, y: int) -> wp.vec4:
    row = wp.clamp(y, 0, size - 1)
    column = (x + size) % size
    return texture[base + row * size + column]


@wp.func
def sample_texture(texture: wp.array[wp.vec4], u: float, v: float, level: int) -> wp.vec4:
    """Bilinear lookup in one level of the atlas."""
    size = ATLAS_SIZE >> level
    base = (ATLAS_SIZE * ATLAS_SIZE - size * size) * 4 / 3
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
