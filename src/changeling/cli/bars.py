"""Progress bars on the standard error, with speed and time left."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from changeling.study import Stage

ACTORS = "preparing the actors' model (once per machine, about three minutes)"
"""What a bar says before the first frame: on a new machine, the model and kernels are compiled."""

_TELLING = 0.5
"""Seconds after which a speed means something."""


class Bar:
    """Context manager that shows `waiting` and, from the first `tick` on, count and speed.

    `things`: what is counted, as in "frames". Nothing is drawn where the standard error is no
    terminal, so that a log or a pipe holds only sentences.
    """

    def __init__(self, things: str, waiting: str = "preparing") -> None:
        terminal = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=terminal,
            transient=True,
            disable=not terminal.is_terminal,
        )
        self._things = things
        self._task = self._progress.add_task(waiting, total=None)
        self._began = 0.0
        self._seconds = 0.0
        self._done = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def tick(self, done: int, total: int | None) -> None:
        """A `Tick`: so many of `total` things are done."""
        now = time.perf_counter()
        # From the first one on, because the preparation ends with it.
        self._began = self._began or now
        self._done, self._seconds = done, now - self._began
        of = "" if total is None else f"/{total}"
        self.show(done, total, f"{done}{of} {self._things}{self}")

    def __str__(self) -> str:
        """The speed, to end a sentence with; nothing when too little was done to tell."""
        if self._seconds < _TELLING:
            return ""
        return f", {(self._done - 1) / self._seconds:.1f} {self._things}/s"

    def show(self, done: float, total: float | None, words: str) -> None:
        """Draw the bar at `done` of `total` with these words behind it."""
        self._progress.update(self._task, completed=done, total=total, description=words)

    def say(self, words: str) -> None:
        """Leave a line above the bar, or in the log where there is no bar."""
        self._progress.console.print(words, highlight=False, markup=False, soft_wrap=True)


class Stages:
    """Shows every stage as a bar, and leaves a line behind for it."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._name = ""

    def tell(self, stage: "Stage") -> None:
        """A `Tell`."""
        if stage.name != self._name:
            # The first film waits for the model of the actors, which may take minutes.
            self._bar.say(stage.name if self._name else f"{stage.name}, after {ACTORS}")
            self._name = stage.name
        of = "" if stage.total is None else f"/{stage.total}"
        words = f"{stage.name} {stage.done}{of} {stage.note}" if stage.done else ACTORS
        self._bar.show(stage.done, stage.total, words)
