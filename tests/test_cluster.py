"""Cells on a Dask cluster give the figures of one process; a missing cluster is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster
from test_experiments import Notes, place, toy

from changeling.errors import UserError
from changeling.study.experiments import run_study
from changeling.study.experiments.cluster import Cluster


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster of two workers on this machine."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None,
        host="127.0.0.1", protocol="tcp",
    ) as cluster:  # fmt: skip
        yield str(cluster.scheduler_address)


def test_the_figures_are_those_of_one_process(scheduler: str, tmp_path: Path) -> None:
    """Byte for byte, with fewer workers than cells."""
    run_study(toy(Notes()), place(tmp_path / "here"))
    run_study(toy(Notes()), place(tmp_path / "there"), spread=Cluster(scheduler, 2))
    here, there = (tmp_path / where / "toys" / "results.csv" for where in ("here", "there"))
    assert here.read_bytes() == there.read_bytes()
    assert len(list((tmp_path / "there").glob("toys/cells/*/result.json"))) == 3


def test_a_mistake_of_a_cell_reaches_the_caller(scheduler: str, tmp_path: Path) -> None:
    """As the sentence that it is; a cell that diverges is a row as ever."""
    run_study(toy(Notes(diverge="two")), place(tmp_path / "a"), spread=Cluster(scheduler, 1))
    assert "diverged" in (tmp_path / "a" / "toys" / "results.csv").read_text("utf-8")
    with pytest.raises(UserError, match="no film"):
        run_study(toy(Notes(refuse="one")), place(tmp_path / "b"), spread=Cluster(scheduler, 1))


def test_a_missing_cluster_is_named(tmp_path: Path) -> None:
    """Nothing is run."""
    with pytest.raises(UserError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9 "):
        run_study(toy(Notes()), place(tmp_path), spread=Cluster("tcp://127.0.0.1:9", 1))
    assert not list(tmp_path.glob("toys/cells/*/result.json"))
