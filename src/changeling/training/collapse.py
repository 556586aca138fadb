"""How a generator and its judge get on, as numbers for the log, and the sentence when they do not.

A generator that has collapsed draws nearly the same picture whatever the dice say; a judge that
has won tells every real picture from every drawn one and teaches the generator nothing more.
"""

from collections.abc import Mapping, Sequence
from statistics import fmean

import torch
from torch import Tensor
from torch.nn import functional as F

RECENT = 10
"""Lines of the log over which the numbers are averaged before anything is said."""
POOR = 0.35
"""Samples with less of the data's variety have collapsed."""
GAIN = 1.2
"""Samples whose variety grows by this factor from ten lines to the next are still learning."""
SURE = 0.02
"""A judge that is wrong by less, about real and drawn pictures alike, has won."""
_COARSE = 8


def adversarial(real: Tensor, fake: Tensor, samples: Tensor, data: Tensor) -> dict[str, Tensor]:
    """Return the losses d_real, d_fake and variety, which `collapse` reads from the log.

    `real` and `fake` are what the judge says of real and drawn pictures, 0 (drawn) … 1 (real), of
    any shape: D(x) and D(G(z)), so a judge of logits passes their sigmoid; values beyond are cut.
    `samples` and `data` are drawn and real pictures, (n, channels, h, w), n ≥ 2 and the same n.
    """
    return {
        "d_real": real.detach().float().clamp(0, 1).mean(),
        "d_fake": fake.detach().float().clamp(0, 1).mean(),
        "variety": variety(samples, data),
    }


@torch.no_grad()
def variety(samples: Tensor, data: Tensor) -> Tensor:
    """Return how far each sample is from the nearest other, as a share of the same among the data.

    1: as varied as the data; 0: every sample has its double. Both are (n, channels, h, w) with the
    same n ≥ 2, for the nearest of more is nearer. Pictures are compared at 8×8 pixels, so that
    grain is no variety. The nearest and not the mean distance, because a generator that draws only
    a few pictures keeps them far apart.
    """
    assert len(samples) == len(data) >= 2, "variety compares two batches of the same length"
    return _apart(samples) / _apart(data).clamp_min(1e-6)


def _apart(pictures: Tensor) -> Tensor:
    """Return the mean distance of each picture to the nearest other."""
    side = min(_COARSE, *pictures.shape[2:])
    flat = F.adaptive_avg_pool2d(pictures.detach().float(), side).flatten(1)
    # Differences and not products, which would round the distance of doubles to more than 0.
    distances = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.fill_diagonal_(torch.inf).min(dim=1).values.mean()


def collapse(rows: Sequence[Mapping[str, float]]) -> str | None:
    """Return what is wrong at the end of a run's log in one sentence, or None.

    It compares the last ten lines that hold what `adversarial` returned with the ten before, and
    waits for as many: a young generator draws alike pictures, but gains variety from line to line.
    """
    judged = [row for row in rows if {"d_real", "d_fake", "variety"} <= row.keys()]
    if len(judged) < 2 * RECENT:
        return None
    before, now = judged[-2 * RECENT : -RECENT], judged[-RECENT:]
    at = f"at step {round(now[-1]['step'])}"
    mend = "start again with another seed or a lower learning rate"
    varied = _mean(now, "variety")
    if varied < POOR and varied <= GAIN * _mean(before, "variety"):
        return f"{at} the samples have lost their variety ({varied:.0%} of the data's): {mend}"
    real, fake = _mean(now, "d_real"), _mean(now, "d_fake")
    if real > 1 - SURE and fake < SURE:
        says = f"D(x) is {real:.3f}, D(G(z)) {fake:.3f}"
        return f"{at} the discriminator has won ({says}): {mend}"
    return None


def _mean(rows: Sequence[Mapping[str, float]], name: str) -> float:
    return fmean(row[name] for row in rows)
