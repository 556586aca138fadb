"""Stages that work ahead of each other: order, how far ahead, and how they end."""

import threading
import time
from collections.abc import Generator

import pytest

from changeling.converting.stages import Stages


def test_stages_keep_the_order_and_run_in_threads_of_their_own() -> None:
    names = set()

    def numbers() -> Generator[int]:
        for number in range(50):
            names.add(threading.current_thread().name)
            yield number

    def doubled(items: Generator[int]) -> Generator[int]:
        for item in items:
            names.add(threading.current_thread().name)
            yield 2 * item

    with Stages() as stages:
        assert list(stages.ahead(doubled(stages.ahead(numbers())))) == list(range(0, 100, 2))
    assert len(names) == 2
    assert threading.current_thread().name not in names


def test_stages_stay_only_a_few_items_ahead() -> None:
    made = []

    def numbers() -> Generator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    with Stages(depth=3) as stages:
        ahead = stages.ahead(numbers())
        assert next(ahead) == 0
        time.sleep(0.1)
    assert len(made) <= 6


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_a_failing_stage_fails_its_reader_and_ends_every_thread(error: BaseException) -> None:
    closed = []

    def endless() -> Generator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    def failing(items: Generator[int]) -> Generator[int]:
        yield next(items)
        raise error

    before = threading.active_count()
    with pytest.raises(type(error)), Stages() as stages:
        for _ in stages.ahead(failing(stages.ahead(endless()))):
            pass
    assert threading.active_count() == before
    assert closed == [True]


def test_leaving_the_stages_early_ends_every_thread() -> None:
    def endless() -> Generator[int]:
        while True:
            yield 1

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), Stages() as stages:
        for _ in stages.ahead(endless()):
            raise KeyboardInterrupt
    assert threading.active_count() == before
