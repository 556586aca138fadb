"""A face verifier set to accept so many strangers, and how often a swap gets past it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from changeling.faces.identity import Embeddings

Ints = NDArray[np.integer]


@dataclass(frozen=True)
class Verifier:
    """A likeness at and above which two pictures are taken for one person."""

    accepts: float
    """Share of strangers' pairs that it accepts, as it was set."""
    threshold: float
    """The cosine that does so."""
    knows: float
    """Share of pairs of one person that it accepts, 0…1."""
    strangers: int
    """Pairs of strangers by which it was set."""

    def passes(self, enrolled: Embeddings, shown: Embeddings) -> float:
        """Share of pairs of an enrolled (m, 128) and a shown (n, 128) picture that are accepted.

        0 where nothing is shown: who has no face is nobody.
        """
        accepted = shown @ enrolled.T >= self.threshold
        return float(accepted.mean()) if accepted.size else 0.0


def calibrated(
    embeddings: Embeddings, face: Ints, styling: Ints, accepts: Sequence[float]
) -> tuple[Verifier, ...]:
    """Verifiers that accept these shares of strangers, by embeddings (n, 128) of faces (n,).

    The threshold is the least at which no larger share of all pairs of two faces is accepted (the
    false accept rate of ISO/IEC 19795-1). Pairs of one face count only between two stylings, so
    that hair and shirt do not help. Raises ValueError when there are too few strangers to tell.
    """
    rows, columns = np.triu_indices(len(face), 1)
    cosines = np.einsum("nc,nc->n", embeddings[rows], embeddings[columns])
    same = face[rows] == face[columns]
    own = cosines[same & (styling[rows] != styling[columns])]
    others = np.sort(cosines[~same])[::-1]
    if not len(own) or len(others) * min(accepts) < 1:
        raise ValueError(f"{len(own)} pairs of one face and {len(others)} of strangers")
    return tuple(_set(share, own, others) for share in accepts)


def _set(share: float, own: NDArray[np.floating], others: NDArray[np.floating]) -> Verifier:
    """`others` from the most alike on."""
    refused = float(others[int(share * len(others))])
    threshold = float(np.nextafter(np.float32(refused), np.float32(2)))
    return Verifier(share, threshold, float((own >= threshold).mean()), len(others))
