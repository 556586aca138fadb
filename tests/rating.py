"""A study's folder with tiny signed films, as people rate them; nothing in it is trained."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np

from changeling.media import Frame, FrameWriter, write_image
from changeling.provenance import Credential, Source, publish
from changeling.study.results import CellResult, Measurement, Shown
from changeling.training import to_json

FAMILIES = ("autoencoder", "vae")
CLIPS = ("ab", "ba")
RATE = Fraction(10)


def make_film(path: Path, shade: int) -> None:
    """Half a second of 64×48 in which a bar moves; `shade` tells films apart."""
    with (
        publish(path, Credential(path.name, Source.RENDERED)) as draft,
        FrameWriter(draft, size=(64, 48), rate=RATE) as writer,
    ):
        for index in range(5):
            pixels = np.full((48, 64, 3), shade, np.uint8)
            pixels[:, 8 * index : 8 * index + 8] = 255 - shade
            writer.write(Frame(pixels, index, index / RATE))


def make_study(folder: Path) -> Path:
    """Two families, two clips with truth, performance and target each: six films to rate."""
    shared = []
    for number, clip in enumerate(CLIPS):
        make_film(folder / "films" / f"performance-{clip}.mp4", 10 + number)
        target = folder / "films" / f"target-{clip}.png"
        with publish(target, Credential(target.name, Source.RENDERED)) as draft:
            write_image(draft, np.full((48, 64, 3), 90, np.uint8))
        shared.append(Shown("performance", clip, f"films/performance-{clip}.mp4", "moves"))
        shared.append(Shown("target", clip, f"films/target-{clip}.png", "stands"))
    for number, family in enumerate(FAMILIES):
        cell = f"{family}-secret"
        shown = list(shared)
        for other, clip in enumerate(CLIPS):
            for kind in ("swap", "truth"):
                file = f"cells/{cell}/{kind}-{clip}.mp4"
                make_film(folder / file, 30 + 20 * number + 10 * other + 5 * (kind == "truth"))
                shown.append(Shown(kind, clip, file, kind))
        figures = [
            Measurement("psnr", 20.0 + number + other / 4, c) for other, c in enumerate(CLIPS)
        ]
        figures += [Measurement("psnr", 1.0, "ab", at=5.0), Measurement("seconds", 9.0 - number)]
        save(folder, CellResult(cell, family, "actors 7 and 19", 0, "done",
                                measurements=tuple(figures), shown=tuple(shown)))  # fmt: skip
    return folder


def save(folder: Path, cell: CellResult) -> None:
    """Write a cell's result where a study does."""
    path = folder / "cells" / cell.cell / "result.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_json(cell)), encoding="utf-8")
