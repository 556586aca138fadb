"""What the denoising autoencoder is worth, beside non-local means and principal components.

`python -m benchmarks.restoring runs/restoring` trains two of them on crops of rendered actors, five
minutes each, and judges them on actors that they have not seen. Restoring: the gain in PSNR on
noise of deviation 0.2, beside OpenCV's non-local means, with the window and strength that do best
on some pictures of the training part. Noticing: a face that wears a cloth mask or a hat, which no
actor of the training part does, against the same frame without, by how badly it is given back;
what other changes are noticed is printed too, though some of them hardly reach into the crop.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import tyro
from torch import Tensor

from benchmarks.documents import write_between
from changeling.actors import Spoil, randomise
from changeling.faces import Renders, align, crop, invert, to_pixels
from changeling.faces.alignment import apply
from changeling.faces.datasets import CACHE, open_pictures, picture_batches
from changeling.faces.datasets_protocol import Pictures
from changeling.faces.identity_teaching import auc
from changeling.faces.renders import Lessons, learnt_and_kept
from changeling.generators import Task, with_noise
from changeling.generators.restoring import Config, Restorer, unlikeness
from changeling.measuring import NonLocalMeans, levels, mean_psnr, unit_tensor
from changeling.measuring.denoising import TUNED
from changeling.media import Pixels, write_image
from changeling.provenance import Credential, Source, publish
from changeling.training import Budget, Checkpoint, Run, Runtime, fit, to_json

SIZE = 64
LEARNT = 8192
"""Pictures that the principal components are taken from."""
SHOWN = 8
CORNERS = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
"""Of the unit crop."""
WORN = ("mask", "hat")
"""What is to be noticed."""
OTHERS = ("glasses", "card", "hand", "strands", "microphone")
Restore = Callable[[Tensor], Tensor]
RESULTS = Path("benchmarks/results/restoring.json")


@dataclass(frozen=True)
class Learnt:
    """What a run of this benchmark learns from."""

    pictures: str
    seed: int = 0


@dataclass(frozen=True)
class Gain:
    """What a way to restore makes of noisy pictures."""

    way: str
    psnr: float
    """Mean over pictures, decibels."""


@dataclass(frozen=True)
class Noticing:
    """How well a way to give faces back tells changed ones by its error: areas under the ROC."""

    way: str
    worn: float
    """Masks and hats together."""
    kinds: tuple[tuple[str, float], ...]
    """Each change for itself."""


@dataclass(frozen=True)
class Figures:
    """All that is measured."""

    minutes: tuple[float, float]
    """Of training, of the restorer and the watcher."""
    steps: tuple[int, int]
    threads: int
    noise: float
    gains: tuple[Gain, ...]
    noticed: tuple[Noticing, ...]

    def lines(self) -> list[str]:
        """The tables of the page."""
        names = [name for name, _ in self.noticed[0].kinds]
        trained = ", ".join(
            f"{minutes:.1f} minutes ({steps:,} steps)"
            for minutes, steps in zip(self.minutes, self.steps, strict=True)
        )
        return [
            f"Trained for {trained}, on {self.threads} thread(s); unseen actors, noise of "
            f"deviation {self.noise}.",
            "",
            "| restored by | PSNR, dB |",
            "|---|--:|",
            *(f"| {gain.way} | {gain.psnr:.2f} |" for gain in self.gains),
            "",
            f"| noticed by | worn (mask, hat) | {' | '.join(names)} |",
            f"|---|--:|{'--:|' * len(names)}",
            *(
                f"| {one.way} | {one.worn:.3f} | "
                + " | ".join(f"{area:.3f}" for _, area in one.kinds)
                + " |"
                for one in self.noticed
            ),
        ]


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of pictures, by which others are given back."""

    mean: Tensor
    axes: Tensor

    @classmethod
    def of(cls, pictures: Tensor, count: int) -> "Components":
        """The first `count`, by randomised singular values (Halko et al., arXiv 0909.4061)."""
        flat = pictures.flatten(1)
        mean = flat.mean(0)
        torch.manual_seed(0)
        return cls(mean, torch.svd_lowrank(flat - mean, q=count, niter=2)[2])

    def restore(self, pictures: Tensor) -> Tensor:
        """Pictures (n, c, s, s) as the components let them be."""
        codes = (pictures.flatten(1) - self.mean) @ self.axes
        return (self.mean + codes @ self.axes.T).clamp(0, 1).reshape(pictures.shape)


def trained(
    folder: Path, config: Config, pictures: Pictures, minutes: float, runtime: Runtime
) -> tuple[Restorer, Checkpoint]:
    """Train in `folder`, or go on there; the restorer and what it was saved as."""
    batches = picture_batches(pictures, size=SIZE, batch=config.batch, seed=0, mirror=True)
    torch.manual_seed(0)
    learner = Restorer(config, runtime=runtime)
    run = Run.begin(folder, family="restoring", config=config, data=Learnt(pictures.name))
    for _ in fit(learner, batches, run, Budget(minutes), workers=runtime.workers):
        pass
    saved = run.load()
    assert saved is not None
    learner.load_state_dict(saved.state)
    return learner, saved


