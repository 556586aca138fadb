"""An actor made ready for the camera: one mesh of skin, eyes, hair and clothes, and a texture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from changeling.actors import hair as hair_room
from changeling.actors.actor import Actor, FaceTraits, StylingTraits
from changeling.actors.blend import Blend, traits
from changeling.actors.landmarks import inner_face
from changeling.actors.model import Floats, Ints, Part, model, rest_vertices
from changeling.actors.raster import CUT, FRINGE, LOCKS, SHEET, SOLID, STRANDS
from changeling.actors.skin import bake
from changeling.actors.visibility import look_around, normals
from changeling.actors.wardrobe import Piece, below_collar, glasses, shirt

NECK = (-0.185, -0.135)
"""Heights of the average neck between which the torso of the styling turns into the face's head."""


@dataclass(frozen=True, eq=False)
class Body:
    """What of an actor does not change from frame to frame; metres from between the eyes."""

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
    """(triangles,) the `Part` of each."""
    surface: Ints
    """(triangles,) the kind of surface of each, as the rasteriser names them."""
    uv: Floats
    strand: Floats
    """(vertices, 4) what hair, lashes, shirt and teeth need to know of where they are."""
    inner: Floats
    """(vertices,) above 0 inside the inner face."""
    seen: Floats
    """(vertices, 16) spherical harmonics of the directions from which light comes."""
    sky: Floats
    """(vertices,) share of open sky."""
    around: tuple[Ints, Ints]
    """For each vertex the triangles that touch it: starts (vertices + 1,) and a list."""
    texture: Floats
    eyes: tuple[Floats, Floats]
    hair_cover: float


@lru_cache(maxsize=8)
def build(actor: Actor | Blend, *, coarse: bool = False) -> Body:
    """Make an actor's body; a second or so, remembered for the last eight.

    coarse: half as many rays and a quarter of the texels, three times faster.
    """
    face, styling = traits(actor)
    m = model()
    rest = resting(face, styling)
    eyes = m.eyes(rest)
    pieces = _worn(rest, normals(rest, m.triangles), eyes, styling)
    assembled = _assemble(rest, pieces, below_collar(rest, styling.collar))
    every = np.concatenate([rest, assembled.fixed])
    around = _around(assembled.triangles, len(every))
    with ThreadPoolExecutor(1) as pool:  # both take about a second
        texture = pool.submit(bake, face, styling, coarse=coarse)
        seen, sky = look_around(every, assembled.triangles, assembled.part, directions=80)
    return Body(
        face=face,
        styling=styling,
        rest=rest,
        fixed=assembled.fixed,
        share=_share(every, assembled.triangles[assembled.part == Part.HAIR]),
        triangles=assembled.triangles,
        part=assembled.part,
        surface=_surfaces(assembled.part, hair_room.STYLES[styling.style]),
        uv=assembled.uv,
        strand=assembled.strand,
        inner=np.concatenate([inner_face(), np.zeros(len(assembled.fixed), np.float32)]),
        seen=seen,
        sky=sky,
        around=around,
        texture=texture.result(),
        eyes=eyes,
        hair_cover=hair_room.STYLES[styling.style].cover,
    )


def resting(face: FaceTraits, styling: StylingTraits) -> Floats:
    """Vertices in rest, (moving, 3): the head of the face, as large as the styling's, on its neck.

    A face swap keeps neck, shoulders and the size of the head, so they must not come from the face.
    """
    m = model()
    head = _at_eyes(rest_vertices(dict(face.phenotypes), dict(face.changes + styling.changes)))
    torso = _at_eyes(rest_vertices(dict(styling.phenotypes), dict(styling.changes)))
    height = (m.template - m.middle(m.template))[:, 2:]
    skull = height[:, 0] > 0.02
    radii = (np.linalg.norm(points[skull], axis=1) for points in (torso, head))
    head *= np.divide(*radii).mean()
    t = np.clip((height - NECK[0]) / (NECK[1] - NECK[0]), 0, 1)
    share = t * t * (3 - 2 * t)
    return np.asarray(share * head + (1 - share) * torso, np.float32)


def _at_eyes(vertices: Floats) -> Floats:
    """The model's part of anny's body, from the point between its eyes."""
    m = model()
    kept = vertices[m.vertices]
    return np.asarray(kept - m.middle(kept), np.float32)


@dataclass(frozen=True, eq=False)
class _Assembled:
    fixed: Floats
    triangles: Ints
    part: Ints
    uv: Floats
    strand: Floats


def _worn(
    rest: Floats, normals: Floats, eyes: tuple[Floats, Floats], styling: StylingTraits
) -> list[tuple[Part, Piece]]:
    m = model()
    skin = m.triangles[m.part == Part.SKIN]
    out = [(Part.SHIRT, shirt(rest, normals, skin, styling))]
    if styling.glasses:
        out.append((Part.GLASSES, glasses(*eyes, styling)))
    style = hair_room.STYLES[styling.style]
    if style.cover > 0:
        grown = hair_room.grow(style, _skull(rest), styling.seed)
        out.append((Part.HAIR, Piece(grown.vertices, grown.triangles, grown.strand)))
    return out


def _surfaces(part: Ints, style: hair_room.Style) -> Ints:
    """The kind of surface of each triangle."""
    hangs = max(style.drop, style.fringe) > 0.03
    kinds = {Part.LASHES: FRINGE, Part.SHIRT: CUT, Part.GLASSES: SHEET}
    kinds[Part.HAIR] = LOCKS if hangs else STRANDS
    return np.array([int(kinds.get(kind, SOLID)) for kind in Part], np.int32)[part]


def _skull(rest: Floats) -> Floats:
    """Points of the skin of the head without the ears."""
    m = model()
    skin = m.part == Part.SKIN
    index = np.setdiff1d(np.unique(m.triangles[skin]), np.flatnonzero(m.ears))
    points = rest[index]
    return np.asarray(points[points[:, 2] > -0.19], np.float32)


def _assemble(rest: Floats, pieces: list[tuple[Part, Piece]], edge: Floats) -> _Assembled:
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
    vertices = len(rest)
    for kind, piece in pieces:
        triangles.append(piece.triangles + np.int32(vertices))
        part.append(np.full(len(piece.triangles), int(kind), np.int32))
        uv.append(np.zeros((len(piece.triangles), 3, 2), np.float32))
        strand.append(piece.strand)
        fixed.append(piece.vertices)
        vertices += len(piece.vertices)
    return _Assembled(
        np.concatenate(fixed).astype(np.float32),
        np.concatenate(triangles).astype(np.int32),
        np.concatenate(part).astype(np.int32),
        np.concatenate(uv).astype(np.float32),
        np.concatenate(strand).astype(np.float32),
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


def _share(points: Floats, hair: Ints) -> Floats:
    """By height, 0 shoulders to 1 head; hair that falls past the chin half follows the head."""
    height = np.clip((points[:, 2] + 0.175) / 0.105, 0, 1)
    share = height * height * (3 - 2 * height)
    falls = np.clip((-0.10 - points[:, 2]) / 0.15, 0, 1)
    strands = np.unique(hair)
    share[strands] = np.maximum(share, 1 - 0.6 * falls)[strands]
    return np.asarray(share, np.float32)


def _around(triangles: Ints, vertices: int) -> tuple[Ints, Ints]:
    flat = triangles.ravel()
    order = np.argsort(flat, kind="stable")
    start = np.searchsorted(flat[order], np.arange(vertices + 1))
    return start.astype(np.int32), (order // 3).astype(np.int32)
