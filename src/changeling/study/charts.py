"""Captions, and other figures that matplotlib draws, as pixels."""

from typing import cast

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from changeling.media import Pixels

INK, SOFT, LINE = "#1b1d20", "#61666d", "#e2e3e5"


def caption(text: str, height: int) -> NDArray[np.float32]:
    """(h, w) 0…1: how much a line of text, `height` pixels high, covers each pixel."""
    inches = height / 100
    figure = Figure(figsize=(inches * (len(text) + 2), inches), dpi=100)
    figure.text(0.5, 0.5, text, fontsize=0.5 * height, ha="center", va="center_baseline")
    ink = 1 - drawn(figure)[..., 0] / np.float32(255)
    columns = np.flatnonzero(ink.any(0))
    return np.asarray(ink[:, columns[0] : columns[-1] + 1], np.float32)


def drawn(figure: Figure) -> Pixels:
    """The pixels of a figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return cast(Pixels, np.asarray(canvas.buffer_rgba())[..., :3].copy())
