"""What a StyleGAN of actors is worth: faces that a cascade finds, distance to actors, edits.

`python -m benchmarks.stylegan RUN --out docs/images/stylegan` draws from a run of `changeling train
stylegan --data actors-film`, judges the drawings beside as many actors that it has not learnt
from, and writes sheets of samples, mixed styles and edits, and a walk, signed.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import cv2
import cv2.data
import numpy as np
import tyro
from numpy.typing import NDArray
from torch import Tensor

from changeling.errors import UserError
from changeling.faces import Identifier, Pictures
from changeling.generators import load_drawer
from changeling.generators.edits import StyleEditor
from changeling.generators.stylegan import StyleGAN
from changeling.measuring import frechet_distance
from changeling.media import writing
from changeling.study import Wish, draw, draw_edits, draw_mixed, draw_walk
from changeling.study.editing import actors_of, known_edits
from changeling.study.reading import Reader, as_crops
from changeling.training import Run, Runtime, collapse, to_json

Crops = NDArray[np.uint8]
RESULTS = Path("benchmarks/results/stylegan.json")
ENLARGED, RIM, NEIGHBOURS = 2, 32, 4
"""How crops are shown to the cascade: twice as large, in a rim of their border's colours, because a
unit crop ends at the chin and the cascade wants to see beyond it."""


@dataclass(frozen=True)
class Line:
    """What is measured of one set of crops."""

    crops: str
    found: float
    """Share in which the frontal cascade finds a face."""
    frechet: float
    """Fréchet distance to unseen actors, on the identity network's embeddings."""


@dataclass(frozen=True)
class Edit:
    """What an edit by +2 deviations does, in deviations among drawings."""

    attribute: str
    legible: float
    """Share of the attribute's variance that is read off crops of unseen actors."""
    explained: float
    """Share of what is read off drawings that their styles explain linearly."""
    change: float
    """Of the attribute itself, by one deviation that is asked for."""
    others: float
    """The largest mean change of another attribute, by the same."""


@dataclass(frozen=True)
class Figures:
    """What the JSON file holds."""

    steps: int
    minutes: float
    learnt_per_second: float
    """Pictures a second in training."""
    drawn_per_second: float
    collapsed: str | None
    lines: tuple[Line, ...]
    edits: tuple[Edit, ...]


