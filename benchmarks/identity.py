"""Whether two pictures show one face: 6,000 pairs of 200 actors that no network learnt from.

`python -m benchmarks.identity --write docs/cards/identity.md docs/faces.md` renders the actors once
into runs/lessons.
"""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from benchmarks.documents import write_between
from changeling.faces import Detector, Identifier, Landmarker, Tracker, crop
from changeling.faces.identity import SIZE, WEIGHTS, Embeddings
from changeling.faces.identity_lessons import Pairs, draw_pairs, spoilt_crops, unit_crops
from changeling.faces.identity_teaching import PAIRS, Examination, examine
from changeling.faces.renders import Lessons, Renders, render_lessons
from changeling.media import Pixels, write_image, writing
from changeling.provenance import Credential, Source, publish
from changeling.training import from_json, to_json

FILM = Renders(faces=200, first=90_000, wardrobe=40, varied=False)
"""As films show actors. Few stylings, so that strangers often wear the same."""
VARIED = replace(FILM, varied=True)
"""Heads turned up to 66°, any lens, light from anywhere, as in the lessons."""
WORST = 5


@dataclass(frozen=True, eq=False)
class Shown:
    """What is embedded: crops, and which rows of the lessons they show."""

    crops: NDArray[np.uint8]
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Line:
    """One examination."""

    pictures: str
    landmarks: str
    found: float
    """Share of the pictures in which the face was found."""
    examination: Examination
    missed: float
    """Share of the pairs of one face that are less alike than the threshold that ships."""
    wrong: float
    """Share of the pairs of two faces that are at least as alike."""


@dataclass(frozen=True)
class Figures:
    """What the JSON file holds."""

    threshold: float
    """The likeness that ships."""
    megabytes: float
    milliseconds: float
    """For one crop on one core, 64 at once."""
    lines: tuple[Line, ...]


def found_crops(lessons: Lessons) -> Shown:
    """The crops of the faces that the tracker finds, each picture by itself, as at work."""
    detector, marker = Detector(), Landmarker.load()
    crops, rows = [], []
    for row in range(len(lessons)):
        pixels = np.asarray(lessons.pictures[row])
        faces = Tracker(detector, marker).find(pixels)
        if faces:
            crops.append(crop(pixels, faces[0].matrix, SIZE))
            rows.append(row)
    return Shown(np.stack(crops), np.array(rows))


def true_crops(lessons: Lessons) -> Shown:
    """The crops by the landmarks that the renderer knows."""
    return Shown(unit_crops(lessons), np.arange(len(lessons)))


def poor_crops(lessons: Lessons) -> Shown:
    """Crops that miss a little, of pictures spoilt as in the lessons."""
    rows, rng = np.arange(len(lessons)), np.random.default_rng(1)
    crops = spoilt_crops(lessons, rows, rng).permute(0, 2, 3, 1).numpy()
    return Shown(np.rint(crops * 255).astype(np.uint8), rows)


def examined(
    identifier: Identifier, lessons: Lessons, shown: Shown, pictures: str, landmarks: str
) -> tuple[Line, Pairs, Embeddings]:
    """The examination of these crops, with its pairs and embeddings."""
    face, styling = lessons.face[shown.rows], lessons.styling[shown.rows]
    pairs = draw_pairs(face, styling, PAIRS, seed=1)
    embeddings = identifier.embed(shown.crops)
    scores = likenesses(embeddings, pairs)
    alike = scores >= identifier.same
    found = len(shown.rows) / len(lessons)
    missed, wrong = 1 - alike[pairs.same].mean(), alike[~pairs.same].mean()
    examination = examine(embeddings, pairs)
    line = Line(pictures, landmarks, found, examination, float(missed), float(wrong))
    return line, pairs, embeddings


def likenesses(embeddings: Embeddings, pairs: Pairs) -> NDArray[np.floating]:
    """(n,) of the pairs."""
    return np.einsum("nc,nc->n", embeddings[pairs.one], embeddings[pairs.other])


