"""The stages of long work: told while they run, written down when they are done, done once."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from changeling.media import Tick, writing
from changeling.training import from_json, to_json


@dataclass(frozen=True)
class Stage:
    """A sign of progress; a new name is a new stage."""

    name: str
    """What is being done, such as "film a.mp4"."""
    done: int
    """So much of it."""
    total: int | None
    """Out of so much; None when that is unknown."""
    note: str = ""
    """Speed or score, in words."""


Tell = Callable[[Stage], None]
"""Called often by long work."""


def quiet(stage: Stage) -> None:
    """The `Tell` that tells nobody."""


@dataclass(frozen=True)
class Finished:
    """A stage that is done, and how fast it went from its first frame on."""

    name: str
    frames: int
    seconds: float


class Clock:
    """Tells the ticks of one stage and measures its speed."""

    def __init__(self, name: str, tell: Tell) -> None:
        self._name, self._tell = name, tell
        self._first: tuple[int, float] | None = None
        self._last = 0, 0.0
        tell(Stage(name, 0, None))

    def tick(self, done: int, total: int | None) -> None:
        """A `Tick`."""
        now = time.perf_counter()
        self._first = self._first or (done, now)
        self._last = done, now
        finished = self.finished()
        speed = finished.frames / finished.seconds if finished.seconds else 0.0
        self._tell(Stage(self._name, done, total, f"{speed:.0f}/s" if speed else ""))

    def finished(self) -> Finished:
        """Frames and seconds since the first tick, which compiling and loading come before."""
        done, began = self._first or self._last
        return Finished(self._name, self._last[0] - done, self._last[1] - began)


@dataclass(frozen=True)
class _Written:
    finished: tuple[Finished, ...] = ()


class Ledger:
    """The file that says which stages are done; they are not done again while what they made is
    there."""

    def __init__(self, path: Path, tell: Tell) -> None:
        self._path, self._tell = path, tell
        self._finished: dict[str, Finished] = {}
        if path.is_file():
            data = json.loads(path.read_text(encoding="utf-8"))
            written = from_json(_Written, data, where=str(path))
            self._finished = {one.name: one for one in written.finished}

    def once(self, name: str, work: Callable[[Tick], object], *made: Path) -> None:
        """Do `work`, which makes the files `made`, and write it down, unless all that is done."""
        if name in self._finished and all(path.exists() for path in made):
            return
        clock = Clock(name, self._tell)
        work(clock.tick)
        self._finished[name] = clock.finished()
        written = _Written(tuple(self._finished.values()))
        with writing(self._path, overwrite=True) as beside:
            beside.write_text(json.dumps(to_json(written), indent=2) + "\n", encoding="utf-8")

    def speed(self, verb: str) -> float:
        """Frames a second of the stages whose names begin with `verb`."""
        stages = [one for name, one in self._finished.items() if name.startswith(verb)]
        seconds = sum(one.seconds for one in stages)
        return sum(one.frames for one in stages) / seconds if seconds else 0.0
