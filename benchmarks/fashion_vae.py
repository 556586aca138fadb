"""What the report's variational autoencoder makes of FashionMNIST in ten epochs.

`python -m benchmarks.fashion_vae -o benchmarks/results/fashion_vae.json` trains it through the
project's loop on the training part, says the loss of every epoch, and measures how it gives the
test part back: through the mean of each picture's code, and through one code drawn at random.
"""

import json
import math
import time
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from numpy.typing import NDArray
from torch import Tensor

from changeling.faces.datasets import open_pictures, picture_batches
from changeling.generators import Task
from changeling.generators.vae_pictures import Config, PictureVAE
from changeling.measuring import Score, mean, score
from changeling.media import writing
from changeling.training import Runtime, to_json, train

SIZE = 28


@dataclass(frozen=True)
class Training:
    """How it was trained."""

    seed: int
    config: Config
    losses: tuple[float, ...]
    """One an epoch: per picture, divergence included, summed over both decoders."""
    seconds: float
    threads: int


@dataclass(frozen=True)
class Figures:
    """What the JSON file holds."""

    training: Training
    by_mean: Score
    """Test pictures through the mean of their codes, by the first decoder."""
    by_sample: Score
    """The same through codes drawn at random."""


def unseen_pictures() -> Tensor:
    """(10000, 1, 28, 28), 0…1: the whole test part."""
    opened = open_pictures("fashion-mnist", part="test")
    read = opened.read(np.arange(len(opened)), SIZE)
    return torch.from_numpy(read).permute(0, 3, 1, 2).float() / 255


def scored(given: Tensor, true: Tensor) -> Score:
    """The mean over pictures, PSNR in decibels, SSIM without rounding to 8 bits."""
    return mean([score(rgb(one), rgb(other)) for one, other in zip(given, true, strict=True)])


def rgb(picture: Tensor) -> NDArray[np.float32]:
    """(28, 28, 3) three equal channels, which every metric averages to that of the grey one."""
    return np.repeat(picture.permute(1, 2, 0).numpy(), 3, axis=2)


def epochs_of(losses: list[float], batch: int, count: int) -> tuple[float, ...]:
    """Means over the steps that begin in each epoch."""
    epochs = np.arange(len(losses)) * batch // count
    return tuple(float(np.mean(np.array(losses)[epochs == one])) for one in range(epochs[-1] + 1))


def trained(epochs: int, seed: int, runtime: Runtime) -> tuple[PictureVAE, Training]:
    """The report's network after so many looks at every picture."""
    learnt = open_pictures("fashion-mnist", part="train")
    config = Config.report(Task(size=SIZE, channels=1))
    batches = picture_batches(learnt, size=SIZE, batch=config.batch, seed=seed)
    torch.manual_seed(seed)
    learner = PictureVAE(config, runtime=runtime)
    began = time.perf_counter()
    count = math.ceil(epochs * len(learnt) / config.batch)
    steps = islice(train(learner, batches, seed=seed, workers=runtime.workers), count)
    losses = [sum(step.losses.values()) for step in steps]
    seconds = time.perf_counter() - began
    by_epoch = epochs_of(losses, config.batch, len(learnt))
    return learner, Training(seed, config, by_epoch, seconds, torch.get_num_threads())


def main(
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path(
        "benchmarks/results/fashion_vae.json"
    ),
    epochs: int = 10,
    seed: int = 0,
    threads: int | None = None,
) -> None:
    """Train and measure.

    Args:
        out: JSON file to write the figures to.
        epochs: How often every picture is learnt from.
        seed: Of weights, order and noise.
        threads: Processor threads; as many as there are cores by default.
    """
    runtime = Runtime.best()
    runtime = replace(runtime, threads=threads or runtime.threads)
    runtime.apply()
    learner, training = trained(epochs, seed, runtime)
    test = unseen_pictures()
    by_mean = scored(learner.restore(test).cpu(), test)
    by_sample = scored(learner.restore(test, seed=seed).cpu(), test)
    figures = json.dumps(to_json(Figures(training, by_mean, by_sample)), indent=2)
    print(figures)
    with writing(out, overwrite=True) as beside:
        beside.write_text(figures + "\n", encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