def worst(shown: Shown, pairs: Pairs, scores: NDArray[np.floating]) -> Pixels:
    """Five pairs of one face that are least alike, then five of two that are most, one above the
    other."""
    order = scores.argsort()
    same = pairs.same[order]
    chosen = [*order[same][:WORST], *order[~same][::-1][:WORST]]
    return np.hstack([
        np.vstack([shown.crops[pairs.one[k]], shown.crops[pairs.other[k]]]) for k in chosen
    ])  # fmt: skip


def milliseconds(identifier: Identifier) -> float:
    """The fastest of ten rounds on one core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    crops = np.random.default_rng(0).integers(0, 256, (64, SIZE, SIZE, 3)).astype(np.uint8)
    taken = []
    for _ in range(10):
        start = time.perf_counter()
        identifier.embed(crops)
        taken.append(time.perf_counter() - start)
    torch.set_num_threads(threads)
    return 1000 * min(taken) / len(crops)


def table(figures: Figures) -> str:
    """The figures in Markdown."""
    lines = [
        "| pictures | landmarks | faces found | AUC | AUC, like skin | equal error rate "
        "| missed | taken for one |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for line in figures.lines:
        e = line.examination
        lines.append(
            f"| {line.pictures} | {line.landmarks} | {line.found:.1%} | {e.auc:.4f} "
            f"| {e.matched:.4f} | {e.error:.1%} | {line.missed:.1%} | {line.wrong:.1%} |"
        )
    lines += [
        "",
        f"Missed and taken for one: at the likeness {figures.threshold:.3f} that ships. "
        f"{figures.megabytes:.2f} MB of weights, {figures.milliseconds:.1f} ms a crop on one core.",
    ]
    return "\n".join(lines)


def main(
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("benchmarks/results/identity.json"),
    cache: Path = Path("runs/lessons"),
    weights: Path = WEIGHTS,
    write: tuple[Path, ...] = (),
    picture: Path | None = None,
    speed: bool = False,
) -> None:
    """Examine the identity network.

    Args:
        out: JSON file to write the figures to.
        cache: Folder of the renders.
        weights: Weights to examine.
        write: Documents, such as docs/cards/identity.md, to put the table into.
        picture: Picture, such as docs/images/identity_worst.png, to make of the worst pairs.
        speed: Measure the speed alone again, on a quiet machine, and keep all else.
    """
    identifier = Identifier.load(weights)
    if speed:
        kept = from_json(Figures, json.loads(out.read_text("utf-8")), where=str(out))
        _tell(replace(kept, milliseconds=milliseconds(identifier)), out, write)
        return
    film, varied = (render_lessons(renders, cache) for renders in (FILM, VARIED))
    at_work = found_crops(film)
    line, pairs, embeddings = examined(identifier, film, at_work, "films", "found")
    lines = [line]
    for lessons, shown, *names in (
        (film, true_crops(film), "films", "true"),
        (film, poor_crops(film), "films, spoilt", "true, jittered"),
        (varied, true_crops(varied), "varied", "true"),
    ):
        lines.append(examined(identifier, lessons, shown, *names)[0])
    size = weights.stat().st_size / 1e6
    _tell(Figures(identifier.same, size, milliseconds(identifier), tuple(lines)), out, write)
    if picture is not None:
        pixels = worst(at_work, pairs, likenesses(embeddings, pairs))
        with publish(picture, Credential(picture.name, Source.RENDERED), overwrite=True) as beside:
            write_image(beside, pixels)


def _tell(figures: Figures, out: Path, write: tuple[Path, ...]) -> None:
    print(table(figures))
    with writing(out, overwrite=True) as beside:
        beside.write_text(json.dumps(to_json(figures), indent=2) + "\n", encoding="utf-8")
    for document in write:
        write_between(document, "identity", table(figures))


if __name__ == "__main__":
    tyro.cli(main)
