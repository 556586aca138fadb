"""The stages of a study: how fast they are, and that none is done twice."""

import json
from pathlib import Path

import pytest

from changeling.study import Stage
from changeling.study.stages import Clock, Ledger, quiet


def test_speed_counts_from_the_first_tick_on(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 101.0, 104.0])
    monkeypatch.setattr("changeling.study.stages.time.perf_counter", lambda: next(times))
    told: list[Stage] = []
    clock = Clock("film", told.append)
    for done in (1, 3, 9):
        clock.tick(done, 9)
    finished = clock.finished()
    assert (finished.frames, finished.seconds) == (8, 4.0)
    assert [stage.note for stage in told] == ["", "", "2/s", "2/s"]
    assert [stage.done for stage in told] == [0, 1, 3, 9]


def test_a_stage_that_is_written_down_is_not_done_again(tmp_path: Path) -> None:
    path = tmp_path / "stages.json"
    done: list[str] = []
    ledger = Ledger(path, quiet)
    ledger.once("film a", lambda tick: done.append("a"))
    with pytest.raises(ZeroDivisionError):
        ledger.once("film b", lambda tick: 1 / 0)
    again = Ledger(path, quiet)
    again.once("film a", lambda tick: done.append("a again"))
    again.once("film b", lambda tick: done.append("b"))
    assert done == ["a", "b"]
    assert [one["name"] for one in json.loads(path.read_text())["finished"]] == ["film a", "film b"]


def test_a_stage_whose_file_is_gone_is_done_again(tmp_path: Path) -> None:
    path, made = tmp_path / "stages.json", [tmp_path / "a.mp4", tmp_path / "a.npz"]
    done: list[int] = []

    def work(_: object) -> None:
        done.append(len(done))
        for one in made:
            one.write_bytes(b"film")

    Ledger(path, quiet).once("film a", work, *made)
    Ledger(path, quiet).once("film a", work, *made)
    assert done == [0]
    made[1].unlink()
    Ledger(path, quiet).once("film a", work, *made)
    assert done == [0, 1]
    assert len(json.loads(path.read_text())["finished"]) == 1


def test_speed_is_that_of_all_stages_with_the_verb(tmp_path: Path) -> None:
    path = tmp_path / "stages.json"
    rows = [("film a", 10, 2.0), ("film b", 20, 1.0), ("extract a", 90, 1.0)]
    finished = [{"name": name, "frames": n, "seconds": s} for name, n, s in rows]
    path.write_text(json.dumps({"finished": finished}))
    assert Ledger(path, quiet).speed("film") == 10
    assert Ledger(path, quiet).speed("convert") == 0
