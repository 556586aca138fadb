"""`changeling convert`: one person's performance given by another, in a video or a picture."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.values import Given, Out


@dataclass(frozen=True)
class Convert:
    """Replace the largest face in every frame, keep time stamps and sound, and sign the result."""

    source: Given[Path]
    """A video or a picture."""
    run_folder: Path
    to: str
    out: Out

    def run(self) -> int:
        raise NotImplementedError
