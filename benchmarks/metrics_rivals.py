"""Swaps of the fixed pairs that are known to be good, worse and bad, for the metrics to tell."""

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.actors import Blend, Factor, Performance, at_rest, moved
from changeling.converting import colours, encoded, linear, matched, unit
from changeling.measuring import CopySource, Swapping, levels, rendered_faces, unit_tensor
from changeling.measuring.perturbing import Crops
from changeling.media import Pixels
from changeling.study import Pair

ASKED, LEARNT = 900_001, 102
"""Seeds of what A performs and of what B performed for training."""
SIDE, RANKED = 96, range(12, 500, 50)
"""Crops and frames that are ranked."""
SPLIT = range(20, 500, 120)
"""Frames whose error is split, at 64 pixels."""
ORDER = ("truth", "swap", "blurred swap", "copy in the true colours", "copy")
"""From the best to the worst."""
OTHER = "copy in B's film's colours"


def swapping(pair: Pair) -> Swapping:
    """Return what A performs when B's face is put in."""
    asked, learnt = (Performance.from_seed(seed, seconds=20) for seed in (ASKED, LEARNT))
    return Swapping(pair.a, pair.b, asked, [learnt])


def rivals(one: Swapping, truth: Crops) -> dict[str, Pixels]:
    """Crops of everybody who is ranked."""
    rest = at_rest(one.performance)
    dull = moved(moved(one.performance, Factor.EXPRESSION, rest, 0.25), Factor.LIGHT, rest, 0.15)
    swap = rendered_faces(
        Blend(one.truth, (one.source.face,), 0.2), dull, RANKED, side=SIDE
    ).pictures
    copy = rendered_faces(one.source, one.performance, RANKED, side=SIDE).pictures
    own = rendered_faces(one.target, one.trained[0], RANKED, side=SIDE)
    source = CopySource.from_faces("b", own.pictures, own.inner.astype(np.float32))
    return {
        "truth": truth.pictures,
        "swap": swap,
        "blurred swap": np.stack([cv2.GaussianBlur(face, (0, 0), SIDE / 64) for face in swap]),
        "copy in the true colours": coloured(copy, truth),
        OTHER: levels(source.swap(unit_tensor(copy), to="b").faces),
        "copy": copy,
    }


def coloured(copy: Pixels, truth: Crops) -> Pixels:
    """Each copy with the colours of its own true frame, the best that matching colours can do."""
    out = []
    for face, true, inner in zip(copy, truth.pictures, truth.inner, strict=True):
        inside = inner.astype(np.float32)
        light, wanted = linear(unit(face)), colours(linear(unit(true)), inside)
        given = encoded(matched(light, colours(light, inside), wanted, "covariance"))
        out.append(np.rint(given.clip(0, 1) * 255).astype(np.uint8))
    return np.stack(out)


def error(one: Swapping, factor: str, goal: int, size: float, truth: Crops) -> NDArray[np.float32]:
    """What a picture 0…1 gains by a planted error, with the full skin that directions lack."""
    wrong = rendered_faces(*one.wrong(factor, goal, size), SPLIT, where=truth).pictures
    return (wrong.astype(np.float32) - truth.pictures) / np.float32(255)
