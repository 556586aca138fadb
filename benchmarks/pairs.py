"""The five fixed pairs of actors: what a swap is worth against the truth and against no learning.

`python -m benchmarks.pairs --minutes 5 -o benchmarks/results/pairs.json --write README.md` films,
trains and judges each pair as `changeling demo` does. A pair that is finished is not made again,
an interrupted one goes on.
"""

import json
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Annotated

import cv2
import numpy as np
import tyro

from benchmarks.documents import write_between
from changeling.measuring import Row, Score, Scores, mean
from changeling.media import probe, read_frames, write_image, writing
from changeling.provenance import Credential, Ingredient, Source, publish, sha256
from changeling.study import PAIRS, DemoOptions, Results, Stage, demo, score_lines
from changeling.training import to_json


@dataclass(frozen=True)
class Judged:
    """The outcome for one pair."""

    number: int
    results: Results


@dataclass(frozen=True)
class Figures:
    """What the JSON file holds."""

    minutes: float
    pairs: tuple[Judged, ...]
    mean: Scores


def mean_of(pairs: tuple[Judged, ...]) -> Scores:
    """Every score averaged over the pairs."""
    return Scores(*(_mean_row([getattr(p.results, f.name) for p in pairs]) for f in fields(Scores)))


def _mean_row(rows: list[Row]) -> Row:
    return Row(*(mean([getattr(row, field.name) for row in rows]) for field in fields(Row)))


def table(figures: Figures) -> str:
    """The figures in Markdown: a row for each pair and rival, the mean last."""
    head = "| pair | | " + " | ".join(
        f"{where} {what}" for where in ("crop", "in place", "frame") for what in ("PSNR", "SSIM")
    )
    lines = [head + " |", "|---|---|" + "--:|" * 6]
    for pair in figures.pairs:
        seeds = pair.results.seeds
        name = f"{pair.number}: {seeds.a.face} → {seeds.b.face}"
        lines += rows(name, pair.results.scores)
    lines += rows("**mean**", figures.mean)
    speed = fmean(pair.results.faces_per_second for pair in figures.pairs)
    minutes = fmean(pair.results.train_seconds for pair in figures.pairs) / 60
    lines += ["", f"{minutes:.1f} minutes of training a pair, {speed:.0f} faces a second."]
    return "\n".join(lines)


def rows(name: str, scores: Scores) -> list[str]:
    """One pair's rows: a rival each, its three places side by side."""
    rivals: dict[str, list[Score]] = {}
    for line in score_lines(scores):
        rivals.setdefault(line.who, []).append(line.score)
    out = []
    for who, places in rivals.items():
        cells = [cell for one in places for cell in (f"{one.psnr:.2f}", f"{one.ssim:.3f}")]
        out.append(f"| {name} | {who} | " + " | ".join(cells) + " |")
        name = ""
    return out


def write_picture(side_by_side: Path, out: Path) -> None:
    """Put two frames of a film, a third and two thirds into it, above each other into a picture."""
    count = probe(side_by_side).frames or 3
    chosen = (count // 3, 2 * count // 3)
    frames = [frame.pixels for frame in read_frames(side_by_side) if frame.index in chosen]
    credential = Credential(
        out.name,
        Source.COMPOSITE,
        ingredients=(Ingredient(side_by_side.name, sha256(side_by_side), "componentOf"),),
    )
    half = cv2.resize(np.vstack(frames), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    with publish(out, credential, overwrite=True) as beside:
        write_image(beside, np.asarray(half, np.uint8))


class Printer:
    """One line for every stage when it begins."""

    def __init__(self, pair: int) -> None:
        self._pair, self._name = pair, ""

    def tell(self, stage: Stage) -> None:
        """A `Tell`."""
        if stage.name != self._name:
            print(f"pair {self._pair}: {stage.name}", flush=True)
            self._name = stage.name


def main(
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("benchmarks/results/pairs.json"),
    minutes: float = 5.0,
    work: Path = Path("build/pairs"),
    write: Path | None = None,
    picture: Path | None = None,
) -> None:
    """Film, train and judge the five pairs.

    Args:
        out: JSON file to write the figures to.
        minutes: Minutes of training of each pair.
        work: Folder that keeps the pairs' demos.
        write: Document, such as README.md, to put the table into, between its markers.
        picture: Picture, such as docs/images/side_by_side.png, to make of the first pair.
    """
    pairs: tuple[Judged, ...] = ()
    for number, pair in enumerate(PAIRS, 1):
        options = DemoOptions(pair=pair, minutes=minutes)
        folder = work / f"{minutes:g}-minutes" / str(number)
        done = demo(folder, options, today=date.today(), on_stage=Printer(number).tell)
        pairs += (Judged(number, done.results),)
    figures = Figures(minutes, pairs, mean_of(pairs))
    print(table(figures))
    with writing(out, overwrite=True) as beside:
        beside.write_text(json.dumps(to_json(figures), indent=2) + "\n", encoding="utf-8")
    if write is not None:
        write_between(write, "pairs", table(figures))
    if picture is not None:
        write_picture(work / f"{minutes:g}-minutes" / "1" / "side_by_side.mp4", picture)


if __name__ == "__main__":
    tyro.cli(main)
