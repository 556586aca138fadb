"""Cells of a study on a Dask cluster that is there already, whose workers see the same folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from changeling.errors import UserError
from changeling.study.experiments.experiment import Cell
from changeling.study.experiments.running import Work
from changeling.study.stages import Stage

_PATIENCE = "5s"
"""How long a scheduler may take to answer."""


@dataclass(frozen=True)
class Cluster:
    """A `Spread`: cells are trained on the workers, several at once.

    With a budget of steps their figures are those of one process on such a machine.
    """

    address: str
    """Of the scheduler, such as tcp://10.0.0.1:8786."""
    workers: int
    """Cells that run at once, at most."""

    def __call__(self, work: Work, cells: Sequence[Cell]) -> None:
        """Run every cell and wait. Raises UserError when there is no cluster, and what cells do."""
        try:
            from distributed import Client, as_completed
        except ImportError as error:
            raise UserError(
                "a cluster needs Dask: pip install 'changeling[cluster]', here and on its workers"
            ) from error
        try:
            client = Client(self.address, timeout=_PATIENCE)
        except (OSError, ValueError) as error:
            raise UserError(
                f"no Dask scheduler answers at {self.address} ({error}): start one with "
                "`dask scheduler`, or leave out --cluster"
            ) from error
        waiting = iter(cells)
        with client:
            remote = work.quietly()
            begun = islice(waiting, self.workers)
            running = as_completed([client.submit(remote, cell) for cell in begun])
            for count, future in enumerate(running, start=1):
                future.result()
                work.place.tell(Stage("cells on the cluster", count, len(cells)))
                cell = next(waiting, None)
                if cell is not None:
                    running.add(client.submit(remote, cell))
