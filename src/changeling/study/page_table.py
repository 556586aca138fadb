"""The figures of a table as they are written, and which of them is the best."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from changeling.measuring import Estimate
from changeling.study.page import Column, Scores

Apart = Callable[[str, str], bool]
"""Whether two of those compared, by name, differ by more than chance explains."""

_INTERVALS = (
    "With each figure the interval in which it lies with 95 %, by resampled clips, or pictures "
    "of a set, where there are two or more. "
)
_TOUCHING = "Bold is the best of a column whose interval touches that of no other row."
_APART = (
    "Bold is the best of a column that differs from every other row by more than chance explains: "
    "clip by clip, which tells more than the intervals of the two do, or, for sets of pictures, "
    "where these do not touch."
)


@dataclass(frozen=True)
class Figure:
    """One cell of a table."""

    value: str
    """A dash for none."""
    interval: str
    """Empty where nothing is known of chance."""
    best: bool

    @property
    def text(self) -> str:
        """As in `23.4 (22.9 … 24.0)`."""
        return f"{self.value} ({self.interval})" if self.interval else self.value


def heading(column: Column) -> str:
    """Name, unit, and an arrow that says which figures are better."""
    unit = f", {column.unit}" if column.unit else ""
    return column.name + unit + {"more": " ↑", "less": " ↓", "": ""}[column.better]


def rule(scores: Scores) -> str:
    """What is said below a table; nothing where no figure has an interval."""
    if not any(cell and cell.clips > 1 for row in scores.rows for cell in row.cells):
        return ""
    compared = any(column.better for column in scores.columns)
    return (_INTERVALS + ((_APART if scores.best else _TOUCHING) if compared else "")).strip()


def figures(scores: Scores) -> list[list[Figure]]:
    """The figures of each row, none for a row without cells."""
    best = scores.best or tuple(leader(scores, index) for index in range(len(scores.columns)))
    return [
        [
            _figure(cell, column, best=best[index] == number)
            for index, (cell, column) in enumerate(zip(row.cells, scores.columns, strict=True))
        ]
        if row.cells
        else []
        for number, row in enumerate(scores.rows)
    ]


def leader(scores: Scores, index: int, apart: Apart | None = None) -> int | None:
    """Which row is the best of a column, if it is apart from every other, which labels name.

    Without `apart`: if its interval touches no other row's. A figure without an interval is then
    never marked, and what it reaches is not either. Who is compared with itself is no rival.
    """
    sign = {"more": 1, "less": -1, "": 0}[scores.columns[index].better]
    rivals = [
        (sign * cell.value, number, cell)
        for number, row in enumerate(scores.rows)
        if row.cells
        and index not in row.itself
        and (cell := row.cells[index]) is not None
        and math.isfinite(cell.value)
    ]
    if not sign or len(rivals) < 2:
        return None
    _, winner, first = max(rivals, key=lambda rival: rival[0])
    name = scores.rows[winner].label
    sure = (
        apart(name, scores.rows[number].label) if apart else first.clips > 1 and first.apart(cell)
        for _, number, cell in rivals
        if number != winner
    )
    return winner if all(sure) else None


def _figure(cell: Estimate | None, column: Column, *, best: bool) -> Figure:
    if cell is None or not math.isfinite(cell.value):
        return Figure("–", "", False)
    value, low, high = (
        f"{number:z.{column.digits}f}" for number in (cell.value, cell.low, cell.high)
    )
    return Figure(value, f"{low} … {high}" if cell.clips > 1 else "", best)
