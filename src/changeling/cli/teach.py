"""`changeling teach landmarks`: the landmark network, taught again by rendered actors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.values import Amount, Count, Given, OptionalPath, Seed, check_kept


@dataclass(frozen=True)
class Teach:
    """Teach the landmark network from rendered actors; the same command again goes on."""

    network: Given[Literal["landmarks"]]
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
        check_kept(out, overwrite=self.overwrite)
        with Bar("actors, then ‰", ACTORS) as bar:
            taught = teach_landmarks(
                self.run_folder, Budget(self.minutes), Teaching(Lessons(self.actors), seed=self.seed),
                cache=self.cache, out=out, tick=bar.tick,
            )  # fmt: skip
        print(
            f"{out}: {taught.steps} steps, mean error {100 * taught.error:.2f} % of the "
            "distance of the eyes on actors not learnt from"
        )
        return 0
