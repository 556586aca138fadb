"""How many samples a second the default runtime trains, against the plain loop, side by side.

`python -m benchmarks.speed --out speed.json` takes turns between the two in one process, because
the speed of a shared machine drifts by more than the difference between two runs.
"""

import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, geometric_mean, median

import torch
import tyro

from benchmarks.family_jobs import JOBS, Job
from changeling.errors import UserError
from changeling.faces.people import PeopleBatch
from changeling.faces.pictures import PictureBatch
from changeling.generators import FamilyConfig, Task, family
from changeling.measuring import parameters, tensors_in
from changeling.training import Batch, Learner, Runtime


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
    drift: float
    """How far the losses of the default loop are from the plain one's; see `drift`."""

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
            f"{self.best.plain:>9.1f} {ratio:>9.2f} {median(self.ratios):>9.2f} {self.drift:>8.2%}"
        )

    def to_json(self) -> dict[str, object]:
        """Return every turn, and the ratio of the fastest turns and the median of all."""
        ratios = {"fastest": self.best.default / self.best.plain, "median": median(self.ratios)}
        turns = [asdict(turn) for turn in self.turns]
        return {
            "family": self.family,
            "parameters": self.parameters,
            "ratio": ratios,
            "drift": self.drift,
            "turns": turns,
        }


_LOOPS = ("default", "plain")
_COMPARED = 20
"""First steps whose losses are compared."""


def measure(
    name: str, config: FamilyConfig, task: Task, runtime: Runtime, *, turns: int, seconds: float
) -> Result:
    """Take turns between the default and the plain loop of a family, configured for a task."""
    make = family(name).learner
    fast, plain = make(config, runtime=runtime), make(config, runtime=runtime.plain())
    batch = random_batch(task, config)
    for learner in (fast, plain):
        learner.step(batch)
    taken = tuple(
        Turn(pace(fast, batch, seconds), pace(plain, batch, seconds)) for _ in range(turns)
    )
    weights = parameters(tensors_in(fast.state_dict()["network"]))
    return Result(name, weights, taken, drift(name, config, task, runtime))


def drift(name: str, config: FamilyConfig, task: Task, runtime: Runtime) -> float:
    """Return by how much the first losses of both loops differ, from the same weights and batch.

    The largest difference of the 20 steps' mean of any loss, as a share of the plain loop's: single
    steps of judges that play against generators are not held to each other.
    """
    means = []
    for how in (runtime, runtime.plain()):
        torch.manual_seed(0)
        learner = family(name).learner(config, runtime=how)
        batch = random_batch(task, config)
        losses = [learner.step(batch) for _ in range(_COMPARED)]
        means.append({key: fmean(float(one[key]) for one in losses) for key in losses[0]})
    ours, theirs = means
    return max(abs(ours[key] - theirs[key]) / max(abs(theirs[key]), 1e-6) for key in theirs)


def pace(learner: Learner[Batch], batch: Batch, seconds: float) -> float:
    """Return the samples per second over the steps that fit into `seconds`, at least one."""
    steps, began = 0, time.perf_counter()
    while steps == 0 or time.perf_counter() - began < seconds:
        losses = learner.step(batch)
        [float(loss) for loss in losses.values()]  # waits for a GPU
        steps += 1
    return steps * len(batch) / (time.perf_counter() - began)


def random_batch(task: Task, config: FamilyConfig) -> PeopleBatch | PictureBatch:
    """Return noise instead of pictures: the speed does not depend on what is drawn."""
    torch.manual_seed(0)
    n, size = config.batch, config.size
    if not task.people:
        labels = torch.arange(n) % max(1, task.kinds)
        return PictureBatch(torch.rand(n, task.channels, size, size), labels)
    colours, areas = (len(task.people), n, 3, size, size), (len(task.people), n, 1, size, size)
    return PeopleBatch(
        inputs=torch.rand(colours),
        targets=torch.rand(colours),
        masks=torch.rand(areas).round(),
        eyes=torch.rand(areas).round(),
        tones=torch.ones(len(task.people), 3),
    )


def chosen(names: tuple[str, ...]) -> list[Job]:
    """The first job of each of the families of these names, or of all."""
    first = {job.family: job for job in reversed(JOBS)}
    if unknown := set(names) - set(first):
        raise UserError(f"no family {sorted(unknown)[0]!r}: give one of {', '.join(first)}")
    return [job for job in JOBS if first[job.family] is job and job.family in (names or first)]


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
        f"{'family':14} {'parameters':>11} {'default':>9} {'plain':>9} {'ratio':>9} {'median':>9} "
        f"{'drift':>8}"
    )
    results = []
    for job in chosen(families):
        found = measure(job.family, job.config, job.task, runtime, turns=turns, seconds=seconds)
        results.append(found)
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
