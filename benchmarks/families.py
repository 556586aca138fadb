"""Every family trained for its minutes and measured: the table of docs/families.md.

`python -m benchmarks.families NAME --films demo` trains one family (it goes on where it stopped),
measures it and keeps its figures and its picture; without names it does so for all of them.
`--write docs/families.md` puts all kept figures in the page.
"""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import tyro

from benchmarks.documents import write_between
from benchmarks.family_jobs import JOBS, PEOPLE, Job
from benchmarks.family_table import (
    PICTURES,
    RESULTS,
    ClothesFigures,
    Entry,
    FaceFigures,
    file_name,
    kept,
    line,
    table,
)
from benchmarks.fashion_gan import Judge
from benchmarks.speed import measure
from benchmarks.swapping import SHOWN, Films, crops, enlarged, figures, rows
from changeling.errors import UserError
from changeling.faces import Detector, Identifier, Pictures, open_pictures, open_set
from changeling.faces.datasets import Part
from changeling.generators import Learns, family, load_drawer, load_generator
from changeling.measuring import frechet_distance
from changeling.media import Pixels, write_image, writing
from changeling.provenance import Credential, Source, publish
from changeling.study import train_family, train_pictures
from changeling.study.drawing import as_pixels, sheet
from changeling.training import Budget, Run, Runtime, collapse, to_json

DRAWN = 1000
"""Pictures by which a family that draws is measured."""


def train(job: Job, films: Path, run: Path, runtime: Runtime, minutes: float, seed: int) -> None:
    """Train into `run`, or go on there."""
    budget, today = Budget(minutes), date.today()
    if family(job.family).learns is Learns.PEOPLE:
        sets = [(name, open_set(films / "faces" / name)) for name in PEOPLE]
        advances = train_family(
            job.family, job.config, sets, run, budget, today=today, runtime=runtime, seed=seed
        )
    else:
        pictures = _pictures(job, "train")
        advances = train_pictures(
            job.family, job.config, pictures, run, budget, today=today, runtime=runtime, seed=seed
        )
    for advance in advances:
        if advance.progress.step.index % 200 == 0:
            losses = {name: round(x, 3) for name, x in advance.progress.step.losses.items()}
            print(f"{job.title}: {advance.progress.fraction:.0%} {losses}", flush=True)


def examine(job: Job, films: Path, run: Path, runtime: Runtime, seed: int) -> tuple[Entry, Pixels]:
    """Measure a trained run and draw its picture row."""
    opened = Run(run)
    config = opened.config(family(job.family).config)
    told = [row for row in opened.rows() if "rate" in row][-1]
    speed = measure(job.family, config, job.task, runtime, turns=3, seconds=2)
    entry = Entry(
        title=job.title, family=job.family, preset=job.preset, data=job.data, seed=seed,
        threads=runtime.threads, steps=round(told["step"]), minutes=told["seconds"] / 60,
        trained_per_second=told["rate"], parameters=speed.parameters,
        default=speed.best.default, plain=speed.best.plain,
        collapsed=collapse(opened.rows()) or "",
    )  # fmt: skip
    if "swap" in family(job.family).uses:
        swaps, demo = load_generator(run, runtime=runtime), Films(films)
        shown = crops(swaps, demo, SHOWN)
        return replace(entry, swap=figures(swaps, demo)), enlarged(rows(shown))
    drawn = load_drawer(run, runtime=runtime).draw(DRAWN, seed=seed)
    pictures = np.stack([as_pixels(picture) for picture in drawn[:20].numpy()])
    picture = sheet(pictures, columns=10)
    if job.data == "fashion-mnist":
        seen = Judge(DRAWN).figures(drawn, opened, job.title)
        clothes = ClothesFigures(seen.confidence, min(seen.shares), seen.frechet)
        return replace(entry, clothes=clothes), picture
    return replace(entry, faces=face_figures(job, drawn)), picture


def _pictures(job: Job, part: Part) -> Pictures:
    return open_pictures(job.data, part=part, renders=job.renders)


def face_figures(job: Job, drawn: torch.Tensor) -> FaceFigures:
    """Measure drawn faces (n, 3, s, s) against rendered ones that were not learnt from."""
    real = _pictures(job, "test")
    chosen = np.random.default_rng(0).permutation(len(real))[: len(drawn)]
    theirs = real.read(chosen, drawn.shape[-1])
    mine = np.stack([as_pixels(picture) for picture in drawn.numpy()])
    identifier, detector = Identifier.load(), Detector()
    return FaceFigures(
        found=float(np.mean([_found(detector, picture) for picture in mine])),
        frechet=frechet_distance(identifier.embed(mine), identifier.embed(theirs)),
    )


def _found(detector: Detector, picture: Pixels) -> bool:
    """Whether a tight crop, put on a grey ground and enlarged, is taken for a face."""
    wide = cv2.copyMakeBorder(picture, 24, 24, 24, 24, cv2.BORDER_REPLICATE)
    grey = cv2.cvtColor(cv2.resize(wide, None, fx=3, fy=3), cv2.COLOR_RGB2GRAY)
    return len(detector.boxes(np.asarray(grey, np.uint8))) > 0


def main(
    names: Annotated[tuple[str, ...], tyro.conf.Positional] = (),
    films: Path = Path("demo"),
    work: Path = Path("build/families"),
    minutes: float | None = None,
    threads: int | None = None,
    seed: int = 0,
    write: Path | None = None,
) -> None:
    """Train and measure families.

    Args:
        names: Rows to make; none with --write only, all of them by default.
        films: Folder of a finished demo: its people are learnt, its performance is judged.
        work: Folder of the runs.
        minutes: Minutes of training instead of each family's own.
        threads: Processor threads; by default all.
        seed: Of weights, batches and noise.
        write: Page to put all kept figures in.
    """
    # What only restores is measured by benchmarks.restoring, on a scale of its own.
    known = {job.title: job for job in JOBS if {"swap", "draw"} & set(family(job.family).uses)}
    if unknown := set(names) - set(known):
        raise UserError(f"there is no row {sorted(unknown)[0]!r}: give one of {', '.join(known)}")
    best = Runtime.best()
    runtime = replace(best, threads=threads, workers=1) if threads else best
    runtime.apply()
    for title in names or (() if write else known):
        job, run = known[title], work / file_name(title)
        train(job, films, run, runtime, minutes or job.minutes, seed)
        entry, picture = examine(job, films, run, runtime, seed)
        source = Source.COMPOSITE if entry.swap else Source.SYNTHETIC
        out = PICTURES / f"{file_name(title)}.png"
        credential = Credential(out.name, source, model=job.family, run=run.name)
        out.parent.mkdir(parents=True, exist_ok=True)
        with publish(out, credential, overwrite=True) as beside:
            write_image(beside, picture)
        RESULTS.mkdir(parents=True, exist_ok=True)
        with writing(RESULTS / f"{file_name(title)}.json", overwrite=True) as beside:
            beside.write_text(json.dumps(to_json(entry), indent=2) + "\n", encoding="utf-8")
        print(line(entry), flush=True)
    if write is not None:
        write_between(write, "families", table(kept()))


if __name__ == "__main__":
    tyro.cli(main)
