"""All figures of one clip: a finished swap beside its performance and the true answer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile, islice

import numpy as np

from changeling.converting import swap_faces
from changeling.errors import UserError
from changeling.faces import Identifier, centre, crop
from changeling.generators import Swaps
from changeling.measuring.border import border, has_border
from changeling.measuring.clip_instants import (
    SIDE,
    ClipFiles,
    Crops,
    Cut,
    Instant,
    Seen,
    cut_out,
    instants_of,
    seen_in,
)
from changeling.measuring.flicker import Pasted, flicker
from changeling.measuring.mse import Area, Picture, mse
from changeling.measuring.msssim import msssim
from changeling.measuring.performance_error import performance_error
from changeling.measuring.psnr import psnr
from changeling.measuring.sharpness import sharpness
from changeling.measuring.ssim import ssim
from changeling.measuring.truth_gap import FaceMeter, truth_gap
from changeling.measuring.videos import read_samples
from changeling.media import read_frames

_STEADY = 12
"""Consecutive frames by which flicker is measured, from the first that shows a face."""


@dataclass(frozen=True, eq=False)
class Learnt:
    """Aligned faces of both people from footage other than the clip."""

    target: Crops
    source: Crops


@dataclass(frozen=True)
class Bare:
    """What a generator drew, against the true face cut out by itself, inside the true inner face.

    Means over the frames that allow it, PSNR averaged in decibels; None where none does.
    """

    mse: float | None
    psnr: float | None
    ssim: float | None
    msssim: float | None
    sharpness: float | None
    """As a share of the truth's."""


@dataclass(frozen=True)
class Placed:
    """The finished film inside the true inner face, and what the identity network makes of it.

    None for what no frame shows largely enough to be cut out.
    """

    mse: float
    psnr: float
    ssim: float
    msssim: float | None
    """Of the true face's place, cut out with 128 pixels a side."""
    identity: float | None
    """Distances from the true face (see `FaceDistances`), as the next two."""
    perceptual: float | None
    colour: float | None
    gap: float | None
    """How much of the way from the performance to the truth is left (see `truth_gap`)."""
    to_target: float | None
    """Cosine to the true face; None where no finished face is found."""
    to_source: float | None
    """Cosine to the performer's face."""


@dataclass(frozen=True)
class Unaided:
    """What can be measured without a truth; None where no frame shows what it takes."""

    expression: float | None
    """Error of the expression, as a share of the distance of the eyes."""
    pose: float | None
    """Error of the head's pose in degrees."""
    found: float
    """Share of the frames in which the finished film shows a face, 0…1."""
    border: float | None
    """Colour difference across the face's border in ΔE, less that of the performance."""
    flicker: float | None
    """Change that motion does not explain, as a multiple of the performance's own."""
    detail: float | None
    """Sharpness as a share of the performance's."""
    to_target: float | None = None
    """Cosine of the finished face to the centre of the target's learnt ones; None without any."""
    to_source: float | None = None
    """Cosine to the centre of the performer's."""


@dataclass(frozen=True)
class ClipFigures:
    """All of them."""

    bare: Bare | None
    """None for a swap without a generator."""
    placed: Placed
    unaided: Unaided


def clip_figures(
    files: ClipFiles,
    generator: Swaps | None,
    *,
    to: str,
    every: int = 1,
    learnt: Learnt | None = None,
) -> ClipFigures:
    """Measure every so manyth frame of a clip.

    `generator` is asked again for its bare faces, `to` being whose they are; None for a swap that
    has none. `learnt`: faces by which both people are known without a truth. Raises
    UserError for films that do not fit together, and where no frame shows a face in both the
    performance and the truth.
    """
    instants = list(instants_of(files, every))
    if not instants:
        raise UserError(
            f"no frame of {files.performance} and {files.truth} shows a face in both: film closer."
        )
    bare = None if generator is None else _bare(instants, generator, to)
    seen = seen_in(instants)
    placed, unaided = _placed(instants, seen), _unaided(instants, _steady(files))
    if learnt and seen:
        known = [centre(Identifier.load().embed(faces)) for faces in (learnt.target, learnt.source)]
        target, source = (float((seen.finished @ one).mean()) for one in known)
        unaided = replace(unaided, to_target=target, to_source=source)
    return ClipFigures(bare, placed, unaided)


def _bare(instants: Sequence[Instant], generator: Swaps, to: str) -> Bare:
    rows = []
    for one in instants:
        ((swapped,),) = swap_faces([(one.performance, (one.source,))], generator, to=to)
        side = len(swapped.after)
        inner = crop(one.inner.astype(np.uint8) * 255, one.true.matrix, side) > 127
        pair = swapped.after, crop(one.truth, one.true.matrix, side), inner
        error = _measured(mse, pair)
        level = None if error is None else psnr(error)
        rows.append((error, level, *(_measured(one, pair) for one in (ssim, msssim, sharpness))))
    return Bare(*map(_mean, zip(*rows, strict=True)))


def _measured(
    metric: Callable[[Picture, Picture, Area], float], pair: tuple[Picture, Picture, Area]
) -> float | None:
    """None where the metric has nothing to measure: too little of the face is in the crop."""
    try:
        return metric(*pair)
    except ValueError:
        return None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _placed(instants: Sequence[Instant], seen: Seen | None) -> Placed:
    pairs = [(one.swap, one.truth, one.inner) for one in instants]
    errors = [mse(*pair) for pair in pairs]
    frames = (errors, map(psnr, errors), (ssim(*pair) for pair in pairs))
    alike = (seen.finished * seen.target, seen.finished * seen.source) if seen else ()
    return Placed(
        *(float(np.mean(list(values))) for values in frames),
        *_faces(Cut.of(instants)),
        *([float(one.sum(1).mean()) for one in alike] or (None, None)),
    )


def _faces(cut: Cut | None) -> tuple[float | None, ...]:
    """MS-SSIM, the three distances and the gap of finished faces."""
    if cut is None:
        return (None,) * 5
    meter, pairs = FaceMeter.load(), zip(cut.swap, cut.truth, cut.inner, strict=True)
    swap = meter.measure(cut.swap, cut.truth, cut.inner)
    copy = meter.measure(cut.performance, cut.truth, cut.inner)
    means = [float(one.mean()) for one in (swap.identity, swap.perceptual, swap.colour)]
    return (_mean(_measured(msssim, three) for three in pairs), *means, truth_gap(swap, copy))


def _unaided(instants: Sequence[Instant], steady: float | None) -> Unaided:
    errors = performance_error([one.finished for one in instants], [one.source for one in instants])
    crops = [
        (cut_out(one.swap, one.source), cut_out(one.performance, one.source), one.source.mask(SIDE))
        for one in instants
    ]
    borders = [border(*three).excess for three in crops if has_border(three[2])]
    return Unaided(
        expression=_finite(errors.expression),
        pose=_finite(errors.pose),
        found=1 - errors.missed,
        border=_mean(borders),
        flicker=steady,
        detail=_mean(_measured(sharpness, (a, b, mask > 0.5)) for a, b, mask in crops),
    )


def _steady(files: ClipFiles) -> float | None:
    """The flicker of a clip's first frames with a face, inside the true inner face."""
    together = zip(
        read_samples(files.performance, files.truth), read_frames(files.swap), strict=False
    )
    every = (Pasted(one.performance, frame.pixels, one.inner) for one, frame in together)
    shown = dropwhile(lambda one: not one.area.any(), every)
    try:
        return flicker(islice(shown, _STEADY))
    except ValueError:  # the face is in one frame, or gone in the next
        return None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
