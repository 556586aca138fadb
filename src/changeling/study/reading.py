"""What a crop of a face shows of the attributes that are known of rendered actors.

A ridge regression on the identity network's embedding, which knows age and gender, and on the
crop at 16 × 16 pixels, which shows the pose and the mouth.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from changeling.faces import Identifier, Pictures
from changeling.generators import DrawsStyles
from changeling.generators.edits import Directions, directions

RIDGE = 10.0
"""Weight of the penalty on the coefficients."""
_SMALL = 16

Crops = NDArray[np.uint8]
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reader:
    """Reads attributes off crops."""

    attributes: tuple[str, ...]
    """What it reads."""
    explained: tuple[float, ...]
    """Share of each attribute's variance that it reads off actors it has not seen, at most 1."""
    identifier: Identifier
    """Embeds the crops."""
    coefficients: Values
    """(features, attributes)."""

    def read(self, crops: Crops) -> Values:
        """(n, attributes) of unit crops (n, s, s, 3), in the units of the actors' attributes."""
        return features(crops, self.identifier) @ self.coefficients


def teach_reader(
    learnt: Pictures, kept: Pictures, identifier: Identifier, *, count: int = 4000, seed: int = 0
) -> Reader:
    """Learn from `count` pictures of `learnt` whose attributes are known; examine by `kept`."""
    names, x, y = _lessons(learnt, identifier, count, seed)
    coefficients = np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1]), x.T @ y)
    _, unseen, truth = _lessons(kept, identifier, count, seed)
    explained = 1 - (truth - unseen @ coefficients).var(0) / truth.var(0)
    return Reader(names, tuple(explained.tolist()), identifier, np.asarray(coefficients, float))


def features(crops: Crops, identifier: Identifier) -> Values:
    """(n, features) of unit crops (n, s, s, 3): the embedding, small pixels 0…1, and a 1."""
    size = (_SMALL, _SMALL)
    small = np.array([cv2.resize(c, size, interpolation=cv2.INTER_AREA) for c in crops]) / 255.0
    ones = np.ones((len(crops), 1))
    return np.concatenate([identifier.embed(crops), small.reshape(len(crops), -1), ones], axis=1)


def find_directions(
    generator: DrawsStyles, reader: Reader, *, count: int = 2000, seed: int = 0
) -> Directions:
    """Draw `count` untruncated pictures, read their attributes, and fit where styles raise them."""
    styles = generator.styles(count, seed=seed, truncation=1)
    values = reader.read(as_crops(generator.draw_styles(styles, seed=seed)))
    return directions(reader.attributes, styles, torch.from_numpy(values))


def as_crops(pictures: torch.Tensor) -> Crops:
    """(n, 3, s, s) 0…1 → (n, s, s, 3)."""
    return np.rint(pictures.permute(0, 2, 3, 1).numpy() * 255).astype(np.uint8)


def _lessons(
    pictures: Pictures, identifier: Identifier, count: int, seed: int
) -> tuple[tuple[str, ...], Values, Values]:
    """Names of the attributes, features and values of some of the pictures."""
    order = np.random.default_rng(seed).permutation(len(pictures))
    rows = np.sort(order[:count])
    known = pictures.attributes(rows)
    return known.names, features(pictures.read(rows, 64), identifier), known.values.astype(float)
