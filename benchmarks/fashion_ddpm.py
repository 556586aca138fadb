"""What diffusion draws of clothes: by class, in how many steps, how strongly guided; its strips.

`python -m benchmarks.fashion_ddpm RUN --out docs/images/fashion` judges a run trained on
FashionMNIST by the project's own classifier against the test part, for several ways of drawing, and
writes pictures, signed: drawn.png (a column for each class), forward.png (test pictures drowning in
noise), reverse.png and foreseen.png (pictures as they are drawn, and as the network sees them
behind the noise).
"""

import time
from dataclasses import asdict, dataclass
from json import dumps
from pathlib import Path
from typing import Annotated

import torch
import tyro
from torch import Tensor

from changeling.errors import UserError
from changeling.generators import load_drawer
from changeling.generators.ddpm import Ddpm
from changeling.generators.ddpm_process import Sampling
from changeling.measuring import FashionClassifier, frechet_distance, kernel_distance
from changeling.media import write_image, writing
from changeling.provenance import Credential, Source, publish
from changeling.study.experiments.drawn import pictures
from changeling.study.experiments.sheets import strip
from changeling.training import Run, Runtime

WAYS = (
    *(Sampling(50, guidance=guidance) for guidance in (0.0, 1.0, 1.5, 2.0, 3.0)),
    Sampling(10, guidance=1.5),
    Sampling(25, guidance=1.5),
    Sampling(50, eta=1.0, guidance=1.5),
    Sampling(250, eta=1.0, guidance=1.5),
)
"""Ways of drawing that are compared."""
COLUMNS = 11
"""Moments in a strip."""
SHOWN = 6
"""Pictures of each class, and pictures in a strip."""


@dataclass(frozen=True)
class Line:
    """One way of drawing, judged."""

    sampling: Sampling | None
    """None: training pictures in place of drawn ones."""
    seconds: float
    """For one picture."""
    confidence: float
    """Mean probability that the classifier gives to the likeliest class."""
    right: float
    """Share of the pictures that it takes for the class that was asked for."""
    rarest: float
    """Share of the pictures that it takes for the rarest class."""
    frechet: float
    """Fréchet distance to as many test pictures, on the classifier's features."""
    kernel: float
    """Kernel distance to the same."""

    def row(self) -> str:
        """A row of the table."""
        way = ("training pictures", "", "")
        if self.sampling is not None:
            how = "ancestral" if self.sampling.eta else "DDIM"
            way = (how, f"{self.sampling.steps}", f"{self.sampling.guidance:g}")
        figures = (f"{self.confidence:.1%}", f"{self.right:.1%}", f"{self.rarest:.1%}")
        distances = (f"{self.frechet:.2f}", f"{self.kernel:.3f}")
        return "| " + " | ".join((*way, *figures, *distances, f"{self.seconds:.2f}")) + " |"


HEAD = (
    "| drawn | steps | guidance | confidence | class asked for | rarest class | Fréchet | kernel "
    "| s/picture |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
)


class Judge:
    """Test pictures, as many as are drawn, and the classifier that compares."""

    def __init__(self, count: int) -> None:
        self._classifier = FashionClassifier.load()
        self._real = self._classifier.classify(pictures("test", count)[0]).features

    def line(
        self, pictures: Tensor, labels: Tensor, sampling: Sampling | None, seconds: float
    ) -> Line:
        """Judge pictures (n, 1, s, s) of which each was to show the class in `labels` (n,)."""
        seen = self._classifier.classify(pictures)
        return Line(
            sampling,
            seconds / len(pictures),
            seen.confidence,
            seen.accuracy(labels),
            float(seen.shares.min()),
            frechet_distance(seen.features, self._real),
            kernel_distance(seen.features, self._real),
        )


def drawn(ddpm: Ddpm, count: int, sampling: Sampling, seed: int) -> tuple[Tensor, Tensor]:
    """`count` pictures, as many of each class, one class after the other, with their classes."""
    each = count // ddpm.kinds
    parts = [
        ddpm.draw(each, seed=seed + kind, kind=kind, sampling=sampling)
        for kind in range(ddpm.kinds)
    ]
    return torch.cat(parts), torch.arange(ddpm.kinds).repeat_interleave(each)


def publish_pictures(ddpm: Ddpm, out: Path, seed: int) -> None:
    """Write the sheet of all classes and the three strips."""
    by_class = drawn(ddpm, SHOWN * ddpm.kinds, ddpm.sampling, seed)[0]
    sheets = {
        "drawn": by_class.unflatten(0, (ddpm.kinds, SHOWN)),
        "forward": ddpm.forward_strip(pictures("test", SHOWN)[0], COLUMNS, seed=seed),
        "reverse": ddpm.reverse_strip(SHOWN, COLUMNS, seed=seed),
        "foreseen": ddpm.reverse_strip(SHOWN, COLUMNS, seed=seed, foreseen=True),
    }
    for name, moments in sheets.items():
        credential = Credential(f"{name}.png", Source.SYNTHETIC, model="ddpm")
        with publish(out / f"{name}.png", credential, overwrite=True) as beside:
            write_image(beside, strip(moments))


def main(
    run: Annotated[Path, tyro.conf.Positional],
    out: Path = Path("runs/fashion-ddpm"),
    count: int = 1000,
    seed: int = 0,
    ways: bool = True,
) -> None:
    """Judge a run of diffusion that draws clothes.

    Args:
        run: Folder of the run.
        out: Folder for the pictures and figures.json.
        count: Pictures drawn in each way, a multiple of 10.
        seed: Seed of what is drawn.
        ways: Compare ways of drawing; otherwise only the configuration's own.
    """
    runtime = Runtime.best()
    runtime.apply()
    out.mkdir(parents=True, exist_ok=True)
    ddpm = load_drawer(run, runtime=runtime)
    if not isinstance(ddpm, Ddpm):
        raise UserError(f"{run} is a run of {Run(run).family}: give one of ddpm")
    publish_pictures(ddpm, out, seed)
    judge = Judge(count)
    lines = [judge.line(*pictures("train", count), None, 0.0)]
    print(f"{HEAD}\n{lines[0].row()}")
    for sampling in WAYS if ways else (ddpm.sampling,):
        began = time.perf_counter()
        shown, labels = drawn(ddpm, count, sampling, seed)
        lines.append(judge.line(shown, labels, sampling, time.perf_counter() - began))
        print(lines[-1].row(), flush=True)
    with writing(out / "figures.json", overwrite=True) as beside:
        beside.write_text(dumps([asdict(line) for line in lines], indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    tyro.cli(main)
