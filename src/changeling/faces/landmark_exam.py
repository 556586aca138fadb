"""The landmark network examined as it works: from a poor guess, then again from its answers."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from changeling.actors import Segment, Spoil, randomise
from changeling.faces.alignment import Matrix, align, apply, crop, enlarged, invert, to_pixels
from changeling.faces.landmark_lessons import SPOIL, missed
from changeling.faces.landmarks import FAR, LOOKS, MARGIN, SIZE, LandmarkNet, Marks, rolled
from changeling.faces.renders import Lessons
from changeling.media import Pixels

AT_ONCE = 64
"""Frames that are spoilt and looked at together."""


@dataclass(frozen=True)
class Marked:
    """How well the network sees the faces of some frames; a face's errors are means over 200."""

    frames: int
    error: float
    """Mean distance to the truth over that of the outer corners of the eyes (300-W's measure)."""
    error_68: float
    """The same of the 68 points of 300-W alone."""
    error_pupils: float
    """The mean distance of all points over that of the centres of the eyes."""
    failures: float
    """Share of the faces with an error above 8 %."""
    iou: float
    """Mean intersection over union of the inner face, what hides it left out."""
    visible: float
    """Share of the points rightly said to be seen or hidden."""
    turn: float
    """Mean angle between the head's rotation and the truth, degrees."""
    sure: float
    """Mean confidence that a point is within 8 %, to compare with `within`."""
    within: float
    """Share of the points within 8 %."""
    missed: float
    """Share of the faces that the network takes for none."""


@dataclass(frozen=True, eq=False)
class Looked:
    """Each frame's figures, to find the worst with."""

    error: NDArray[np.float64]
    error_68: NDArray[np.float64]
    error_pupils: NDArray[np.float64]
    iou: NDArray[np.float64]
    visible: NDArray[np.float64]
    turn: NDArray[np.float64]
    sure: NDArray[np.float64]
    within: NDArray[np.float64]
    present: NDArray[np.float64]
    """Probabilities that there is a face."""
    points: NDArray[np.float64]
    """(n, 200, 2): where the points were found, pixels of the frame."""
    hidden: NDArray[np.float64]
    """Share of the points that something hides which the camera's spoiling put there."""


def examine(net: LandmarkNet, lessons: Lessons, *, seed: int = 0, spoil: Spoil = SPOIL) -> Marked:
    """Every frame of the lessons, spoilt, looked at from a guess as poor as a cascade's, and then
    as often again as a new face is."""
    return marked(look(net, lessons, seed=seed, spoil=spoil))


def marked(looked: Looked) -> Marked:
    """The means over all frames."""
    return Marked(
        frames=len(looked.error),
        error=float(looked.error.mean()),
        error_68=float(looked.error_68.mean()),
        error_pupils=float(looked.error_pupils.mean()),
        failures=float((looked.error > FAR).mean()),
        iou=float(looked.iou.mean()),
        visible=float(looked.visible.mean()),
        turn=float(looked.turn.mean()),
        sure=float(looked.sure.mean()),
        within=float(looked.within.mean()),
        missed=float((looked.present < 0.5).mean()),
    )


def look(net: LandmarkNet, lessons: Lessons, *, seed: int, spoil: Spoil) -> Looked:
    """The figures of every frame, in order."""
    net = net.eval()
    batches = [
        _look(net, lessons.rows(start, start + AT_ONCE), (seed, start), spoil)
        for start in range(0, len(lessons), AT_ONCE)
    ]
    names = Looked.__dataclass_fields__
    return Looked(**{n: np.concatenate([getattr(b, n) for b in batches]) for n in names})


@dataclass(frozen=True, eq=False)
class Footage:
    """Rows of lessons after a poor camera."""

    pictures: list[Pixels]
    segments: NDArray[np.uint8]
    visible: NDArray[np.bool_]


