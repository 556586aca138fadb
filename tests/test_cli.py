"""The commands: from a film to a verified swap, what they print, and their exit codes."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from samples import training

import changeling.faces
import changeling.study
from changeling.cli import main
from changeling.cli.demo import Demo
from changeling.cli.entry import parse
from changeling.faces import LandmarksTaught, LandmarkTeaching, Renders, open_set
from changeling.faces.landmark_exam import Marked
from changeling.media import probe, read_frames, read_image, write_image
from changeling.provenance import Enrolment, read_consent, verify
from changeling.study.experiments import STUDIES
from changeling.training import Budget, Runtime

ROOT = Path(__file__).parents[1]


def test_a_film_carries_the_seeds_that_were_given(tmp_path: Path) -> None:
    out = tmp_path / "a.mp4"
    line = f"film --actor 1 --styling 2 --performance 3 --seconds .08 --size 48x32 -o {out}"
    assert main(line.split()) == 0
    credential = verify(out).credential
    assert credential is not None
    assert json.loads(dict(credential.facts)["film"]) == {
        "face": 1, "styling": 2, "performance": 3, "seconds": 0.08, "width": 48, "height": 32,
        "rate": "25", "recording": "",
    }  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "a.truth.npz"]
    before = out.read_bytes()
    assert main([*line.split(), "--overwrite"]) == 0
    assert out.read_bytes() != before  # signed anew


def test_a_recording_is_performed(tmp_path: Path) -> None:
    names = [*changeling.actors.ACTIONS, "HeadYaw", "HeadPitch", "HeadRoll"]
    rows = [",".join(names), *[",".join("0.1" for _ in names)] * 3]
    recording = tmp_path / "take.csv"
    recording.write_text("\n".join(rows))
    out = tmp_path / "films" / "a.mp4"
    line = f"film --actor 1 --csv {recording} --csv-rate 23.5 --size 48x32 -o {out}"
    assert main(line.split()) == 0
    assert (probe(out).frames, probe(out).rate) == (3, Fraction(47, 2))
    assert out.with_suffix(".csv").read_bytes() == recording.read_bytes()


def test_extract_counts(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a"
    line = ["extract", str(film), "-o", str(out), "--size", "32", "--every", "3"]
    assert main(line) == 0
    said = capsys.readouterr()
    assert f"{out}: 2 faces of 32 pixels from 6 frames" in said.out
    assert said.err == ""
    assert [face.frame for face in open_set(out).faces] == [0, 3]
    assert main([*line, "--overwrite"]) == 0


def test_training_goes_on_where_it_stopped(
    taught: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces, run = taught[0], tmp_path / "abc"
    line = training(faces, run, "--person", f"c={faces}", "--seed", "4", "--steps")
    assert main([*line, "1"]) == 0
    assert main([*line, "3"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"{run}: step 1, ")
    assert said[1].startswith(f"{run}: step 3, ")
    assert all(" faces/s, l1 0." in line for line in said)
    assert main([*line, "3"]) == 0
    again = capsys.readouterr().out
    assert "trained to the end already" in again and "variety" not in again
    alike = json.dumps({"step": 3, "d_real": 0.7, "d_fake": 0.3, "variety": 0.1})
    with (run / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(f"{alike}\n" * 20)
    assert main([*line, "3"]) == 0
    assert f"{run}: at step 3 the samples have lost their variety" in capsys.readouterr().out
    settings = json.loads((run / "config.json").read_text(encoding="utf-8"))
    assert settings["config"]["people"] == ["a", "b", "c"]
    assert settings["config"]["size"] == 16
    assert (settings["data"]["seed"], settings["config"]["batch"]) == (4, 2)


@pytest.mark.parametrize(
    ("flags", "budget", "plain"),
    [
        ((), Budget(5.0, None), False),
        (("--steps", "7"), Budget(None, 7), False),
        (("--minutes", "0.5", "--plain"), Budget(0.5, None), True),
        (("--minutes", "2", "--steps", "7"), Budget(2.0, 7), False),
    ],
)
def test_the_budget_and_the_runtime_of_a_training(
    flags: tuple[str, ...], budget: Budget, plain: bool, taught: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    calls: list[tuple[object, object]] = []

    def train(*given: object, **rest: object) -> Iterator[object]:
        calls.append((given[4], rest["runtime"]))
        return iter(())

    monkeypatch.setattr(changeling.study, "train_family", train)
    assert main(training(*taught, *flags)) == 0
    best = Runtime.best()
    assert calls == [(budget, best.plain() if plain else best)]


def test_a_video_is_converted_signed_and_judged(
    film: Path, taught: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swap, report = tmp_path / "swap.mp4", tmp_path / "report.html"
    line = ["convert", str(film), "--run", str(taught[1]), "--to", "b", "-o", str(swap)]
    assert main([*line, "--colour", "covariance", "--blend", "poisson"]) == 0
    assert f"{swap}: 6 frames, 6 of them with a new face" in capsys.readouterr().out
    credential = verify(swap).credential
    assert credential is not None
    facts = {"to": "b", "colour": "covariance", "blend": "poisson"}
    assert dict(credential.facts) == facts
    assert credential.run == taught[1].name
    assert [f.time for f in read_frames(swap)] == [f.time for f in read_frames(film)]
    assert main(["verify", str(swap)]) == 0
    assert "is intact since" in capsys.readouterr().out
    assert main(["judge", str(swap), "--truth", str(film), "-o", str(report)]) == 0
    head, face, frame, last = capsys.readouterr().out.splitlines()
    assert head.split() == ["MSE", "PSNR", "SSIM"]
    numbers = [
        [float(word) for word in line.replace(" dB", "").split()[-3:]] for line in (face, frame)
    ]
    # The face was replaced, the rest of the frame was not.
    assert numbers[0][1] < numbers[1][1] < 100
    assert last == f"Report: {report}"
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_picture_is_converted(
    film: Path,
    taught: tuple[Path, Path],
    consent: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "swap.png"
    write_image(photo, next(read_frames(film)).pixels)
    line = ["convert", str(photo), "--run", str(taught[1]), "--to", "b", "-o", str(out)]
    assert main([*line, "--consent", str(consent)]) == 0
    assert capsys.readouterr().out == f"{out}: 1 frames, 1 of them with a new face\n"
    assert not np.array_equal(read_image(out), read_image(photo))
    assert main(["verify", str(out)]) == 0


def test_verify_has_four_answers(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    signed = published / "a.png"
    altered = tmp_path / "altered.png"
    data = bytearray(signed.read_bytes())
    data[-30] ^= 1
    altered.write_bytes(data)
    bare = tmp_path / "bare.png"
    write_image(bare, read_image(signed))
    assert [main(["verify", str(path)]) for path in (signed, altered, bare)] == [0, 4, 5]
    monkeypatch.setenv("CHANGELING_HOME", str(tmp_path / "elsewhere"))
    assert main(["verify", str(signed)]) == 3
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4
    words = ["whom this machine trusts", "has been altered", "no content credential", "not know"]
    assert all(word in line for word, line in zip(words, said, strict=True))


def test_consent_is_asked_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "consent.toml"
    answers = ["footage", "Ada, Bo", "Ada and Bo", "a lecture", "2199-12-31", "letter.pdf"]
    answers += ["1.png, 2.png", "3.png,4.png"]

    def looks(person: str, pictures: list[Path]) -> Enrolment:
        return Enrolment(person, "network", tuple(map(str, pictures)), ((1.0,), (1.0,)))

    monkeypatch.setattr(changeling.faces, "enrol", looks)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(answers) + "\n"))
    assert main(["consent", "new", "-o", str(out)]) == 0
    given = read_consent(out)
    assert (given.people, given.until) == (("Ada", "Bo"), date(2199, 12, 31))
    pictures = [(one.person, one.pictures) for one in given.enrolled]
    assert pictures == [("Ada", ("1.png", "2.png")), ("Bo", ("3.png", "4.png"))]
    said = capsys.readouterr()
    assert f"--consent {out}" in said.out
    assert said.err.count(":") >= len(answers)
    monkeypatch.setattr(sys, "stdin", io.StringIO("footage\nAda\n"))
    other = tmp_path / "other.toml"
    assert main(["consent", "new", "-o", str(other)]) == 2
    assert "not all answered" in capsys.readouterr().err
    assert not other.exists()


def test_study_without_a_name_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "run"]) == main(["study", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = [f"{name}: {one.question}" for name, one in STUDIES.items()]
    assert lines == told * 2
    assert main(["study", "page"]) == 2
    assert "give a name" in capsys.readouterr().err


def test_teach_calls_the_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[object, ...]] = []

    def teach(run: Path, budget: object, teaching: object, **rest: object) -> LandmarksTaught:
        calls.append((run, budget, teaching, rest["out"]))
        return LandmarksTaught(7, Marked(*range(11)))

    monkeypatch.setattr(changeling.faces, "teach_landmarks", teach, raising=False)
    out = tmp_path / "w.safetensors"
    line = f"--minutes 2 --actors 5 --seed 3 --out {out} --run-folder {tmp_path} --begin {out}"
    assert main(["teach", "landmarks", *line.split()]) == 0
    teaching = LandmarkTeaching(Renders(5), begin=out, seed=3)
    assert calls == [(tmp_path, Budget(2.0), teaching, out)]
    assert main(["teach", "identity", *line.split()]) == 2
    assert "--begin is for landmarks" in capsys.readouterr().err


def test_the_demo_has_the_defaults_of_the_study() -> None:
    assert Demo().options() == changeling.study.DemoOptions()
    short = parse("demo --pair 2 --steps 9 --seconds 3 --faces 32 --seed 5".split())  # noqa: SIM905
    assert isinstance(short, Demo)
    options = short.options()
    assert options.pair == changeling.study.PAIRS[1]
    assert (options.steps, options.minutes, options.seconds) == (9, None, 3)
    assert (options.faces, options.seed) == (32, 5)


def test_the_demo_prints_scores_and_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from changeling.measuring import Likeness, Likenesses, Row, Score, Scores

    one = Score(0.01, 20.0, 0.7)
    row = Row(one, Score(0.02, 17.0, 0.6), Score(0.03, 15.2, 0.5))

    @dataclass
    class Results:
        scores: Scores
        identity: Likenesses

    def demo(folder: Path, options: object, **rest: object) -> changeling.study.Demo:
        tell = rest["on_stage"]
        assert callable(tell)
        for stage in (("film a.mp4", 0, None), ("film a.mp4", 1, 2), ("train run", 0, None)):
            tell(changeling.study.Stage(*stage))
        alike = Likeness(0.81, 0.37, 0.94)
        results = Results(Scores(row, row, row), Likenesses(alike, alike, alike))
        return changeling.study.Demo(folder, results, (folder / "swap.mp4",))  # type: ignore[arg-type]

    monkeypatch.setattr(changeling.study, "demo", demo)
    assert main(["demo", "-o", str(tmp_path), "--pair", "1"]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert len(lines) == 1 + 9 + 1 + 1
    assert "0.810 like the target, 0.370 like the source, 94%" in lines[-2]
    assert lines[1].split()[-4:] == ["0.01000", "20.00", "dB", "0.7000"]
    assert lines[-1] == str(tmp_path / "swap.mp4")
    first, second = said.err.splitlines()
    assert first.startswith("film a.mp4, after preparing the actors' model (once per machine")
    assert second == "train run"
    assert main(["demo", "-o", str(tmp_path), "--pair", "6"]) == 2
    assert "give --pair 1 to 5" in capsys.readouterr().err
