"""Iterators that run ahead of their reader, each in a thread of its own, so that stages overlap."""

from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")

_PATIENCE = 0.05
"""Seconds between two looks at whether the stages were stopped."""


class _Stopped(Exception):
    """The stages were left while a thread was waiting."""


@dataclass(frozen=True)
class _End:
    """The last thing in a queue: the items are exhausted, or making them failed."""

    error: BaseException | None = None


class Stages:
    """Threads that end together: leaving the `with` block, for whatever reason, ends them all.

    An exception inside a stage is raised again in its reader, and so reaches the last reader.
    """

    def __init__(self, *, depth: int = 4) -> None:
        self._depth = depth
        self._stop = Event()
        self._threads: list[Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def ahead(self, items: Generator[T]) -> Generator[T]:
        """The same items in the same order, made by a thread that is up to `depth` items ahead."""
        queue: Queue[T | _End] = Queue(self._depth)
        thread = Thread(target=self._fill, args=(items, queue), daemon=True)
        self._threads.append(thread)
        thread.start()
        return self._drain(queue)

    def _fill(self, items: Generator[T], queue: Queue[T | _End]) -> None:
        with suppress(_Stopped):
            self._put(queue, self._made(items, queue))

    def _made(self, items: Generator[T], queue: Queue[T | _End]) -> _End:
        """Puts every item into the queue and closes their maker."""
        try:
            with closing(items):
                for item in items:
                    self._put(queue, item)
        except _Stopped:
            raise
        except BaseException as error:
            return _End(error)
        return _End()

    def _put(self, queue: Queue[T | _End], item: T | _End) -> None:
        while not self._stop.is_set():
            with suppress(Full):
                return queue.put(item, timeout=_PATIENCE)
        raise _Stopped

    def _drain(self, queue: Queue[T | _End]) -> Generator[T]:
        while not self._stop.is_set():
            try:
                item = queue.get(timeout=_PATIENCE)
            except Empty:
                continue
            if not isinstance(item, _End):
                yield item
            elif item.error is None:
                return
            else:
                raise item.error
        raise _Stopped
