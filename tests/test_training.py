"""The loop, prefetching, fitting, the runtime: what they promise when things break."""

import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
import torch
from test_runs import new_run
from torch import Tensor, nn

from changeling.errors import UserError
from changeling.training import (
    Budget,
    Cadence,
    Diverged,
    Progress,
    Runtime,
    fit,
    load_optimizer,
    optimizer_state,
    train,
)
from changeling.training.prefetch import AHEAD, prefetch


class Toy:
    """Learns a point with noise on it; its state shows every draw of chance and every step."""

    def __init__(self) -> None:
        self.weight = torch.zeros(3)
        self.total = 0.0
        self.seen: list[int] = []

    def step(self, batch: list[int], /) -> dict[str, Tensor]:
        self.weight = 0.9 * self.weight + torch.rand(3) * batch[0]
        self.total += float(self.weight.sum())
        self.seen.append(batch[0])
        return {"weight": self.weight.mean(), "number": torch.tensor(float(batch[0]))}

    def preview(self, batch: list[int], /) -> Tensor:
        return torch.full((1, 2, 3, 4, 4), 0.5)

    def state_dict(self) -> dict[str, Any]:
        return {"weight": self.weight, "total": self.total}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        self.weight, self.total = state["weight"], state["total"]


def numbers(step: int) -> list[int]:
    """The batch of a step: two samples."""
    return [step, step]


def steps_only(steps: int) -> Budget:
    return Budget(minutes=None, steps=steps)


def worker_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("batches")]


class TestLoop:
    def test_steps_count_from_one_and_carry_losses_and_samples(self) -> None:
        steps = list(islice(train(Toy(), numbers, seed=1), 3))
        assert [step.index for step in steps] == [1, 2, 3]
        assert [step.losses["number"] for step in steps] == [0, 1, 2]
        assert [step.samples for step in steps] == [2, 2, 2]

    @pytest.mark.parametrize("workers", [0, 1, 3])
    def test_resumed_equals_uninterrupted_with_any_number_of_workers(self, workers: int) -> None:
        whole, parted = Toy(), Toy()
        list(islice(train(whole, numbers, seed=7, workers=0), 5))
        list(islice(train(parted, numbers, seed=7, workers=workers), 2))
        torch.rand(100)
        list(islice(train(parted, numbers, start=2, seed=7, workers=workers), 3))
        assert torch.equal(whole.weight, parted.weight)
        assert parted.seen == [0, 1, 2, 3, 4]

    def test_seed_and_step_both_matter(self) -> None:
        draws = {
            float(step.losses["weight"])
            for seed in (0, 1)
            for step in islice(train(Toy(), lambda step: [1], seed=seed), 2)
        }
        assert len(draws) == 4


class TestPrefetch:
    def test_order_is_kept_when_later_batches_are_ready_first(self) -> None:
        def slow_if_even(step: int) -> int:
            time.sleep(0.01 * (step % 2 == 0))
            return step

        stream = prefetch(slow_if_even, start=3, workers=3)
        assert list(islice(stream, 8)) == list(range(3, 11))
        stream.close()

    def test_memory_is_bounded(self) -> None:
        asked: list[int] = []
        stream = prefetch(lambda step: asked.append(step), start=0, workers=2)
        next(stream)
        time.sleep(0.05)
        assert max(asked) <= AHEAD * 2
        stream.close()

    @pytest.mark.parametrize("workers", [0, 2])
    def test_errors_come_in_their_turn_and_threads_end(self, workers: int) -> None:
        def failing(step: int) -> list[int]:
            if step == 3:
                raise UserError("a broken picture")
            return [step]

        got = []
        with pytest.raises(UserError, match="a broken picture"):
            for step in train(Toy(), failing, workers=workers):
                got.append(step.index)
        assert got == [1, 2, 3]
        assert worker_threads() == []

    def test_closing_ends_the_threads(self) -> None:
        stream = prefetch(numbers, start=0, workers=2)
        next(stream)
        assert worker_threads() != []
        stream.close()
        assert worker_threads() == []


