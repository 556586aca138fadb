"""What the page of a study shows: sentences, tables with intervals, curves, pictures and films."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Literal

from changeling.errors import UserError
from changeling.measuring import Estimate
from changeling.media import Pixels
from changeling.provenance import Credential, signed_png


@dataclass(frozen=True)
class Picture:
    """A signed picture."""

    png: bytes
    """The file, its credential in it."""
    words: str
    """What is seen, for those who cannot see it."""

    @classmethod
    def sign(cls, pixels: Pixels, credential: Credential, words: str) -> "Picture":
        """Sign `pixels`; the same pixels signed twice give different bytes."""
        return cls(signed_png(pixels, credential), words)

    @classmethod
    def read(cls, path: Path, words: str) -> "Picture":
        """Take a signed PNG as it is. Raises UserError when it is not there."""
        return cls(read_bytes(path), words)


@dataclass(frozen=True)
class Column:
    """One figure of every row."""

    name: str
    unit: str = ""
    better: Literal["more", "less", ""] = ""
    """Which figures are better; empty: neither."""
    digits: int = 2
    """After the point."""
    lowest: float = -math.inf
    """No figure can be below it, and no interval reaches there."""
    highest: float = math.inf
    group: str = ""
    """What columns beside each other have in common, such as where they were measured."""


@dataclass(frozen=True)
class TableRow:
    """The figures of one who is compared."""

    label: str
    cells: tuple[Estimate | None, ...] = ()
    """One a column, None where there is none; empty for a row that has none at all."""
    note: str = ""
    """Why figures are missing, such as that the training diverged."""
    command: str = ""
    """What to type to compute them again."""
    itself: tuple[int, ...] = ()
    """Columns in which it is compared with itself: there it is neither the best nor a rival."""


@dataclass(frozen=True)
class Scores:
    """A table: who in the rows, what was measured in the columns."""

    title: str
    meaning: str
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    best: tuple[int | None, ...] = ()
    """Of each column the row that is better than every other, clip by clip, by more than chance
    explains; None for no such row. Empty: it is told by whether intervals touch."""


@dataclass(frozen=True)
class Curve:
    """One line of a chart."""

    name: str
    points: tuple[tuple[float, float], ...]
    """x and y, x rising; points that are not finite are left out."""
    dashed: bool = False


@dataclass(frozen=True)
class Curves:
    """A chart of lines over one x axis."""

    title: str
    meaning: str
    x: str
    """Name and unit of the x axis."""
    y: str
    lines: tuple[Curve, ...]
    command: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a grid: tiles of equal width in one picture."""

    label: str
    picture: Picture


@dataclass(frozen=True)
class Pictures:
    """A grid of pictures."""

    title: str
    meaning: str
    columns: tuple[str, ...]
    """What the tiles of each row are; empty for one picture a row."""
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Comparison:
    """Two pictures of one size, one over the other, with a slider between them."""

    title: str
    meaning: str
    left: Row
    right: Row


@dataclass(frozen=True)
class Film:
    """A signed MP4, which goes into the page as it is."""

    label: str
    path: Path


@dataclass(frozen=True)
class Films:
    """Films of the same moments beside each other; they play together."""

    title: str
    meaning: str
    films: tuple[Film, ...]


Part = Scores | Curves | Pictures | Comparison | Films


@dataclass(frozen=True)
class Section:
    """What belongs together."""

    title: str
    text: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Headline:
    """A number to remember."""

    value: str
    meaning: str
    command: str = ""


@dataclass(frozen=True)
class Page:
    """All that a page shows, in the order in which it is read."""

    title: str
    lead: tuple[str, ...]
    """The summary, in sentences made from the numbers."""
    headlines: tuple[Headline, ...]
    sections: tuple[Section, ...]
    commands: tuple[str, ...]
    """What to type to get the same again."""
    facts: tuple[tuple[str, str], ...]
    """Seeds and versions: name, value."""

    def all_commands(self) -> tuple[str, ...]:
        """Those of the page, then those that only its numbers name; each once."""
        named = [*_named(self.headlines), *_named(self.sections)]
        return tuple(dict.fromkeys([*self.commands, *filter(None, named)]))


def _named(value: object) -> Iterator[str]:
    """The field `command` of whatever has one."""
    if isinstance(value, tuple):
        for one in value:
            yield from _named(one)
    elif is_dataclass(value):
        for field in fields(value):
            inner = getattr(value, field.name)
            yield from [inner] if field.name == "command" else _named(inner)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that a page shows. Raises UserError that names it when it is missing."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} cannot be shown ({error.strerror}): make it again by running the study again."
        ) from error
