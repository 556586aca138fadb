"""What a face does, read off all its landmarks by a regression that rendered actors taught.

The landmark network's errors are not noise: they are alike from frame to frame of one face, and
what moves little, such as a lid, is seen to move less than it does. A fit that takes them for noise
finds expressions where there are none. A regression on what the network sees of actors whose
expression is known takes that into account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from changeling.faces.alignment import align, apply
from changeling.faces.morphable import Floats
from changeling.faces.weights import read_arrays

WEIGHTS = Path(__file__).parent / "expression.safetensors"
"""The maps that ship; expression.json beside them has their SHA-256 and how they were taught."""
MANY = 50
"""Frames from which on their mean says what the face is like in rest: two seconds of a film."""


@dataclass(frozen=True, eq=False)
class ExpressionReader:
    """Landmarks (n, 200, 2) → strengths of the morphable model's actions (n, a), 0…1."""

    centre: Floats
    """(400,) mean of the aligned landmarks."""
    axes: Floats
    """(20, 400) their principal axes, on which they have unit variance. The products of two say
    what a turn of the head does to an expression."""
    alone: Floats
    """(a, 611) the map of a frame of which nothing else is known: its landmarks, the products on
    its axes, and what is added."""
    among: Floats
    """(a, 1011) the same with the mean of frames of the same face after the landmarks."""

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "ExpressionReader":
        """Read maps and check them against the SHA-256 in the JSON beside them.

        Raises UserError when they are missing or not those that were written.
        """
        arrays, _ = read_arrays(path, network="expression")
        return cls(**{name: value.astype(np.float64) for name, value in arrays.items()})

    def read(self, points: Sequence[Floats]) -> Floats:
        """Of frames of one face, each with its landmarks (200, 2) in pixels."""
        shown = np.stack([aligned(each) for each in points]) - self.centre
        if len(shown) < MANY:
            return read_by(self.alone, features(shown, self.axes))
        return read_by(self.among, features(shown, self.axes, shown.mean(0, keepdims=True)))


def aligned(points: Floats) -> Floats:
    """(400,) landmarks (200, 2), in any pixels, as the unit crop has them."""
    return np.asarray(apply(align(points[:68]), points), np.float64).ravel()


def features(shown: Floats, axes: Floats, mean: Floats | None = None) -> Floats:
    """What is read of landmarks (n, 400), less their centre, and of means (n or 1, 400) beside."""
    along = shown @ axes.T
    one, other = np.triu_indices(len(axes))
    means = [] if mean is None else [np.broadcast_to(mean, shown.shape)]
    return np.hstack([shown, *means, along[:, one] * along[:, other]])


def read_by(ways: Floats, features: Floats) -> Floats:
    """(n, a) strengths by a map (a, f + 1)."""
    return np.asarray(np.clip(features @ ways[:, :-1].T + ways[:, -1], 0, 1))
