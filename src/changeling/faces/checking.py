"""What in a face set should not be learnt from, and which poses and lights the rest covers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.alignment import apply
from changeling.faces.faceset import MASKS, FaceSet, Stored
from changeling.faces.identity import Embeddings, Identifier, centre, likeness
from changeling.media import Pixels

REMOVED = "removed"
"""The folder in a face set that faces are set aside in."""

_YAW = np.deg2rad(np.arange(-67.5, 68, 15))
_PITCH = np.deg2rad(np.arange(-35.0, 36, 10))
_BRIGHTNESS = np.linspace(0, 1, 8)
_SIDE = np.linspace(-0.45, 0.45, 10)

_SURE = 0.6
"""A landmark network that is less sure than this found no face, or a part of one."""
_BEYOND = 0.4
"""A landmark so many crops outside the unit crop belongs to another face or to none."""
_JUMP, _NEAR = 0.1, Fraction(1, 4)
"""Landmarks that leave the way between two neighbours by so much of the face's width, when the
neighbours lie within so many seconds."""
_SHARP, _SOFTER = 0.0035, 0.3
"""Blurred is a sharpness below this, or below this share of the set's median: of 500 faces of four
actors no sharp one lies there, and each that a Gaussian of 2 of 64 pixels has blurred does."""
_ALIKE = 1.0
"""Thumbnails whose pixels differ by this mean of 255 grey levels show the same."""
_SIZE, _THUMBNAIL = 64, 16

Flags = NDArray[np.bool_]
"""(n,) one for each face."""
Reals = NDArray[np.float64]


class Reason(Enum):
    """Why a face should not be learnt from; the value names the folder it is set aside in."""

    MISALIGNED = "misaligned"
    """The network was not sure, or its landmarks lie far outside or jump."""
    BLURRED = "blurred"
    """Out of focus, smeared by motion, or enlarged from a few pixels."""
    OTHER_PERSON = "other-person"
    """Not like the others of the set."""
    DUPLICATE = "duplicate"
    """Like an earlier face of the set, which stays."""


@dataclass(frozen=True, eq=False)
class Finding:
    """A face that should not be learnt from; of several reasons the first of `Reason`."""

    face: Stored
    reason: Reason


@dataclass(frozen=True, eq=False)
class Cells:
    """How many faces lie in each cell of a grid; those beyond its edges are in the outer cells."""

    counts: NDArray[np.int64]
    """(rows, columns)."""
    rows: NDArray[np.float64]
    """The edges of the rows, one more than there are rows, rising."""
    columns: NDArray[np.float64]
    """The edges of the columns."""

    @property
    def covered(self) -> int:
        """How many cells hold a face."""
        return int(np.count_nonzero(self.counts))


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which pose and which light faces show."""

    pose: Cells
    """Rows: pitch, columns: yaw, both in radians."""
    light: Cells
    """Rows: mean grey level of the face, 0…1; columns: how much brighter its half on the picture's
    right is, (right - left) / (right + left)."""


@dataclass(frozen=True, eq=False)
class Check:
    """What `check_set` found."""

    faces: FaceSet
    """The set that was looked at."""
    findings: tuple[Finding, ...]
    """Reason by reason, each in the order of the set."""
    coverage: Coverage
    """Of the faces that nothing was found against."""

    def flagged(self, reason: Reason) -> tuple[Stored, ...]:
        """The faces with this reason against them."""
        return tuple(one.face for one in self.findings if one.reason is reason)


@dataclass(frozen=True, eq=False)
class Looks:
    """What the pixels of n faces tell, a row each."""

    sharpness: Reals
    thumbnails: NDArray[np.int16]
    """(n, 256) grey levels 0…255 of the crop at 16×16."""
    brightness: Reals
    side: Reals


def check_set(faces: FaceSet, *, identifier: Identifier | None = None) -> Check:
    """Looks for faces that should not be learnt from.

    Each kind is looked for among the faces that passed those before it, so that no blurred face
    stays because it is the first of its duplicates. `identifier` is the shipped one if None.
    Raises UserError when the set is empty or one of its PNGs is broken.
    """
    if not len(faces):
        raise UserError(f"{faces.folder} holds no face any more; extract the set again.")
    known = identifier or Identifier.load()
    crops = faces.crops()
    looks = look(crops, faces.masks())
    tests: tuple[tuple[Reason, Callable[[NDArray[np.intp]], Flags]], ...] = (
        (Reason.MISALIGNED, lambda rows: misaligned(faces.faces)),
        (Reason.BLURRED, lambda rows: blurred(looks.sharpness[rows])),
        (Reason.OTHER_PERSON, lambda rows: strangers(known.embed(crops[rows]), known.same)),
        (Reason.DUPLICATE, lambda rows: duplicates(looks.thumbnails[rows])),
    )
    rows, findings = np.arange(len(faces)), []
    for reason, test in tests:
        flags = test(rows)
        findings += [Finding(faces.faces[row], reason) for row in rows[flags]]
        rows = rows[~flags]
    return Check(faces, tuple(findings), _coverage([faces.faces[r] for r in rows], looks, rows))


def set_aside(check: Check) -> int:
    """Moves the PNGs of all findings, and their masks, to removed/REASON in the set's folder.

    Returns how many faces. Moved back, they are in the set again. Raises UserError before anything
    is moved when a file of that name lies there already, and when a file cannot be moved.
    """
    folder, moves = check.faces.folder, []
    for one in check.findings:
        goal = folder / REMOVED / one.reason.value
        for file in (Path(one.face.file), Path(MASKS, one.face.file)):
            if (folder / file).exists():
                moves.append((folder / file, goal / file))
    for source, goal in moves:
        if goal.exists():
            raise UserError(f"{goal} exists already; move it or {source} elsewhere.")
    try:
        for source, goal in moves:
            goal.parent.mkdir(parents=True, exist_ok=True)
            source.rename(goal)
    except OSError as error:
        raise UserError(
            f"{folder}: faces cannot be moved to {REMOVED} ({error.strerror}); change the "
            "folder's permissions."
        ) from error
    return len(check.findings)


