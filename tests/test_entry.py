"""The program around the commands: help, exit codes, what is loaded, the bar."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from changeling.cli import main
from changeling.cli.bars import Bar
from changeling.cli.demo import Demo
from changeling.cli.entry import COMMANDS


@pytest.mark.parametrize("line", [["--help"], ["verify", "FILE"], ["film", "--actor", "x"]])
def test_what_needs_no_network_loads_none(line: list[str], published: Path) -> None:
    words = [str(published / "a.png") if word == "FILE" else word for word in line]
    code = (
        "import sys, contextlib; from changeling.cli import main\n"
        f"with contextlib.suppress(SystemExit): main({words!r})\n"
        "assert not {'torch', 'anny', 'warp', 'matplotlib'} & set(sys.modules), 'loaded'"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True).stderr.count(b"loaded")
        == 0
    )


class Stopped(Demo):
    """A command that somebody stops, or that has a bug."""

    error: BaseException = KeyboardInterrupt()

    def run(self) -> int:
        raise self.error


def test_ctrl_c_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(COMMANDS, "demo", Stopped)
    assert main(["demo"]) == 130
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Stopped by Ctrl-C")
    assert said.err.count("\n") == 1


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "demo", Stopped)
    monkeypatch.setattr(Stopped, "error", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["demo"])


def test_help_and_an_empty_line(capsys: pytest.CaptureFixture[str]) -> None:
    for line in (["--help"], []):
        with pytest.raises(SystemExit) as end:
            main(line)
        assert end.value.code == 0
        said = capsys.readouterr().out
        assert all(f"{command} " in said for command in COMMANDS)


def test_no_flag_hides_the_method_that_runs() -> None:
    for command in COMMANDS.values():
        names = {field.name for field in fields(command)}  # type: ignore[arg-type]
        assert "run" not in names


def test_a_bar_measures_from_the_first_thing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 101.0, 103.0])
    monkeypatch.setattr("changeling.cli.bars.time.perf_counter", lambda: next(times))
    bar = Bar("frames")
    for done in (1, 2, 3):
        bar.tick(done, 3)
    assert str(bar) == ", 0.7 frames/s"
    assert str(Bar("frames")) == ""
