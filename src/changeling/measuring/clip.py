"""All figures of one clip: a finished swap beside its performance and the true answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from changeling.converting import swap_faces
from changeling.errors import UserError
from changeling.faces import Face, Identifier, Tracker, crop
from changeling.generators import Swaps
from changeling.measuring.border import border
from changeling.measuring.flicker import Pasted, flicker
from changeling.measuring.mse import mse
from changeling.measuring.msssim import msssim
from changeling.measuring.performance_error import performance_error
from changeling.measuring.psnr import psnr
from changeling.measuring.sharpness import sharpness
from changeling.measuring.ssim import ssim
from changeling.measuring.truth_gap import FaceDistances, FaceMeter, truth_gap
from changeling.measuring.videos import read_samples
from changeling.media import Pixels, read_frames

SIDE = 128
"""Side in pixels of the crops in which finished films are compared."""
_STEADY = 12
"""Consecutive frames at the beginning of a clip by which flicker is measured."""


@dataclass(frozen=True)
class ClipFiles:
    """Three films of the same moments."""

    performance: Path
    swap: Path
    truth: Path


@dataclass(frozen=True)
class Bare:
    """What a generator drew, against the true face cut out by itself, inside the true inner face.

    Means over frames, PSNR averaged in decibels.
    """

    mse: float
    psnr: float
    ssim: float
    msssim: float
    sharpness: float
    """As a share of the truth's."""


@dataclass(frozen=True)
class Placed:
    """The finished film inside the true inner face, and what the identity network makes of it."""

    mse: float
    psnr: float
    ssim: float
    identity: float
    """Distances from the true face (see `FaceDistances`), as the next two."""
    perceptual: float
    colour: float
    gap: float
    """How much of the way from the performance to the truth is left (see `truth_gap`)."""
    to_target: float | None
    """Cosine to the true face; None where no finished face is found."""
    to_source: float | None
    """Cosine to the performer's face."""


@dataclass(frozen=True)
class Unaided:
    """What can be measured without a truth; None where no finished face is found."""

    expression: float | None
    """Error of the expression, as a share of the distance of the eyes."""
    pose: float | None
    """Error of the head's pose in degrees."""
    found: float
    """Share of the frames in which the finished film shows a face, 0…1."""
    border: float | None
    """Colour difference across the face's border in ΔE, less that of the performance."""
    flicker: float
    """Change that motion does not explain, as a multiple of the performance's own."""
    detail: float
    """Sharpness as a share of the performance's."""


@dataclass(frozen=True)
class ClipFigures:
    """All of them."""

    bare: Bare | None
    """None for a swap without a generator."""
    placed: Placed
    unaided: Unaided


@dataclass(frozen=True, eq=False)
class _Moment:
    """One frame of each film, and the faces in it."""

    performance: Pixels
    swap: Pixels
    truth: Pixels
    inner: NDArray[np.bool_]
    source: Face
    finished: Face | None
    true: Face


def clip_figures(
    files: ClipFiles, generator: Swaps | None, *, to: str, every: int = 1
) -> ClipFigures:
    """Measure every so manyth frame of a clip.

    `generator` is asked again for its bare faces, `to` being whose they are; None for a swap that
    has none. Raises UserError for films that do not fit together, and where no frame shows a face
    in both the performance and the truth.
    """
    moments = list(_moments(files, every))
    if not moments:
        raise UserError(
            f"no frame of {files.performance} and {files.truth} shows a face in both: film closer."
        )
    bare = None if generator is None else _bare(moments, generator, to)
    return ClipFigures(bare, _placed(moments), _unaided(moments, _steady(files)))


def _moments(files: ClipFiles, every: int) -> Iterator[_Moment]:
    """Those in which the performance and the truth show a face."""
    trackers = Tracker(), Tracker(), Tracker()
    films = zip_longest(read_samples(files.performance, files.truth), read_frames(files.swap))
    for index, (sample, frame) in enumerate(films):
        if sample is None or frame is None:
            raise UserError(f"{files.swap} is not as long as {files.truth}: swap it again.")
        if index % every:
            continue
        shown = sample.performance, frame.pixels, sample.truth
        source, finished, true = (
            next(iter(tracker.find(pixels)), None)
            for tracker, pixels in zip(trackers, shown, strict=True)
        )
        if source and true and sample.inner.any():
            yield _Moment(*shown, sample.inner, source, finished, true)


