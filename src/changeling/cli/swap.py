"""`changeling swap`: another person's face by fitting, without any training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.eyes import tracker_with
from changeling.cli.footage import Shown


@dataclass(frozen=True, kw_only=True)
class Swap(Shown):
    """Draw the fitted face of one person in the place of another's, and sign the result."""

    face: Path
    """Fit record of the person whose face is put in; the film that it was made of lies beside
    it."""
    method: Literal["shape", "faceforensics"] = "shape"
    """shape: that person's shape and skin, the surroundings moved to meet it. faceforensics: that
    person's skin on the performer's own shape, the baseline of FaceForensics++, with its faults."""

    def run(self) -> int:
        """Swap."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.study import swap_by_fit

        with Bar("frames", ACTORS) as bar:
            done = swap_by_fit(
                self.footage(), self.face, method=self.method,
                tracker=tracker_with(self.detector), tick=bar.tick,
            )  # fmt: skip
        print(self.said(done, bar))
        return 0
