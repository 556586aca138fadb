"""The flags of the commands that draw a fitted face anew."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from changeling.cli.eyes import Eyes
from changeling.cli.values import OptionalPath, Out, check_kept

if TYPE_CHECKING:
    from changeling.converting import Conversion
    from changeling.study import Footage


@dataclass(frozen=True)
class Shown:
    """What is manipulated."""

    source: tyro.conf.Positional[Path]
    """A video or a picture."""
    out: Out
    """The file to write: .mp4 for a video; .png, .jpg or .webp for a picture."""
    fit: OptionalPath = None
    """Fit record of the source (see `changeling fit`); without it the source is fitted first."""
    consent: OptionalPath = None
    """Consent of the people shown (TOML, see `changeling consent new`); a film of rendered actors
    needs none."""
    who: OptionalPath = None
    """A picture of the person, alone, who is meant where several are seen."""
    detector: Eyes = "haar"
    """What finds new faces: haar, OpenCV's cascades; or yunet, a network taught on photographs,
    which is fetched on first use."""
    overwrite: bool = False
    """Replace the file if it exists."""

    def footage(self) -> "Footage":
        """The same for the room `study`. Raises UserError when `out` would be kept."""
        check_kept(self.out, overwrite=self.overwrite)
        from changeling.study import Footage

        return Footage(
            self.source, self.out, date.today(), self.fit, self.consent, self.who, self.overwrite
        )

    def said(self, done: "Conversion", bar: object) -> str:
        """What happened to the frames."""
        return f"{self.out}: {done.frames} frames, {done.swapped} of them with a changed face{bar}"
