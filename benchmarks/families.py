"""Every family trained for its minutes and measured: the table of docs/families.md.

`python -m benchmarks.families NAME --films demo` trains one family (it goes on where it stopped),
measures it and keeps its figures and its picture; without names it does so for all of them.
`--write docs/families.md` puts all kept figures in the page.
"""

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import tyro

from benchmarks.documents import write_between
from benchmarks.fashion_gan import Judge
from benchmarks.fashion_vae import Figures as VaeFigures
from benchmarks.speed import measure
from benchmarks.swapping import SHOWN, Films, SwapFigures, crops, enlarged, figures, rows
from changeling.errors import UserError
from changeling.faces import Detector, Identifier, open_pictures, open_set
from changeling.generators import (
    Learns,
    Task,
    configuration,
    family,
    load_drawer,
    load_generator,
)
from changeling.measuring import frechet_distance
from changeling.media import Pixels, write_image, writing
from changeling.provenance import Credential, Source, publish
from changeling.study import train_family, train_pictures
from changeling.study.drawing import as_pixels, sheet
from changeling.training import Budget, Run, Runtime, collapse, from_json, to_json

RESULTS = Path("benchmarks/results/families")
PICTURES = Path("docs/images/families")
REPORT_VAE = Path("benchmarks/results/fashion_vae.json")
DRAWN = 1000
"""Pictures by which a family that draws is measured."""


@dataclass(frozen=True)
class Job:
    """What a family is trained on, and for how long."""

    family: str
    minutes: float
    data: str = "films"
    """films: the two people of the demo; otherwise a data set."""
    preset: str = "laptop"
    name: str = ""
    """What the row is called; by default as the family."""
    settings: tuple[tuple[str, Any], ...] = ()
    """Fields of the configuration that differ from the preset's."""

    @property
    def title(self) -> str:
        """What the row is called."""
        return self.name or self.family

    @property
    def size(self) -> int:
        """Side of the pictures in pixels."""
        return 28 if self.data == "fashion-mnist" else 64


JOBS = (
    Job("autoencoder", 10),
    Job("classic", 10),
    Job("separate", 10),
    Job("separate", 10, name="separate, joint", settings=(("joint", True),)),
    Job("vae", 10),
    Job("vaegan", 20),
    Job("cyclegan", 30),
    Job("faceswapgan", 20),
    Job("supervised", 1),
    Job("vae-pictures", 2, "fashion-mnist"),
    Job("dcgan", 10, "fashion-mnist"),
    Job("ddpm", 25, "fashion-mnist"),
    Job("dcgan", 10, "actors", name="dcgan, faces"),
    Job("ddpm", 25, "actors", name="ddpm, faces"),
    Job("stylegan", 45, "actors"),
)


@dataclass(frozen=True)
class ClothesFigures:
    """What drawn clothes are worth, by the project's own classifier."""

    confidence: float
    rarest: float
    """Share of the rarest class."""
    frechet: float


@dataclass(frozen=True)
class FaceFigures:
    """What drawn faces are worth."""

    found: float
    """Share in which OpenCV's frontal cascade finds a face."""
    frechet: float
    """On the identity network's embeddings, to as many rendered faces."""


@dataclass(frozen=True)
class Entry:
    """The figures of a row."""

    title: str
    family: str
    preset: str
    data: str
    seed: int
    threads: int
    steps: int
    minutes: float
    trained_per_second: float
    """Pictures a second while it was trained."""
    parameters: int
    default: float
    """Pictures a second, measured in turns with the next."""
    plain: float
    collapsed: str
    """What the log says of a collapse; "" when it says nothing."""
    swap: SwapFigures | None = None
    clothes: ClothesFigures | None = None
    faces: FaceFigures | None = None


def train(job: Job, films: Path, run: Path, runtime: Runtime, minutes: float, seed: int) -> None:
    """Train into `run`, or go on there."""
    budget, today = Budget(minutes), date.today()
    if family(job.family).learns is Learns.PEOPLE:
        sets = [(name, open_set(films / "faces" / name)) for name in ("a", "b")]
        config = _config(job, Task(("a", "b"), job.size))
        advances = train_family(
            job.family, config, sets, run, budget, today=today, runtime=runtime, seed=seed
        )
    else:
        pictures = open_pictures(job.data)
        config = _config(job, Task((), job.size, pictures.channels, len(pictures.kinds)))
        advances = train_pictures(
            job.family, config, pictures, run, budget, today=today, runtime=runtime, seed=seed
        )
    for advance in advances:
        if advance.progress.step.index % 200 == 0:
            losses = {name: round(x, 3) for name, x in advance.progress.step.losses.items()}
            print(f"{job.title}: {advance.progress.fraction:.0%} {losses}", flush=True)


