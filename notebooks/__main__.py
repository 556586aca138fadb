"""`python -m notebooks` executes the notebooks: sources in cells become .ipynb with outputs."""

import resource
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from changeling.errors import UserError
from changeling.media import writing

FOLDER = Path(__file__).parent
NAMES = ("autoencoder", "vae", "gan", "diffusion", "swap")
"""In the order in which they are read."""
_SECONDS = 3600
"""After so long a cell is given up."""


def read_source(path: Path) -> NotebookNode:
    """A source in cells ("# %%", as Jupytext has them) as a notebook without outputs."""
    notebook = jupytext.read(path, fmt="py:percent")
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel})
    for index, cell in enumerate(notebook.cells):
        cell.id = f"cell-{index}"
        cell.source = cell.source.strip("\n")
    return notebook


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Execute all cells in `folder`. Raises UserError when one fails."""
    client = NotebookClient(
        notebook, timeout=_SECONDS, resources={"metadata": {"path": str(folder)}},
        record_timing=False,
    )  # fmt: skip
    try:
        executed = client.execute()
    except CellExecutionError as error:
        raise UserError(f"a cell failed with {error.ename}: {error.evalue}") from error
    executed.metadata.pop("language_info", None)
    return executed


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write an executed notebook whole or not at all."""
    with writing(path, overwrite=True) as beside:
        beside.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def _processor() -> float:
    """Seconds that kernels which have ended kept processors busy."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(names: list[str]) -> None:
    """Execute these notebooks, or all, one after the other, and say how long each took."""
    if unknown := set(names) - set(NAMES):
        sys.exit(f"there is no notebook {', '.join(unknown)}: give some of {', '.join(NAMES)}")
    for name in names or NAMES:
        began, worked = time.perf_counter(), _processor()
        executed = execute(read_source(FOLDER / f"{name}.py"), FOLDER)
        write_notebook(executed, FOLDER / f"{name}.ipynb")
        seconds, busy = time.perf_counter() - began, _processor() - worked
        print(f"{name}: {seconds:.0f} s, {busy:.0f} s of processor time", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
