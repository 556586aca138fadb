"""What the metrics tell apart on rendered swaps of the five fixed pairs, and how fast they are.

`python -m benchmarks.metrics --write docs/measuring.md` renders for each pair the truth, a swap
with known errors and its rivals, and puts two tables into the page: which metrics rank them
rightly, and on which factor the split of the error puts planted errors. `--speed` prints how long
all reference metrics take on a thousand faces instead, and writes that.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from benchmarks.documents import write_between
from benchmarks.metrics_rivals import ORDER, OTHER, RANKED, SIDE, SPLIT, error, rivals, swapping
from changeling.measuring import (
    FaceDistances,
    FaceMeter,
    Split,
    Swapping,
    mean,
    mse,
    msssim,
    perturbed,
    psnr,
    rendered_faces,
    score,
    sharpness,
    spectral_distance,
    spectrum,
    split,
    ssim,
    truth_gap,
)
from changeling.measuring.perturbing import FACTORS, Crops
from changeling.media import Pixels, writing
from changeling.study import PAIRS
from changeling.training import to_json

RESULTS = Path("benchmarks/results/metrics.json")
PLANTED = (0.2, 0.4)
"""Sizes of planted errors, which no direction has, as shares of the way to the goal."""
FACES, CORES = 1000, 2


@dataclass(frozen=True)
class Told:
    """What the metrics say of one rival; means over frames."""

    psnr: float
    ssim: float
    msssim: float
    identity: float
    perceptual: float
    colour: float
    gap: float


@dataclass(frozen=True)
class Landed:
    """How an error that was planted in one pair was split."""

    factors: tuple[str, ...]
    """One, or two at once."""
    size: float
    wanted: tuple[float, ...]
    """Their shares of the energy, by the planted parts themselves."""
    split: Split


@dataclass(frozen=True)
class Figures:
    """What the JSON file holds, a row for each pair."""

    told: tuple[dict[str, Told], ...]
    landed: tuple[tuple[Landed, ...], ...]


BETTER: Mapping[str, bool] = {
    "psnr": True, "ssim": True, "msssim": True, "identity": False, "perceptual": False,
    "colour": False, "gap": False,
}  # fmt: skip
"""Whether more is better."""


def ranked(one: Swapping, meter: FaceMeter) -> dict[str, Told]:
    """What each metric says of each rival."""
    truth = rendered_faces(one.truth, one.performance, RANKED, side=SIDE)
    shown = rivals(one, truth)
    copy = meter.measure(shown["copy"], truth.pictures, truth.inner)
    return {name: told(faces, truth, meter, copy) for name, faces in shown.items()}


def told(faces: Pixels, truth: Crops, meter: FaceMeter, copy: FaceDistances) -> Told:
    """What each metric says of one rival."""
    moments = list(zip(faces, truth.pictures, truth.inner, strict=True))
    low = mean([score(*moment) for moment in moments])
    far = meter.measure(faces, truth.pictures, truth.inner)
    return Told(
        psnr=low.psnr,
        ssim=low.ssim,
        msssim=fmean(msssim(*moment) for moment in moments),
        identity=float(far.identity.mean()),
        perceptual=float(far.perceptual.mean()),
        colour=float(far.colour.mean()),
        gap=truth_gap(far, copy),
    )


def in_order(rows: Mapping[str, Told], metric: str) -> bool:
    """Whether a metric ranks all rivals of one pair rightly."""
    values = [getattr(rows[name], metric) for name in ORDER]
    return all((a > b) if BETTER[metric] else (a < b) for a, b in pairwise(values))


def landed(one: Swapping) -> tuple[Landed, ...]:
    """Where planted errors of each factor land, and two factors at once."""
    directions = perturbed(one, SPLIT)
    truth = rendered_faces(one.truth, one.performance, SPLIT)
    errors = {
        (factor, goal, size): error(one, factor, goal, size, truth)
        for factor in FACTORS
        for goal in range(2)
        for size in PLANTED
    }
    found = [
        Landed((factor,), size, (1.0,), split(residual, directions, truth.inner))
        for (factor, _, size), residual in errors.items()
    ]
    for two in (("identity", "expression"), ("identity", "light"), ("pose", "light")):
        parts = {factor: errors[factor, 0, PLANTED[-1]][None] for factor in two}
        both = np.concatenate(list(parts.values())).sum(0)
        wanted = tuple(share for _, share in split(both, parts, truth.inner).shares)
        found.append(Landed(two, PLANTED[-1], wanted, split(both, directions, truth.inner)))
    return tuple(found)


def ranking(told: Sequence[Mapping[str, Told]]) -> list[str]:
    """A row for each rival, the mean over pairs; last in how many pairs each metric is right."""
    lines = [
        "| | PSNR | SSIM | MS-SSIM | identity | perceptual | colour | gap |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in (*ORDER[:4], OTHER, ORDER[4]):
        means = {m: fmean(getattr(rows[name], m) for rows in told) for m in BETTER}
        cells = [f"{means['psnr']:.2f}"] + [f"{means[m]:.3f}" for m in list(BETTER)[1:]]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    right = [f"{sum(in_order(rows, m) for rows in told)} of {len(told)}" for m in BETTER]
    return [*lines, "| **pairs in the right order** | " + " | ".join(right) + " |"]


def landing(landed: Sequence[Landed]) -> list[str]:
    """A row for each planted error: its share, the least over pairs and goals, and the others."""
    lines = [
        "| planted | size | true shares | found | least found | remainder | too fine |",
        "|---|--:|---|---|--:|--:|--:|",
    ]
    kinds = dict.fromkeys((one.factors, one.size) for one in landed)
    for factors, size in kinds:
        rows = [one for one in landed if (one.factors, one.size) == (factors, size)]
        shares = np.array([[dict(one.split.shares)[f] for f in factors] for one in rows])
        wanted = np.array([one.wanted for one in rows]).mean(0)
        lines.append(
            f"| {' + '.join(factors)} | {size:g} | {_percents(wanted)} "
            f"| {_percents(shares.mean(0))} | {shares.sum(1).min():.0%} "
            f"| {fmean(one.split.remainder for one in rows):.0%} "
            f"| {fmean(one.split.fine for one in rows):.0%} |"
        )
    names = [two[:2] for two in landed[0].split.alike]
    cosines = [[cosine for _, _, cosine in one.split.alike] for one in landed]
    means = zip(names, np.mean(cosines, axis=0), strict=True)
    said = ", ".join(f"{a} and {b} {cosine:.2f}" for (a, b), cosine in means)
    return [*lines, "", f"Largest cosine of two factors' directions, mean over pairs: {said}."]


def _percents(values: Sequence[float] | NDArray[np.float64]) -> str:
    return " + ".join(f"{value:.0%}" for value in values)


def timed() -> list[str]:
    """Seconds that each reference metric takes on a thousand faces of 128 × 128 pixels."""
    random = np.random.default_rng(0)
    truth = cv2.resize(
        random.uniform(0, 255, (16, 16, 3)), (128, 128), interpolation=cv2.INTER_CUBIC
    )
    faces = [truth + random.normal(0, 8, truth.shape) for _ in range(FACES)]
    shown = np.stack(faces).clip(0, 255).astype(np.uint8)
    true = np.broadcast_to(truth.clip(0, 255).astype(np.uint8), shown.shape).copy()
    inner = np.zeros(shown.shape[:3], np.bool_)
    inner[:, 20:116, 24:104] = True
    meter = FaceMeter.load()
    torch.set_num_threads(CORES)
    moments = list(zip(shown, true, inner, strict=True))
    pool = ThreadPoolExecutor(CORES)
    work: dict[str, Callable[[], object]] = {
        "MSE and PSNR": lambda: list(pool.map(lambda one: psnr(mse(*one)), moments)),
        "SSIM": lambda: list(pool.map(lambda one: ssim(*one), moments)),
        "MS-SSIM": lambda: list(pool.map(lambda one: msssim(*one), moments)),
        "sharpness": lambda: list(pool.map(lambda one: sharpness(*one), moments)),
        "identity, look and colour": lambda: meter.measure(shown, true, inner),
        "spectra": lambda: spectral_distance(spectrum(shown), spectrum(true)),
    }
    spent, used = {}, time.process_time()
    for name, metric in work.items():
        began = time.perf_counter()
        metric()
        spent[name] = time.perf_counter() - began
    each = ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent.items())
    used = time.process_time() - used
    return [
        f"{FACES} faces of 128² on {CORES} cores: {sum(spent.values()):.1f} s, of which the "
        f"processors worked {used:.1f}; {each}."
    ]


def main(write: Path | None = None, pairs: int = len(PAIRS), speed: bool = False) -> None:
    """Measure and print.

    Args:
        write: Page between whose marks the figures are written.
        pairs: How many of the five.
        speed: Only say how fast the metrics are.
    """
    if speed:
        _say("speed", timed(), write)
        return
    meter, figures = FaceMeter.load(), Figures((), ())
    for pair in PAIRS[:pairs]:
        one = swapping(pair)
        figures = Figures((*figures.told, ranked(one, meter)), (*figures.landed, landed(one)))
        print("\n".join([*ranking(figures.told[-1:]), *landing(figures.landed[-1])]), flush=True)
    with writing(RESULTS, overwrite=True) as beside:
        beside.write_text(json.dumps(to_json(figures), indent=1) + "\n", encoding="utf-8")
    _say("ranking", ranking(figures.told), write)
    _say("split", landing([one for rows in figures.landed for one in rows]), write)


def _say(name: str, lines: Sequence[str], write: Path | None) -> None:
    print("\n".join(lines))
    if write is not None:
        write_between(write, name, "\n".join(lines))


if __name__ == "__main__":
    tyro.cli(main)
