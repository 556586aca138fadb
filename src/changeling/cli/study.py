"""`changeling study`: an experiment run cell by cell, its tables and page; or measured again."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from changeling.cli.bars import Bar, Stages
from changeling.cli.values import OptionalCount, OptionalPath, OptionalText, Out
from changeling.errors import UserError

if TYPE_CHECKING:
    from changeling.study.experiments import Place
    from changeling.study.stages import Tell


@dataclass(frozen=True)
class Study:
    """Run an experiment: families by data by seeds, each measured against the truth; go on after a
    stop, skip what is done, and write the tables (CSV, JSON) and a page. `run` without a name
    lists the studies."""

    action: tyro.conf.Positional[Literal["list", "run", "measure", "page"]]
    """list: say which there are; run: run one, or go on; measure: measure a cell of a study again
    and compare; page: write tables and page again from what is finished."""
    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="[NAME|FOLDER]")] = ""
    """The study to run; or the folder of one that ran."""
    out: Out = Path("studies")
    """Folder of all studies, in which each has its own."""
    extent: Literal["quick", "laptop", "full"] = "laptop"
    """quick: under ten minutes, to see that it works; laptop: under 150 minutes on two cores; full:
    all pairs and seeds."""
    repeat: OptionalPath = None
    """Folder of the same study, whose cells are trained as many steps as they were there: budgets
    in minutes then repeat digit by digit."""
    cell: OptionalText = None
    """The cell to measure again; all of them if none is given."""
    markdown: OptionalPath = None
    """With page: write it as Markdown instead, such as docs/a.md, with its pictures in a folder
    beside it."""
    cluster: OptionalText = None
    """Scheduler of a Dask cluster whose workers see the same folder, such as tcp://10.0.0.1:8786."""
    workers: OptionalCount = None
    """Cells that run at once on the cluster."""

    def run(self) -> int:
        """Do what was asked."""
        if self.workers is not None and self.cluster is None:
            raise UserError("--workers are those of a cluster: give its scheduler with --cluster")
        if self.action == "list" or (self.action == "run" and not self.name):
            return _list()
        if not self.name:
            raise UserError(f"`changeling study {self.action}` wants to know which: give a name")
        with Bar("cells", "preparing") as bar:
            stages = Stages(bar)
            if self.action == "run":
                return self._run(stages.tell)
            if self.action == "measure":
                return self._measure(stages.tell)
            return self._page(stages.tell)

    def _run(self, tell: "Tell") -> int:
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.study.experiments import one_by_one, run_study, study
        from changeling.study.experiments.cluster import Cluster

        asked = study(self.name)
        place = _place(self.out, asked.name, self.extent, tell)
        spread = Cluster(self.cluster, self.workers or 1) if self.cluster else one_by_one
        report = run_study(asked, place, repeat=self.repeat, spread=spread)
        print(report)
        print(place.folder / "results.csv")
        return 0

    def _measure(self, tell: "Tell") -> int:
        from changeling.study.experiments import again, compared, planned, read_settings, study

        settings = read_settings(Path(self.name))
        asked = study(settings.study)
        place = _place(Path(self.name).parent, asked.name, settings.extent, tell)
        names = [one.name for one in planned(asked, settings)] if self.cell is None else [self.cell]
        differing = 0
        for name in names:
            figures = list(compared(*again(asked, place, name)))
            differing += len(figures)
            for (metric, clip, at), written, now in figures:
                where = " ".join([name, metric, clip, *([] if at is None else [f"at {at:g}"])])
                told = ("none" if one is None else str(one) for one in (written, now))
                print("{}: {} is written, {} now".format(where, *told))
        print(f"{len(names)} cells measured again: {differing} figures differ")
        return 1 if differing else 0

    def _page(self, tell: "Tell") -> int:
        from changeling.study.experiments import found, page_of, read_settings, study, write_study
        from changeling.study.page_markdown import write_markdown

        settings = read_settings(Path(self.name))
        asked = study(settings.study)
        place = _place(Path(self.name).parent, asked.name, settings.extent, tell)
        if self.markdown is None:
            print(write_study(asked, settings, place))
        else:
            page = page_of(asked, found(asked, settings, place))
            images = self.markdown.with_suffix("")
            write_markdown(self.markdown, page, images, overwrite=True)
            print(self.markdown)
        return 0


def _list() -> int:
    from changeling.study.experiments import STUDIES

    for name, one in STUDIES.items():
        print(f"{name}: {one.question}")
    return 0


def _place(
    root: Path, name: str, extent: Literal["quick", "laptop", "full"], tell: "Tell"
) -> "Place":
    from changeling.study.experiments import Place
    from changeling.training import Runtime

    runtime = Runtime.best()
    runtime.apply()
    return Place(root, name, extent, date.today(), runtime, tell)
