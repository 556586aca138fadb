"""The moments of a clip that are measured, and the faces in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces import Face, Identifier, Tracker, crop
from changeling.faces.identity import Embeddings
from changeling.measuring.videos import read_samples
from changeling.media import Pixels, read_frames

SIDE = 128
"""Side in pixels of the crops in which finished films are compared."""
Crops = NDArray[np.uint8]
"""(n, s, s, 3), RGB: unit crops."""


@dataclass(frozen=True)
class ClipFiles:
    """Three films of the same moments."""

    performance: Path
    swap: Path
    truth: Path


@dataclass(frozen=True, eq=False)
class Instant:
    """One frame of each film, and the faces in it."""

    performance: Pixels
    swap: Pixels
    truth: Pixels
    inner: NDArray[np.bool_]
    source: Face
    finished: Face | None
    true: Face


def instants_of(files: ClipFiles, every: int) -> Iterator[Instant]:
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
            yield Instant(*shown, sample.inner, source, finished, true)


@dataclass(frozen=True, eq=False)
class Cut:
    """Faces of frames, all cut out where the true ones are, (n, 128, 128, 3)."""

    swap: Crops
    performance: Crops
    truth: Crops
    inner: NDArray[np.bool_]
    """(n, 128, 128), none of them empty."""

    @classmethod
    def of(cls, instants: Sequence[Instant]) -> "Cut | None":
        """None where no frame has any of the inner face in its crop."""
        rows = []
        for one in instants:
            inner = crop(one.inner.astype(np.uint8) * 255, one.true.matrix, SIDE) > 127
            if inner.any():
                shown = (one.swap, one.performance, one.truth)
                rows.append((*(crop(pixels, one.true.matrix, SIDE) for pixels in shown), inner))
        return cls(*map(np.stack, zip(*rows, strict=True))) if rows else None


@dataclass(frozen=True, eq=False)
class Seen:
    """Embeddings (n, 128) of the frames in which a finished face is found."""

    finished: Embeddings
    target: Embeddings
    source: Embeddings


def seen_in(instants: Sequence[Instant]) -> Seen | None:
    """None where no finished face is found."""
    seen = [one for one in instants if one.finished]
    if not seen:
        return None
    network = Identifier.load()
    finished, target, source = (
        network.embed(np.stack([cut_out(pixels, face) for pixels, face in shown]))
        for shown in (
            [(one.swap, one.finished) for one in seen],
            [(one.truth, one.true) for one in seen],
            [(one.performance, one.source) for one in seen],
        )
    )
    return Seen(finished, target, source)


def cut_out(pixels: Pixels, face: Face | None) -> Pixels:
    """(128, 128, 3): a face that is known to be there."""
    assert face is not None
    return crop(pixels, face.matrix, SIDE)
