"""`changeling draw`: new pictures from a trained run, signed."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import tyro

from changeling.cli.bars import Bar
from changeling.cli.values import Count, OptionalText, Out, Seed


@dataclass(frozen=True)
class Draw:
    """Draw pictures with a family that synthesises, and sign them."""

    model: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Folder of a training run."""
    out: Out
    """A picture (.png, .jpg, .webp) for one sheet of all, or a folder that gets a PNG of each."""
    count: Count = 64
    """How many pictures."""
    kind: OptionalText = None
    """Which of the classes that the run learnt, by its name; all of them by default."""
    seed: Seed = 0
    """Seed of the pictures."""
    overwrite: bool = False
    """Replace what exists."""

    def run(self) -> int:
        """Draw."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.study import draw
        from changeling.training import Runtime

        runtime = Runtime.best()
        runtime.apply()
        with Bar("pictures") as bar:
            drawn = draw(
                self.model, self.out, count=self.count, seed=self.seed, today=date.today(),
                kind=self.kind, overwrite=self.overwrite, runtime=runtime, tick=bar.tick,
            )  # fmt: skip
        print(f"{self.out}: {drawn} pictures{bar}")
        return 0
