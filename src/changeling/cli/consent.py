"""`changeling consent new`: asks about a consent and writes it down."""

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import tyro

from changeling.cli.values import Out, check_kept
from changeling.errors import UserError
from changeling.provenance import FEWEST_PICTURES, Enrolment, ask_consent, write_consent


@dataclass(frozen=True)
class Consent:
    """Ask who is shown, who agreed, for what and until when, and write the answers as TOML.

    Of footage it also asks for pictures of everybody shown. What the identity network makes of
    them is written, 128 numbers a picture, and the pictures are not kept.
    """

    action: tyro.conf.Positional[Literal["new"]]
    """new: write a new record."""
    out: Out = Path("consent.toml")
    """The TOML file to write."""
    overwrite: bool = False
    """Replace the file if it exists."""

    def run(self) -> int:
        """Ask and write."""
        check_kept(self.out, overwrite=self.overwrite)
        consent = ask_consent(_ask, _enrol, today=date.today())
        write_consent(self.out, consent, overwrite=self.overwrite)
        print(f"{self.out}: written; give it with --consent {self.out} to whatever asks for one")
        return 0


def _enrol(person: str) -> Enrolment:
    """What the identity network makes of pictures of a person."""
    # Imported here because torch takes seconds that --help and verify need not spend.
    from changeling.faces import enrol

    answer = _ask(
        f"Pictures of {person} ({FEWEST_PICTURES} or more files with a comma between, each of "
        f"which shows {person} alone, from the front)"
    )
    return enrol(person, [Path(name.strip()) for name in answer.split(",") if name.strip()])


def _ask(question: str) -> str:
    """The answer to a question; asked on the standard error, which is no result."""
    print(f"{question}:", end=" ", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer:
        raise UserError(
            "The questions of `changeling consent new` were not all answered; run it in a terminal "
            "or give one answer a line on its input."
        )
    return answer.rstrip("\n")
