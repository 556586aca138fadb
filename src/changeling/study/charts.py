"""Curves and captions, drawn by matplotlib as pixels."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from changeling.media import Pixels

INK, SOFT, LINE, MARK = "#1b1d20", "#61666d", "#e2e3e5", "#0b5c8a"
_WIDTH, _DPI = 11.2, 180
_NO_LOSS = {"step", "rate", "seconds", "truth_psnr", "truth_ssim"}

Curve = tuple[Sequence[float], Sequence[float]]
"""x and y of each point."""


def loss_chart(rows: Sequence[Mapping[str, float]]) -> Pixels:
    """One panel for each loss of a run's log, over the minutes trained."""
    logged = [row for row in rows if "rate" in row]
    names = [name for name in logged[0] if name not in _NO_LOSS] if logged else []
    minutes = [row["seconds"] / 60 for row in logged]
    return panels({name: (minutes, [row[name] for row in logged]) for name in names}, "minutes")


def truth_chart(rows: Sequence[Mapping[str, float]]) -> Pixels | None:
    """The truth curve of a run's log, PSNR and SSIM; None when it has no point."""
    asked = [row for row in rows if "truth_psnr" in row]
    if not asked:
        return None
    minutes = [row["seconds"] / 60 for row in asked]
    names = {"truth_psnr": "PSNR against the truth, dB", "truth_ssim": "SSIM against the truth"}
    curves = {name: (minutes, [row[key] for row in asked]) for key, name in names.items()}
    return panels(curves, "minutes")


def panels(curves: Mapping[str, Curve], below: str) -> Pixels:
    """Curves side by side, each with its own scale and its last value; `below` names the x axis."""
    figure = Figure(figsize=(_WIDTH, 2.5), dpi=_DPI, layout="constrained")
    for index, (name, (x, y)) in enumerate(curves.items()):
        axes = figure.add_subplot(1, len(curves), index + 1)
        _plain(axes, name, below)
        axes.plot(x, y, color=MARK, linewidth=1.5, marker="o" if len(x) < 30 else "", markersize=3)
        axes.annotate(
            f"{y[-1]:.3g}", (x[-1], y[-1]), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=8, color=INK,
        )  # fmt: skip
    return drawn(figure)


def caption(text: str, height: int) -> NDArray[np.float32]:
    """(h, w) 0…1: how much a line of text, `height` pixels high, covers each pixel."""
    inches = height / 100
    figure = Figure(figsize=(inches * (len(text) + 2), inches), dpi=100)
    figure.text(0.5, 0.5, text, fontsize=0.5 * height, ha="center", va="center_baseline")
    ink = 1 - drawn(figure)[..., 0] / np.float32(255)
    columns = np.flatnonzero(ink.any(0))
    return np.asarray(ink[:, columns[0] : columns[-1] + 1], np.float32)


def _plain(axes: Axes, title: str, below: str) -> None:
    axes.set_title(title, fontsize=9, color=INK, loc="left")
    axes.set_xlabel(below, fontsize=8, color=SOFT)
    axes.tick_params(labelsize=8, colors=SOFT, length=0)
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.margins(x=0.12, y=0.2)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(LINE)


def drawn(figure: Figure) -> Pixels:
    """The pixels of a figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return cast(Pixels, np.asarray(canvas.buffer_rgba())[..., :3].copy())
