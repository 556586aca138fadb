"""How well the landmark network sees faces that it never learnt from, and how fast and steadily.

`python -m benchmarks.landmarks --write docs/faces.md --pictures docs/images` examines 2,000 frames
of 200 held-out actors (seeds 90,000 to 90,199), films a still and a moving actor, and draws the
ten worst faces and the public-domain portrait `astronaut.png` of scikit-image.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from numpy.typing import NDArray

from benchmarks.documents import write_between
from benchmarks.landmark_pictures import astronaut, worst
from changeling.actors import Actor, Performance, Spoil, film, read_truth, render
from changeling.faces import Face, Landmarker, Tracker, extract, invert
from changeling.faces.landmark_exam import Looked, Marked, examine, look, marked
from changeling.faces.landmark_lessons import SPOIL
from changeling.faces.landmarks import WEIGHTS, LandmarkNet
from changeling.faces.renders import Lessons, Renders, render_lessons
from changeling.faces.weights import read_weights
from changeling.media import Frame, FrameWriter, Pixels, read_frames, write_image, writing
from changeling.provenance import Credential, Source, publish
from changeling.training import from_json, to_json

HELD_OUT = Renders(faces=200, first=90_000, wardrobe=40, varied=False)
"""As films show actors; examined are five of eight frames of each performance: 2,000."""
FRAMES = 5
SEED = 7
NOISE = 4.0
"""Standard deviation of the sensor's noise in grey levels, for the still face."""
FACE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
"""Corners of the unit crop."""


@dataclass(frozen=True)
class Line:
    """One examination."""

    frames: str
    marked: Marked


@dataclass(frozen=True)
class Figures:
    """What the JSON file holds."""

    parameters: int
    megabytes: float
    milliseconds: float
    """Median for one face on one core."""
    extract_fps: float
    """Frames of 640×360 a second, with decoding and with the face set written, median of three."""
    jitter: float
    """Standard deviation of the crop's corners on a still face, pixels of 640×360."""
    lag: float
    """Frames by which the crop follows a moving face."""
    lines: tuple[Line, ...]
    overlaps: tuple[float, float] = (0.0, 0.0)
    """Overlap of the face that one spoilt film's face in twenty is below, and the median."""


def chosen(lessons: Lessons, frames: int) -> Lessons:
    """The first frames of each of the held-out performances."""
    rows = np.arange(len(lessons)).reshape(-1, HELD_OUT.frames)[:, :frames].ravel()
    return Lessons(**{name: np.asarray(value)[rows] for name, value in vars(lessons).items()})


def milliseconds(marker: Landmarker) -> float:
    """Median of 200 looks at one face on one core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    pixels = np.random.default_rng(0).integers(0, 256, (360, 640, 3)).astype(np.uint8)
    matrix = np.array([[0.007, 0, -1.7], [0, 0.007, -0.8]])
    taken = []
    for _ in range(200):
        start = time.perf_counter()
        marker.find(pixels, matrix)
        taken.append(time.perf_counter() - start)
    torch.set_num_threads(threads)
    return 1000 * float(np.median(taken))


def followed(frames: Sequence[Pixels]) -> NDArray[np.float64]:
    """(n, 4, 2): where the tracker puts the corners of the unit crop in each frame."""
    tracker = Tracker()
    return np.stack([_corners(tracker.find(pixels)[0]) for pixels in frames])


def _corners(face: Face) -> NDArray[np.float64]:
    back = invert(face.matrix)
    return np.asarray(FACE @ back[:, :2].T + back[:, 2])


def jitter(folder: Path) -> float:
    """Pixels by which the crop of a still face moves when only noise and compression change."""
    deviations = []
    for face in range(3):
        shown = next(render(Actor(90_000 + face, face), Performance.from_seed(face), frames=[30]))
        path, rng = folder / f"still{face}.mp4", np.random.default_rng(face)
        with FrameWriter(path, size=(640, 360), rate=Fraction(25)) as writer:
            for index in range(75):
                noise = rng.normal(0, NOISE, shown.frame.pixels.shape)
                noisy = np.clip(shown.frame.pixels + noise, 0, 255).astype(np.uint8)
                writer.write(Frame(noisy, index, Fraction(index, 25)))
        corners = followed([frame.pixels for frame in read_frames(path)])
        deviations.append(corners[10:].std(0).mean())
    return float(np.mean(deviations))


def lag(path: Path) -> float:
    """Frames by which the crop comes late, at the delay that fits the truth's crops best."""
    truth = list(read_truth(path))
    true = np.stack([_corners(Face.from_landmarks(t.landmarks)) for t in truth])
    found = followed([frame.pixels for frame in read_frames(path)])
    take = Performance.from_seed(SEED).take
    delays = np.arange(-1, 3.01, 0.05)
    errors = []
    for delay in delays:
        error = 0.0
        for k in np.unique(take):
            rows = np.flatnonzero(take == k)
            inner = rows[5:-5]
            late = [
                np.interp(inner - delay, rows, true[rows, c, a]) for c in (0, 2) for a in (0, 1)
            ]
            there = [found[inner, c, a] for c in (0, 2) for a in (0, 1)]
            away = np.array(late) - np.array(there)
            error += float((away - away.mean(1, keepdims=True)).var(1).sum()) * len(inner)
        errors.append(error)
    return float(delays[int(np.argmin(errors))])


