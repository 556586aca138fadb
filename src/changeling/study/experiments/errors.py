"""What the error of a clip's swap consists of, by renders of its truth with one factor moved."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from changeling.actors import read_truth
from changeling.faces import align, crop
from changeling.measuring import Split, Swapping, perturbed, split
from changeling.measuring.perturbing import FACTORS
from changeling.media import probe, read_frames, writing
from changeling.study.experiments.material import Clip

FRAMES = 4
"""Frames of a clip whose error is split: each is rendered 32 times."""
_SIDE = 64


def split_of(swap: Path, clip: Clip, swapping: Swapping) -> Split:
    """Split the error of a finished film; the renders are kept beside the clip."""
    count = probe(clip.truth).frames or 1
    frames = [round((k + 0.5) * count / FRAMES) for k in range(FRAMES)]
    directions = _directions(clip, swapping, frames)
    shown = list(_crops(swap, clip.truth, frames))
    residual, inner = (np.stack(part) for part in zip(*shown, strict=True))
    return split(residual, directions, inner)


def _crops(
    swap: Path, truth: Path, frames: Sequence[int]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """The error (64, 64, 3) and the inner face (64, 64) of each frame, by the true landmarks."""
    together = zip(read_frames(swap), read_frames(truth), read_truth(truth), strict=True)
    for given, true, known in islice(together, frames[-1] + 1):
        if true.index in frames:
            matrix = align(known.landmarks)
            one, other = (crop(x.pixels, matrix, _SIDE).astype(np.float32) for x in (given, true))
            inner = crop(known.inner_face.astype(np.uint8) * 255, matrix, _SIDE) > 127
            yield (one - other) / np.float32(255), inner


def _directions(
    clip: Clip, swapping: Swapping, frames: Sequence[int]
) -> Mapping[str, NDArray[np.floating]]:
    path = clip.truth.with_suffix(".directions.npy")
    if not path.exists():
        rendered = perturbed(swapping, frames, side=_SIDE)
        halves = np.stack([rendered[factor] for factor in FACTORS]).astype(np.float16)
        with writing(path, overwrite=True) as beside:
            np.save(beside, halves)
    return dict(zip(FACTORS, np.load(path).astype(np.float32), strict=True))
