"""Teaching the landmark network, examining it, and writing the weights that ship."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.errors import UserError
from changeling.faces.landmark_exam import Marked, examine
from changeling.faces.landmark_lessons import LandmarkBatch, landmark_batches
from changeling.faces.landmarks import POINTS, SIZE, WEIGHTS, LandmarkNet, Marks
from changeling.faces.networks import channels_last
from changeling.faces.renders import Renders, learnt_and_kept, render_lessons
from changeling.faces.weights import read_weights, write_weights
from changeling.media import Tick, silent
from changeling.training import Budget, Run, fit, to_json
from changeling.training.averaged import Averaged

_WARM_UP = 200
"""Steps in which the learning rate rises to its peak."""
_SHARES = {
    "points": 0.5, "spread": 0.1, "visible": 0.3, "turn": 3.0, "presence": 1.0, "parts": 5.0,
    "inner": 5.0,
}  # fmt: skip
"""What each loss counts."""
_INNER = [1, 4, 5]
"""FACE, EYES and MOUTH of `actors.Segment`: the inner face."""
_OUTER = [0, 2, 3, 6]
"""All other kinds."""
_WEIGHTS = torch.ones(POINTS)
"""What each point's error counts: those that move with the face's expression count double."""
_WEIGHTS[[*range(17, 27), *range(36, 68)]] = 2.0
_WEIGHTS /= _WEIGHTS.mean()


@dataclass(frozen=True)
class LandmarkTeaching:
    """How the landmark network is taught."""

    renders: Renders = field(default_factory=Renders)
    """What is rendered to learn from."""
    batch: int = 32
    """Crops a step."""
    rate: float = 5e-4
    """Learning rate of AdamW; after `steady` steps it falls with the root of the steps."""
    steady: int = 500
    """Steps at the full rate."""
    averaging: float = 8.0
    """The averaged weights look back over about one part in so many of the training."""
    begin: Path | None = None
    """Weights to begin from as far as their names and shapes agree; None: random ones."""
    seed: int = 0
    """Seed of weights, samples and jitter."""

    @property
    def films(self) -> Renders:
        """Two in five of the faces once more, as films show them: half of what is learnt from."""
        return replace(self.renders, faces=self.renders.faces * 2 // 5, varied=False)


@dataclass(frozen=True)
class LandmarksTaught:
    """What came out."""

    steps: int
    """Training steps."""
    kept: Marked
    """With the faces not learnt from."""


class LandmarkLearner:
    """Teaches a `LandmarkNet`; keeps an average of its weights, which is what ships."""

    def __init__(
        self,
        net: LandmarkNet,
        *,
        rate: float = 5e-4,
        steady: int = 500,
        averaging: float = 8.0,
    ) -> None:
        channels_last(net)
        adam = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3)
        self.averaged = Averaged(net, adam, steady=steady, warm=_WARM_UP, power=averaging)
        """The network; what ships are its averaged weights."""

    def step(self, batch: LandmarkBatch, /) -> dict[str, Tensor]:
        """One step; losses: `points` (Wing, in pixels of the crop), `spread`, `visible`, `turn`,
        `presence`, `parts`, `inner` (of the parts, whether the inner face or not)."""
        losses = marks_losses(self.averaged.network(_channels_last(batch.crops)), batch)
        total = sum(_SHARES[name] * loss for name, loss in losses.items())
        self.averaged.move(torch.as_tensor(total))
        return {name: loss.detach() for name, loss in losses.items()}

    def preview(self, batch: LandmarkBatch, /) -> Tensor:
        """(rows, 4, 3, 128, 128), 0…1: up to 8 crops with the net's points, the true ones, and the
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
    """The seven losses, each a mean over the rows that it concerns."""
    there = batch.present / batch.present.sum().clamp(min=1)
    error = (marks.points - batch.points) * SIZE
    far = (error.detach() / SIZE).norm(dim=2)
    # Exponentially distributed distances: their negative log likelihood.
    spread = far * torch.exp(-marks.spread) + marks.spread
    seen = F.binary_cross_entropy_with_logits(marks.visible, batch.visible, reduction="none")
    presence = F.binary_cross_entropy_with_logits(marks.present, batch.present, reduction="none")
    kinds = marks.parts.log_softmax(1)
    inner = marks.parts[:, _INNER].logsumexp(1) - marks.parts[:, _OUTER].logsumexp(1)
    face = batch.parts[:, _INNER].sum(1)
    return {
        "points": ((wing(error).mean(2) * _WEIGHTS).mean(1) * there).sum(),
        "spread": (spread.mean(1) * there).sum(),
        "visible": (seen.mean(1) * there).sum(),
        "turn": ((marks.rotation - batch.rotation).square().sum((1, 2)) * there).sum(),
        "presence": (presence * batch.asked).sum() / batch.asked.sum().clamp(min=1),
        "parts": -(batch.parts * kinds).sum(1).mean(),
        "inner": F.binary_cross_entropy_with_logits(inner, face),
    }


def wing(error: Tensor, width: float = 8.0, bend: float = 1.0) -> Tensor:
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
    films = render_lessons(teaching.films, cache)
    torch.manual_seed(teaching.seed)
    learner = LandmarkLearner(
        begun(teaching.begin),
        rate=teaching.rate,
        steady=teaching.steady,
        averaging=teaching.averaging,
    )
    batches = landmark_batches([learnt, films], batch=teaching.batch, seed=teaching.seed)
    folder = Run.begin(run, family="landmarks", config=teaching, data=teaching.renders)
    for progress in fit(learner, batches, folder, budget, seed=teaching.seed, workers=workers):
        tick(round(progress.fraction * 1000), 1000)
    averaged = learner.averaged
    taught = LandmarksTaught(averaged.steps, examine(averaged.average, kept, seed=teaching.seed))
    write_weights(averaged.average, out, {"taught": to_json(taught), "teaching": to_json(teaching)})
    return taught


def begun(path: Path | None) -> LandmarkNet:
    """A new network, with the weights of the file where names and shapes agree."""
    net = LandmarkNet()
    if path is not None:
        own, given = net.state_dict(), read_weights(path, network="landmarks")[0]
        known = {n: x for n, x in given.items() if n in own and x.shape == own[n].shape}
        if not known:
            raise UserError(f"{path}: no weights of a landmark network; give --begin others.")
        net.load_state_dict(own | known)
    return net


def dotted(picture: Tensor, points: Tensor) -> Tensor:
    """(3, 128, 128): a crop (3, 128, 128) with (n, 2) points 0…1 painted in."""
    canvas = np.ascontiguousarray((picture.permute(1, 2, 0).cpu().numpy() * 255).astype(np.uint8))
    for x, y in (points.cpu().numpy() * SIZE - 0.5).round().astype(int):
        cv2.circle(canvas, (int(x), int(y)), 0, (60, 255, 60), -1)
    return torch.from_numpy(canvas).permute(2, 0, 1) / 255


def _inner(parts: Tensor) -> Tensor:
    """(7, 64, 64) shares → (1, 128, 128): the inner face."""
    inner = parts[_INNER].sum(0)[None, None]
    return F.interpolate(inner, size=(SIZE, SIZE), mode="bilinear")[0]


def _channels_last(crops: Tensor) -> Tensor:
    return crops.contiguous(memory_format=torch.channels_last)
