"""`changeling edit`: a face changed by its model."""

from dataclasses import dataclass
from typing import Annotated

import tyro

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.eyes import tracker_with
from changeling.cli.footage import Shown
from changeling.cli.values import OptionalAmount, Wished
from changeling.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Edit(Shown):
    """Change a face in a video or a picture, a little or much, always or over time, and sign the
    result."""

    change: Annotated[tuple[Wished, ...], tyro.conf.UseAppendAction] = ()
    """What to change and how strongly: smile=0.8, or over seconds smile=0:0,2:1; may be given
    several times. Traits: age, gender, weight (1 is the whole range among adults). Groups: smile,
    frown, brows, blink, gaze-left, gaze-right, gaze-up, gaze-down. Or an ARKit action."""
    seconds: OptionalAmount = None
    """Make a video so long of a picture."""

    def run(self) -> int:
        """Edit."""
        if not self.change:
            raise UserError("nothing is to be changed: give --change, such as --change smile=0.8")
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.generators.edit import Change
        from changeling.study import edit

        with Bar("frames", ACTORS) as bar:
            done = edit(
                self.footage(), [Change(*one) for one in self.change], seconds=self.seconds,
                tracker=tracker_with(self.detector), tick=bar.tick,
            )  # fmt: skip
        print(self.said(done, bar))
        return 0
