"""What runs that draw clothes are worth: a classifier's view, distances to real pictures, spectra.

`python -m benchmarks.fashion_gan RUN … --out docs/fashion` draws pictures from runs trained on
FashionMNIST, judges them by the project's own classifier against the test part, and writes for each
run 25 real pictures beside 25 drawn ones and the average spectra of both, signed.
"""

from dataclasses import asdict, dataclass
from json import dumps
from pathlib import Path
from typing import Annotated

import tyro
from torch import Tensor

from changeling.generators import load_drawer
from changeling.measuring import (
    FashionClassifier,
    Spectrum,
    frechet_distance,
    kernel_distance,
    spectral_distance,
    spectrum,
)
from changeling.media import Pixels, write_image, writing
from changeling.provenance import Credential, Source, publish
from changeling.study.experiments.drawn import pictures
from changeling.study.experiments.sheets import real_and_drawn, spectra
from changeling.training import Run, Runtime, collapse

CONFIDENT, SMALLEST = 0.90, 0.03
"""What a good run reaches: mean confidence of the classifier, share of the rarest class."""


@dataclass(frozen=True)
class Figures:
    """What is measured of one set of pictures."""

    name: str
    family: str
    steps: int
    minutes: float
    confidence: float
    """Mean probability that the classifier gives to the likeliest class."""
    shares: tuple[float, ...]
    """Share of the pictures that it takes for each class."""
    frechet: float
    """Fréchet distance to as many test pictures, on the classifier's features."""
    kernel: float
    """Kernel distance to the same."""
    spectral: float
    """Decibels between the average spectra."""
    collapsed: str | None
    """What the log says of a collapse."""

    @property
    def good(self) -> bool:
        """Whether the pictures are clear and every class is among them."""
        return self.confidence >= CONFIDENT and min(self.shares) >= SMALLEST

    def line(self) -> str:
        """A row of the table."""
        cells = [
            self.name,
            self.family,
            f"{self.steps:,}",
            f"{self.minutes:.1f}",
            f"{self.confidence:.1%}",
            f"{min(self.shares):.1%}",
            f"{self.frechet:.2f}",
            f"{self.kernel:.3f}",
            f"{self.spectral:.1f}",
        ]
        return "| " + " | ".join(cells) + " |"


HEAD = (
    "| run | family | steps | minutes | confidence | rarest class | Fréchet | kernel "
    "| spectrum, dB |\n|---|---|--:|--:|--:|--:|--:|--:|--:|"
)


class Judge:
    """The classifier and as many test pictures as are drawn, looked at once."""

    def __init__(self, count: int) -> None:
        self._classifier = FashionClassifier.load()
        self.real = pictures("test", count)[0]
        self.spectrum = _spectrum(self.real)
        self._features = self._classifier.classify(self.real).features

    def figures(self, shown: Tensor, run: Run | None, name: str) -> Figures:
        """Measure drawn pictures, (n, 1, 28, 28); without a run they are real ones."""
        seen = self._classifier.classify(shown)
        rows = run.rows() if run else []
        last = [row for row in rows if "seconds" in row][-1:] or [{"step": 0, "seconds": 0}]
        return Figures(
            name=name,
            family=run.family if run else "real",
            steps=round(last[0]["step"]),
            minutes=last[0]["seconds"] / 60,
            confidence=seen.confidence,
            shares=tuple(float(share) for share in seen.shares),
            frechet=frechet_distance(seen.features, self._features),
            kernel=kernel_distance(seen.features, self._features),
            spectral=spectral_distance(_spectrum(shown), self.spectrum),
            collapsed=collapse(rows),
        )


def _spectrum(shown: Tensor) -> Spectrum:
    return spectrum(shown.permute(0, 2, 3, 1).numpy())


def _publish(path: Path, pixels: Pixels, family: str) -> None:
    with publish(
        path, Credential(path.name, Source.SYNTHETIC, model=family), overwrite=True
    ) as beside:
        write_image(beside, pixels)


def main(
    runs: Annotated[tuple[Path, ...], tyro.conf.Positional],
    out: Path = Path("runs/fashion"),
    count: int = 1000,
    seed: int = 0,
) -> None:
    """Judge runs that draw clothes.

    Args:
        runs: Folders of runs trained on FashionMNIST.
        out: Folder for the pictures and figures.json.
        count: Pictures drawn by each run.
        seed: Seed of what is drawn.
    """
    runtime = Runtime.best()
    runtime.apply()
    out.mkdir(parents=True, exist_ok=True)
    judge = Judge(count)
    figures = [judge.figures(pictures("train", count)[0], None, "training pictures")]
    print(f"{HEAD}\n{figures[0].line()}")
    for folder in runs:
        run = Run(folder)
        drawn = load_drawer(folder, runtime=runtime).draw(count, seed=seed)
        figures.append(judge.figures(drawn, run, folder.name))
        print(figures[-1].line())
        pair = real_and_drawn(judge.real, drawn)
        _publish(out / f"{folder.name}-samples.png", pair, run.family)
        shown = spectra(judge.real, drawn)
        _publish(out / f"{folder.name}-spectra.png", shown, run.family)
    with writing(out / "figures.json", overwrite=True) as beside:
        beside.write_text(dumps([asdict(one) for one in figures], indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    tyro.cli(main)
