"""`changeling film`: an actor's performance as a signed video with its truth beside it."""

from dataclasses import dataclass
from fractions import Fraction

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.values import (
    Amount,
    OptionalAmount,
    OptionalPath,
    OptionalSeed,
    Out,
    Seed,
    Size,
)


@dataclass(frozen=True)
class Film:
    """Render an actor's performance into a signed MP4, with the truth of every frame beside it."""

    actor: Seed
    """Seed of the actor's face."""
    out: Out
    """The MP4 to write; its truth goes beside it, for a.mp4 into a.truth.npz."""
    performance: Seed = 0
    """Seed of the performance: expression, pose, gaze, light, camera and background."""
    styling: OptionalSeed = None
    """Seed of hair, neck, shirt and glasses; by default the same as the face's."""
    seconds: Amount = 20.0
    """Length of the performance; a --csv has a length of its own."""
    size: Size = (640, 360)
    """Width and height in pixels."""
    csv: OptionalPath = None
    """Perform this recording of ARKit blend shapes (Live Link Face) instead of a seed's."""
    csv_rate: OptionalAmount = None
    """Frames a second of the --csv; by default what its timecodes tell, or 60."""
    overwrite: bool = False
    """Replace the file if it exists."""

    def run(self) -> int:
        """Film it."""
        # Imported here because the renderer takes seconds that --help and verify need not spend.
        from changeling.actors import Actor, Performance, film, sidecar_path

        if self.csv:
            rate = Fraction(repr(self.csv_rate)) if self.csv_rate else None
            performance = Performance.from_csv(self.csv, seed=self.performance, rate=rate)
        else:
            performance = Performance.from_seed(self.performance, seconds=self.seconds)
        styling = self.actor if self.styling is None else self.styling
        with Bar("frames", ACTORS) as bar:
            film(
                Actor(self.actor, styling), performance, self.out, size=self.size,
                recording=self.csv, overwrite=self.overwrite, tick=bar.tick,
            )  # fmt: skip
        print(f"{self.out}: {len(performance)} frames{bar}; truth in {sidecar_path(self.out)}")
        return 0
