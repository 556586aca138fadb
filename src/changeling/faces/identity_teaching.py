"""Teaching the identity network, examining it with pairs, and writing the weights that ship."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from changeling.faces.identity import WEIGHTS, Embeddings, Identifier, IdentityLearner
from changeling.faces.identity_lessons import (
    Pairs,
    draw_pairs,
    identity_batches,
    traits,
    unit_crops,
)
from changeling.faces.renders import Renders, learnt_and_kept
from changeling.faces.weights import write_weights
from changeling.media import Tick, silent
from changeling.training import Budget, Run, fit

PAIRS = 6000
"""Pairs of an examination."""

Scores = NDArray[np.floating]


@dataclass(frozen=True)
class IdentityTeaching:
    """How the identity network is taught."""

    renders: Renders = field(default_factory=Renders)
    """What is rendered to learn from."""
    batch: int = 64
    """Crops a step."""
    rate: float = 2e-3
    """Learning rate of AdamW."""
    scale: float = 24.0
    """Factor of the cosines in the loss."""
    margin: float = 0.3
    """By how much the cosine to the right face must be larger than to all others."""
    seed: int = 0
    """Seed of weights, samples, jitter and pairs."""


@dataclass(frozen=True)
class Examination:
    """How well the likeness of two pictures tells whether they show one face."""

    pairs: int
    auc: float
    """Probability that a pair of one face is more alike than a pair of two, 0…1."""
    matched: float
    """The same when the two faces were chosen for their like skin."""
    error: float
    """Equal error rate, 0…1: at `threshold` as many pairs of one face are missed as pairs of
    two are taken for one."""
    threshold: float
    """Likeness."""


@dataclass(frozen=True)
class IdentityTaught:
    """What came out."""

    steps: int
    """Training steps."""
    kept: Examination
    """With the faces not learnt from."""


def teach_identity(
    run: Path,
    budget: Budget,
    teaching: IdentityTeaching | None = None,
    *,
    cache: Path,
    out: Path = WEIGHTS,
    workers: int = 1,
    tick: Tick = silent,
) -> IdentityTaught:
    """Render actors into `cache`, teach in the folder `run` (or go on there), write `out`.

    `out` is replaced, and the .json beside it, which holds its SHA-256 and the threshold. `tick`
    counts first the bodies rendered, then thousandths of the budget. Raises UserError for fewer
    than four faces, and as `training.fit` does.
    """
    teaching = teaching or IdentityTeaching()
    learnt, kept = learnt_and_kept(teaching.renders, cache, tick=tick)
    torch.manual_seed(teaching.seed)
    who = traits(np.unique(learnt.face))
    learner = IdentityLearner(who, rate=teaching.rate, scale=teaching.scale, margin=teaching.margin)
    batches = identity_batches(learnt, batch=teaching.batch, seed=teaching.seed)
    folder = Run.begin(run, family="identity", config=teaching, data=teaching.renders)
    for progress in fit(learner, batches, folder, budget, seed=teaching.seed, workers=workers):
        tick(round(progress.fraction * 1000), 1000)
    averaged = learner.averaged
    embeddings = Identifier(averaged.average, same=0.0).embed(unit_crops(kept))
    pairs = draw_pairs(kept.face, kept.styling, PAIRS, seed=teaching.seed)
    taught = IdentityTaught(averaged.steps, examine(embeddings, pairs))
    same = {"same": taught.kept.threshold}
    write_weights(
        averaged.average, out, same | {"taught": asdict(taught), "teaching": asdict(teaching)}
    )
    return taught


def examine(embeddings: Embeddings, pairs: Pairs) -> Examination:
    """Compare the likeness of pairs of one face with that of pairs of two."""
    scores = np.einsum("nc,nc->n", embeddings[pairs.one], embeddings[pairs.other])
    one, two = scores[pairs.same], scores[~pairs.same]
    error, threshold = equal_error(one, two)
    return Examination(len(pairs), auc(one, two), auc(one, scores[pairs.matched]), error, threshold)


def auc(one: Scores, two: Scores) -> float:
    """The share of couples (a from `one`, b from `two`) with a > b; a tie counts half.

    Area under the ROC curve: Hanley & McNeil, "The meaning and use of the area under a receiver
    operating characteristic (ROC) curve", 1982.
    """
    ordered = np.sort(two)
    below = np.searchsorted(ordered, one, side="left") + np.searchsorted(ordered, one, side="right")
    return float(below.mean() / 2 / len(two))


def equal_error(one: Scores, two: Scores) -> tuple[float, float]:
    """The equal error rate and its threshold: `one` below it are missed, `two` from it on wrong.

    Where no threshold makes the two rates equal, the nearest; the rate is then their mean.
    """
    places = np.unique(np.concatenate([one, two]))
    missed = np.searchsorted(np.sort(one), places, side="left") / len(one)
    wrong = 1 - np.searchsorted(np.sort(two), places, side="left") / len(two)
    best = int(np.abs(missed - wrong).argmin())
    return float(missed[best] + wrong[best]) / 2, float(places[best])
