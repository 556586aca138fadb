"""How many faces a second the default runtime trains, against the plain loop, side by side.

`python -m benchmarks.speed --out speed.json` takes turns between the two in one process, because
the speed of a shared machine drifts by more than the difference between two runs.
"""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import torch
import tyro

from changeling.faces.people import PeopleBatch
from changeling.generators import autoencoder, classic
from changeling.training import Learner, Runtime

PEOPLE = ("a", "b")
SIDE = 16
"""Faces of each person in a batch."""


NETWORKS: dict[str, Callable[[Runtime], Learner[PeopleBatch]]] = {
    "autoencoder": lambda runtime: autoencoder.Autoencoder(
        autoencoder.Config(PEOPLE), runtime=runtime
    ),
    "classic": lambda runtime: classic.Classic(classic.Config(PEOPLE), runtime=runtime),
}


@dataclass(frozen=True)
class Turn:
    """Faces per second of both loops, measured one after the other."""

    default: float
    plain: float


@dataclass(frozen=True)
class Result:
    """The outcome for one network."""

    network: str
    parameters: int
    turns: tuple[Turn, ...]

    @property
    def ratios(self) -> list[float]:
        """Default over plain, turn by turn."""
        return [turn.default / turn.plain for turn in self.turns]

    def row(self) -> str:
        """Return the line of the table."""
        default = median(turn.default for turn in self.turns)
        plain = median(turn.plain for turn in self.turns)
        return (
            f"{self.network:12} {self.parameters:>11,} {default:>9.1f} {plain:>9.1f} "
            f"{min(self.ratios):>9.2f} {median(self.ratios):>9.2f}"
        )

    def to_json(self) -> dict[str, object]:
        """Return every turn, and the minimum and the median of the ratios."""
        ratios = {"minimum": min(self.ratios), "median": median(self.ratios)}
        turns = [asdict(turn) for turn in self.turns]
        return {"network": self.network, "parameters": self.parameters, "ratio": ratios} | {
            "turns": turns
        }


def measure(name: str, runtime: Runtime, *, turns: int, seconds: float) -> Result:
    """Take turns between the default and the plain loop of the network `name`."""
    fast, plain = NETWORKS[name](runtime), NETWORKS[name](runtime.plain())
    batch = random_batch(64)
    for learner in (fast, plain):
        learner.step(batch)
    taken = tuple(
        Turn(pace(fast, batch, runtime, seconds), pace(plain, batch, runtime, seconds))
        for _ in range(turns)
    )
    weights = fast.state_dict()["network"].values()
    return Result(name, sum(weight.numel() for weight in weights), taken)


def pace(
    learner: Learner[PeopleBatch], batch: PeopleBatch, runtime: Runtime, seconds: float
) -> float:
    """Return the faces per second over the steps that fit into `seconds`, at least one."""
    steps, began = 0, time.perf_counter()
    while steps == 0 or time.perf_counter() - began < seconds:
        losses = learner.step(batch)
        [float(loss) for loss in losses.values()]  # waits for a GPU
        steps += 1
    return steps * len(batch) / (time.perf_counter() - began)


def random_batch(size: int) -> PeopleBatch:
    """Return noise instead of faces: the speed does not depend on what is drawn."""
    torch.manual_seed(0)
    shape = (len(PEOPLE), SIDE)
    return PeopleBatch(
        inputs=torch.rand(*shape, 3, size, size),
        targets=torch.rand(*shape, 3, size, size),
        masks=torch.rand(*shape, 1, size, size).round(),
        eyes=torch.rand(*shape, 1, size, size).round(),
    )


def main(out: Path | None = None, turns: int = 7, seconds: float = 3.0) -> None:
    """Measure both networks.

    Args:
        out: JSON file to write the figures to.
        turns: How often the two loops take turns; the table shows minimum and median ratio.
        seconds: Length of each turn of each loop.
    """
    runtime = Runtime.best()
    runtime.apply()
    machine = f"{runtime.device.type}, {runtime.precision}, {runtime.threads} threads"
    print(f"{machine}, torch {torch.__version__}, batch {SIDE} faces of each of two people")
    print(f"{'network':12} {'parameters':>11} {'default':>9} {'plain':>9} {'min':>9} {'median':>9}")
    results = []
    for name in NETWORKS:
        results.append(measure(name, runtime, turns=turns, seconds=seconds))
        print(results[-1].row(), flush=True)
    if out is not None:
        figures = {"machine": machine, "python": platform.python_version()}
        figures |= {"torch": torch.__version__}
        networks = [result.to_json() for result in results]
        out.write_text(json.dumps({**figures, "networks": networks}, indent=2) + "\n")


if __name__ == "__main__":
    tyro.cli(main)
