"""An actor made ready for the camera: one mesh of skin, eyes, mouth, hair, shirt and glasses, with its texture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import warp as wp

from changeling.actors import hair as hair_room
from changeling.actors.actor import Actor, FaceTraits, StylingTraits, face_traits, styling_traits
from changeling.actors.landmarks import inner_face
from changeling.actors.model import Floats, Ints, Part, model, rest_vertices
from changeling.actors.raster import CUT, FRINGE, LOCKS, SHEET, SOLID, STRANDS, head_share
from changeling.actors.skin import bake
from changeling.actors.wardrobe import Piece, below_collar, glasses, shirt

DIRECTIONS = 128
"""Rays per vertex from which the visibility of the light is measured."""


@dataclass(frozen=True)
class Draw:
    """A run of triangles with one kind of surface."""

    first: int
    count: int
    surface: int


@dataclass(frozen=True, eq=False)
class Body:
    """Everything of an actor that does not change from frame to frame, in metres from between the eyes."""

    face: FaceTraits
    styling: StylingTraits
    rest: Floats
    """(moving, 3) vertices that the 52 actions move."""
    fixed: Floats
    """(rest of the vertices, 3) hair, shirt, glasses."""
    share: Floats
    """(vertices,) how much of the head's turn each takes part in."""
    triangles: Ints
    part: Ints
    uv: Floats
    strand: Floats
    inner: Floats
    """(vertices,) above 0 inside the inner face."""
    visibility: Floats
    """(vertices, 17) spherical harmonics of the visible directions, then the share of open sky."""
    around: tuple[Ints, Ints]
    """For each vertex the triangles that touch it: starts (vertices + 1,) and a list."""
    texture: Floats
    draws: tuple[Draw, ...]
    eyes: tuple[Floats, Floats]
    hair_cover: float


@lru_cache(maxsize=8)
def build(actor: Actor) -> Body:
    """Make an actor's body; a second or so, remembered for the last eight."""
    face, styling = face_traits(actor.face), styling_traits(actor.styling)
    m = model()
    rest = rest_vertices(dict(face.phenotypes), dict(face.changes + styling.changes))[m.vertices]
    left, right = m.eyes(rest)
    middle = m.middle(rest)
    rest = rest - middle
    eyes = ((left - middle).astype(np.float32), (right - middle).astype(np.float32))
    pieces = _worn(rest, _normals(rest, m.triangles), eyes, styling)
    assembled = _assemble(rest, pieces, below_collar(rest, styling.collar))
    every = np.concatenate([rest, assembled.fixed])
    around = _around(assembled.triangles, len(every))
    share = _share(every, assembled)
    return Body(
        face=face,
        styling=styling,
        rest=rest,
        fixed=assembled.fixed,
        share=share,
        triangles=assembled.triangles,
        part=assembled.part,
        uv=assembled.uv,
        strand=assembled.strand,
        inner=np.concatenate([inner_face(), np.zeros(len(assembled.fixed), np.float32)]),
        visibility=_visibility(every, assembled.triangles, assembled.part),
        around=around,
        texture=bake(face, styling),
        draws=assembled.draws,
        eyes=eyes,
        hair_cover=hair_room.STYLES[styling.style].cover,
    )


@dataclass(frozen=True, eq=False)
class _Assembled:
    fixed: Floats
    triangles: Ints
    part: Ints
    uv: Floats
    strand: Floats
    draws: tuple[Draw, ...]
    hair_from: int


def _worn(
    rest: Floats, normals: Floats, eyes: tuple[Floats, Floats], styling: StylingTraits
) -> list[tuple[Part, int, Piece]]:
    m = model()
    skin = m.triangles[m.part == Part.SKIN]
    out = [(Part.SHIRT, int(CUT), shirt(rest, normals, skin, styling))]
    if styling.glasses:
        out.append((Part.GLASSES, int(SHEET), glasses(*eyes, styling)))
    style = hair_room.STYLES[styling.style]
    if style.cover > 0:
        grown = hair_room.grow(style, _skull(rest), styling.seed)
        piece = Piece(grown.vertices, grown.triangles, grown.strand)
        hangs = max(style.drop, style.fringe) > 0.03
        out.append((Part.HAIR, int(LOCKS if hangs else STRANDS), piece))
    return out