class TestFit:
    def test_steps_are_counted_logged_and_saved(self, tmp_path: Path) -> None:
        run = new_run(tmp_path / "run")
        cadence = Cadence(log=2, preview=4)
        told = list(fit(Toy(), numbers, run, steps_only(5), cadence=cadence))
        assert [progress.step.index for progress in told] == [1, 2, 3, 4, 5]
        assert [progress.fraction for progress in told] == [0.2, 0.4, 0.6, 0.8, 1.0]
        assert told[-1].left == 0 < told[0].left
        assert [(row["step"], row["number"]) for row in run.rows()] == [(2, 0.5), (4, 2.5), (5, 4)]
        assert [path.stem for path in run.previews()] == ["000004", "000005"]
        checkpoint = run.load()
        assert checkpoint is not None and checkpoint.step == 5

    def test_held_out_samples_are_asked_about_in_time_and_never_at_an_end_in_between(
        self, tmp_path: Path
    ) -> None:
        class Selecting(Toy):
            def __init__(self) -> None:
                super().__init__()
                self.asked: list[int] = []

            def validate(self, batch: list[int], /) -> dict[str, Tensor]:
                self.asked.append(batch[0])
                return {"validation": torch.tensor(batch[0] / 2)}

        toy, run = Selecting(), new_run(tmp_path / "run")
        cadence = Cadence(validate=3)
        list(fit(toy, numbers, run, steps_only(8), cadence=cadence, held_out=numbers))
        assert toy.asked == [3, 6]
        rows = [row for row in run.rows() if "validation" in row]
        assert [(row["step"], row["validation"]) for row in rows] == [(3, 1.5), (6, 3.0)]
        plain = Selecting()
        list(fit(plain, numbers, new_run(tmp_path / "none"), steps_only(8), cadence=cadence))
        assert plain.asked == []

    def test_left_and_resumed_repeats_the_uninterrupted_run(self, tmp_path: Path) -> None:
        whole, first, second = Toy(), Toy(), Toy()
        list(fit(whole, numbers, new_run(tmp_path / "whole"), steps_only(9), seed=3))
        parted = new_run(tmp_path / "parted")
        for progress in fit(first, numbers, parted, steps_only(9), seed=3):
            if progress.step.index == 4:
                break
        del progress
        parted.log(6, {"lost": 1.0})  # as if logged after the checkpoint, before a crash
        list(fit(second, numbers, new_run(tmp_path / "parted"), steps_only(9), seed=3))
        assert first.seen == [0, 1, 2, 3] and second.seen == [4, 5, 6, 7, 8]
        assert torch.equal(whole.weight, second.weight) and whole.total == second.total
        assert [row["step"] for row in parted.rows()] == [4, 9]
        assert list(fit(Toy(), numbers, parted, steps_only(9), seed=3)) == []

    def test_ctrl_c_finishes_the_step_saves_and_ends_clean(self, tmp_path: Path) -> None:
        class Interrupted(Toy):
            def step(self, batch: list[int], /) -> dict[str, Tensor]:
                if batch[0] == 2:
                    signal.raise_signal(signal.SIGINT)
                return super().step(batch)

        run, learner, before = new_run(tmp_path), Interrupted(), signal.getsignal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            list(fit(learner, numbers, run, steps_only(9)))
        checkpoint = run.load()
        assert learner.seen == [0, 1, 2]
        assert checkpoint is not None and checkpoint.step == 3
        assert torch.equal(checkpoint.state["weight"], learner.weight)
        assert signal.getsignal(signal.SIGINT) is before
        assert worker_threads() == []

    def test_minutes_are_counted_over_all_sittings_and_not_for_the_caller(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = count(step=10)
        monkeypatch.setattr("changeling.training.run.time.perf_counter", lambda: next(clock))
        run, cadence = new_run(tmp_path / "run"), Cadence(save=1e9)
        told: list[Progress] = []
        for progress in fit(Toy(), numbers, run, Budget(minutes=2), cadence=cadence):
            told.append(progress)
            list(islice(clock, 1000))
            if progress.fraction >= 0.5:
                break
        middle = told[-1].seconds
        told += fit(Toy(), numbers, run, Budget(minutes=2), cadence=cadence)
        assert middle < 120 <= told[-1].seconds < 150
        assert told[-1].fraction == 1 and told[-1].left == 0

    def test_divergence_is_refused_and_the_checkpoint_stays(self, tmp_path: Path) -> None:
        class Diverging(Toy):
            def step(self, batch: list[int], /) -> dict[str, Tensor]:
                return {"loss": torch.tensor(float("nan") if batch[0] == 3 else 1.0)}

        run = new_run(tmp_path / "run")
        with pytest.raises(Diverged, match=r"diverged at step 4 .*lower learning rate") as raised:
            list(fit(Diverging(), numbers, run, steps_only(9), cadence=Cadence(save=0)))
        checkpoint = run.load()
        assert checkpoint is not None and (checkpoint.step, raised.value.step) == (3, 4)

    @pytest.mark.parametrize("budget", [Budget(None, None), Budget(minutes=0), Budget(1, -1)])
    def test_a_budget_without_an_end_is_refused(self, tmp_path: Path, budget: Budget) -> None:
        with pytest.raises(UserError, match="give --minutes or --steps above 0"):
            next(fit(Toy(), numbers, new_run(tmp_path / "run"), budget))

    def test_a_damaged_checkpoint_is_named_with_its_mend(self, tmp_path: Path) -> None:
        run = new_run(tmp_path / "run")
        list(fit(Toy(), numbers, run, steps_only(1)))
        path = run.folder / "checkpoint.safetensors"
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(UserError, match="truncated or damaged: delete it to train again"):
            next(fit(Toy(), numbers, run, steps_only(2)))


class TestRuntime:
    def test_plain_turns_everything_off(self) -> None:
        best = Runtime.best()
        plain = best.plain()
        assert best.channels_last and best.fused and best.workers > 0
        assert (plain.precision, plain.channels_last, plain.fused, plain.workers) == (
            torch.float32,
            False,
            False,
            0,
        )
        assert (plain.device, plain.threads) == (best.device, best.threads)

    @pytest.mark.parametrize("layout", [True, False])
    def test_a_run_can_change_its_runtime(self, layout: bool) -> None:
        """Adam's state follows the layout of the parameters, whatever it was saved from."""
        cpu = Runtime(torch.device("cpu"), torch.float32, layout, True, threads=1, workers=0)
        outcomes = []
        for first, second in ((cpu, cpu), (cpu, replace(cpu.plain(), channels_last=not layout))):
            torch.manual_seed(0)
            network = first.network(nn.Conv2d(4, 8, 3))
            adam = first.adam(network.parameters(), rate=0.1, betas=(0.9, 0.99))
            pictures = torch.rand(2, 4, 5, 5)
            self._move(network, adam, first, pictures)
            other = second.network(nn.Conv2d(4, 8, 3))
            other.load_state_dict(network.state_dict())
            again = second.adam(other.parameters(), rate=0.1, betas=(0.9, 0.99))
            load_optimizer(again, optimizer_state(adam))
            self._move(other, again, second, pictures)
            gathered = again.state[other.weight]["exp_avg"]
            assert gathered.stride() == other.weight.stride()
            assert (again.param_groups[0]["fused"] is True) == second.fused
            outcomes.append(other.weight.detach())
        assert torch.allclose(outcomes[0], outcomes[1], atol=1e-5)

    @staticmethod
    def _move(
        network: nn.Conv2d, adam: torch.optim.Adam, runtime: Runtime, pictures: Tensor
    ) -> None:
        adam.zero_grad()
        with runtime.autocast():
            network(runtime.pictures(pictures)).square().mean().backward()
        adam.step()