def kept_crops(lessons: Lessons) -> tuple[Tensor, Tensor, Tensor]:
    """Crops (n, 3, s, s) inside their frames, their segments (n, s, s) and points (n, 68, 2)."""
    crops, segments, points = [], [], []
    for shown, labels, at in zip(lessons.pictures, lessons.segments, lessons.points, strict=True):
        matrix = align(at[:68])
        inside, corners = to_pixels(matrix, SIZE), apply(invert(matrix), CORNERS)
        if corners.min() < 0 or corners.max() > len(shown) - 1:
            continue
        crops.append(crop(np.asarray(shown), matrix, SIZE))
        segments.append(
            cv2.warpAffine(np.asarray(labels), inside, (SIZE, SIZE), flags=cv2.INTER_NEAREST)
        )
        points.append(apply(inside, at[:68]).astype(np.float32))
    return (
        unit_tensor(np.stack(crops)),
        torch.from_numpy(np.stack(segments).astype(np.uint8)),
        torch.from_numpy(np.stack(points)),
    )


def changed(lessons: Lessons) -> dict[str, Tensor]:
    """Crops as they are, called "seen", and with each change, by its name."""
    pictures, segments, points = kept_crops(lessons)
    kinds = {"seen": pictures, "upside down": pictures.flip(2)}
    for name in (*WORN, *OTHERS):
        spoil = replace(Spoil.none(), **{name: 1.0})
        kinds[name] = randomise(pictures, segments, points, seed=1, spoil=spoil).pictures
    return kinds


def noticed(way: str, restore: Restore, kinds: Mapping[str, Tensor]) -> Noticing:
    """How well each change is told from the faces as they are, and all that is worn together."""
    scores = {name: unlikeness(x, restore(x).cpu()).numpy() for name, x in kinds.items()}
    seen = scores.pop("seen")
    worn = np.concatenate([scores[name] for name in WORN])
    return Noticing(
        way, auc(worn, seen), tuple((name, auc(of, seen)) for name, of in scores.items())
    )


def restored(
    learner: Restorer, components: Components, learnt: Tensor, kept: Tensor, noise: float
) -> tuple[tuple[Gain, ...], Pixels]:
    """The gains, and rows of pictures: noisy, each restorer's, true."""
    some = learnt[:TUNED]
    means = NonLocalMeans.best(with_noise(some, noise, seed=1), some, noise)
    noisy = with_noise(kept, noise, seed=0)
    given = {
        "noisy": noisy,
        str(means): means.restore(noisy),
        f"{components.axes.shape[1]} principal components": components.restore(noisy),
        "autoencoder": learner.restore(noisy).cpu(),
    }
    gains = tuple(Gain(name, mean_psnr(pictures, kept)) for name, pictures in given.items())
    every = [*given.values(), kept]
    step = max(1, len(kept) // SHOWN)
    return gains, np.vstack([np.hstack(list(levels(x[::step][:SHOWN]))) for x in every])


def measured(runs: Path, minutes: float, cache: Path, runtime: Runtime) -> tuple[Figures, Pixels]:
    """Train both in folders of `runs`, or go on there; the figures, and the picture."""
    task = Task(size=SIZE)
    wide, narrow = Config.laptop(task), Config.watchful(task)
    train = open_pictures("actors", part="train", cache=cache)
    test = open_pictures("actors", part="test", cache=cache)
    restorer, first = trained(runs / "laptop", wide, train, minutes, runtime)
    watcher, second = trained(runs / "watchful", narrow, train, minutes, runtime)
    rows = np.random.default_rng(0).permutation(len(train))[:LEARNT]
    learnt = unit_tensor(train.read(rows, SIZE))
    kept = unit_tensor(test.read(np.arange(len(test)), SIZE))
    gains, grid = restored(
        restorer, Components.of(learnt, wide.components), learnt, kept, wide.noise
    )
    kinds = changed(learnt_and_kept(Renders(), cache)[1])
    few = Components.of(learnt, narrow.components)
    ways = {"autoencoder": watcher.restore, f"{narrow.components} components": few.restore}
    figures = Figures(
        minutes=(first.seconds / 60, second.seconds / 60),
        steps=(first.step, second.step),
        threads=runtime.threads,
        noise=wide.noise,
        gains=gains,
        noticed=tuple(noticed(way, restore, kinds) for way, restore in ways.items()),
    )
    return figures, grid


def main(
    runs: Annotated[Path, tyro.conf.Positional],
    minutes: float = 5.0,
    cache: Path = CACHE,
    picture: Path | None = None,
    threads: int | None = None,
    write: Path | None = None,
) -> None:
    """Train and judge.

    Args:
        runs: Folder for the two runs; finished ones are not trained again.
        minutes: Minutes of training of each.
        cache: Where the actors' renders are kept.
        picture: PNG to write: noisy, by non-local means, by components, restored, true.
        threads: Processor threads; by default all.
        write: Page to put the tables in; the figures are then kept, too.
    """
    best = Runtime.best()
    runtime = replace(best, threads=threads, workers=1) if threads else best
    runtime.apply()
    figures, grid = measured(runs, minutes, cache, runtime)
    text = "\n".join(figures.lines())
    print(text)
    if write is not None:
        RESULTS.write_text(json.dumps(to_json(figures), indent=2) + "\n", encoding="utf-8")
        write_between(write, "restoring", text)
    if picture is not None:
        wide = cv2.resize(grid, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        with publish(
            picture, Credential(picture.name, Source.COMPOSITE, model="restoring"), overwrite=True
        ) as beside:
            write_image(beside, np.asarray(wide, np.uint8))


if __name__ == "__main__":
    tyro.cli(main)
