"""`changeling reenact`: the expressions of one face given to another."""

from dataclasses import dataclass
from pathlib import Path

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.eyes import tracker_with
from changeling.cli.footage import Shown
from changeling.cli.values import Amount


@dataclass(frozen=True, kw_only=True)
class Reenact(Shown):
    """Give the expressions of a fitted film to another face, in a video or in one picture, whose
    pose and gaze stay, and sign the result."""

    by: Path
    """Fit record of the film whose expressions are given."""
    strength: Amount = 1.0
    """How much of them is given: 1 is all."""

    def run(self) -> int:
        """Reenact."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.study import reenact

        with Bar("frames", ACTORS) as bar:
            done = reenact(
                self.footage(), self.by, strength=self.strength,
                tracker=tracker_with(self.detector), tick=bar.tick,
            )  # fmt: skip
        print(self.said(done, bar))
        return 0
