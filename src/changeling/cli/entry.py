"""The program `changeling`: which command is meant, and what its end means for the shell."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import takewhile
from typing import Protocol

import tyro

from changeling.cli.consent import Consent
from changeling.cli.convert import Convert
from changeling.cli.demo import Demo
from changeling.cli.doctor import Doctor
from changeling.cli.draw import Draw
from changeling.cli.edit import Edit
from changeling.cli.extract import Extract
from changeling.cli.faces import Faces
from changeling.cli.families import Families
from changeling.cli.film import Film
from changeling.cli.fit import Fit
from changeling.cli.judge import Judge
from changeling.cli.rate import Rate
from changeling.cli.reenact import Reenact
from changeling.cli.restore import Restore
from changeling.cli.study import Study
from changeling.cli.swap import Swap
from changeling.cli.teach import Teach
from changeling.cli.train import Train
from changeling.cli.verify import Verify
from changeling.errors import UserError

COMMANDS: dict[str, type["Command"]] = {
    "film": Film,
    "extract": Extract,
    "fit": Fit,
    "faces": Faces,
    "families": Families,
    "train": Train,
    "convert": Convert,
    "swap": Swap,
    "reenact": Reenact,
    "edit": Edit,
    "draw": Draw,
    "restore": Restore,
    "judge": Judge,
    "rate": Rate,
    "verify": Verify,
    "consent": Consent,
    "teach": Teach,
    "demo": Demo,
    "study": Study,
    "doctor": Doctor,
}
"""The commands, in the order in which a person meets them."""

BROKEN, INTERRUPTED = 2, 130


class Command(Protocol):
    """A frozen dataclass whose fields are the flags; the class is what `--help` is made from."""

    def run(self) -> int:
        """Do it, print the results, return the exit code. Raises UserError."""
        ...


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (the process's own if None) and return its exit code.

    2 and one sentence on the standard error for a mistake that the user can mend, 130 for Ctrl-C;
    any other exception is a bug and comes through.
    """
    try:
        return parse(sys.argv[1:] if arguments is None else arguments).run()
    except UserError as error:
        print(f"{' '.join(str(error).splitlines()).rstrip('.')}.", file=sys.stderr)
        return BROKEN
    except KeyboardInterrupt:
        print("Stopped by Ctrl-C; what was half done is not left behind.", file=sys.stderr)
        return INTERRUPTED


class _Page(StringIO):
    """Catches what tyro prints, which looks at the standard output's encoding to draw its boxes."""

    encoding = "utf-8"


def parse(arguments: Sequence[str]) -> Command:
    """The command with its flags; raises UserError, and SystemExit after `--help`."""
    arguments = list(arguments) or ["--help"]
    page = _Page()
    try:
        with redirect_stdout(page), redirect_stderr(page):
            return _parsed(arguments)
    except SystemExit as end:
        if end.code:
            raise UserError(_sentence(page.getvalue(), arguments)) from None
    # Help was asked for: once more, onto the terminal, in its colours and its width.
    return _parsed(arguments)


def _parsed(arguments: list[str]) -> Command:
    command: Command = tyro.extras.subcommand_cli_from_dict(
        dict(COMMANDS),
        prog="changeling",
        description="Swap faces of rendered actors and of people who consent, measure the swap "
        "against the true answer, and sign what leaves.",
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes),
    )
    return command


def _sentence(box: str, arguments: Sequence[str]) -> str:
    """What tyro says in a box (title, message, rule, hints) as one sentence."""
    lines = [line.strip("│").rstrip() for line in box.splitlines()[1:-1]]
    message = list(takewhile(lambda line: line.strip(" ─"), lines))
    # Deeper indented are the help texts of missing flags.
    words = " ".join(line.strip() for line in message if not line.startswith(" " * 8))
    words = words.removeprefix("Error parsing ").removesuffix(".")
    named = [word for word in arguments[:1] if word in COMMANDS]
    return f"{words}; see `{' '.join(['changeling', *named, '--help'])}`."
