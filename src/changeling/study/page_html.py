"""A page as one HTML file that opens from disk: nothing outside it is asked for."""

from base64 import b64encode
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from changeling.media import read_frames, writing
from changeling.study.films import seen_in
from changeling.study.page import Column, Curves, Page, Part, Picture, Scores, TableRow, read_bytes
from changeling.study.page_chart import WIDTH, lay_out
from changeling.study.page_table import Figure, figures, heading, rule

_FOLDER = Path(__file__).parent


def write_page(path: Path, page: Page, *, overwrite: bool = False) -> None:
    """Write a page, whole or not at all.

    Raises UserError when the file exists or cannot be written, and when a film is missing.
    """
    numbers = {command: index for index, command in enumerate(page.all_commands(), start=1)}
    with writing(path, overwrite=overwrite) as beside:
        template = _environment().get_template("page.html")
        text = template.render(page=page, numbers=numbers, kind=_kind)
        beside.write_text(text, encoding="utf-8")


def chart_svg(curves: Curves, *, alone: bool) -> str:
    """A chart as SVG; `alone`: as a file of its own, with its style."""
    template = _environment().get_template("chart.svg")
    style = (_FOLDER / "chart.css").read_text(encoding="utf-8")
    return template.render(chart=lay_out(curves), width=WIDTH, alone=alone, style=style)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "png": lambda data: _uri("image/png", data),
        "mp4": lambda path: _uri("video/mp4", read_bytes(path)),
        "still": _still,
        "chart": lambda part: chart_svg(part, alone=False),
        "heading": heading,
        "rows": _rows,
        "rule": rule,
        "runs": _runs,
        "begins": _begins,
    }
    return environment


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{b64encode(data).decode()}"


def _still(film: Path) -> Picture:
    """The first frame, which is seen before a film plays, and in print."""
    read_bytes(film)
    frame = next(read_frames(film))
    return Picture.sign(frame.pixels, seen_in([film], film.name), film.name)


def _kind(part: Part) -> str:
    return type(part).__name__


def _rows(scores: Scores) -> list[tuple[TableRow, list[Figure]]]:
    return list(zip(scores.rows, figures(scores), strict=True))


def _runs(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """The groups of columns, and how many columns each has."""
    return [(name, len(list(run))) for name, run in groupby(columns, lambda one: one.group)]


def _begins(columns: Sequence[Column], index: int) -> bool:
    """Whether a group that is not the first begins at a column."""
    return index > 0 and columns[index].group != columns[index - 1].group
