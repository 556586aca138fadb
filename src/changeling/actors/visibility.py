"""How much light reaches each vertex of a resting actor, from rays cast once."""

from __future__ import annotations

import numpy as np
import warp as wp

from changeling.actors.model import Floats, Ints, Part

wp.set_module_options({"enable_backward": False})

DIRECTIONS = 128
"""Rays per vertex."""
REACH = wp.constant(0.6)
"""Metres beyond which nothing shades a vertex."""
BEHIND = wp.constant(0.6)
"""Visibility of a direction behind the surface, so that the harmonics do not ring at its edge."""

Vec16 = wp.types.vector(length=16, dtype=float)


# warp makes the type Vec16 as the program runs, so a checker sees a variable.
@wp.func
def harmonics(d: wp.vec3) -> Vec16:  # type: ignore[valid-type]
    """The 16 real spherical harmonics up to degree 3 of a direction."""
    x = d[0]
    y = d[1]
    z = d[2]
    return Vec16(
        0.282095,
        0.488603 * y,
        0.488603 * z,
        0.488603 * x,
        1.092548 * x * y,
        1.092548 * y * z,
        0.315392 * (3.0 * z * z - 1.0),
        1.092548 * x * z,
        0.546274 * (x * x - y * y),
        0.590044 * y * (3.0 * x * x - y * y),
        2.890611 * x * y * z,
        0.457046 * y * (5.0 * z * z - 1.0),
        0.373176 * (5.0 * z * z * z - 3.0 * z),
        0.457046 * x * (5.0 * z * z - 1.0),
        1.445306 * z * (x * x - y * y),
        0.590044 * x * (x * x - 3.0 * y * y),
    )


@wp.kernel
def _look_around(
    mesh: wp.uint64,
    points: wp.array[wp.vec3],
    normals: wp.array[wp.vec3],
    directions: wp.array[wp.vec3],
    seen: wp.array[Vec16],
    sky: wp.array[float],
) -> None:
    """Cast rays from a vertex and project what is visible onto the harmonics."""
    i = wp.tid()
    n = normals[i]
    start = points[i] + n * 0.0025
    count = directions.shape[0]
    light = Vec16()
    open_sky = float(0.0)
    total = float(0.0)
    for k in range(count):
        d = directions[k]
        c = wp.dot(n, d)
        visible = float(BEHIND)
        if c > 0.0:
            hit = wp.mesh_query_ray(mesh, start, d, REACH)
            visible = 1.0 - float(int(hit.result))
            open_sky += c * visible
            total += c
        light += harmonics(d) * visible
    seen[i] = light * (4.0 * wp.pi / float(count))
    sky[i] = open_sky / wp.max(total, 1.0e-6)


def look_around(
    points: Floats, triangles: Ints, part: Ints, *, directions: int = DIRECTIONS
) -> tuple[Floats, Floats]:
    """Visibility of the light, (vertices, 16) harmonics, and the share of open sky, (vertices,)."""
    solid = ~np.isin(part, (Part.HAIR, Part.SHIRT, Part.LASHES, Part.GLASSES))
    vertices = _vectors(points)
    mesh = wp.Mesh(vertices, wp.array(triangles[solid].ravel(), dtype=int, device="cpu"))
    seen = wp.empty(len(points), dtype=Vec16, device="cpu")
    sky = wp.empty(len(points), dtype=float, device="cpu")
    wp.launch(
        _look_around,
        len(points),
        inputs=[
            mesh.id,
            vertices,
            _vectors(normals(points, triangles)),
            _vectors(_sphere(directions)),
            seen,
            sky,
        ],
        device="cpu",
    )
    return _brightened(seen.numpy().copy(), sky.numpy().copy(), points, triangles, part)


def normals(points: Floats, triangles: Ints) -> Floats:
    """Normal of each vertex, (vertices, 3), weighted by the area of the triangles around it."""
    corners = points[triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    out = np.zeros_like(points)
    for k in range(3):
        np.add.at(out, triangles[:, k], across)
    return np.asarray(out / (np.linalg.norm(out, axis=1, keepdims=True) + 1e-12), np.float32)


def _brightened(
    seen: Floats, sky: Floats, points: Floats, triangles: Ints, part: Ints
) -> tuple[Floats, Floats]:
    """The same, where rays are too strict: in a mouth that opens, on eyes, between strands."""

    def vertices_of(*parts: Part) -> Ints:
        return np.unique(triangles[np.isin(part, parts)])

    mouth = vertices_of(Part.TEETH, Part.TONGUE, Part.MOUTH)
    depth = points[mouth, 1] - points[mouth, 1].min()
    reached = np.clip(1 - depth / 0.035, 0.04, 1)
    seen[mouth] = 0
    seen[mouth, 0] = (0.12 + 0.40 * reached) / 0.282095
    sky[mouth] = 0.10 + 0.40 * reached
    for least, vertices in (
        (0.45, vertices_of(Part.LEFT_EYE, Part.RIGHT_EYE)),
        (0.35, vertices_of(Part.HAIR)),
    ):
        sky[vertices] = np.maximum(sky[vertices], least)
    return seen, sky


def _vectors(values: Floats) -> wp.array:
    return wp.array(values, dtype=wp.vec3, device="cpu")


def _sphere(count: int) -> Floats:
    """Evenly spread directions (Fibonacci lattice), (count, 3)."""
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    turn = np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], -1).astype(np.float32)