def _skull(rest: Floats) -> Floats:
    """Points of the skin of the head without the ears."""
    m = model()
    skin = m.part == Part.SKIN
    index = np.setdiff1d(np.unique(m.triangles[skin]), np.flatnonzero(m.ears))
    points = rest[index]
    return np.asarray(points[points[:, 2] > -0.19], np.float32)


def _assemble(rest: Floats, pieces: list[tuple[Part, int, Piece]], edge: Floats) -> _Assembled:
    m = model()
    hidden = edge[m.triangles].min(1) > 0.03
    lashes = m.part == Part.LASHES
    order = [np.flatnonzero(~lashes & ~hidden), np.flatnonzero(lashes)]
    triangles = [m.triangles[o] for o in order]
    part = [m.part[o] for o in order]
    uv = [m.atlas_uv[o] for o in order]
    own = np.zeros((len(rest), 4), np.float32)
    own[:, :3] = rest
    own[:, 3] = _lash_length(rest)
    strand, fixed = [own], []
    draws = [Draw(0, len(order[0]), int(SOLID)), Draw(len(order[0]), len(order[1]), int(FRINGE))]
    vertices, count, hair_from = len(rest), sum(map(len, order)), 10**9
    for kind, surface, piece in pieces:
        hair_from = vertices if kind == Part.HAIR else hair_from
        triangles.append(piece.triangles + np.int32(vertices))
        part.append(np.full(len(piece.triangles), int(kind), np.int32))
        uv.append(np.zeros((len(piece.triangles), 3, 2), np.float32))
        strand.append(piece.strand)
        fixed.append(piece.vertices)
        draws.append(Draw(count, len(piece.triangles), surface))
        vertices, count = vertices + len(piece.vertices), count + len(piece.triangles)
    return _Assembled(
        np.concatenate(fixed).astype(np.float32),
        np.concatenate(triangles).astype(np.int32),
        np.concatenate(part).astype(np.int32),
        np.concatenate(uv).astype(np.float32),
        np.concatenate(strand).astype(np.float32),
        tuple(draws),
        hair_from,
    )


def _lash_length(rest: Floats) -> Floats:
    """0 at the lid to 1 at the tip of each lash, 0 elsewhere; lower lashes count as nearly tips."""
    m = model()
    out = np.zeros(len(rest), np.float32)
    for group in m.lashes:
        eye = m.eyes(rest)[0 if rest[group, 0].mean() > 0 else 1]
        away = np.linalg.norm(rest[group] - eye, axis=1)
        length = (away - away.min()) / max(float(np.ptp(away)), 1e-6)
        lower = rest[group, 2].mean() < eye[2]
        out[group] = 0.62 + 0.38 * length if lower else length
    return out


wp.set_module_options({"enable_backward": False})


@wp.kernel
def _shares(points: wp.array[wp.vec3], out: wp.array[float]) -> None:
    i = wp.tid()
    out[i] = head_share(points[i][2])


def _share(points: Floats, assembled: _Assembled) -> Floats:
    """Skin and shirt follow by height; hair that falls past the chin half follows the head."""
    out = wp.zeros(len(points), dtype=float, device="cpu")
    wp.launch(
        _shares,
        len(points),
        inputs=[wp.array(points, dtype=wp.vec3, device="cpu"), out],
        device="cpu",
    )
    share = out.numpy().copy()
    share[assembled.hair_from :] = np.maximum(
        share[assembled.hair_from :],
        1 - 0.6 * np.clip((-0.10 - points[assembled.hair_from :, 2]) / 0.15, 0, 1),
    )
    return np.asarray(share, np.float32)


def _normals(points: Floats, triangles: Ints) -> Floats:
    corners = points[triangles]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    out = np.zeros_like(points)
    for k in range(3):
        np.add.at(out, triangles[:, k], across)
    return np.asarray(out / (np.linalg.norm(out, axis=1, keepdims=True) + 1e-12), np.float32)


