"""Batches prepared ahead of the training step by threads, in order."""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import TypeVar

import torch

T = TypeVar("T")

AHEAD = 2
"""Batches held ready or in preparation for each thread: bounds the memory."""


def prefetch(batches: Callable[[int], T], *, start: int, workers: int) -> Generator[T, None, None]:
    """Yield `batches(start)`, `batches(start + 1)`, … in order, prepared by `workers` threads.

    With 0 workers each is prepared when it is asked for. What `batches` raises is raised in its
    turn. Closing the generator drops what nobody asked for and waits for the threads to end.
    """
    if workers == 0:
        yield from map(batches, count(start))
        return
    # One thread of torch per worker: teams of threads that share cores slow each other tenfold.
    pool = ThreadPoolExecutor(workers, "batches", lambda: torch.set_num_threads(1))
    waiting: deque[Future[T]] = deque()
    try:
        for index in count(start):
            waiting.append(pool.submit(batches, index))
            if len(waiting) > AHEAD * workers:
                yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
