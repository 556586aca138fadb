"""A page as Markdown for the documents, its pictures and charts as files beside it."""

import html
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from changeling.media import probe, writing
from changeling.study.films import seen_in, shown_moments, strip
from changeling.study.page import (
    Comparison,
    Curves,
    Films,
    Page,
    Part,
    Picture,
    Pictures,
    Row,
    Scores,
    read_bytes,
)
from changeling.study.page_html import chart_svg
from changeling.study.page_table import figures, heading, rule

_AGAIN = "the-same-again"
_STILLS = 3
"""Moments of films, which a document cannot play."""
_OWN = re.compile(r"\d\d\.(png|svg)")


def write_markdown(path: Path, page: Page, images: Path, *, overwrite: bool = False) -> None:
    """Write a page as Markdown, with pictures named by their order in the folder `images`.

    Films are shown by a few moments. Raises UserError when the file exists or cannot be written,
    and when a film is missing.
    """
    with writing(path, overwrite=overwrite) as beside:
        if images.is_dir():
            for old in images.iterdir():
                if _OWN.fullmatch(old.name):
                    old.unlink()
        document = _Document(page, _Images(images, path.parent))
        text = "\n".join(document.lines())
        beside.write_text(re.sub(r"\n{3,}", "\n\n", text).strip() + "\n", encoding="utf-8")


@dataclass
class _Images:
    """Writes pictures and charts one after the other and gives the links to them."""

    folder: Path
    beside: Path
    """The document's folder."""
    count: int = field(default=0, init=False)

    def picture(self, picture: Picture) -> str:
        return self._file(picture.png, ".png", picture.words)

    def chart(self, curves: Curves) -> str:
        svg = chart_svg(curves, alone=True).encode()
        return self._file(svg, ".svg", f"{curves.y} over {curves.x}")

    def _file(self, data: bytes, suffix: str, words: str) -> str:
        self.count += 1
        path = self.folder / f"{self.count:02}{suffix}"
        with writing(path, overwrite=True) as beside:
            beside.write_bytes(data)
        return f"![{_plain(words)}]({Path(os.path.relpath(path, self.beside)).as_posix()})"


@dataclass(frozen=True)
class _Document:
    page: Page
    images: _Images

    def lines(self) -> Iterator[str]:
        page = self.page
        yield from (f"# {_plain(page.title)}", "")
        for sentence in page.lead:
            yield from (_plain(sentence), "")
        for headline in page.headlines:
            number = self._number(headline.command)
            yield f"- **{_plain(headline.value)}** {_plain(headline.meaning)}{number}"
        for section in page.sections:
            yield from ("", f"## {_plain(section.title)}", "", _plain(section.text), "")
            for part in section.parts:
                yield from self._part(part)
        yield from ("", "## The same again", "")
        for index, command in enumerate(page.all_commands(), start=1):
            yield f"{index}. `{command}`"
        yield from ("", "## What it was made with", "", "| | |", "|---|---|")
        yield from (f"| {_plain(name)} | {_plain(value)} |" for name, value in page.facts)

    def _part(self, part: Part) -> Iterator[str]:
        if part.title:
            yield from ("", f"### {_plain(part.title)}", "")
        if part.meaning:
            yield from (_plain(part.meaning), "")
        match part:
            case Scores():
                yield from self._scores(part)
            case Curves():
                yield self.images.chart(part) + self._number(part.command)
            case Pictures():
                yield from self._pictures(part)
            case Comparison():
                yield from _table(
                    [_plain(side.label) for side in (part.left, part.right)],
                    [[self.images.picture(side.picture) for side in (part.left, part.right)]],
                )
            case Films():
                yield from self._pictures(_stills(part))
        yield ""

    def _scores(self, scores: Scores) -> Iterator[str]:
        groups = [f"{column.group} " if column.group else "" for column in scores.columns]
        names = [
            _plain(group + heading(column))
            for group, column in zip(groups, scores.columns, strict=True)
        ]
        rows = []
        for row, cells in zip(scores.rows, figures(scores), strict=True):
            texts = [f"**{cell.text}**" if cell.best else cell.text for cell in cells]
            label, note = _plain(row.label) + self._number(row.command), _plain(row.note)
            if not cells:
                rows.append([label, note, *[""] * (len(names) - 1)])
            else:
                rows.append([f"{label}<br>{note}" if note else label, *texts])
        yield from _table(["", *names], rows, right=True)
        yield from ("", rule(scores))

    def _pictures(self, grid: Pictures) -> Iterator[str]:
        names = " · ".join(map(_plain, grid.columns))
        rows = [[_plain(row.label), self.images.picture(row.picture)] for row in grid.rows]
        yield from _table(["", names], rows)

    def _number(self, command: str) -> str:
        """A link to the list of commands."""
        if not command:
            return ""
        return f" [\\[{self.page.all_commands().index(command) + 1}\\]](#{_AGAIN})"


def _table(
    names: Sequence[str], rows: Sequence[Sequence[str]], *, right: bool = False
) -> Iterator[str]:
    marks = ["---", *["--:" if right else "---"] * (len(names) - 1)]
    for row in (names, marks, *rows):
        yield f"| {' | '.join(row)} |"


def _plain(text: str) -> str:
    """Text that means nothing to Markdown, on one line."""
    safe = html.escape(" ".join(text.split()), quote=False)
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", safe)


def _stills(part: Films) -> Pictures:
    """A few moments of films of the same length."""
    paths = [film.path for film in part.films]
    for path in paths:
        read_bytes(path)
    moments = shown_moments(paths, probe(paths[0]).frames or 1)
    credential = seen_in(paths, part.title)
    chosen = moments[:: -(-len(moments) // _STILLS)]
    rows = [
        Row(
            label := f"{float(moment[0].time):.1f} s",
            Picture.sign(
                strip([frame.pixels for frame in moment]), credential, f"films at {label}"
            ),
        )
        for moment in chosen
    ]
    return Pictures("", "", tuple(film.label for film in part.films), tuple(rows))
