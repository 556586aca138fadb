"""Which poses and which light a face set shows, as a picture."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from changeling.faces import Cells, Check, Coverage
from changeling.faces.faceset import INDEX
from changeling.media import Pixels, write_image
from changeling.provenance import Credential, Ingredient, Source, publish, sha256
from changeling.study.charts import INK, LINE, SOFT, drawn

_COLOURS = "Blues"


def publish_coverage(check: Check, out: Path, *, overwrite: bool = False) -> None:
    """Draw a check's coverage as a signed picture. Raises UserError when it cannot be written."""
    source = Ingredient(check.faces.name, sha256(check.faces.folder / INDEX), "inputTo")
    credential = Credential(out.name, Source.RENDERED, ingredients=(source,))
    with publish(out, credential, overwrite=overwrite) as beside:
        write_image(beside, coverage_chart(check.coverage))


def coverage_chart(coverage: Coverage) -> Pixels:
    """Two maps side by side, pose and light, with the number of faces in each cell."""
    figure = Figure(figsize=(11.2, 4.2), dpi=120, layout="constrained")
    pose, light = figure.subplots(1, 2)
    angles = (np.rad2deg(edges) for edges in (coverage.pose.rows, coverage.pose.columns))
    _map(pose, Cells(coverage.pose.counts, *angles), "Pose: yaw → and pitch ↑, degrees")
    _map(light, coverage.light, "Light: right half brighter →, brightness ↑")
    return drawn(figure)


def _map(axes: Axes, cells: Cells, title: str) -> None:
    """One grid with the edges of its cells on its axes; empty cells stay white."""
    shades = np.sqrt(cells.counts)
    axes.pcolormesh(shades, cmap=_COLOURS, vmin=0, edgecolors=LINE, linewidth=0.5)
    axes.set_title(title, fontsize=9, color=INK, loc="left")
    axes.set_xticks(range(len(cells.columns)), [f"{edge:.3g}" for edge in cells.columns])
    axes.set_yticks(range(len(cells.rows)), [f"{edge:.3g}" for edge in cells.rows])
    axes.tick_params(labelsize=7, colors=SOFT, length=0)
    axes.spines[:].set_visible(False)
    for (row, column), count in np.ndenumerate(cells.counts):
        if count:
            colour = "white" if shades[row, column] > 0.6 * shades.max() else INK
            axes.text(
                column + 0.5, row + 0.5, str(count), ha="center", va="center", fontsize=8,
                color=colour,
            )  # fmt: skip
