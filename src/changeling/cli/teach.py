"""`changeling teach landmarks`: the landmark network, taught again by rendered actors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.values import Amount, Count, OptionalPath, Seed, check_kept
from changeling.media import Tick


@dataclass(frozen=True)
class Teach:
    """Teach the landmark network from rendered actors; the same command again goes on."""

    network: tyro.conf.Positional[Literal["landmarks"]]
    """landmarks: the 68 points that align every face."""
    out: OptionalPath = None
    """The weights to write, with a .json of their SHA-256 beside; by default those in use."""
    minutes: Amount = 30.0
    """Minutes of teaching, the rendering before it not counted."""
    run_folder: Path = Path("runs/landmarks")
    """Folder of the training run."""
    cache: Path = Path("runs/landmarks-renders")
    """Folder of the renders that are learnt from."""
    actors: Count = 300
    """How many actors are rendered to learn from."""
    seed: Seed = 0
    """Seed of weights, samples and jitter."""
    overwrite: bool = False
    """Replace the weights if they exist."""

    def run(self) -> int:
        """Teach."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.faces import Lessons, Teaching, teach_landmarks
        from changeling.faces.landmarks import WEIGHTS
        from changeling.training import Budget

        out = self.out or WEIGHTS
        teaching = Teaching(Lessons(self.actors), seed=self.seed)
        check_kept(out, overwrite=self.overwrite)
        with Bar("actors", ACTORS) as bar:
            taught = teach_landmarks(
                self.run_folder, Budget(self.minutes), teaching,
                cache=self.cache, out=out, tick=self._tick(bar),
            )  # fmt: skip
        print(
            f"{out}: {taught.steps} steps, mean error {100 * taught.error:.2f} % of the "
            "distance of the eyes on actors not learnt from"
        )
        return 0

    def _tick(self, bar: Bar) -> Tick:
        """Counts the actors, then the time."""

        def tick(done: int, total: int | None) -> None:
            if total == self.actors:
                bar.tick(done, total)
            else:
                bar.show(done, total, f"teaching, {done / 10:.0f} %")

        return tick
