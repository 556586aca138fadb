"""Teaching the landmark network, examining it, and writing the weights that ship."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.faces.landmark_exam import Marked, examine
from changeling.faces.landmark_lessons import LandmarkBatch, landmark_batches
from changeling.faces.landmarks import SIZE, WEIGHTS, LandmarkNet, Marks
from changeling.faces.networks import channels_last
from changeling.faces.renders import Renders, learnt_and_kept
from changeling.faces.weights import write_weights
from changeling.media import Tick, silent
from changeling.training import Budget, Run, fit
from changeling.training.averaged import Averaged

_WARM_UP = 200
"""Steps in which the learning rate rises to its peak."""


@dataclass(frozen=True)
class LandmarkTeaching:
    """How the landmark network is taught."""

    renders: Renders = field(default_factory=Renders)
    """What is rendered to learn from."""
    batch: int = 64
    """Crops a step."""
    rate: float = 2e-3
    """Learning rate of AdamW; after `steady` steps it falls with the root of the steps."""
    steady: int = 2000
    """Steps at the full rate."""
    averaging: float = 8.0
    """The averaged weights look back over about one part in so many of the training."""
    seed: int = 0
    """Seed of weights, samples and jitter."""


@dataclass(frozen=True)
class LandmarksTaught:
    """What came out."""

    steps: int
    """Training steps."""
    kept: Marked
    """With the faces not learnt from."""


class LandmarkLearner:
    """Teaches a `LandmarkNet`; keeps an average of its weights, which is what ships."""

    def __init__(self, *, rate: float = 2e-3, steady: int = 2000, averaging: float = 8.0) -> None:
        net = LandmarkNet()
        channels_last(net)
        adam = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3)
        self.averaged = Averaged(net, adam, steady=steady, warm=_WARM_UP, power=averaging)
        """The network; what ships are its averaged weights."""

    def step(self, batch: LandmarkBatch, /) -> dict[str, Tensor]:
        """One step; losses: `points` (Wing, in pixels of the crop), `spread`, `visible`, `turn`,
        `presence`, `parts`."""
        losses = marks_losses(self.averaged.network(_channels_last(batch.crops)), batch)
        weights = {"points": 1.0, "spread": 0.1, "visible": 0.3, "turn": 3.0, "presence": 1.0}
        total = sum(weights.get(name, 5.0) * loss for name, loss in losses.items())
        self.averaged.move(torch.as_tensor(total))
        return {name: loss.detach() for name, loss in losses.items()}

    def preview(self, batch: LandmarkBatch, /) -> Tensor:
        """(rows, 4, 3, 64, 64), 0…1: up to 8 crops with the net's points, the true ones, and the
        net's and the true inner face."""
        with torch.no_grad():
            marks = self.averaged.average(batch.crops[:8])
        shown = marks.parts.softmax(1)
        rows = []
        for k, picture in enumerate(batch.crops[:8]):
            faces = (_inner(shown[k]), _inner(batch.parts[k]))
            both = [dotted(picture, marks.points[k]), dotted(picture, batch.points[k])]
            rows.append(torch.stack([*both, *(picture * (0.3 + 0.7 * face) for face in faces)]))
        return torch.stack(rows)

    def state_dict(self) -> dict[str, Any]:
        """Network, average, optimizer and the number of steps."""
        return self.averaged.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Goes on where `state_dict` was taken."""
        self.averaged.load_state_dict(state)


def marks_losses(marks: Marks, batch: LandmarkBatch) -> dict[str, Tensor]:
    """The six losses, each a mean over the rows that it concerns."""
    there = batch.present / batch.present.sum().clamp(min=1)
    error = (marks.points - batch.points) * SIZE
    far = (error.detach() / SIZE).norm(dim=2)
    # Exponentially distributed distances: their negative log likelihood.
    spread = far * torch.exp(-marks.spread) + marks.spread
    seen = F.binary_cross_entropy_with_logits(marks.visible, batch.visible, reduction="none")
    presence = F.binary_cross_entropy_with_logits(marks.present, batch.present, reduction="none")
    parts = -(batch.parts * marks.parts.log_softmax(1)).sum(1)
    return {
        "points": (wing(error).mean((1, 2)) * there).sum(),
        "spread": (spread.mean(1) * there).sum(),
        "visible": (seen.mean(1) * there).sum(),
        "turn": ((marks.rotation - batch.rotation).square().sum((1, 2)) * there).sum(),
        "presence": (presence * batch.asked).sum() / batch.asked.sum().clamp(min=1),
        "parts": parts.mean(),
    }


def wing(error: Tensor, width: float = 4.0, bend: float = 0.5) -> Tensor:
    """Wing loss of errors in pixels: steep near zero, linear beyond `width`.

    Feng et al., "Wing loss for robust facial landmark localisation", CVPR 2018, equation 5.
    """
    size = error.abs()
    shift = width - width * float(np.log1p(width / bend))
    return torch.where(size < width, width * torch.log1p(size / bend), size - shift)


def teach_landmarks(
    run: Path,
    budget: Budget,
    teaching: LandmarkTeaching | None = None,
    *,
    cache: Path,
    out: Path = WEIGHTS,
    workers: int = 1,
    tick: Tick = silent,
) -> LandmarksTaught:
    """Render actors into `cache`, teach in the folder `run` (or go on there), write `out`.

    `out` is replaced, and the .json beside it, which holds its SHA-256. `tick` counts first the
    bodies rendered, then thousandths of the budget. Raises UserError for fewer than four faces, and
    as `training.fit` does.
    """
    teaching = teaching or LandmarkTeaching()
    learnt, kept = learnt_and_kept(teaching.renders, cache, tick=tick)
    torch.manual_seed(teaching.seed)
    learner = LandmarkLearner(
        rate=teaching.rate, steady=teaching.steady, averaging=teaching.averaging
    )
    batches = landmark_batches(learnt, batch=teaching.batch, seed=teaching.seed)
    folder = Run.begin(run, family="landmarks", config=teaching, data=teaching.renders)
    for progress in fit(learner, batches, folder, budget, seed=teaching.seed, workers=workers):
        tick(round(progress.fraction * 1000), 1000)
    averaged = learner.averaged
    taught = LandmarksTaught(averaged.steps, examine(averaged.average, kept, seed=teaching.seed))
    write_weights(averaged.average, out, {"taught": asdict(taught), "teaching": asdict(teaching)})
    return taught


def dotted(picture: Tensor, points: Tensor) -> Tensor:
    """(3, 64, 64): a crop (3, 64, 64) with (n, 2) points 0…1 painted in."""
    canvas = np.ascontiguousarray((picture.permute(1, 2, 0).cpu().numpy() * 255).astype(np.uint8))
    for x, y in (points.cpu().numpy() * SIZE - 0.5).round().astype(int):
        cv2.circle(canvas, (int(x), int(y)), 0, (60, 255, 60), -1)
    return torch.from_numpy(canvas).permute(2, 0, 1) / 255


def _inner(parts: Tensor) -> Tensor:
    """(7, 32, 32) shares → (1, 64, 64): the inner face."""
    inner = parts[[1, 4, 5]].sum(0)[None, None]
    return F.interpolate(inner, size=(SIZE, SIZE), mode="bilinear")[0]


def _channels_last(crops: Tensor) -> Tensor:
    return crops.contiguous(memory_format=torch.channels_last)
