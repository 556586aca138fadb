"""`changeling demo`: from nothing to a measured swap of two rendered actors."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from changeling.cli.bars import ACTORS, Bar, Stages
from changeling.cli.scores import print_scores
from changeling.cli.train import MINUTES
from changeling.cli.values import Amount, Count, OptionalAmount, OptionalCount, Out, Seed, Size
from changeling.errors import UserError

if TYPE_CHECKING:
    from changeling.study import DemoOptions


@dataclass(frozen=True)
class Demo:
    """Film two actors, train, swap a held-out performance, and measure it against the truth."""

    out: Out = Path("demo")
    """Folder to write; an interrupted demo goes on there."""
    pair: Count = 1
    """Which of the five fixed pairs of actors."""
    seconds: Amount = 22.0
    """Length of each of the two films for training."""
    held_out: Amount = 8.0
    """Length of the held-out performance in seconds."""
    size: Size = (640, 360)
    """Width and height of the films in pixels."""
    faces: Count = 64
    """Side of the network's faces in pixels, such as 64 or 128."""
    minutes: OptionalAmount = None
    """Minutes of training; 5 if --steps is not given either."""
    steps: OptionalCount = None
    """Steps of training."""
    seed: Seed = 0
    """Seed of weights, batches and noise."""
    overwrite: bool = False
    """Start a demo with other options anew."""

    def run(self) -> int:
        """Demonstrate."""
        with Bar("frames", ACTORS) as bar:
            # Imported here because torch takes seconds that --help and verify need not spend.
            from changeling.study import demo, score_lines

            stages = Stages(bar)
            done = demo(
                self.out, self.options(), today=date.today(), overwrite=self.overwrite,
                on_stage=stages.tell,
            )  # fmt: skip
        print_scores(score_lines(done.results.scores))
        identity = done.results.identity.swap
        print(
            f"identity of the swap: {identity.to_target:.3f} like the target, "
            f"{identity.to_source:.3f} like the source, {identity.nearer:.0%} of the frames nearer "
            "to the target"
        )
        for path in done.files:
            print(path)
        return 0

    def options(self) -> "DemoOptions":
        """The flags as study knows them."""
        from changeling.study import PAIRS, DemoOptions

        if self.pair > len(PAIRS):
            raise UserError(f"There is no pair {self.pair}: give --pair 1 to {len(PAIRS)}.")
        return DemoOptions(
            pair=PAIRS[self.pair - 1],
            seconds=self.seconds,
            held_out=self.held_out,
            size=self.size,
            faces=self.faces,
            minutes=MINUTES if self.minutes is None and self.steps is None else self.minutes,
            steps=self.steps,
            seed=self.seed,
        )
