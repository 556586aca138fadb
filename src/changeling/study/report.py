"""A report: one HTML file that opens from disk, every picture in it signed."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from changeling.measuring import Score
from changeling.media import Pixels, writing
from changeling.provenance import Credential, signed_png
from changeling.study.scores import ScoreLine


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, and what its credential says."""

    pixels: Pixels
    credential: Credential
    words: str
    """What is seen, for those who cannot see it."""


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a grid: tiles of equal width in one picture."""

    label: str
    picture: Picture


@dataclass(frozen=True, eq=False)
class Grid:
    """Pictures in columns."""

    title: str
    meaning: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, eq=False)
class Chart:
    """One drawing of curves."""

    title: str
    meaning: str
    picture: Picture


@dataclass(frozen=True, eq=False)
class Table:
    """Scores: who in the rows, where in the columns."""

    title: str
    meaning: str
    lines: tuple[ScoreLine, ...]


@dataclass(frozen=True, eq=False)
class Report:
    """All that a report shows, in the order in which it is read."""

    title: str
    lead: str
    figures: tuple[tuple[str, str], ...]
    """The numbers to remember: value, what it is."""
    table: Table
    grids: tuple[Grid, ...]
    charts: tuple[Chart, ...]
    commands: tuple[str, ...]
    """What to type to get the same again."""
    facts: tuple[tuple[str, str], ...]
    """Seeds and versions: name, value."""


@dataclass(frozen=True)
class _Cell:
    text: str
    best: bool


def write_report(path: Path, report: Report, *, overwrite: bool = False) -> None:
    """Write a report, whole or not at all. Raises UserError when the file exists or cannot be."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["inline"] = _inline
    template = files("changeling.study").joinpath("report.html").read_text(encoding="utf-8")
    lines = report.table.lines
    page = environment.from_string(template).render(
        report=report, places=_distinct(line.where for line in lines), rows=_rows(lines)
    )
    with writing(path, overwrite=overwrite) as beside:
        beside.write_text(page, encoding="utf-8")


def _inline(picture: Picture) -> str:
    """A picture as a data URI."""
    png = signed_png(picture.pixels, picture.credential)
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _rows(lines: Sequence[ScoreLine]) -> list[tuple[str, list[_Cell]]]:
    """For each rival its name and the cells of all places."""
    scores = {(line.who, line.where): line.score for line in lines}
    rivals = _distinct(line.who for line in lines)
    places = _distinct(line.where for line in lines)
    columns = {where: [scores[who, where] for who in rivals] for where in places}
    return [
        (who, [cell for where in places for cell in _cells(scores[who, where], columns[where])])
        for who in rivals
    ]


def _cells(score: Score, rivals: Sequence[Score]) -> list[_Cell]:
    """PSNR, SSIM and MSE of one score; the best of its rivals, itself among them, is marked."""
    several = len(rivals) > 1
    return [
        _Cell(f"{score.psnr:.2f}", several and score.psnr >= max(one.psnr for one in rivals)),
        _Cell(f"{score.ssim:.3f}", several and score.ssim >= max(one.ssim for one in rivals)),
        _Cell(f"{score.mse:.5f}", several and score.mse <= min(one.mse for one in rivals)),
    ]