def _around(triangles: Ints, vertices: int) -> tuple[Ints, Ints]:
    flat = triangles.ravel()
    order = np.argsort(flat, kind="stable")
    start = np.searchsorted(flat[order], np.arange(vertices + 1))
    return start.astype(np.int32), (order // 3).astype(np.int32)


@wp.kernel
def _look_around(
    mesh: wp.uint64,
    points: wp.array[wp.vec3],
    normals: wp.array[wp.vec3],
    directions: wp.array[wp.vec3],
    basis: wp.array2d[float],
    out: wp.array2d[float],
) -> None:
    """Cast rays from a vertex; project what is visible onto 16 spherical harmonics."""
    i = wp.tid()
    n = normals[i]
    start = points[i] + n * 0.0025
    count = directions.shape[0]
    open_sky = float(0.0)
    total = float(0.0)
    for k in range(count):
        d = directions[k]
        c = wp.dot(n, d)
        seen = float(0.6)
        if c > 0.0:
            hit = wp.mesh_query_ray(mesh, start, d, 0.6)
            seen = 1.0 - float(int(hit.result))
            open_sky += c * seen
            total += c
        for j in range(16):
            out[i, j] += seen * basis[k, j]
    out[i, 16] = open_sky / wp.max(total, 1.0e-6)


def _visibility(points: Floats, triangles: Ints, part: Ints) -> Floats:
    solid = ~np.isin(part, (Part.HAIR, Part.SHIRT, Part.LASHES, Part.GLASSES))
    mesh = wp.Mesh(
        wp.array(points, dtype=wp.vec3, device="cpu"),
        wp.array(triangles[solid].ravel(), dtype=int, device="cpu"),
    )
    directions = _sphere(DIRECTIONS)
    out = wp.zeros((len(points), 17), dtype=float, device="cpu")
    wp.launch(
        _look_around,
        len(points),
        inputs=[
            mesh.id,
            wp.array(points, dtype=wp.vec3, device="cpu"),
            wp.array(_normals(points, triangles), dtype=wp.vec3, device="cpu"),
            wp.array(directions, dtype=wp.vec3, device="cpu"),
            wp.array(_basis(directions) * (4 * np.pi / DIRECTIONS), dtype=float, device="cpu"),
            out,
        ],
        device="cpu",
    )
    return _settle(out.numpy().copy(), points, triangles, part)


def _settle(vis: Floats, points: Floats, triangles: Ints, part: Ints) -> Floats:
    """Give the mouth's inside the light of an open mouth, which the resting head shuts out."""
    inside = np.unique(triangles[np.isin(part, (Part.TEETH, Part.TONGUE, Part.MOUTH))])
    lips = points[inside, 1].min()
    deep = np.clip(1 - (points[inside, 1] - lips) / 0.035, 0.04, 1)
    vis[inside] = 0
    vis[inside, 0] = (0.12 + 0.40 * deep) / 0.282095
    vis[inside, 16] = 0.10 + 0.40 * deep
    eyes = np.unique(triangles[np.isin(part, (Part.LEFT_EYE, Part.RIGHT_EYE))])
    vis[eyes, 16] = np.maximum(vis[eyes, 16], 0.45)
    worn = np.unique(triangles[part == Part.HAIR])
    vis[worn, 16] = np.maximum(vis[worn, 16], 0.35)
    return np.asarray(vis, np.float32)


def _sphere(count: int) -> Floats:
    """Evenly spread directions (Fibonacci lattice), (count, 3)."""
    k = np.arange(count) + 0.5
    z = 1 - 2 * k / count
    turn = np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], -1).astype(np.float32)


def _basis(d: Floats) -> Floats:
    """The 16 real spherical harmonics up to degree 3 of each direction, (n, 16)."""
    x, y, z = d.T
    return np.stack(
        [
            0.282095 + 0 * x,
            0.488603 * y,
            0.488603 * z,
            0.488603 * x,
            1.092548 * x * y,
            1.092548 * y * z,
            0.315392 * (3 * z * z - 1),
            1.092548 * x * z,
            0.546274 * (x * x - y * y),
            0.590044 * y * (3 * x * x - y * y),
            2.890611 * x * y * z,
            0.457046 * y * (5 * z * z - 1),
            0.373176 * (5 * z**3 - 3 * z),
            0.457046 * x * (5 * z * z - 1),
            1.445306 * z * (x * x - y * y),
            0.590044 * x * (x * x - 3 * y * y),
        ],
        -1,
    ).astype(np.float32)