def extract_fps(path: Path, folder: Path) -> float:
    """Median of three extractions of a film, from its first frame to its last."""
    return float(np.median([_extract_fps(path, folder / f"set{k}") for k in range(3)]))


def _extract_fps(path: Path, folder: Path) -> float:
    ticks: list[float] = []
    extract(path, folder, today=date.today(), tick=lambda d, t: ticks.append(time.perf_counter()))
    return (len(ticks) - 1) / (ticks[-1] - ticks[0])


def _publish(path: Path, pixels: Pixels, source: Source = Source.RENDERED) -> None:
    with publish(path, Credential(path.name, source), overwrite=True) as beside:
        write_image(beside, pixels)


def table(figures: Figures) -> str:
    """The figures in Markdown."""
    lines = [
        "| frames | error (outer corners of the eyes) | of the 68 | by the pupils | failures > 8 % "
        "| overlap of the face | rotation | seen or hidden | confidence, within 8 % |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for line in figures.lines:
        m = line.marked
        lines.append(
            f"| {line.frames} | {m.error:.2%} | {m.error_68:.2%} | {m.error_pupils:.2%} "
            f"| {m.failures:.1%} | {m.iou:.3f} | {m.turn:.1f}° "
            f"| {m.visible:.1%} | {m.sure:.1%}, {m.within:.1%} |"
        )
    lines += [
        "",
        "| | |",
        "|---|--:|",
        "| overlap of the face, spoilt films: one face in twenty below | "
        f"{figures.overlaps[0]:.2f} |",
        f"| the median | {figures.overlaps[1]:.2f} |",
        f"| parameters | {figures.parameters:,} |",
        f"| weights | {figures.megabytes:.2f} MB |",
        f"| one face on one core | {figures.milliseconds:.1f} ms |",
        f"| extraction of 640×360, decoding and writing too | {figures.extract_fps:.0f} frames/s |",
        f"| jitter of the crop on a still face with noise and H.264 | {figures.jitter:.2f} px |",
        f"| lag of the crop behind a moving face | {figures.lag:.2f} frames |",
    ]
    return "\n".join(lines)


def main(
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("benchmarks/results/landmarks.json"),
    cache: Path = Path("runs/lessons"),
    weights: Path = WEIGHTS,
    write: Path | None = None,
    pictures: Path | None = None,
    speeds: bool = False,
) -> None:
    """Examine the landmark network.

    Args:
        out: JSON file to write the figures to.
        cache: Folder of the renders.
        weights: Weights to examine.
        write: Document, such as docs/faces.md, to put the tables into.
        pictures: Folder, such as docs/images, for the ten worst faces and the portrait.
        speeds: Measure the two speeds alone again, on a quiet machine, and keep all else.
    """
    net = LandmarkNet()
    net.load_state_dict(read_weights(weights, network="landmarks")[0])
    net.eval()
    if speeds:
        kept = from_json(Figures, json.loads(out.read_text("utf-8")), where=str(out))
        with tempfile.TemporaryDirectory() as name:
            ms, fps = milliseconds(Landmarker(net)), extract_fps(_moving(Path(name)), Path(name))
        _tell(replace(kept, milliseconds=ms, extract_fps=fps), out, write)
        return
    held_out = chosen(render_lessons(HELD_OUT, cache), FRAMES)
    looked = look(net, held_out, seed=SEED, spoil=SPOIL)
    _tell(_figures(net, weights, held_out, looked, cache), out, write)
    if pictures is not None:
        pixels, said = worst(looked, held_out, seed=SEED)
        _publish(pictures / "landmarks_worst.png", pixels)
        _publish(pictures / "astronaut.png", astronaut(), Source.COMPOSITE)
        if write is not None:
            write_between(write, "worst", said)


def _moving(folder: Path) -> Path:
    film(Actor(90_005, 5), Performance.from_seed(SEED), folder / "moving.mp4")
    return folder / "moving.mp4"


def _tell(figures: Figures, out: Path, write: Path | None) -> None:
    print(table(figures))
    with writing(out, overwrite=True) as beside:
        beside.write_text(json.dumps(to_json(figures), indent=2) + "\n", encoding="utf-8")
    if write is not None:
        write_between(write, "figures", table(figures))


def _figures(
    net: LandmarkNet, weights: Path, held_out: Lessons, looked: Looked, cache: Path
) -> Figures:
    hard = chosen(render_lessons(replace(HELD_OUT, varied=True), cache), FRAMES)
    lines = (
        Line("films, spoilt", marked(looked)),
        Line("films", examine(net, held_out, seed=SEED, spoil=Spoil.none())),
        Line("varied, spoilt", examine(net, hard, seed=SEED)),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        moving = _moving(folder)
        low, median = np.quantile(looked.iou, (0.05, 0.5))
        return Figures(
            sum(p.numel() for p in net.parameters()),
            weights.stat().st_size / 1e6,
            milliseconds(Landmarker(net)),
            extract_fps(moving, folder),
            jitter(folder),
            lag(moving),
            lines,
            (float(low), float(median)),
        )


if __name__ == "__main__":
    tyro.cli(main)