def found(crops: Crops) -> float:
    """Share of the crops (n, s, s, 3) in which OpenCV's frontal Haar cascade finds a face."""
    name = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
    cascade, count = cv2.CascadeClassifier(str(name)), 0
    for one in crops:
        grey = cv2.cvtColor(one, cv2.COLOR_RGB2GRAY)
        large = cv2.resize(grey, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
        rimmed = cv2.copyMakeBorder(large, RIM, RIM, RIM, RIM, cv2.BORDER_REPLICATE)
        count += len(cascade.detectMultiScale(rimmed, 1.1, NEIGHBOURS)) > 0
    return count / len(crops)


def some(pictures: Pictures, count: int, size: int) -> Crops:
    """`count` of the pictures, or all."""
    return pictures.read(np.random.default_rng(0).permutation(len(pictures))[:count], size)


def lines(
    generator: StyleGAN, learnt: Pictures, kept: Pictures, identifier: Identifier, count: int
) -> Iterator[Line]:
    """Actors that were learnt from, then drawings as far from the average as learnt, and less."""
    unseen = identifier.embed(some(kept, count, generator.size))
    sets = {"actors it learnt from": some(learnt, count, generator.size)}
    styles = generator.styles(count, seed=1, truncation=1)
    sets["drawn"] = as_crops(generator.draw_styles(styles, seed=1))
    sets["drawn, truncated"] = as_crops(generator.draw(count, seed=1))
    for name, crops in sets.items():
        yield Line(name, found(crops), frechet_distance(identifier.embed(crops), unseen))


def edits(generator: StyleGAN, editor: StyleEditor, reader: Reader, spread: Tensor) -> list[Edit]:
    """Edit 256 drawings by two deviations and read them again; `spread` (attributes,)."""
    before = reader.read(as_crops(generator.draw(256, seed=2)))
    rows = []
    for place, name in enumerate(reader.attributes):
        drawn = editor.edit(256, seed=2, attribute=name, amount=2.0)
        change = (reader.read(as_crops(drawn)) - before).mean(0) / spread.numpy() / 2
        others = float(np.abs(np.delete(change, place)).max())
        explained = editor.directions.explained[place]
        rows.append(Edit(name, reader.explained[place], explained, float(change[place]), others))
    return rows


def drawing_rate(generator: StyleGAN, count: int = 256) -> float:
    """Pictures drawn a second, the best of three."""
    taken = []
    for seed in range(3):
        start = time.perf_counter()
        generator.draw(count, seed=seed)
        taken.append(time.perf_counter() - start)
    return count / min(taken)


def table(figures: Figures) -> str:
    """The figures in Markdown."""
    rows = ["| crops | a face is found | Fréchet distance |", "|---|--:|--:|"]
    rows += [f"| {x.crops} | {x.found:.1%} | {x.frechet:.3f} |" for x in figures.lines]
    rows += [
        "",
        "| edit | read off actors | explained by styles | change | change of others |",
        "|---|--:|--:|--:|--:|",
    ]
    for x in figures.edits:
        cells = f"{x.legible:.2f} | {x.explained:.2f} | {x.change:.2f} | {x.others:.2f}"
        rows.append(f"| {x.attribute} | {cells} |")
    rows += [
        "",
        f"{figures.minutes:.0f} minutes, {figures.steps:,} steps, "
        f"{figures.learnt_per_second:.0f} pictures a second learnt from, "
        f"{figures.drawn_per_second:.0f} drawn. {figures.collapsed or 'No collapse.'}",
    ]
    return "\n".join(rows)


def main(
    run: tyro.conf.Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("runs/stylegan"),
    cache: Path = Path("runs/lessons"),
    count: int = 1000,
    frames: int = 200,
) -> None:
    """Judge a run of StyleGAN that learnt actors.

    Args:
        run: Folder of the run.
        out: Folder for the sheets and the walk.
        cache: Folder of the renders.
        count: Drawings that are judged.
        frames: Frames of the walk.
    """
    runtime = Runtime.best()
    runtime.apply()
    generator = load_drawer(run, runtime=runtime)
    if not isinstance(generator, StyleGAN):
        raise UserError(f"{run} is a run of {Run(run).family}: give one of stylegan")
    out.mkdir(parents=True, exist_ok=True)
    today = date.today()
    for name, show, wish in (
        ("samples.png", draw, Wish(100)),
        ("mixing.png", draw_mixed, Wish(36, seed=5)),
        ("walk.mp4", draw_walk, Wish(frames, seed=4)),
    ):
        show(run, out / name, wish, today=today, overwrite=True, runtime=runtime)
    wish = Wish(75, seed=3)
    draw_edits(
        run, out / "edits.png", wish, today=today, overwrite=True, runtime=runtime, cache=cache
    )
    reader, directions = known_edits(run, generator, cache=cache)
    editor = StyleEditor(generator, directions)
    learnt, kept = (actors_of(run, part, cache=cache) for part in ("train", "test"))
    figures = measured(run, generator, editor, reader, (learnt, kept), count)
    print(table(figures))
    with writing(RESULTS, overwrite=True) as beside:
        beside.write_text(json.dumps(to_json(figures), indent=2) + "\n", "utf-8")


def measured(
    folder: Path,
    generator: StyleGAN,
    editor: StyleEditor,
    reader: Reader,
    sets: tuple[Pictures, Pictures],
    count: int,
) -> Figures:
    """All the figures; `sets` are actors that were learnt from and others."""
    rows = Run(folder).rows()
    last = [row for row in rows if "rate" in row][-1]
    return Figures(
        steps=round(last["step"]),
        minutes=last["seconds"] / 60,
        learnt_per_second=last["rate"],
        drawn_per_second=drawing_rate(generator),
        collapsed=collapse(rows),
        lines=tuple(lines(generator, *sets, reader.identifier, count)),
        edits=tuple(edits(generator, editor, reader, editor.directions.deviations)),
    )


if __name__ == "__main__":
    tyro.cli(main)
