"""`changeling demo`: from nothing to a measured swap of two rendered actors."""

from dataclasses import dataclass
from pathlib import Path

from changeling.cli.values import Out


@dataclass(frozen=True)
class Demo:
    """Film two actors, train, swap a held-out performance, and measure it against the truth."""

    out: Out = Path("demo")
    """Folder to write."""

    def run(self) -> int:
        raise NotImplementedError