def _config(job: Job, task: Task) -> Any:  # noqa: ANN401
    return replace(configuration(job.family, task, preset=job.preset), **dict(job.settings))


def examine(job: Job, films: Path, run: Path, runtime: Runtime, seed: int) -> tuple[Entry, Pixels]:
    """Measure a trained run and draw its picture row."""
    opened = Run(run)
    config = opened.config(family(job.family).config)
    told = [row for row in opened.rows() if "rate" in row][-1]
    speed = measure(job.family, config, runtime, turns=3, seconds=2)
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
    return replace(entry, faces=face_figures(drawn)), picture


def face_figures(drawn: torch.Tensor) -> FaceFigures:
    """Measure drawn faces (n, 3, s, s) against rendered ones that were not learnt from."""
    real = open_pictures("actors", part="test")
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


HEAD = (
    "| family | trained on | minutes | parameters | a second | plain | "
    "PSNR, dB | SSIM | sharpness | nearer B | confidence | rarest class | Fréchet | faces found |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def line(entry: Entry) -> str:
    """A row of the table."""
    cells = [
        entry.title, entry.data, f"{entry.minutes:.1f}", f"{entry.parameters / 1e6:.2f} M",
        f"{entry.default:.0f}", f"{entry.plain:.0f}",
    ]  # fmt: skip
    if entry.swap:
        swap = entry.swap
        cells += [f"{swap.psnr:.2f}", f"{swap.ssim:.3f}", f"{swap.sharpness:.2f}"]
        cells += [f"{swap.nearer:.0%}", *[""] * 4]
    elif entry.clothes:
        clothes = entry.clothes
        cells += [*[""] * 4, f"{clothes.confidence:.1%}", f"{clothes.rarest:.1%}"]
        cells += [f"{clothes.frechet:.1f}", ""]
    elif entry.faces:
        cells += [*[""] * 6, f"{entry.faces.frechet:.3f}", f"{entry.faces.found:.0%}"]
    return "| " + " | ".join(cells) + " |"


def table(entries: list[Entry]) -> str:
    """All rows, and the rivals that have learnt nothing."""
    lines = [HEAD, *(line(entry) for entry in entries)]
    swaps = [entry.swap for entry in entries if entry.swap]
    if swaps:
        one = swaps[0]
        lines += [
            "",
            f"Without learning: the performer’s own face in B’s colours {one.copy_psnr:.2f} dB, "
            f"SSIM {one.copy_ssim:.3f}; B’s mean face {one.mean_psnr:.2f} dB, {one.mean_ssim:.3f}.",
        ]
    lines += ["", *report_lines()]
    fallen = [f"{entry.title}: {entry.collapsed}" for entry in entries if entry.collapsed]
    lines += ["", *fallen] if fallen else []
    for entry in entries:
        picture = PICTURES / f"{file_name(entry.title)}.png"
        lines += ["", f"**{entry.title}**, {entry.steps:,} steps:", ""]
        lines += [f"![{entry.title}]({picture.relative_to('docs')})"]
    return "\n".join(lines)


def report_lines() -> list[str]:
    """What `python -m benchmarks.fashion_vae` kept of the report's variational autoencoder."""
    if not REPORT_VAE.is_file():
        return []
    kept = from_json(VaeFigures, json.loads(REPORT_VAE.read_text()), where=str(REPORT_VAE))
    losses, mean, drawn = kept.training.losses, kept.by_mean, kept.by_sample
    return [
        f"The report’s `vae-pictures`, {len(losses)} epochs of FashionMNIST, loss per picture "
        f"summed over both decoders: {losses[0]:.2f} → {losses[-1]:.2f} (the report: 573.48 → "
        f"485.36). Test pictures through the mean of their code: MSE {mean.mse:.4f}, "
        f"{mean.psnr:.2f} dB, SSIM {mean.ssim:.3f}; through a code drawn at random: "
        f"{drawn.mse:.4f}, {drawn.psnr:.2f} dB, {drawn.ssim:.3f}.",
    ]


def file_name(title: str) -> str:
    """A title as the name of a file."""
    return title.replace(", ", "-").replace(" ", "-")


def kept() -> list[Entry]:
    """The figures that were kept, in the order of the jobs."""
    found = []
    for job in JOBS:
        path = RESULTS / f"{file_name(job.title)}.json"
        if path.is_file():
            found.append(from_json(Entry, json.loads(path.read_text()), where=str(path)))
    return found


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
    known = {job.title: job for job in JOBS}
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
