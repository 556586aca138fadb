"""Training into a run's folder within a budget: log, previews, checkpoints, clean ends."""

import math
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from statistics import fmean
from types import FrameType
from typing import Generic

from changeling.errors import UserError
from changeling.training.collapse import collapse
from changeling.training.folder import Run
from changeling.training.loop import Batch, Batches, Learner, Step, Validates, train


class Diverged(UserError):
    """Training whose losses are numbers no more."""

    def __init__(self, sentence: str, step: int = 0) -> None:
        """Say so; `step` is the one after which it was noticed, 0 where that is not known."""
        super().__init__(sentence)
        self.step = step


@dataclass(frozen=True)
class Budget:
    """When training ends: at whichever limit comes first; at least one must be given."""

    minutes: float | None = 5.0
    """Minutes of training, counted over all sittings; None: no limit."""
    steps: int | None = None
    """Steps, counted from the run's beginning; None: no limit."""

    def spent(self, steps: int, seconds: float) -> float:
        """Return the share that is used up, 1 or more when training is over."""
        by_time = seconds / (60 * self.minutes) if self.minutes else 0.0
        return max(by_time, steps / self.steps if self.steps else 0.0)

    def left(self, steps: int, seconds: float, *, pace: float) -> float:
        """Return the seconds until training is over when a step takes `pace` seconds."""
        by_time = 60 * self.minutes - seconds if self.minutes else math.inf
        by_steps = (self.steps - steps) * pace if self.steps else math.inf
        return max(0.0, min(by_time, by_steps))

    def check(self) -> None:
        """Raise `UserError` when there is no limit or one that is not positive."""
        limits = [limit for limit in (self.minutes, self.steps) if limit is not None]
        if not limits or min(limits) <= 0:
            raise UserError("training has no end or no time: give --minutes or --steps above 0")


@dataclass(frozen=True)
class Cadence:
    """How often a run writes."""

    log: int = 20
    """Steps between two lines of the log; a line holds the mean losses since the last one."""
    preview: int = 200
    """Steps between two preview pictures."""
    validate: int = 50
    """Steps between two looks at held-out samples, for learners that select by them."""
    save: float = 60.0
    """Seconds between two checkpoints; one more is made at the end and at Ctrl-C."""


@dataclass(frozen=True)
class Progress:
    """Where training stands after a step."""

    step: Step
    """The step just made."""
    seconds: float
    """Seconds trained since the run began, all sittings together, the caller's time left out."""
    rate: float
    """Samples per second in this sitting."""
    fraction: float
    """Share of the budget that is used up, 0…1."""
    left: float
    """Seconds until the budget is used up, going on at this pace."""


def fit(
    learner: Learner[Batch],
    batches: Batches[Batch],
    run: Run,
    budget: Budget,
    *,
    seed: int = 0,
    workers: int = 1,
    cadence: Cadence | None = None,
    held_out: Batches[Batch] | None = None,
) -> Generator[Progress, None, None]:
    """Train into `run` until the budget is used up, going on from its checkpoint if it has one.

    Yields after every step; the caller draws a bar, adds scores with `run.log`, or leaves. Every
    end, Ctrl-C included, finishes the step in hand and saves. A learner that `Validates` is asked
    about `held_out` batches now and then. A generator whose log shows a collapse (see
    `training.collapse`) is named on standard error. Raises `Diverged` when a loss is no number,
    `UserError` for a budget without limit, a damaged checkpoint, and a disk that refuses.
    """
    budget.check()
    sitting = _Sitting(learner, run, budget, cadence or Cadence(), batches(0), held_out)
    sitting.begin()
    if budget.spent(sitting.step, sitting.seconds) >= 1:
        return
    with (
        _finish_steps() as interrupted,
        closing(train(learner, batches, start=sitting.step, seed=seed, workers=workers)) as steps,
    ):
        yield from sitting.sit(steps, interrupted)


