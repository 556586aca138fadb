"""`changeling train`: a family of networks, trained on face sets of people or on pictures."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated

import tyro

from changeling.cli.bars import Bar
from changeling.cli.values import (
    OptionalAmount,
    OptionalCount,
    OptionalPath,
    OptionalText,
    Out,
    Person,
    Seed,
)
from changeling.errors import UserError

if TYPE_CHECKING:
    from changeling.generators import FamilyConfig, Task
    from changeling.study import Advance
    from changeling.training import Budget, Runtime

MINUTES = 5.0
"""How long a training takes of which neither the time nor the steps are given."""
FACES, CLOTHES = 64, 28
"""Sides in pixels of the faces, and of FashionMNIST's pictures."""


@dataclass(frozen=True)
class Train:
    """Train a family on face sets of people, or on pictures. The same command again goes on where
    the run stopped."""

    family: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="FAMILY")]
    """Which family of networks, such as autoencoder; `changeling families` lists them."""
    out: Out
    """Folder of the run: configuration, log, previews, checkpoint."""
    a: OptionalPath = None
    """Face set of the person a, for a family that swaps faces."""
    b: OptionalPath = None
    """Face set of the person b."""
    person: Annotated[tuple[Person, ...], tyro.conf.UseAppendAction] = ()
    """A further person; may be given several times."""
    data: OptionalText = None
    """Pictures for a family that learns from pictures: fashion-mnist, actors, actors-film, or a
    folder."""
    actors: OptionalCount = None
    """How many actors are rendered for --data actors, once; by default 1,500, in twenty minutes
    or more."""
    consent: OptionalPath = None
    """Consent for the pictures of a folder that may show people (TOML)."""
    preset: str = "laptop"
    """laptop: settings that suit two cores. report: those of the family's source, a paper, a
    listing or a student report. `changeling families` lists which of them a family has, and what
    else."""
    size: OptionalCount = None
    """Side of the faces in pixels, such as 64 or 128, no larger than in the sets; by default 64,
    and 28 for fashion-mnist."""
    minutes: OptionalAmount = None
    """Minutes of training over all sittings; 5 if --steps is not given either."""
    steps: OptionalCount = None
    """Steps of training over all sittings."""
    batch: OptionalCount = None
    """Faces of each person, or pictures, in a step; by default what suits the family."""
    set: Annotated[
        tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="NAME=VALUE")
    ] = ()
    """A setting of the family that differs from the preset's, such as norm=group or
    weights.hinge=1; may be given several times. A wrong name is answered with all of them."""
    seed: Seed = 0
    """Seed of weights, batches and noise."""
    plain: bool = False
    """Use the machine in the plainest way (float32, no threads), to measure the gain."""

    def run(self) -> int:
        """Train."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.training import Run, collapse

        with Bar("pictures") as bar:
            last = None
            for last in self._advances(bar):
                bar.show(last.progress.fraction, 1, _words(last))
        if last is None:
            print(f"{self.out}: trained to the end already; give more --minutes or --steps")
        else:
            print(f"{self.out}: {_words(last)} in {last.progress.seconds:.0f} s")
        if trouble := collapse(Run(self.out).rows()):
            print(f"{self.out}: {trouble}")
        return 0

    def _advances(self, bar: Bar) -> Iterator["Advance"]:
        from changeling.generators import Learns, family

        if family(self.family).learns is Learns.PEOPLE:
            return self._on_people()
        return self._on_pictures(bar)

    def _on_people(self) -> Iterator["Advance"]:
        from changeling.faces import open_set
        from changeling.generators import Task
        from changeling.study import train_family

        if self.a is None or self.b is None or self.data is not None:
            raise UserError(
                f"{self.family} learns from the faces of two people: give their face sets with "
                "--a and --b, and no --data"
            )
        folders = (("a", self.a), ("b", self.b), *self.person)
        task = Task(tuple(name for name, _ in folders), self.size or FACES, steps=self.steps)
        sets = [(name, open_set(folder)) for name, folder in folders]
        return train_family(
            self.family, self._config(task), sets, self.out, self._budget(), today=date.today(),
            seed=self.seed, runtime=self._runtime(),
        )  # fmt: skip

    def _on_pictures(self, bar: Bar) -> Iterator["Advance"]:
        from changeling.faces import Renders, open_pictures
        from changeling.generators import Task
        from changeling.study import train_pictures

        if self.data is None or self.a or self.b or self.person:
            raise UserError(
                f"{self.family} learns from pictures: give --data fashion-mnist, --data actors or "
                "--data FOLDER, and no --a, --b or --person"
            )
        renders = Renders(faces=self.actors) if self.actors else None
        pictures = open_pictures(
            self.data, consent=self.consent, today=date.today(), renders=renders, tick=bar.tick
        )
        size = self.size or (CLOTHES if self.data == "fashion-mnist" else FACES)
        task = Task((), size, pictures.channels, len(pictures.kinds), self.steps)
        return train_pictures(
            self.family, self._config(task), pictures, self.out, self._budget(),
            today=date.today(), seed=self.seed, runtime=self._runtime(),
        )  # fmt: skip

    def _config(self, task: "Task") -> "FamilyConfig":
        from changeling.generators import configuration
        from changeling.training import adjusted

        config = configuration(self.family, task, preset=self.preset)
        if self.batch is not None:
            config = replace(config, batch=self.batch)
        return adjusted(config, self.set)

    def _budget(self) -> "Budget":
        from changeling.training import Budget

        minutes = MINUTES if self.minutes is None and self.steps is None else self.minutes
        return Budget(minutes, self.steps)

    def _runtime(self) -> "Runtime":
        from changeling.training import Runtime

        best = Runtime.best()
        return best.plain() if self.plain else best


def _words(advance: "Advance") -> str:
    """Step, speed, losses and the truth in a line."""
    progress, truth = advance.progress, advance.truth
    losses = ", ".join(f"{name} {loss:.3f}" for name, loss in progress.step.losses.items())
    words = f"step {progress.step.index}, {progress.rate:.1f} faces/s, {losses}"
    return words if truth is None else f"{words}, truth {truth.psnr:.1f} dB"
