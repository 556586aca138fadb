"""Teaching the landmark network and writing the weights that ship."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save as save_tensors

from changeling.faces.alignment import align, five_points
from changeling.faces.landmarks import WEIGHTS, Landmarker, LandmarkLearner, LandmarkNet
from changeling.faces.lessons import Lessons, Sheet, jittered, landmark_batches, render_lessons
from changeling.media import Tick, silent, writing
from changeling.training import Budget, Run, fit

_EXAMINED = 0.05
"""Share of the actors that are kept for the examination."""


@dataclass(frozen=True)
class Teaching:
    """How the landmark network is taught."""

    lessons: Lessons = field(default_factory=Lessons)
    """What is rendered to learn from."""
    batch: int = 96
    """Crops a step."""
    rate: float = 2e-3
    """Learning rate of AdamW."""
    seed: int = 0
    """Seed of weights, samples and jitter."""


@dataclass(frozen=True)
class Taught:
    """What came out."""

    steps: int
    """Training steps."""
    error: float
    """Mean distance to the truth over the distance of the eyes, on actors not learnt from."""


def teach_landmarks(
    run: Path,
    budget: Budget,
    teaching: Teaching | None = None,
    *,
    cache: Path,
    out: Path = WEIGHTS,
    workers: int = 1,
    tick: Tick = silent,
) -> Taught:
    """Render actors into `cache`, teach in the folder `run` (or go on there), write `out`.

    `out` is replaced, and the .json beside it, which holds its SHA-256. `tick` counts first the
    actors rendered, then thousandths of the budget. Raises UserError as `training.fit` does.
    """
    teaching = teaching or Teaching()
    sheets = render_lessons(teaching.lessons, cache, tick=tick)
    examined = max(1, round(len(sheets) * _EXAMINED))
    torch.manual_seed(teaching.seed)
    learner = LandmarkLearner(rate=teaching.rate)
    batches = landmark_batches(sheets[examined:], batch=teaching.batch, seed=teaching.seed)
    kept = Run.begin(run, family="landmarks", config=teaching, data=teaching.lessons)
    steps = 0
    for progress in fit(learner, batches, kept, budget, seed=teaching.seed, workers=workers):
        steps = progress.step.index
        tick(round(progress.fraction * 1000), 1000)
    taught = Taught(steps, examine(Landmarker(learner.average), sheets[:examined]))
    write_weights(learner.average, out, taught, teaching.lessons)
    return taught


def examine(marker: Landmarker, sheets: Sequence[Sheet]) -> float:
    """Mean landmark error over the distance of the eyes, from guesses as poor as in training."""
    rng = np.random.default_rng(0)
    errors = []
    for sheet in sheets:
        for picture, points in zip(sheet.pictures, sheet.points, strict=True):
            found, _ = marker.find(np.asarray(picture), jittered(align(points), rng))
            eyes = five_points(points)[:2]
            distance = np.linalg.norm(found - points, axis=1).mean()
            errors.append(distance / np.linalg.norm(eyes[0] - eyes[1]))
    return float(np.mean(errors))


def write_weights(net: LandmarkNet, out: Path, taught: Taught, lessons: Lessons) -> None:
    """Half-precision safetensors, and a JSON beside with their SHA-256 and origin."""
    halves = {name: value.half().contiguous() for name, value in net.state_dict().items()}
    data = save_tensors(halves)
    about = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "taught": asdict(taught),
        "lessons": asdict(lessons),
    }
    with writing(out, overwrite=True) as beside:
        beside.write_bytes(data)
    with writing(out.with_suffix(".json"), overwrite=True) as beside:
        beside.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
