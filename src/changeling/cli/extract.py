"""`changeling extract`: the faces of a film or a picture as a face set."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import tyro

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.values import Count, OptionalPath, Out


@dataclass(frozen=True)
class Extract:
    """Find, follow, align and cut out the largest face of every n-th frame into a face set."""

    source: tyro.conf.Positional[Path]
    """A video or a picture."""
    out: Out
    """The folder to write: one PNG a face, and faceset.json. Its name names the person."""
    size: Count = 64
    """Side of the faces in pixels; train with the same size or a smaller one."""
    every: Count = 1
    """Take every n-th frame."""
    consent: OptionalPath = None
    """Consent of the people shown (TOML, see `changeling consent new`); a film of rendered actors
    needs none."""
    overwrite: bool = False
    """Replace the face set if it exists."""

    def run(self) -> int:
        """Extract."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.faces import extract

        with Bar("frames", ACTORS) as bar:
            faces = extract(
                self.source, self.out, today=date.today(), size=self.size, every=self.every,
                consent=self.consent, overwrite=self.overwrite, tick=bar.tick,
            )  # fmt: skip
        print(
            f"{self.out}: {len(faces)} faces of {faces.size} pixels from {faces.frames} frames{bar}"
        )
        if faces.people > 1:
            print(f"Up to {faces.people} people in one frame: the largest face was taken.")
        return 0
