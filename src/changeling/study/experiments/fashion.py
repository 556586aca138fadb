"""The study report-fashion: VAE, DCGAN and diffusion on FashionMNIST, as reported and as they can.

The three models of the report with its own settings, and the second and third with settings that
work on two cores.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from changeling.faces import open_pictures
from changeling.generators import FamilyConfig, Task, configuration, load_drawer
from changeling.generators.ddpm import Ddpm
from changeling.generators.vae_pictures import PictureVAE
from changeling.measuring import Memory, score
from changeling.study.experiments.drawn import FEW, SIDE, measured, pictures
from changeling.study.experiments.experiment import Cell, Extent, Place, Study
from changeling.study.experiments.fashion_page import page
from changeling.study.experiments.following import follow, numbers, size_of, taken
from changeling.study.experiments.sheets import Sheets, real_and_drawn, spectra, strip
from changeling.study.results import CellResult, Measurement
from changeling.study.train import train_pictures
from changeling.training import Budget, Run

NAME = "report-fashion"
_KINDS, _PICTURES = 10, 60_000
_STRIP = 6
"""Pictures in a strip, and at most half as many as are drawn."""
_COLUMNS = 11
"""Moments of a strip."""


@dataclass(frozen=True)
class Clothes:
    """A family trained on FashionMNIST."""

    family: str
    """What its row is called."""
    learner: str
    """The registered family."""
    config: FamilyConfig
    budget: Budget
    count: int
    """How many pictures are drawn."""
    tested: int = 10_000
    """How many test pictures are given back, by a family that can."""
    seed: int = 0

    @property
    def name(self) -> str:
        """Such as "dcgan-report-seed-0"."""
        return f"{self.family} seed {self.seed}".replace(",", "").replace(" ", "-")

    @property
    def data(self) -> str:
        """The set."""
        return "FashionMNIST"

    def within(self, budget: Budget) -> Self:
        """The same with another budget."""
        return replace(self, budget=budget)

    def prepare(self, place: Place) -> None:
        """Nothing is shared."""

    def run(self, place: Place) -> CellResult:
        """Train, draw, and, where the family can, give test pictures back; measure it all."""
        with Memory(place.runtime.device) as memory:
            run = self._train(place)
        family = load_drawer(run.folder, runtime=place.runtime)
        sheets = Sheets(place, self.name, self.learner)
        drawn = _sized(numbers(family.draw(self.count, seed=self.seed), self.name))
        real, _ = pictures("test", max(self.count, FEW))
        found = [*_losses(run, self.config.batch), *measured(drawn, real)]
        sheets.add("samples", real_and_drawn(real, drawn), "real pictures, and drawn ones")
        sheets.add("spectra", spectra(real, drawn), "average spectra of real and drawn pictures")
        if isinstance(family, PictureVAE):
            given, true, kinds = self._given_back(family)
            found += _given_back(given, true, kinds, "mean")
            again = family.restore(true, seed=self.seed).cpu()
            found += _given_back(again, true, kinds, "sample")
            sheets.add(
                "given_back",
                strip(torch.stack([true[:10], given[:10]], 1)),
                "originals above, given back below",
            )
        if isinstance(family, Ddpm) and self.count > 1:
            self._strips(family, sheets, real)
        found += size_of(run, lambda: family.draw(1, seed=0))
        took = taken(run)
        return CellResult(
            self.name, self.family, self.data, self.seed, "done", took.trouble,
            steps=took.steps, seconds=took.seconds, memory=memory.taken,
            samples=took.steps * self.config.batch,
            measurements=tuple(found), shown=sheets.shown,
        )  # fmt: skip

    def _train(self, place: Place) -> Run:
        folder = place.cell(self.name) / "run"
        advances = train_pictures(
            self.learner, self.config, open_pictures("fashion-mnist"), folder, self.budget,
            today=place.today, runtime=place.runtime, seed=self.seed,
        )  # fmt: skip
        follow(advances, self.name, "pictures", place)
        return Run(folder)

    def _given_back(self, family: PictureVAE) -> tuple[Tensor, Tensor, Tensor]:
        """Test pictures through the mean of their codes, themselves, and their classes."""
        true, kinds = pictures("test", self.tested)
        return family.restore(true).cpu(), true, kinds

    def _strips(self, family: Ddpm, sheets: Sheets, real: Tensor) -> None:
        rows = min(_STRIP, self.count // 2)
        large = F.interpolate(real[:rows], family.size, mode="bilinear")
        forward = family.forward_strip(large, _COLUMNS, seed=self.seed)
        sheets.add("forward", strip(forward), "pictures drowning in noise, step by step")
        reverse = family.reverse_strip(rows, _COLUMNS, seed=self.seed)
        sheets.add("reverse", strip(reverse), "pictures coming out of noise, step by step")


def _sized(drawn: Tensor) -> Tensor:
    """(n, 1, 28, 28), what was drawn larger averaged down."""
    if drawn.shape[-1] == SIDE:
        return drawn
    return F.interpolate(drawn, SIDE, mode="bilinear", antialias=True).clamp(0, 1)


def _losses(run: Run, batch: int) -> Iterator[Measurement]:
    """The mean of each loss in each epoch, at the epoch's number."""
    rows = [row for row in run.rows() if "rate" in row]
    epochs = np.array([math.ceil(row["step"] * batch / _PICTURES) for row in rows])
    for name in rows[0]:
        if name not in ("step", "rate", "seconds"):
            values = np.array([row[name] for row in rows])
            for epoch in np.unique(epochs):
                mean = float(values[epochs == epoch].mean())
                yield Measurement(f"loss_{name}", mean, at=float(epoch))