def look(crops: NDArray[np.uint8], masks: NDArray[np.float32]) -> Looks:
    """Measures (n, s, s, 3) unit crops inside their masks (n, s, s), brought to 64 pixels first."""
    rows = [_measured(_sized(crop), _sized(mask)) for crop, mask in zip(crops, masks, strict=True)]
    sharp, thumbnails, bright, side = zip(*rows, strict=True)
    return Looks(np.array(sharp), np.stack(thumbnails), np.array(bright), np.array(side))


def sharpness(grey: NDArray[np.float32], inner: Flags) -> float:
    """0 for a flat picture; about 0.02 for a sharp face of 64 pixels, grey or dark as it may be.

    The mean squared second difference inside the mask, of the weaker of the two directions because
    motion blurs only one, over the variance. A Gaussian of one pixel goes before it, or noise would
    count as sharp: Marr and Hildreth, "Theory of edge detection", 1980.
    """
    smooth = cv2.GaussianBlur(grey, (0, 0), 1)
    across, down = (
        np.square(cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=1)[inner]).mean()
        for order in ((2, 0), (0, 2))
    )
    variance = smooth[inner].var()
    return float(min(across, down) / variance) if variance > 0 else 0.0


def misaligned(faces: Sequence[Stored]) -> Flags:
    """Unsure, far outside the crop, or off the way between the neighbours in time."""
    flags = np.array([face.score < _SURE or _beyond(face) > _BEYOND for face in faces], bool)
    for row in range(1, len(faces) - 1):
        flags[row] |= _jumps(*faces[row - 1 : row + 2])
    return flags


def blurred(sharpness: Reals) -> Flags:
    """Below what is sharp at all, or far below the set's median."""
    median = np.median(sharpness) if len(sharpness) else 0.0
    return np.asarray(sharpness < max(_SHARP, _SOFTER * median))


def strangers(embeddings: Embeddings, same: float) -> Flags:
    """Less than `same` like the centre of the half of (n, 128) that is most alike."""
    if not len(embeddings):
        return np.zeros(0, bool)
    middle = centre(embeddings)
    order = np.argsort([-likeness(one, middle) for one in embeddings], kind="stable")
    middle = centre(embeddings[order[: (len(order) + 1) // 2]])
    return np.array([likeness(one, middle) < same for one in embeddings])


def duplicates(thumbnails: NDArray[np.int16]) -> Flags:
    """Which of (n, pixels) show what an earlier one that stays shows."""
    flags, kept = np.zeros(len(thumbnails), bool), np.empty_like(thumbnails)
    count = 0
    for row, thumbnail in enumerate(thumbnails):
        apart = np.abs(kept[:count] - thumbnail).mean(1)
        flags[row] = (apart <= _ALIKE).any()
        if not flags[row]:
            kept[count] = thumbnail
            count += 1
    return flags


def _coverage(faces: Sequence[Stored], looks: Looks, rows: NDArray[np.intp]) -> Coverage:
    poses = np.array([face.pose for face in faces], np.float64).reshape(-1, 3)
    return Coverage(
        pose=_cells(poses[:, 1], _PITCH, poses[:, 0], _YAW),
        light=_cells(looks.brightness[rows], _BRIGHTNESS, looks.side[rows], _SIDE),
    )


def _cells(down: Reals, rows: Reals, across: Reals, columns: Reals) -> Cells:
    inside = np.clip(down, rows[0], rows[-1]), np.clip(across, columns[0], columns[-1])
    counts = np.histogram2d(*inside, bins=(rows, columns))[0]
    return Cells(counts.astype(np.int64), rows, columns)


def _measured(
    crop: Pixels, mask: NDArray[np.float32]
) -> tuple[float, NDArray[np.int16], float, float]:
    """Sharpness, thumbnail, brightness and side of one face."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(grey, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    thumbnail = np.rint(small).astype(np.int16).ravel()
    inner, middle = mask > 0.5, _SIZE // 2
    left, right = grey[:, :middle][inner[:, :middle]], grey[:, middle:][inner[:, middle:]]
    if not (left.size and right.size):
        return 0.0, thumbnail, 0.0, 0.0
    one, other = float(left.mean()) / 255, float(right.mean()) / 255
    side = (other - one) / max(other + one, 1 / 255)
    return sharpness(grey, inner), thumbnail, (one + other) / 2, side


def _sized(picture: NDArray[Any]) -> NDArray[Any]:
    how = cv2.INTER_AREA if len(picture) > _SIZE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (_SIZE, _SIZE), interpolation=how))


def _beyond(face: Stored) -> float:
    """By how many unit crops the farthest landmark lies outside the unit crop; 0: none does."""
    points = apply(face.matrix, face.landmarks)
    return float(np.maximum(np.maximum(-points, points - 1), 0).max())


def _jumps(before: Stored, face: Stored, after: Stored) -> bool:
    """Whether the face leaves the way between its neighbours, which lie close to each other."""
    if after.time - before.time > _NEAR:
        return False
    way = np.linalg.norm(after.landmarks - before.landmarks, axis=1).mean()
    middle = (before.landmarks + after.landmarks) / 2
    off = np.linalg.norm(face.landmarks - middle, axis=1).mean()
    return bool(off > max(way, _JUMP * face.box[2]))
