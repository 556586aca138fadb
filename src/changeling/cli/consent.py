"""`changeling consent new`: asks about a consent and writes it down."""

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import tyro

from changeling.cli.values import Out, check_kept
from changeling.errors import UserError
from changeling.provenance import ask_consent, write_consent


@dataclass(frozen=True)
class Consent:
    """Ask who is shown, who agreed, for what and until when, and write the answers as TOML."""

    action: tyro.conf.Positional[Literal["new"]]
    """new: write a new record."""
    out: Out = Path("consent.toml")
    """The TOML file to write."""
    overwrite: bool = False
    """Replace the file if it exists."""

    def run(self) -> int:
        """Ask and write."""
        check_kept(self.out, overwrite=self.overwrite)
        consent = ask_consent(_ask, today=date.today())
        write_consent(self.out, consent, overwrite=self.overwrite)
        print(f"{self.out}: written; give it to extract and convert with --consent {self.out}")
        return 0


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
