"""`changeling draw`: new pictures from a trained run, signed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import tyro

from changeling.cli.bars import Bar
from changeling.cli.values import Count, Number, OptionalText, Out, Seed
from changeling.errors import UserError


@dataclass(frozen=True)
class Draw:
    """Draw pictures with a family that synthesises, and sign them."""

    model: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Folder of a training run."""
    out: Out
    """A picture (.png, .jpg, .webp) for one sheet of all, a folder that gets a PNG of each, or
    a video (.mp4) for a walk."""
    show: Literal["pictures", "process", "mixed", "edits", "walk"] = "pictures"
    """pictures: new ones. process: how they come out of noise, a row each (diffusion). mixed: a
    square of pictures with the coarse traits of one and the fine traits of another (StyleGAN).
    edits: faces with less and more of what is known of the actors that were learnt from, a row
    each (StyleGAN). walk: a video of pictures that turn into each other (StyleGAN)."""
    count: Count = 64
    """How many pictures; of a walk, how many frames."""
    kind: OptionalText = None
    """Which of the classes that the run learnt, by its name; all of them by default."""
    attribute: OptionalText = None
    """Of edits instead of the sheet: pictures with more of age, gender, skin, yaw or smile."""
    amount: Number = 2.0
    """How much more, in its deviations among what is drawn; below 0 less."""
    seed: Seed = 0
    """Seed of the pictures."""
    overwrite: bool = False
    """Replace what exists."""

    def run(self) -> int:
        """Draw."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.study import (
            Edit,
            Wish,
            draw,
            draw_edits,
            draw_mixed,
            draw_process,
            draw_walk,
        )
        from changeling.training import Runtime

        if self.attribute and self.show != "edits":
            raise UserError("--attribute is of edits: add --show edits")
        edit = Edit(self.attribute, self.amount) if self.attribute else None
        runtime = Runtime.best()
        runtime.apply()
        wish = Wish(self.count, self.seed, self.kind)
        draws: dict[str, Callable[..., None]] = {
            "pictures": draw, "process": draw_process, "mixed": draw_mixed, "walk": draw_walk,
            "edits": partial(draw_edits, edit=edit),
        }  # fmt: skip
        with Bar("pictures") as bar:
            draws[self.show](
                self.model, self.out, wish, today=date.today(), overwrite=self.overwrite,
                runtime=runtime, tick=bar.tick,
            )  # fmt: skip
        print(f"{self.out}: {self.count} {'frames' if self.show == 'walk' else 'pictures'}{bar}")
        return 0
