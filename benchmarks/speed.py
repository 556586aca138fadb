"""How many samples a second the default runtime trains, against the plain loop, side by side.

`python -m benchmarks.speed --out speed.json` takes turns between the two in one process, because
the speed of a shared machine drifts by more than the difference between two runs.
"""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

import torch
import tyro
from torch import Tensor

from changeling.faces.people import PeopleBatch
from changeling.faces.pictures import PictureBatch
from changeling.generators import FAMILIES, Learns, Task, configuration, family
from changeling.training import Runtime

PEOPLE = ("a", "b")
FACES, CLOTHES, KINDS = 64, 28, 10
"""Side of the faces, and of FashionMNIST's pictures, in pixels; and its classes."""
STEPS = 3000
"""Planned steps: what a schedule with an end is made for."""


@dataclass(frozen=True)
class Turn:
    """Samples per second of both loops, measured one after the other."""

    default: float
    plain: float


@dataclass(frozen=True)
class Result:
    """The outcome for one family."""

    family: str
    parameters: int
    """Weights that a step moves."""
    turns: tuple[Turn, ...]

    @property
    def ratios(self) -> list[float]:
        """Default over plain, turn by turn."""
        return [turn.default / turn.plain for turn in self.turns]

    @property
    def best(self) -> Turn:
        """The fastest turn of each loop: what the least disturbed one showed."""
        default, plain = (max(getattr(turn, how) for turn in self.turns) for how in _LOOPS)
        return Turn(default, plain)

    def row(self) -> str:
        """Return the line of the table."""
        ratio = self.best.default / self.best.plain
        return (
            f"{self.family:14} {self.parameters:>11,} {self.best.default:>9.1f} "
            f"{self.best.plain:>9.1f} {ratio:>9.2f} {median(self.ratios):>9.2f}"
        )

    def to_json(self) -> dict[str, object]:
        """Return every turn, and the ratio of the fastest turns and the median of all."""
        ratios = {"fastest": self.best.default / self.best.plain, "median": median(self.ratios)}
        turns = [asdict(turn) for turn in self.turns]
        return {"family": self.family, "parameters": self.parameters, "ratio": ratios} | {
            "turns": turns
        }


_LOOPS = ("default", "plain")
_COLUMNS = (*_LOOPS, "ratio", "median")


def measure(name: str, config: Any, runtime: Runtime, *, turns: int, seconds: float) -> Result:  # noqa: ANN401
    """Take turns between the default and the plain loop of a family."""
    make = family(name).learner
    fast, plain = make(config, runtime=runtime), make(config, runtime=runtime.plain())
    batch = random_batch(name, config)
    for learner in (fast, plain):
        learner.step(batch)
    taken = tuple(
        Turn(pace(fast.step, batch, seconds), pace(plain.step, batch, seconds))
        for _ in range(turns)
    )
    return Result(name, parameters(fast), taken)


def parameters(learner: Any) -> int:  # noqa: ANN401
    """Return how many trained numbers a learner has."""
    return sum(weight.numel() for weight in _tensors(learner.state_dict()["network"]))


def _tensors(state: Any) -> list[Tensor]:  # noqa: ANN401
    """Tensors of real numbers anywhere in a nested state; counters are none."""
    if isinstance(state, Tensor):
        return [state] if state.is_floating_point() else []
    if isinstance(state, dict):
        return [tensor for part in state.values() for tensor in _tensors(part)]
    return []


def pace(step: Callable[[Any], Any], batch: Any, seconds: float) -> float:  # noqa: ANN401
    """Return the samples per second over the steps that fit into `seconds`, at least one."""
    steps, began = 0, time.perf_counter()
    while steps == 0 or time.perf_counter() - began < seconds:
        losses = step(batch)
        [float(loss) for loss in losses.values()]  # waits for a GPU
        steps += 1
    return steps * len(batch) / (time.perf_counter() - began)


def laptop(name: str) -> Any:  # noqa: ANN401
    """Return the configuration of a family for two people, or for FashionMNIST, or for faces."""
    if family(name).learns is Learns.PEOPLE:
        return configuration(name, Task(PEOPLE, FACES, steps=STEPS))
    if name in FACIAL:
        return configuration(name, Task((), FACES, 3, 0, STEPS))
    return configuration(name, Task((), CLOTHES, 1, KINDS, STEPS))


FACIAL = ("stylegan", "restoring")
"""Families that learn from pictures of faces; the others from FashionMNIST."""


def random_batch(name: str, config: Any) -> PeopleBatch | PictureBatch:  # noqa: ANN401
    """Return noise instead of pictures: the speed does not depend on what is drawn."""
    torch.manual_seed(0)
    n, size = config.batch, config.size
    if family(name).learns is Learns.PICTURES:
        labels = torch.arange(n) % max(1, config.kinds)
        return PictureBatch(torch.rand(n, config.channels, size, size), labels)
    colours, areas = (len(PEOPLE), n, 3, size, size), (len(PEOPLE), n, 1, size, size)
    return PeopleBatch(
        inputs=torch.rand(colours),
        targets=torch.rand(colours),
        masks=torch.rand(areas).round(),
        eyes=torch.rand(areas).round(),
    )


def main(
    families: tuple[str, ...] = (), out: Path | None = None, turns: int = 5, seconds: float = 3.0
) -> None:
    """Measure families.

    Args:
        families: Which ones; all by default.
        out: JSON file to write the figures to.
        turns: How often the two loops take turns; the table shows the fastest turn of each.
        seconds: Length of each turn of each loop.
    """
    runtime = Runtime.best()
    runtime.apply()
    machine = f"{runtime.device.type}, {runtime.precision}, {runtime.threads} threads"
    print(f"{machine}, torch {torch.__version__}")
    print(
        f"{'family':14} {'parameters':>11} {'default':>9} {'plain':>9} {'ratio':>9} {'median':>9}"
    )
    results = []
    for name in families or FAMILIES:
        results.append(measure(name, laptop(name), runtime, turns=turns, seconds=seconds))
        print(results[-1].row(), flush=True)
    ratios = [result.best.default / result.best.plain for result in results]
    print(f"geometric mean {geometric_mean(ratios):.2f}, least {min(ratios):.2f}")
    if out is not None:
        figures = {"machine": machine, "python": platform.python_version()}
        figures |= {"torch": torch.__version__}
        rows = [result.to_json() for result in results]
        out.write_text(json.dumps({**figures, "families": rows}, indent=2) + "\n")


if __name__ == "__main__":
    tyro.cli(main)
