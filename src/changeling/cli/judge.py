"""`changeling judge`: a finished swap against the true video."""

from dataclasses import dataclass
from pathlib import Path

from changeling.cli.bars import Bar
from changeling.cli.values import Given, Out


@dataclass(frozen=True)
class Judge:
    """Score a swapped video against the true one and write a report that opens from disk."""

    swap: Given[Path]
    """The swapped video."""
    truth: Path
    """The true video: the other person's face in the same performance."""
    out: Out = Path("report.html")
    """The report to write."""
    overwrite: bool = False
    """Replace the report if it exists."""

    def run(self) -> int:
        raise NotImplementedError
