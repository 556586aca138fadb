"""A chart of lines as SVG, readable as it is; page.js adds what a pointer and keys can do."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.ticker import MaxNLocator

from changeling.study.page import Curve, Curves

WIDTH, COLOURS = 440.0, 8
"""Units across a chart, and colours before they come again, dotted."""
_TOP, _PLOT, _RIGHT, _LETTER, _KEY = 26.0, 190.0, 18.0, 7.8, 19.0


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """A curve in the chart's units, and its entry in the legend."""

    name: str
    style: str
    """Classes of its colour and stroke."""
    points: str
    """As SVG has them: `x,y x,y`."""
    values: str
    """What they mean: `x,y x,y`."""
    last: str
    """The last value, as the legend shows it."""
    left: float
    top: float
    """Where its entry in the legend is."""


@dataclass(frozen=True)
class Chart:
    """All that chart.svg draws, in its units."""

    curves: Curves
    left: float
    right: float
    top: float
    bottom: float
    height: float
    value_at: float
    """How far right of its beginning an entry of the legend shows its value."""
    xs: tuple[Tick, ...]
    ys: tuple[Tick, ...]
    lines: tuple[Line, ...]

    @property
    def words(self) -> str:
        """What is seen, for those who cannot see it."""
        ends = "; ".join(f"{line.name} ends at {line.last}" for line in self.lines)
        return f"{self.curves.title}: {self.curves.y} over {self.curves.x}. {ends}."


def lay_out(curves: Curves) -> Chart:
    """Where everything of a chart is. Lines without a finite point are only in the legend."""
    lines = [_finite(line) for line in curves.lines]
    every = [point for line in lines for point in line] or [(0.0, 0.0), (1.0, 1.0)]
    xs, ys = [x for x, _ in every], [y for _, y in every]
    x_marks, y_marks = _marks(min(xs), max(xs)), _marks(min(ys), max(ys))
    y_texts = _texts(y_marks)
    left = round(_LETTER * max(map(len, y_texts)) + 10, 1)
    right, bottom = WIDTH - _RIGHT, _TOP + _PLOT
    across = _Axis(min(xs), max(max(xs), math.nextafter(min(xs), math.inf)), left, right)
    up = _Axis(y_marks[0], y_marks[-1], bottom, _TOP)
    columns = 1 if len(lines) < 3 or max(len(line.name) for line in curves.lines) > 20 else 2
    keys = -(-len(lines) // columns)
    return Chart(
        curves, left, right, _TOP, bottom,
        height=bottom + 42 + _KEY * keys,
        value_at=(right - left) / columns - 18,
        xs=tuple(
            Tick(across.at(mark), text)
            for mark, text in zip(x_marks, _texts(x_marks), strict=True)
            if across.first <= mark <= across.last
        ),
        ys=tuple(Tick(up.at(mark), text) for mark, text in zip(y_marks, y_texts, strict=True)),
        lines=tuple(
            Line(
                curve.name,
                _style(index, curve.dashed),
                " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in points),
                " ".join(f"{x:.6g},{y:.6g}" for x, y in points),
                f"{points[-1][1]:.4g}" if points else "–",
                left + (index // keys) * (right - left) / columns,
                bottom + 52 + _KEY * (index % keys),
            )
            for index, (curve, points) in enumerate(zip(curves.lines, lines, strict=True))
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class _Axis:
    """Maps `first` … `last` onto `start` … `end`."""

    first: float
    last: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.first) / (self.last - self.first)
        return round(self.start + share * (self.end - self.start), 1)


def _finite(curve: Curve) -> list[tuple[float, float]]:
    return [(x, y) for x, y in curve.points if math.isfinite(x) and math.isfinite(y)]


def _marks(low: float, high: float) -> list[float]:
    """Round numbers from at most `low` to at least `high`."""
    locator = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3)
    return [float(mark) for mark in locator.tick_values(low, high)]


def _texts(marks: Sequence[float]) -> list[str]:
    """Round numbers, written with as many digits as their distance needs."""
    exponent = Decimal(f"{marks[1] - marks[0]:.4g}").normalize().as_tuple().exponent
    digits = max(0, -int(exponent))
    return [f"{mark:.{digits}f}".replace("-", "−") for mark in marks]


def _style(index: int, dashed: bool) -> str:
    again = " dotted" if index >= COLOURS else ""
    return f"c{index % COLOURS}{' dashed' if dashed else again}"
