"""`changeling judge`: a finished swap against the true video."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from changeling.cli.bars import Bar
from changeling.cli.scores import print_scores
from changeling.cli.values import Out


@dataclass(frozen=True)
class Judge:
    """Score a swapped video against the true one and write a report that opens from disk."""

    swap: tyro.conf.Positional[Path]
    """The swapped video."""
    truth: Path
    """The true video: the other person's face in the same performance."""
    out: Out = Path("report.html")
    """The report to write."""
    overwrite: bool = False
    """Replace the report if it exists."""

    def run(self) -> int:
        """Judge."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.study import judge_report, score_lines

        with Bar("frames") as bar:
            judged = judge_report(
                self.swap, self.truth, self.out, overwrite=self.overwrite, tick=bar.tick
            )
        print_scores(score_lines(judged))
        print(f"Report: {self.out}")
        return 0
