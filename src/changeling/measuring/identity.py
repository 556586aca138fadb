"""How much of the target person is in a swap, and how much of the source is left."""

from dataclasses import dataclass

import numpy as np

from changeling.faces.identity import Embeddings


@dataclass(frozen=True)
class Likeness:
    """How alike a result is to two people, by the identity network; means over frames."""

    to_target: float
    """Cosine to the true frame, −1…1; 1 is the target as the network sees it there."""
    to_source: float
    """Cosine to the performance, −1…1."""
    nearer: float
    """Share of the frames that are more like the target than like the source, 0…1."""


def likeness_of(result: Embeddings, target: Embeddings, source: Embeddings) -> Likeness:
    """From embeddings (n, 128) of length 1, frame by frame; ValueError for no frames."""
    if not len(result):
        raise ValueError("the likeness of no frames")
    to_target = np.einsum("nc,nc->n", result, target, dtype=np.float64)
    to_source = np.einsum("nc,nc->n", result, source, dtype=np.float64)
    nearer = (to_target > to_source).mean()
    return Likeness(float(to_target.mean()), float(to_source.mean()), float(nearer))
