"""The figures of a trained family, and the table of docs/families.md that they make."""

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks import stylegan
from benchmarks.family_jobs import JOBS
from benchmarks.fashion_vae import Figures as VaeFigures
from benchmarks.swapping import SwapFigures
from changeling.training import from_json

RESULTS = Path("benchmarks/results/families")
PICTURES = Path("docs/images/families")
REPORT_VAE = Path("benchmarks/results/fashion_vae.json")


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
    lines = [HEAD, *(line(entry) for entry in entries), *rival_lines(entries)]
    lines += ["", *report_lines(), *style_lines()]
    fallen = [f"{entry.title}: {entry.collapsed}" for entry in entries if entry.collapsed]
    lines += ["", *fallen] if fallen else []
    for entry in entries:
        picture = PICTURES / f"{file_name(entry.title)}.png"
        lines += ["", f"**{entry.title}**, {entry.steps:,} steps:", ""]
        lines += [f"![{entry.title}]({picture.relative_to('docs')})"]
    return "\n".join(lines)


def rival_lines(entries: list[Entry]) -> list[str]:
    """The rivals, said with their rows where rows were measured beside different ones."""
    beside: dict[str, list[str]] = {}
    for entry in entries:
        if swap := entry.swap:
            told = (
                f"the performer’s own face in B’s colours {swap.copy_psnr:.2f} dB, SSIM "
                f"{swap.copy_ssim:.3f}; B’s mean face {swap.mean_psnr:.2f} dB, {swap.mean_ssim:.3f}"
            )
            beside.setdefault(told, []).append(f"`{entry.title}`")
    if len(beside) < 2:
        return [line for told in beside for line in ("", f"Without learning: {told}.")]
    return [
        "",
        "Without learning, and the rows that were measured beside it:",
        "",
        *(f"- {told} (rows {', '.join(titles)})." for told, titles in beside.items()),
    ]


def report_lines() -> list[str]:
    """What `python -m benchmarks.fashion_vae` kept of the report's variational autoencoder."""
    if not REPORT_VAE.is_file():
        return []
    kept = from_json(VaeFigures, json.loads(REPORT_VAE.read_text()), where=str(REPORT_VAE))
    losses, mean, drawn = kept.training.losses, kept.by_mean, kept.by_sample
    return [
        f"`vae-pictures` with the settings of the report on FashionMNIST, {len(losses)} epochs, "
        f"loss per picture summed over both decoders: {losses[0]:.2f} → {losses[-1]:.2f} (the "
        f"report: 573.48 → 485.36). Test pictures through the mean of their code: "
        f"MSE {mean.mse:.4f}, "
        f"{mean.psnr:.2f} dB, SSIM {mean.ssim:.3f}; through a code drawn at random: "
        f"{drawn.mse:.4f}, {drawn.psnr:.2f} dB, {drawn.ssim:.3f}.",
    ]


def style_lines() -> list[str]:
    """What `python -m benchmarks.stylegan` kept of faces that are drawn, mixed and edited."""
    if not stylegan.RESULTS.is_file():
        return []
    data = json.loads(stylegan.RESULTS.read_text())
    kept = from_json(stylegan.Figures, data, where=str(stylegan.RESULTS))
    return ["", "What was drawn by `stylegan`, and its edits:", "", stylegan.table(kept)]


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
