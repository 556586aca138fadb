"""`changeling train`: a family of networks, trained on the face sets of two or more people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from changeling.cli.bars import Bar
from changeling.cli.values import (
    Count,
    OptionalAmount,
    OptionalCount,
    Out,
    Person,
    Seed,
)

if TYPE_CHECKING:
    from changeling.study import Advance

MINUTES = 5.0
"""How long a training takes of which neither the time nor the steps are given."""


@dataclass(frozen=True)
class Train:
    """Train a family on face sets. The same command again goes on where the run stopped."""

    family: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="FAMILY")]
    """Which family of networks, such as autoencoder; a wrong name lists them."""
    a: Path
    """Face set of the person a."""
    b: Path
    """Face set of the person b."""
    out: Out
    """Folder of the run: configuration, log, previews, checkpoint."""
    person: Annotated[tuple[Person, ...], tyro.conf.UseAppendAction] = ()
    """A further person; may be given several times."""
    size: Count = 64
    """Side of the faces in pixels, such as 64 or 128; no larger than in the sets."""
    minutes: OptionalAmount = None
    """Minutes of training over all sittings; 5 if --steps is not given either."""
    steps: OptionalCount = None
    """Steps of training over all sittings."""
    batch: Count = 8
    """Faces of each person in a step."""
    seed: Seed = 0
    """Seed of weights, batches and noise."""
    plain: bool = False
    """Use the machine in the plainest way (float32, no threads), to measure the gain."""

    def run(self) -> int:
        """Train."""
        with Bar("faces") as bar:
            last = None
            for last in self._advances():
                bar.show(last.progress.fraction, 1, _words(last))
        if last is None:
            print(f"{self.out}: trained to the end already; give more --minutes or --steps")
        else:
            print(f"{self.out}: {_words(last)} in {last.progress.seconds:.0f} s")
        return 0

    def _advances(self) -> Iterator["Advance"]:
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.faces import open_set
        from changeling.generators import family
        from changeling.study import train_family
        from changeling.training import Budget, Runtime

        folders = (("a", self.a), ("b", self.b), *self.person)
        config = family(self.family).config.preset(
            tuple(name for name, _ in folders), size=self.size
        )
        best = Runtime.best()
        minutes = MINUTES if self.minutes is None and self.steps is None else self.minutes
        return train_family(
            self.family, config, [(name, open_set(folder)) for name, folder in folders], self.out,
            Budget(minutes, self.steps), today=date.today(), batch=self.batch, seed=self.seed,
            runtime=best.plain() if self.plain else best,
        )  # fmt: skip


def _words(advance: "Advance") -> str:
    """Step, speed, losses and the truth in a line."""
    progress, truth = advance.progress, advance.truth
    losses = ", ".join(f"{name} {loss:.3f}" for name, loss in progress.step.losses.items())
    words = f"step {progress.step.index}, {progress.rate:.1f} faces/s, {losses}"
    return words if truth is None else f"{words}, truth {truth.psnr:.1f} dB"