def _given_back(given: Tensor, true: Tensor, kinds: Tensor, how: str) -> Iterator[Measurement]:
    """Means over the pictures of each class, which count as clips."""
    scores = [score(_rgb(one), _rgb(other)) for one, other in zip(given, true, strict=True)]
    for kind in range(_KINDS):
        own = [one for one, is_kind in zip(scores, kinds == kind, strict=True) if is_kind]
        for metric in ("mse", "psnr", "ssim") if own else ():
            mean = float(np.mean([getattr(one, metric) for one in own]))
            yield Measurement(f"{how}_{metric}", mean, clip=f"class {kind}")


def _rgb(picture: Tensor) -> NDArray[np.float32]:
    """Three equal channels, over which every metric averages to that of the grey one."""
    return np.repeat(picture.permute(1, 2, 0).numpy(), 3, axis=2)


def cells(extent: Extent) -> Sequence[Cell]:
    """The report's three models and the two that two cores can do better, which get equal minutes.

    The report's DDPM gets fewer, for drawing ten of its pictures takes long, and no number of
    minutes that two cores have brings it far: a step of it takes most of one.
    """
    task, quick = Task(size=SIDE, channels=1, kinds=_KINDS), extent == "quick"

    def cell(learner: str, preset: str, steps: int, minutes: float | None, count: int) -> Clothes:
        budget = Budget(None, steps) if quick or minutes is None else Budget(minutes)
        config = configuration(learner, task, preset=preset)
        few = 2_000 if quick else 10_000
        name = f"{learner.partition('-')[0]} {preset}"
        return Clothes(name, learner, config, budget, count, few)

    longer = 1.2 if extent == "full" else 1.0
    count = FEW if quick else 1_000
    epochs = math.ceil((1 if quick else 10) * _PICTURES / 128)
    return (
        cell("vae-pictures", "report", epochs, None, count),
        cell("dcgan", "report", 30, 20, count),
        cell("dcgan", "laptop", 120, 20 * longer, count),
        cell("ddpm", "report", 1, 12, 1 if quick else 10),
        cell("ddpm", "laptop", 150, 20 * longer, count),
    )


REPORT_FASHION = Study(NAME, "What do VAE, DCGAN and diffusion make of FashionMNIST?", cells, page)
