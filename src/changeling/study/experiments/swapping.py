"""Cells that swap: a family trained on a pair, and what needs no training, on the same clips."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from changeling.faces import Jitter
from changeling.generators import FamilyConfig, Swaps, load_generator
from changeling.measuring import (
    ClipFigures,
    ClipFiles,
    Memory,
    Split,
    clip_figures,
)
from changeling.study.experiments.errors import split_of
from changeling.study.experiments.experiment import Place
from changeling.study.experiments.following import follow, numbers, size_of, taken
from changeling.study.experiments.material import A, B, Clip, Films, Material
from changeling.study.experiments.swappers import Network, Swapper, swapper
from changeling.study.results import CellResult, Measurement, Shown
from changeling.study.stages import Clock
from changeling.study.train import train_family
from changeling.training import Budget, Run, Runtime

EVERY = 3
"""Of so many frames of a clip one is measured: neighbours are alike."""


@dataclass(frozen=True)
class Trained:
    """A family trained on a pair of actors."""

    family: str
    """What its row is called."""
    learner: str
    """The registered family."""
    config: FamilyConfig
    """For the people a and b."""
    budget: Budget
    material: Material
    seed: int = 0
    jitter: Jitter | None = None
    """How batches depart from the faces; None: as the family is always trained."""
    precision: torch.dtype | None = None
    """What products are computed in; None: what is fastest on this machine."""

    @property
    def name(self) -> str:
        """Such as "vae-7-19-seed-0"."""
        return _named(self)

    @property
    def data(self) -> str:
        """The pair."""
        return self.material.name

    def within(self, budget: Budget) -> Self:
        """The same with another budget."""
        return replace(self, budget=budget)

    def prepare(self, place: Place) -> None:
        """Film the pair."""
        self.material.films(place)

    def train(self, place: Place) -> Run:
        """Train what is not trained yet. Raises Diverged."""
        folder = place.cell(self.name) / "run"
        advances = train_family(
            self.learner, self.config, self.material.films(place).sets, folder, self.budget,
            today=place.today, runtime=self.runtime(place), seed=self.seed, jitter=self.jitter,
            curve=False,
        )  # fmt: skip
        follow(advances, self.name, "faces", place)
        return Run(folder)

    def network(self, run: Run, place: Place) -> Swaps:
        """What was trained, to swap with. Raises Diverged when it draws no numbers."""
        swaps = load_generator(run.folder, runtime=self.runtime(place))
        numbers(swaps.swap(_grey(swaps), to=swaps.people[0]).faces, self.name)
        return swaps

    def samples(self, steps: int) -> int:
        """Faces shown in so many steps, of all people together."""
        return steps * self.config.batch * len((A, B))

    def runtime(self, place: Place) -> Runtime:
        """The machine, used in the cell's precision."""
        if self.precision is None:
            return place.runtime
        return replace(place.runtime, precision=self.precision)

    def run(self, place: Place) -> CellResult:
        """Train, swap all clips, measure them."""
        with Memory(place.runtime.device) as memory:
            run = self.train(place)
        generator = self.network(run, place)
        trained = Network(run, generator, self.material, place)
        measured = swapped_clips(self, self.material.films(place), trained, place)
        took = taken(run)
        return replace(
            measured, note=took.trouble, steps=took.steps, seconds=took.seconds,
            memory=memory.taken, samples=self.samples(took.steps),
            measurements=(*measured.measurements, *swap_size(run, generator)),
        )  # fmt: skip


@dataclass(frozen=True)
class Untrained:
    """What needs no training, on the same clips."""

    family: str
    """One of BASELINES or FITTED."""
    material: Material
    seed: int = 0

    @property
    def name(self) -> str:
        """Such as "mean-face-7-19-seed-0"."""
        return _named(self)

    @property
    def data(self) -> str:
        """The pair."""
        return self.material.name

    @property
    def budget(self) -> None:
        """There is nothing to train."""
        return None

    def within(self, budget: Budget) -> Self:
        """The same: there is nothing to train."""
        return self

    def prepare(self, place: Place) -> None:
        """Film the pair."""
        self.material.films(place)

    def run(self, place: Place) -> CellResult:
        """Swap all clips and measure them."""
        films = self.material.films(place)
        return swapped_clips(self, films, swapper(self.family, films, place), place)


def swap_size(run: Run, swaps: Swaps) -> Iterator[Measurement]:
    """How large the networks are, and what one face takes."""
    face = _grey(swaps)
    return size_of(run, lambda: swaps.swap(face, to=swaps.people[0]))


def _grey(swaps: Swaps) -> Tensor:
    """A face to try a network on."""
    return torch.full((1, 3, swaps.size, swaps.size), 0.5)


def swapped_clips(
    cell: Trained | Untrained, films: Films, swapper: Swapper, place: Place
) -> CellResult:
    """Swap every clip and measure it against the truth."""
    measurements: list[Measurement] = []
    shown: list[Shown] = []
    clock = Clock(f"measure {cell.name}", place.tell)
    for index, clip in enumerate(films.clips):
        out = place.cell(cell.name) / f"{clip.name}.mp4"
        swap = swapper.film(clip, out)
        figures = clip_figures(
            ClipFiles(clip.performance, swap, clip.truth),
            swapper.generator(clip),
            to=clip.to,
            every=EVERY,
            learnt=cell.material.learnt(films, clip),
        )
        measurements += _measurements(clip.name, figures)
        parts = split_of(swap, clip, cell.material.swapping(clip))
        measurements += _parts(clip.name, parts)
        shown += _shown(clip, swap, place)
        clock.tick(index + 1, len(films.clips))
    return CellResult(
        cell.name, cell.family, cell.data, cell.seed, "done",
        measurements=tuple(measurements), shown=tuple(shown),
    )  # fmt: skip


def _measurements(clip: str, figures: ClipFigures) -> Iterator[Measurement]:
    """Named by the group and the figure, such as "placed_psnr"."""
    for group in fields(figures):
        of = getattr(figures, group.name)
        for field in fields(of) if of else ():
            value = getattr(of, field.name)
            if value is not None:
                yield Measurement(f"{group.name}_{field.name}", value, clip)


def _parts(clip: str, parts: Split) -> Iterator[Measurement]:
    for factor, share in (*parts.shares, ("remainder", parts.remainder), ("fine", parts.fine)):
        yield Measurement(f"split_{factor}", share, clip)


def _shown(clip: Clip, swap: Path, place: Place) -> Iterator[Shown]:
    def at(path: Path) -> str:
        return path.relative_to(place.folder).as_posix()

    yield Shown("performance", clip.name, at(clip.performance), f"{clip.name}, the performance")
    yield Shown("swap", clip.name, at(swap), f"{clip.name}, the swap")
    yield Shown("truth", clip.name, at(clip.truth), f"{clip.name}, the true answer")
    yield Shown("target", clip.name, at(clip.target), f"{clip.name}, whose face it is")


def _named(cell: Trained | Untrained) -> str:
    pair = cell.material.pair
    words = f"{cell.family} {pair.a.face} {pair.b.face} seed {cell.seed}"
    return words.replace(",", "").replace(" ", "-")
