"""What the presets `report` would cost: each trained a little, the rest reckoned.

`python -m benchmarks.presets NAME --films demo` trains the preset `report` of a family for a minute
and keeps how many steps that were; without names it does so for all of them. The demo's faces need
120 pixels (`changeling demo --faces 120`). `--write docs/families.md` puts all kept figures in the
page.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from benchmarks.documents import write_between
from benchmarks.families import train
from benchmarks.family_jobs import Job
from changeling.errors import UserError
from changeling.generators import family
from changeling.media import writing
from changeling.training import Run, Runtime, from_json, to_json

RESULTS = Path("benchmarks/results/presets.json")
EPOCH = 60_000
"""Pictures of FashionMNIST that are learnt from."""


@dataclass(frozen=True)
class Whole:
    """A training that is only begun here."""

    job: Job
    steps: int
    """How many it asks for."""
    said: str
    """Where that is said."""


WHOLE = (
    Whole(Job("separate", 1, preset="report"), 5400, "2,700 epochs for each of the two"),
    Whole(Job("cyclegan", 1, preset="report"), 200_000, "the paper's 200 epochs"),
    Whole(Job("faceswapgan", 1, preset="report"), 40_000, "the listing"),
    Whole(Job("dcgan", 1, "fashion-mnist", preset="report"), 25 * EPOCH // 64, "25 epochs"),
    Whole(
        Job("ddpm", 1, "fashion-mnist", preset="report"), EPOCH // 128, "one epoch; none is said"
    ),
)
"""That of `vae-pictures` is left out, because benchmarks.fashion_vae runs it in full."""


@dataclass(frozen=True)
class Begun:
    """How far one of them came."""

    family: str
    size: int
    """Side of the pictures in pixels."""
    batch: int
    threads: int
    steps: int
    seconds: float


def begin(whole: Whole, films: Path, work: Path, runtime: Runtime, minutes: float) -> Begun:
    """Train a little, at least a step, or go on."""
    run = work / f"{whole.job.family}-report"
    train(whole.job, films, run, runtime, minutes, seed=0)
    opened = Run(run)
    config = opened.config(family(whole.job.family).config)
    told = [row for row in opened.rows() if "rate" in row][-1]
    return Begun(
        whole.job.family, config.size, config.batch, runtime.threads, round(told["step"]),
        told["seconds"],
    )  # fmt: skip


def line(begun: Begun, whole: Whole) -> str:
    """A row of the table."""
    pace = begun.seconds / begun.steps
    cells = [
        begun.family, f"{begun.size} px, {begun.batch}", f"{begun.steps:,}", f"{whole.steps:,}",
        whole.said, f"{pace:.2f}", f"{pace * whole.steps / 3600:,.1f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "| preset `report` | pictures, batch | steps done | steps asked | as said by | seconds a step "
    "| the whole, hours |\n|---|---|--:|--:|---|--:|--:|"
)


def table(every: list[Begun]) -> str:
    """What was begun, in the order of `WHOLE`."""
    found = {begun.family: begun for begun in every}
    return "\n".join(
        [HEAD, *(line(found[w.job.family], w) for w in WHOLE if w.job.family in found)]
    )


def kept() -> list[Begun]:
    """What was begun before."""
    if not RESULTS.is_file():
        return []
    return [
        from_json(Begun, one, where=str(RESULTS)) for one in json.loads(RESULTS.read_text("utf-8"))
    ]


def main(
    names: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    films: Path = Path("demo"),
    work: Path = Path("build/presets"),
    minutes: float = 1.0,
    threads: int | None = None,
    write: Path | None = None,
) -> None:
    """Begin the trainings of the presets `report`.

    Args:
        names: Families; none with --write only, all of them by default.
        films: Folder of a demo whose faces have 120 pixels or more.
        work: Folder of the runs.
        minutes: Minutes for each.
        threads: Processor threads; by default all.
        write: Page to put the table in.
    """
    known = {whole.job.family: whole for whole in WHOLE}
    if unknown := set(names) - set(known):
        raise UserError(
            f"there is no training of {sorted(unknown)[0]!r} to begin: give one of "
            f"{', '.join(known)}"
        )
    best = Runtime.best()
    runtime = replace(best, threads=threads, workers=1) if threads else best
    runtime.apply()
    every = {begun.family: begun for begun in kept()}
    for name in names or (() if write else known):
        every[name] = begin(known[name], films, work, runtime, minutes)
        print(line(every[name], known[name]), flush=True)
        with writing(RESULTS, overwrite=True) as beside:
            data = [to_json(begun) for begun in every.values()]
            beside.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    if write is not None:
        write_between(write, "presets", table(list(every.values())))


if __name__ == "__main__":
    tyro.cli(main)