@dataclass
class _Sitting(Generic[Batch]):
    """One uninterrupted stretch of a run: the clock, and what is written when."""

    learner: Learner[Batch]
    run: Run
    budget: Budget
    cadence: Cadence
    sample: Batch
    held_out: Batches[Batch] | None
    step: int = 0
    seconds: float = 0.0
    made: int = 0
    samples: int = 0
    began: float = 0.0
    saved: float = 0.0
    mark: float = 0.0
    collapsed: bool = False
    gathered: list[Mapping[str, float]] = field(default_factory=list)

    def begin(self) -> None:
        """Take over the checkpoint and forget what was written after it."""
        checkpoint = self.run.load()
        if checkpoint is not None:
            self.learner.load_state_dict(checkpoint.state)
            self.step, self.seconds = checkpoint.step, checkpoint.seconds
        self.run.forget_after(self.step)
        self.began = self.saved = self.seconds

    def sit(self, steps: Iterator[Step], interrupted: threading.Event) -> Iterator[Progress]:
        """Write and yield after every step until the budget is used up; save whatever happens."""
        self.mark = time.perf_counter()
        for step in steps:
            self._record(step)
            progress = self._progress(step)
            stop = interrupted.is_set()
            over = progress.fraction >= 1 or stop
            self._write(over=over)
            if stop:
                raise KeyboardInterrupt
            try:
                yield progress
            except GeneratorExit:
                self.mark = time.perf_counter()
                self._write(over=True)
                raise
            if over:
                return
            self.mark = time.perf_counter()

    def _record(self, step: Step) -> None:
        self._tick()
        if not all(math.isfinite(loss) for loss in step.losses.values()):
            raise Diverged(
                f"training diverged at step {step.index} ({dict(step.losses)}): start a new run "
                "with a lower learning rate",
                step.index,
            )
        self.step = step.index
        self.made += 1
        self.samples += step.samples
        self.gathered.append(step.losses)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.seconds += now - self.mark
        self.mark = now

    def _progress(self, step: Step) -> Progress:
        sat = self.seconds - self.began
        fraction = self.budget.spent(self.step, self.seconds)
        left = self.budget.left(self.step, self.seconds, pace=sat / self.made)
        return Progress(step, self.seconds, self.samples / sat, min(fraction, 1.0), left)

    def _validate(self) -> None:
        if self.held_out is not None and isinstance(self.learner, Validates):
            losses = self.learner.validate(self.held_out(self.step))
            self.run.log(self.step, {name: float(loss) for name, loss in losses.items()})

    def _write(self, *, over: bool) -> None:
        # Not at an end that a person chose: a run that goes on must select as one never stopped.
        if self.step % self.cadence.validate == 0:
            self._validate()
        if over or self.step % self.cadence.log == 0:
            self._log()
        if over or self.step % self.cadence.preview == 0:
            self.run.preview(self.step, self.learner.preview(self.sample))
            self._warn()
        self._tick()
        if over or self.seconds - self.saved >= self.cadence.save:
            self.run.save(self.step, self.seconds, self.learner.state_dict())
            self._tick()
            self.saved = self.seconds

    def _warn(self) -> None:
        """Say that the generator has collapsed, once each time that it does."""
        trouble = collapse(self.run.rows())
        if trouble is not None and not self.collapsed:
            print(f"{self.run.folder}: {trouble}", file=sys.stderr)
        self.collapsed = trouble is not None

    def _log(self) -> None:
        if not self.gathered:
            return
        names = self.gathered[0]
        means = {name: fmean(losses[name] for losses in self.gathered) for name in names}
        rate = self.samples / (self.seconds - self.began)
        self.run.log(self.step, {**means, "rate": rate, "seconds": self.seconds})
        self.gathered.clear()


@contextmanager
def _finish_steps() -> Iterator[threading.Event]:
    """Hold the first Ctrl-C back until the step is finished; the second one breaks it off.

    A step broken off leaves weights and optimizer between two states that no checkpoint may hold.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def note(signum: int, frame: FrameType | None) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
