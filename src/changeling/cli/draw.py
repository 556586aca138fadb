"""`changeling draw`: new pictures from a trained run, signed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import tyro

from changeling.cli.bars import Bar
from changeling.cli.values import Count, OptionalText, Out, Seed


@dataclass(frozen=True)
class Draw:
    """Draw pictures with a family that synthesises, and sign them."""

    model: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Folder of a training run."""
    out: Out
    """A picture (.png, .jpg, .webp) for one sheet of all, a folder that gets a PNG of each, or
    a video (.mp4) for a walk."""
    show: Literal["pictures", "process", "mixed", "walk"] = "pictures"
    """pictures: new ones. process: how they come out of noise, a row each (diffusion). mixed: a
    square of pictures with the coarse traits of one and the fine traits of another (StyleGAN).
    walk: a video of pictures that turn into each other (StyleGAN)."""
    count: Count = 64
    """How many pictures; of a walk, how many frames."""
    kind: OptionalText = None
    """Which of the classes that the run learnt, by its name; all of them by default."""
    seed: Seed = 0
    """Seed of the pictures."""
    overwrite: bool = False
    """Replace what exists."""

    def run(self) -> int:
        """Draw."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.study import Wish, draw, draw_mixed, draw_process, draw_walk
        from changeling.training import Runtime

        runtime = Runtime.best()
        runtime.apply()
        wish = Wish(self.count, self.seed, self.kind)
        draws: dict[str, Callable[..., None]] = {
            "pictures": draw, "process": draw_process, "mixed": draw_mixed, "walk": draw_walk,
        }  # fmt: skip
        with Bar("pictures") as bar:
            draws[self.show](
                self.model, self.out, wish, today=date.today(), overwrite=self.overwrite,
                runtime=runtime, tick=bar.tick,
            )  # fmt: skip
        print(f"{self.out}: {self.count} {'frames' if self.show == 'walk' else 'pictures'}{bar}")
        return 0