def _bare(moments: Sequence[_Moment], generator: Swaps, to: str) -> Bare:
    rows = []
    for one in moments:
        ((swapped,),) = swap_faces([(one.performance, (one.source,))], generator, to=to)
        side = len(swapped.after)
        inner = crop(one.inner.astype(np.uint8) * 255, one.true.matrix, side) > 127
        pair = swapped.after, crop(one.truth, one.true.matrix, side), inner
        error = mse(*pair)
        rows.append((error, psnr(error), ssim(*pair), msssim(*pair), sharpness(*pair)))
    return Bare(*(float(mean) for mean in np.mean(rows, axis=0)))


def _placed(moments: Sequence[_Moment]) -> Placed:
    pairs = [(one.swap, one.truth, one.inner) for one in moments]
    errors = [mse(*pair) for pair in pairs]
    swap, copy = _distances(moments)
    target, source = _likeness(moments)
    return Placed(
        mse=float(np.mean(errors)),
        psnr=float(np.mean([psnr(error) for error in errors])),
        ssim=float(np.mean([ssim(*pair) for pair in pairs])),
        identity=float(swap.identity.mean()),
        perceptual=float(swap.perceptual.mean()),
        colour=float(swap.colour.mean()),
        gap=truth_gap(swap, copy),
        to_target=target,
        to_source=source,
    )


def _distances(moments: Sequence[_Moment]) -> tuple[FaceDistances, FaceDistances]:
    """Of the finished faces and of the performer's, all cut out where the true ones are."""

    def cut(shown: Sequence[Pixels]) -> NDArray[np.uint8]:
        faces = zip(shown, moments, strict=True)
        return np.stack([crop(pixels, one.true.matrix, SIDE) for pixels, one in faces])

    inner = np.stack([
        crop(one.inner.astype(np.uint8) * 255, one.true.matrix, SIDE) > 127 for one in moments
    ])  # fmt: skip
    meter, true = FaceMeter.load(), cut([one.truth for one in moments])
    return (
        meter.measure(cut([one.swap for one in moments]), true, inner),
        meter.measure(cut([one.performance for one in moments]), true, inner),
    )


def _likeness(moments: Sequence[_Moment]) -> tuple[float, float] | tuple[None, None]:
    seen = [one for one in moments if one.finished]
    if not seen:
        return None, None
    network = Identifier.load()
    finished, target, source = (
        network.embed(np.stack([_crop(pixels, face) for pixels, face in shown]))
        for shown in (
            [(one.swap, one.finished) for one in seen],
            [(one.truth, one.true) for one in seen],
            [(one.performance, one.source) for one in seen],
        )
    )
    return float((finished * target).sum(1).mean()), float((finished * source).sum(1).mean())


def _unaided(moments: Sequence[_Moment], steady: float) -> Unaided:
    errors = performance_error([one.finished for one in moments], [one.source for one in moments])
    crops = [
        (_crop(one.swap, one.source), _crop(one.performance, one.source), one.source.mask(SIDE))
        for one in moments
    ]
    borders = [border(*three).excess for three in crops if _has_border(three[2])]
    return Unaided(
        expression=_finite(errors.expression),
        pose=_finite(errors.pose),
        found=1 - errors.missed,
        border=float(np.mean(borders)) if borders else None,
        flicker=steady,
        detail=float(np.mean([sharpness(a, b, mask > 0.5) for a, b, mask in crops])),
    )


def _steady(files: ClipFiles) -> float:
    """The flicker of a clip's first frames, inside the true inner face."""
    together = zip(
        range(_STEADY),
        read_samples(files.performance, files.truth),
        read_frames(files.swap),
        strict=False,
    )
    shown = [
        Pasted(sample.performance, frame.pixels, sample.inner) for _, sample, frame in together
    ]
    return flicker(shown)


def _crop(pixels: Pixels, face: Face | None) -> Pixels:
    assert face is not None
    return crop(pixels, face.matrix, SIDE)


def _has_border(area: NDArray[np.float32]) -> bool:
    return bool((area >= 0.5).any() and (area < 0.5).any())


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
