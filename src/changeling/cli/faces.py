"""`changeling faces check`: what in a face set should not be learnt from, and what it covers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich import box
from rich.console import Console
from rich.table import Table

from changeling.cli.values import OptionalPath, check_kept

if TYPE_CHECKING:
    from changeling.faces import Cells, Check


@dataclass(frozen=True)
class Faces:
    """Look for blur, duplicates, failed alignment and other people in a face set."""

    action: tyro.conf.Positional[Literal["check"]]
    """check: look and tell, change nothing but what --remove says."""
    folder: tyro.conf.Positional[Path]
    """The face set."""
    remove: bool = False
    """Move the faces found to removed/REASON in the set; moved back, they are in the set again."""
    out: Annotated[OptionalPath, tyro.conf.arg(aliases=["-o"])] = None
    """A picture to draw of the poses and the light that the good faces cover."""
    overwrite: bool = False
    """Replace the picture if it exists."""

    def run(self) -> int:
        """Check."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.faces import check_set, open_set, set_aside
        from changeling.study import publish_coverage

        if self.out is not None:
            check_kept(self.out, overwrite=self.overwrite)
        check = check_set(open_set(self.folder))
        if self.out is not None:
            publish_coverage(check, self.out, overwrite=self.overwrite)
        _print(check)
        if self.remove and check.findings:
            print(f"Moved {set_aside(check)} faces to {self.folder / 'removed'}.")
        if self.out is not None:
            print(f"Picture: {self.out}")
        return 0


def _print(check: "Check") -> None:
    from changeling.faces import Reason

    table = Table("found", "faces", "first of them", box=box.SIMPLE)
    for reason in Reason:
        flagged = check.flagged(reason)
        table.add_row(reason.value, str(len(flagged)), ", ".join(face.file for face in flagged[:3]))
    Console().print(table)
    left = len(check.faces) - len(check.findings)
    pose, light = check.coverage.pose, check.coverage.light
    print(
        f"{check.faces.folder}: {left} of {len(check.faces)} faces are good. They cover "
        f"{_covered(pose)} of yaw × pitch and {_covered(light)} of brightness × side of the light."
    )


def _covered(cells: "Cells") -> str:
    return f"{cells.covered} of {cells.counts.size} cells"
