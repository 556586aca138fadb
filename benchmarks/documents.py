"""Figures in documents: what a command measured, put where it is told."""

from pathlib import Path

from changeling.errors import UserError
from changeling.media import writing


def write_between(document: Path, name: str, text: str) -> None:
    """Put `text` between the lines `<!-- NAME:begin -->` and `<!-- NAME:end -->` of a document."""
    first, last = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, begin, rest = document.read_text("utf-8").partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise UserError(
            f"{document} lacks the lines {first} and {last}: add them where it belongs."
        )
    with writing(document, overwrite=True) as beside:
        beside.write_text(f"{before}{first}\n{text}\n{last}{after}", encoding="utf-8")
