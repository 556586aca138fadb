"""What drawn pictures of clothing are worth, beside as many test pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from changeling.faces import open_pictures
from changeling.measuring import (
    Classified,
    FashionClassifier,
    Spectrum,
    frechet_distance,
    kernel_distance,
    manifold,
    modes,
    scattered,
    spectral_distance,
    spectrum,
)
from changeling.measuring.memorising import by_distance
from changeling.measuring.neighbours import Features, nearest
from changeling.study.results import Measurement

SIDE = 28
FEW = 200
"""Fewer pictures than so many have no distance to others that means anything."""
_LEARNT = 60_000
"""Training pictures among which copies are looked for: all."""

Rows = NDArray[np.int64]


def pictures(part: Literal["train", "test"], count: int) -> tuple[Tensor, Tensor]:
    """`count` pictures (n, 1, 28, 28), 0…1, of a part of FashionMNIST, and their classes."""
    opened = open_pictures("fashion-mnist", part=part)
    rows = np.random.default_rng(0).permutation(len(opened))[:count]
    shown = torch.from_numpy(opened.read(rows, SIDE)).permute(0, 3, 1, 2).float() / 255
    return shown, torch.from_numpy(opened.labels(rows))


def measured(drawn: Tensor, real: Tensor) -> Iterator[Measurement]:
    """Figures of pictures (n, 1, 28, 28), 0…1, with intervals by resampled drawn ones; spectra."""
    classifier = FashionClassifier.load()
    looked = _Looked.at(drawn, real, classifier)
    for name, rings in (("real", looked.real.rings), ("drawn", looked.rings.mean(0))):
        for cycles, power in enumerate(rings):
            level = float(10 * np.log10(max(power, 1e-12)))
            yield Measurement(f"spectrum_{name}", level, at=float(cycles))
    kinds = [looked.figures]
    if len(drawn) >= FEW:
        kinds.append(_Compared.with_real(looked.seen, classifier.classify(real)).figures)
    for figures in kinds:
        for name, one in scattered(figures, len(drawn)).items():
            yield Measurement(name, one.value, interval=one)


@dataclass(frozen=True, eq=False)
class _Looked:
    """What can be said of any number of pictures."""

    seen: Classified
    rings: NDArray[np.float64]
    """(n, rings): each picture's spectrum around the circle."""
    real: Spectrum

    @classmethod
    def at(cls, drawn: Tensor, real: Tensor, classifier: FashionClassifier) -> Self:
        rings = np.stack([spectrum(one[None]).rings for one in _planes(drawn)])
        return cls(classifier.classify(drawn), rings, spectrum(_planes(real)))

    def figures(self, rows: Rows) -> dict[str, float]:
        own = Spectrum(self.real.plane, self.rings[rows].mean(0))
        return {
            "confidence": float(self.seen.probabilities[rows].max(1).mean()),
            "spectral": spectral_distance(own, self.real),
        }


@dataclass(frozen=True, eq=False)
class _Compared:
    """What takes many: drawn pictures beside test pictures and all that were learnt from."""

    seen: Classified
    theirs: Classified
    away: NDArray[np.float64]
    """(n,): of each drawn picture, the distance to the nearest that was learnt from."""
    usual: NDArray[np.float64]
    """(m,): the same of the test pictures."""

    @classmethod
    def with_real(cls, seen: Classified, theirs: Classified) -> Self:
        learnt = _features_learnt(_LEARNT)
        return cls(seen, theirs, nearest(seen.features, learnt), nearest(theirs.features, learnt))

    def figures(self, rows: Rows) -> dict[str, float]:
        features, kinds = self.seen.features[rows], self.seen.kinds[rows]
        near = manifold(self.theirs.features, features)
        copied = by_distance(self.away[rows], self.usual)
        classes = modes(self.theirs.kinds, kinds)
        shares = np.bincount(kinds, minlength=self.seen.probabilities.shape[1]) / len(kinds)
        return {
            "rarest": float(shares.min()),
            "frechet": frechet_distance(features, self.theirs.features),
            "kernel": kernel_distance(features, self.theirs.features),
            "precision": near.precision,
            "recall": near.recall,
            "density": near.density,
            "coverage": near.coverage,
            "copies": copied.copies,
            "nearest": copied.distance,
            "covered": float(classes.covered),
            "different": float(classes.different),
        }


@cache
def _features_learnt(count: int) -> Features:
    """Of training pictures: the same for every cell, and a minute's work."""
    shown, _ = pictures("train", count)
    return FashionClassifier.load().classify(shown).features


def _planes(shown: Tensor) -> NDArray[np.float32]:
    return shown.permute(0, 2, 3, 1).numpy()
