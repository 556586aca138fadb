"""A swap and its two baselines against the true frames, as crops, in place and as whole frames."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from changeling.converting import How, paste, swap_faces
from changeling.errors import UserError
from changeling.faces import Face, Identifier, Tracker, crop
from changeling.generators import Swaps
from changeling.measuring.identity import Likeness, likeness_of
from changeling.measuring.score import Score, mean, score
from changeling.media import Pixels, Tick, silent


@dataclass(frozen=True, eq=False)
class Sample:
    """One moment: the performance, the same moment given by the target actor, and where to look."""

    performance: Pixels
    truth: Pixels
    inner: NDArray[np.bool_]
    """(h, w): the inner face in the true frame, from the renderer."""


@dataclass(frozen=True, eq=False)
class Rivals:
    """A generator and the two baselines for the same target person, all with crops of one size."""

    swap: Swaps
    copy_source: Swaps
    mean_face: Swaps


@dataclass(frozen=True)
class Row:
    """The score of each rival."""

    swap: Score
    copy_source: Score
    mean_face: Score


@dataclass(frozen=True)
class Scores:
    """Three questions to the same swap."""

    crop: Row
    """The generator's aligned output against the true face aligned by the same extractor, inside
    the true inner face: how good is the generator."""
    in_place: Row
    """The finished frame inside the union of the true inner face and the pasted area: how good is
    the result."""
    frame: Row
    """The whole finished frame."""


@dataclass(frozen=True)
class Likenesses:
    """How much of the target is in each rival's finished frames."""

    swap: Likeness
    copy_source: Likeness
    mean_face: Likeness


@dataclass(frozen=True)
class Judgement:
    """The mean over all frames (PSNR averaged in decibels), and every frame by itself."""

    scores: Scores
    identity: Likenesses
    series: tuple[Scores, ...]
    missed: int
    """Frames left out because no face was found in the performance or in the truth."""


@dataclass(frozen=True, eq=False)
class _Pair:
    """A sample, the face in its performance, and what the generator should have drawn."""

    sample: Sample
    face: Face
    source_crop: Pixels
    true_crop: Pixels
    inner_crop: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Marks:
    """One rival's scores as a crop, in place and of the whole frame, and its face as finished."""

    crop: Score
    in_place: Score
    frame: Score
    finished: Pixels


def judge(
    samples: Iterable[Sample], rivals: Rivals, *, to: str, how: How, tick: Tick = silent
) -> Judgement:
    """Converts every performance with each rival and scores it against the truth.

    The samples are frames of one film in order. UserError when no frame shows a face in both.
    """
    series: list[Scores] = []
    shown: list[tuple[Pixels, ...]] = []
    missed = 0
    for pair in _pairs(samples, rivals.swap.size):
        if pair is None:
            missed += 1
        else:
            marks = [
                _marks(pair, rival, to, how)
                for rival in (rivals.swap, rivals.copy_source, rivals.mean_face)
            ]
            series.append(_scores(marks))
            shown.append((pair.true_crop, pair.source_crop, *(one.finished for one in marks)))
        tick(len(series) + missed, None)
    if not series:
        raise UserError(
            "No frame shows a face in both the performance and the truth: film them closer."
        )
    return Judgement(mean_scores(series), _likenesses(shown), tuple(series), missed)


def _likenesses(shown: Sequence[tuple[Pixels, ...]]) -> Likenesses:
    """From each frame's crops: truth, performance, and the three rivals'."""
    identifier = Identifier.load()
    target, source, *rivals = (identifier.embed(np.stack(c)) for c in zip(*shown, strict=True))
    return Likenesses(*(likeness_of(result, target, source) for result in rivals))


def mean_scores(series: Sequence[Scores]) -> Scores:
    """Each score averaged over the frames; ValueError for no frames."""
    return Scores(
        _mean_row([scores.crop for scores in series]),
        _mean_row([scores.in_place for scores in series]),
        _mean_row([scores.frame for scores in series]),
    )


def _mean_row(rows: Sequence[Row]) -> Row:
    return Row(
        mean([row.swap for row in rows]),
        mean([row.copy_source for row in rows]),
        mean([row.mean_face for row in rows]),
    )


def _pairs(samples: Iterable[Sample], size: int) -> Iterator[_Pair | None]:
    """Each sample with its faces; None where one is missing."""
    performed, given = Tracker(), Tracker()
    for sample in samples:
        faces, true_faces = performed.find(sample.performance), given.find(sample.truth)
        if not faces or not true_faces:
            yield None
            continue
        matrix = true_faces[0].matrix
        inner = crop(sample.inner.astype(np.uint8) * 255, matrix, size) > 127
        true_crop = crop(sample.truth, matrix, size)
        source_crop = crop(sample.performance, faces[0].matrix, size)
        yield _Pair(sample, faces[0], source_crop, true_crop, inner) if inner.any() else None


def _scores(marks: Sequence[_Marks]) -> Scores:
    return Scores(
        Row(*(one.crop for one in marks)),
        Row(*(one.in_place for one in marks)),
        Row(*(one.frame for one in marks)),
    )


def _marks(pair: _Pair, rival: Swaps, to: str, how: How) -> _Marks:
    sample = pair.sample
    ((swapped,),) = swap_faces([(sample.performance, (pair.face,))], rival, to=to)
    converted = paste(sample.performance, (swapped,), how)
    return _Marks(
        crop=score(swapped.after, pair.true_crop, pair.inner_crop),
        in_place=score(converted.pixels, sample.truth, sample.inner | (converted.area > 0)),
        frame=score(converted.pixels, sample.truth),
        finished=crop(converted.pixels, pair.face.matrix, len(pair.source_crop)),
    )