def filmed(lessons: Lessons, seed: int, spoil: Spoil) -> Footage:
    """The whole frames spoilt, as a camera would have them."""
    spoilt = randomise(
        torch.from_numpy(np.array(lessons.pictures))
        .permute(0, 3, 1, 2)
        .float()
        .div(255)
        .contiguous(),
        torch.from_numpy(np.array(lessons.segments)),
        torch.from_numpy(np.array(lessons.points)),
        seed=seed,
        spoil=spoil,
    )
    pixels = (spoilt.pictures * 255).round().byte().permute(0, 2, 3, 1).numpy()
    visible = np.asarray(lessons.visible) & ~spoilt.covered.numpy()
    return Footage(list(pixels), spoilt.segments.numpy(), visible)


def _look(net: LandmarkNet, lessons: Lessons, seed: tuple[int, int], spoil: Spoil) -> Looked:
    rng = np.random.default_rng(seed)
    footage = filmed(lessons, int(rng.integers(2**31)), spoil)
    views = [missed(align(points[:68]), rng) for points in lessons.points]
    marks, found = _read(net, footage.pictures, views)
    for _ in range(LOOKS):
        views = [align(points[:68]) for points in found]
        marks, found = _read(net, footage.pictures, views)
    return _compare(marks, found, [enlarged(view, MARGIN) for view in views], lessons, footage)


def _read(
    net: LandmarkNet, pictures: list[Pixels], matrices: list[Matrix]
) -> tuple[Marks, NDArray[np.float64]]:
    """The network's answer, and its points (n, 200, 2) in the frames."""
    views = [enlarged(matrix, MARGIN) for matrix in matrices]
    crops = np.stack([crop(shown, view, SIZE) for shown, view in zip(pictures, views, strict=True)])
    with torch.inference_mode():
        marks = net(torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255)
    points = zip(marks.points.numpy(), views, strict=True)
    return marks, np.stack([apply(invert(view), at) for at, view in points])


def _compare(
    marks: Marks,
    found: NDArray[np.float64],
    views: list[Matrix],
    lessons: Lessons,
    footage: Footage,
) -> Looked:
    truth = np.asarray(lessons.points, np.float64)
    away = np.linalg.norm(found - truth, axis=2)
    corners = np.linalg.norm(truth[:, 45] - truth[:, 36], axis=1)
    pupils = np.linalg.norm(truth[:, 42:48].mean(1) - truth[:, 36:42].mean(1), axis=1)
    share = away / corners[:, None]
    # What the network believes of its error is in crops.
    apart = (marks.points[:, 45] - marks.points[:, 36]).norm(dim=1)[:, None]
    sure = 1 - torch.exp(-FAR * apart / marks.spread.exp())
    seen = (marks.visible > 0).numpy() == footage.visible
    rotation = np.stack([rolled(v) @ r for v, r in zip(views, lessons.rotation, strict=True)])
    trace = np.einsum("nij,nij->n", marks.rotation.double().numpy(), rotation)
    return Looked(
        error=share.mean(1),
        error_68=share[:, :68].mean(1),
        error_pupils=away.mean(1) / pupils,
        iou=_overlaps(marks, views, footage.segments),
        visible=seen.mean(1),
        turn=np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1))),
        sure=sure.double().numpy().mean(1),
        within=(share < FAR).mean(1),
        present=marks.present.sigmoid().double().numpy(),
        points=found,
        hidden=(np.asarray(lessons.visible) & ~footage.visible).mean(1),
    )


def _overlaps(
    marks: Marks, views: list[Matrix], segments: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Intersection over union of the inner face in each frame; 1 where both are empty.

    In the frame's own pixels; what lies outside the network's square is missed.
    """
    shares = marks.parts.softmax(1)[:, [1, 4, 5]].sum(1).numpy()
    out = np.ones(len(views))
    for k, view in enumerate(views):
        there = np.isin(segments[k], (Segment.FACE, Segment.EYES, Segment.MOUTH))
        said = _in_frame(shares[k], view, there.shape) > 0.5
        union = (said | there).sum()
        out[k] = (said & there).sum() / union if union else 1.0
    return out


def _in_frame(
    square: NDArray[np.float32], view: Matrix, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    forward = to_pixels(view, len(square))
    size = (shape[1], shape[0])
    out = cv2.warpAffine(square, forward, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(out, np.float32)
