"""Teaching the classifier of FashionMNIST, examining it, and writing the weights that ship."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from changeling.faces.networks import channels_last
from changeling.faces.pictures import PictureBatch
from changeling.faces.weights import write_weights
from changeling.measuring.fashion import WEIGHTS, FashionClassifier, FashionNet
from changeling.media import Tick, silent
from changeling.training import Batches, Budget, Run, fit
from changeling.training.averaged import Averaged, set_rate

_SHIFT = 1
"""Pixels by which a picture is shifted at most, in each direction: more teaches slower."""
_WARM_UP = 100
"""Steps in which the learning rate rises to its peak."""


@dataclass(frozen=True)
class FashionTeaching:
    """How the classifier is taught."""

    steps: int = 6000
    """Steps of the training; the learning rate falls to 0 at the last one."""
    batch: int = 128
    """Pictures a step."""
    rate: float = 4e-3
    """Highest learning rate of AdamW."""
    decay: float = 0.02
    """Weight decay of AdamW."""
    averaging: float = 20.0
    """The weights that ship are an average of about the last 1 / `averaging` of the training."""
    seed: int = 0
    """Seed of weights and shifts; batches know their own."""


@dataclass(frozen=True)
class FashionTaught:
    """What came out."""

    steps: int
    """Training steps."""
    accuracy: float
    """Share of the pictures not learnt from whose class it knows, 0…1."""
    confidence: float
    """Mean probability of the likeliest class on the same pictures, 0…1."""


class FashionLearner:
    """Teaches a `FashionNet`; keeps an average of its weights, which is what ships."""

    def __init__(self, teaching: FashionTeaching) -> None:
        net = FashionNet()
        channels_last(net)
        adam = torch.optim.AdamW(net.parameters(), weight_decay=teaching.decay)
        self.averaged = Averaged(net, adam, power=teaching.averaging)
        """The network; what ships are its averaged weights."""
        self._teaching = teaching

    def step(self, batch: PictureBatch, /) -> dict[str, Tensor]:
        """One step; losses: `entropy`, and `mistaken`, the share of wrong classes."""
        net = self.averaged.network
        logits = net.head(net(shifted(batch.pictures)))
        loss = F.cross_entropy(logits, batch.labels)
        set_rate(self.averaged.optimizer, self._teaching.rate * self._pace())
        self.averaged.move(loss)
        mistaken = (logits.argmax(1) != batch.labels).float().mean()
        return {"entropy": loss.detach(), "mistaken": mistaken}

    def preview(self, batch: PictureBatch, /) -> Tensor:
        """(1, up to 16, 3, 28, 28), 0…1: the pictures of the batch that it is least sure of."""
        with torch.no_grad():
            net = self.averaged.average
            sure = net.head(net(batch.pictures)).softmax(1).amax(1)
        return batch.pictures[sure.argsort()[:16]].expand(-1, 3, -1, -1)[None]

    def state_dict(self) -> dict[str, Any]:
        """Network, average, optimizer and the number of steps."""
        return self.averaged.state_dict()

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Goes on where `state_dict` was taken."""
        self.averaged.load_state_dict(state)

    def _pace(self) -> float:
        """Up in a straight line, then down in a straight line to 0 at the last step."""
        steps = self.averaged.steps
        return max(0.0, min(steps / _WARM_UP, 1 - steps / self._teaching.steps))


def shifted(pictures: Tensor) -> Tensor:
    """Pictures (n, c, s, s), each shifted by up to 1 pixel; what comes in is black."""
    size, n = pictures.shape[-1], len(pictures)
    padded = F.pad(pictures, (_SHIFT, _SHIFT, _SHIFT, _SHIFT))
    places = padded.unfold(2, size, 1).unfold(3, size, 1)
    down, right = torch.randint(2 * _SHIFT + 1, (2, n))
    moved = places[torch.arange(n), :, down, right]
    return moved.contiguous(memory_format=torch.channels_last)


def teach_fashion(
    run: Path,
    learnt: Batches[PictureBatch],
    kept: PictureBatch,
    teaching: FashionTeaching | None = None,
    *,
    out: Path = WEIGHTS,
    workers: int = 1,
    tick: Tick = silent,
) -> FashionTaught:
    """Teach by `learnt` in the folder `run` (or go on there), examine with `kept`, write `out`.

    Pictures are (n, 1, 28, 28), 0…1. `out` is replaced, and the .json beside it, which holds its
    SHA-256. `tick` counts steps. Raises UserError as `training.fit` does.
    """
    teaching = teaching or FashionTeaching()
    torch.manual_seed(teaching.seed)
    learner = FashionLearner(teaching)
    folder = Run.begin(run, family="fashion", config=teaching, data=teaching)
    budget = Budget(minutes=None, steps=teaching.steps)
    for progress in fit(learner, learnt, folder, budget, seed=teaching.seed, workers=workers):
        tick(progress.step.index, teaching.steps)
    averaged = learner.averaged
    seen = FashionClassifier(averaged.average).classify(kept.pictures)
    taught = FashionTaught(averaged.steps, seen.accuracy(kept.labels), seen.confidence)
    write_weights(averaged.average, out, {"taught": asdict(taught), "teaching": asdict(teaching)})
    return taught
