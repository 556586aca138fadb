"""`changeling extract`: the faces of a film or a picture as a face set."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import tyro

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.eyes import Eyes, tracker_with
from changeling.cli.values import Count, Likeness, OptionalPath, Out
from changeling.errors import UserError


@dataclass(frozen=True)
class Extract:
    """Find, follow, align and cut out the largest face of every n-th frame into a face set.

    With --people it is all faces, sorted into one face set for each person.
    """

    source: tyro.conf.Positional[Path]
    """A video or a picture."""
    out: Out
    """The folder to write: one PNG and one mask a face, and faceset.json. Its name names the
    person; with --people it holds one such folder for each person."""
    size: Count = 64
    """Side of the faces in pixels; train with the same size or a smaller one."""
    every: Count = 1
    """Take every n-th frame."""
    consent: OptionalPath = None
    """Consent of the people shown (TOML, see `changeling consent new`); a film of rendered actors
    needs none."""
    people: bool = False
    """Take all faces and sort them: by --enrol, else by the people whom the consent enrols, else
    by likeness alone into person-1, person-2 and so on."""
    enrol: Annotated[tuple[Likeness, ...], tyro.conf.UseAppendAction] = ()
    """Somebody for --people to look for; may be given several times, also for one person."""
    detector: Eyes = "haar"
    """What finds new faces: haar, OpenCV's cascades; or yunet, a network taught on photographs,
    which is fetched on first use."""
    overwrite: bool = False
    """Replace the face set if it exists."""

    def run(self) -> int:
        """Extract."""
        if self.people:
            return self._extract_people()
        if self.enrol:
            raise UserError("--enrol names people to sort by; give --people too.")
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.faces import extract

        with Bar("frames", ACTORS) as bar:
            faces = extract(
                self.source, self.out, today=date.today(), size=self.size, every=self.every,
                consent=self.consent, overwrite=self.overwrite,
                tracker=tracker_with(self.detector), tick=bar.tick,
            )  # fmt: skip
        print(
            f"{self.out}: {len(faces)} faces of {faces.size} pixels from {faces.frames} frames{bar}"
        )
        if faces.people > 1:
            print(f"Up to {faces.people} people in one frame: the largest face was taken.")
        return 0

    def _extract_people(self) -> int:
        from changeling.faces import extract_people

        with Bar("frames", ACTORS) as bar:
            found = extract_people(
                self.source, self.out, today=date.today(), enrol=self.enrol, size=self.size,
                every=self.every, consent=self.consent, overwrite=self.overwrite,
                tracker=tracker_with(self.detector), tick=bar.tick,
            )  # fmt: skip
        count = f"{len(found.sets)} {'person' if len(found.sets) == 1 else 'people'}"
        print(f"{self.out}: {count} from {found.sets[0].frames} frames{bar}")
        for faces in found.sets:
            print(f"{faces.folder}: {len(faces)} faces of {faces.size} pixels")
        if found.strangers:
            print(f"{found.strangers} faces are of nobody who was looked for and were left out.")
        return 0
