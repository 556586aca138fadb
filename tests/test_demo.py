"""The demo in a shortened form: from seeds to a signed swap, its scores and its report."""

import json
import math
import re
import shutil
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch

from changeling.actors import Actor
from changeling.errors import UserError
from changeling.measuring import Score
from changeling.media import probe, read_frames
from changeling.provenance import Source, State, sha256, verify
from changeling.study import Demo, DemoOptions, Pair, Stage, demo, judge_report, score_lines
from changeling.training import Run, Runtime

TODAY = date(2026, 11, 21)
PLAIN = Runtime(torch.device("cpu"), torch.float32, False, False, threads=1, workers=0)
# One styling, so that the truth is B herself and only two bodies have to be made.
OPTIONS = DemoOptions(
    pair=Pair(Actor(1, 1), Actor(2, 1)),
    seconds=0.8,
    held_out=0.4,
    size=(160, 120),
    faces=16,
    minutes=None,
    steps=20,
)
KEYS = [
    "crop", "in_place", "frame", "identity", "train_seconds", "faces_per_second", "convert_fps",
    "render_fps", "extract_fps", "seeds", "versions",
]  # fmt: skip
STAGES = [
    "film a.mp4", "film b.mp4", "film performance.mp4", "film truth.mp4", "extract faces/a",
    "extract faces/b", "train run", "convert swap.mp4", "show side_by_side.mp4", "judge swap.mp4",
]  # fmt: skip


class Told:
    """Remembers the stages, and presses Ctrl-C half way through training if asked to."""

    def __init__(self, *, interrupt: bool = False) -> None:
        self.stages: list[Stage] = []
        self._interrupt = interrupt

    def tell(self, stage: Stage) -> None:
        self.stages.append(stage)
        if self._interrupt and stage.name == "train run" and stage.done == 50:
            raise KeyboardInterrupt

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(stage.name for stage in self.stages))


@pytest.fixture(scope="module", autouse=True)
def few_questions() -> Iterator[None]:
    """The truth curve asks two frames of each direction."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("changeling.study.curve.FRAMES", 2)
        yield


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, told: Told) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    return demo(folder, OPTIONS, today=TODAY, on_stage=told.tell, runtime=PLAIN)


def scores_of(value: object) -> list[dict[str, float]]:
    """Every score in a nest of JSON objects."""
    if not isinstance(value, dict):
        return []
    if set(value) == {"mse", "psnr", "ssim"}:
        return [value]
    return [one for inner in value.values() for one in scores_of(inner)]


def pictures_of(report: Path) -> list[bytes]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', report.read_text("utf-8"))
    return [b64decode(one) for one in found]


def test_every_stage_is_told_once_in_order(made: Demo, told: Told) -> None:
    assert told.names == STAGES
    films = [stage for stage in told.stages if stage.name == "film b.mp4"]
    assert [(stage.done, stage.total) for stage in films[1:]] == [(i, 20) for i in range(1, 21)]
    trained = [stage.done for stage in told.stages if stage.name == "train run"]
    assert trained == sorted(trained)
    assert trained[-1] == 100


def test_all_films_are_signed_by_us(made: Demo) -> None:
    films = [path for path in made.files if path.suffix == ".mp4"]
    assert {path.name for path in films} == {
        "a.mp4", "b.mp4", "performance.mp4", "truth.mp4", "swap.mp4", "side_by_side.mp4",
    }  # fmt: skip
    assert [verify(path).state for path in films] == [State.TRUSTED] * 6


def test_the_swap_says_from_what_it_was_made(made: Demo) -> None:
    credential = verify(made.folder / "swap.mp4").credential
    assert credential is not None
    assert credential.source is Source.COMPOSITE
    assert credential.model == OPTIONS.family
    parent, *inputs = credential.ingredients
    assert (parent.sha256, parent.relationship) == (
        sha256(made.folder / "performance.mp4"), "parentOf",
    )  # fmt: skip
    assert {one.relationship for one in inputs} == {"inputTo"}
    hashes = {one.sha256 for one in inputs}
    wanted = ("a.mp4", "b.mp4", "run/checkpoint.safetensors")
    assert {sha256(made.folder / name) for name in wanted} < hashes
    assert len(hashes) == 5


def test_side_by_side_shows_three_films(made: Demo) -> None:
    video = probe(made.folder / "side_by_side.mp4")
    assert (video.width, video.height, video.frames) == (480, 120, 10)
    wide = next(read_frames(made.folder / "side_by_side.mp4")).pixels
    for index, name in enumerate(("performance.mp4", "swap.mp4", "truth.mp4")):
        shown = wide[20:, 160 * index : 160 * (index + 1)]
        frame = next(read_frames(made.folder / name)).pixels[20:]
        assert np.abs(shown.astype(int) - frame).mean() < 4
    band = wide[:14, :60].astype(int)
    assert band.max() - band.min() > 100


def test_scores_json_holds_what_is_promised(made: Demo) -> None:
    data = json.loads((made.folder / "scores.json").read_text())
    assert list(data) == KEYS
    assert all(set(data[place]) == {"swap", "copy_source", "mean_face"} for place in KEYS[:3])
    scores = scores_of(data)
    assert len(scores) == 9
    for one in scores:
        assert 0 < one["mse"] < 1
        assert -1 < one["ssim"] < 1
        # PSNR is averaged in decibels, so Jensen's inequality holds, and little is between.
        assert 0 <= one["psnr"] + 10 * math.log10(one["mse"]) < 3
    for one in data["identity"].values():
        assert -1 <= one["to_source"] <= 1 and -1 <= one["to_target"] <= 1
        assert 0 <= one["nearer"] <= 1
    copied = data["identity"]["copy_source"]
    assert copied["to_source"] > copied["to_target"], "a recoloured source is still the source"
    speeds = [data[key] for key in KEYS[4:9]]
    assert all(math.isfinite(speed) and speed > 0 for speed in speeds)
    assert data["faces_per_second"] == pytest.approx(20 * 2 * 8 / data["train_seconds"])
    assert data["seeds"] == {
        "a": {"face": 1, "styling": 1}, "b": {"face": 2, "styling": 1},
        "performance_a": 1, "performance_b": 2, "performance": 3, "training": 0,
    }  # fmt: skip


def test_the_frames_score_is_that_of_the_films(made: Demo) -> None:
    """Measured again by hand from the two encoded films."""
    films = [read_frames(made.folder / name) for name in ("swap.mp4", "truth.mp4")]
    errors = [
        ((one.pixels / 255.0 - two.pixels / 255.0) ** 2).mean()
        for one, two in zip(*films, strict=True)
    ]
    assert made.results.frame.swap.mse == pytest.approx(np.mean(errors), rel=0.2)


def test_the_log_holds_the_truth_curve(made: Demo) -> None:
    rows = Run(made.folder / "run").rows()
    points = [row for row in rows if "truth_psnr" in row]
    assert [row["step"] for row in points] == [20]
    assert 3 < points[0]["truth_psnr"] < 30
    assert -1 < points[0]["truth_ssim"] < 1


def test_the_report_stands_alone(made: Demo) -> None:
    page = (made.folder / "report.html").read_text("utf-8")
    assert re.findall(r"https?:|//[a-z]", re.sub(r"base64,[^\"]+", "", page)) == []
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,|#)', page) == []
    for line in score_lines(made.results.scores):
        assert f">{line.score.psnr:.2f}<" in page
        assert f">{line.score.ssim:.3f}<" in page
    assert "changeling film --actor 2 --styling 1 --performance 3 --seconds 0.4" in page
    assert (
        "changeling train autoencoder --a faces/a --b faces/b -o run --size 16 --steps 20" in page
    )


def test_every_picture_of_the_report_is_signed(made: Demo, tmp_path: Path) -> None:
    pictures = pictures_of(made.folder / "report.html")
    assert len(pictures) == 8 + 8
    for index in (0, 8):
        path = tmp_path / f"{index}.png"
        path.write_bytes(pictures[index])
        found = verify(path)
        assert found.state is State.TRUSTED
        assert found.credential is not None
        assert found.credential.source is Source.COMPOSITE


def test_a_finished_demo_is_not_made_again(made: Demo) -> None:
    told = Told()
    assert demo(made.folder, OPTIONS, today=TODAY, on_stage=told.tell, runtime=PLAIN) == made
    assert told.stages == []


def test_interrupted_training_goes_on_to_the_same_scores(made: Demo, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(made.folder, folder)
    shutil.rmtree(folder / "run")
    for name in ("scores.json", "report.html", "swap.mp4", "side_by_side.mp4"):
        (folder / name).unlink()
    ledger = json.loads((folder / "stages.json").read_text())
    ledger["finished"] = ledger["finished"][:6]
    (folder / "stages.json").write_text(json.dumps(ledger))
    first, second = Told(interrupt=True), Told()
    with pytest.raises(KeyboardInterrupt):
        demo(folder, OPTIONS, today=TODAY, on_stage=first.tell, runtime=PLAIN)
    again = demo(folder, OPTIONS, today=TODAY, on_stage=second.tell, runtime=PLAIN)
    assert (first.names, second.names) == (STAGES[6:7], STAGES[6:])
    assert min(stage.done for stage in second.stages[1:11]) == 55
    assert again.results.scores == made.results.scores


def test_a_demo_with_other_options_is_kept(made: Demo) -> None:
    with pytest.raises(UserError, match="with other options"):
        demo(made.folder, replace(OPTIONS, seed=1), today=TODAY, runtime=PLAIN)
    assert all(path.exists() for path in made.files)


def test_overwriting_removes_only_what_a_demo_made(made: Demo, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(made.folder, folder)
    (folder / "notes.txt").write_text("mine")

    def stop(stage: Stage) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo(folder, replace(OPTIONS, seed=1), today=TODAY, overwrite=True, on_stage=stop)
    assert {path.name for path in folder.iterdir()} == {"demo.json", "notes.txt"}
    assert json.loads((folder / "demo.json").read_text())["seed"] == 1


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="no demo's folder"):
        demo(tmp_path, OPTIONS, today=TODAY, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (replace(OPTIONS, steps=None), "give --minutes or --steps"),
        (replace(OPTIONS, faces=20), "give --size 16"),
        (replace(OPTIONS, family="cubism"), "no family 'cubism'"),
    ],
)
def test_what_cannot_be_trained_is_not_filmed(
    tmp_path: Path, options: DemoOptions, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        demo(tmp_path / "demo", options, today=TODAY, runtime=PLAIN)
    assert list(tmp_path.iterdir()) == []


def test_a_film_judged_against_itself_is_perfect(made: Demo, tmp_path: Path) -> None:
    truth, out = made.folder / "truth.mp4", tmp_path / "report.html"
    judgement = judge_report(truth, truth, out)
    assert judgement.face == judgement.frame == Score(0, 100, 1)
    assert len(judgement.series) == 10
    page = out.read_text("utf-8")
    assert ">100.00<" in page
    assert "http:" not in re.sub(r"base64,[^\"]+", "", page)
    assert len(pictures_of(out)) == 8 + 8


def test_a_report_that_exists_is_kept(made: Demo, tmp_path: Path) -> None:
    truth, out = made.folder / "truth.mp4", tmp_path / "report.html"
    out.write_text("old")
    with pytest.raises(UserError, match="exists already"):
        judge_report(truth, truth, out)
    assert out.read_text() == "old"
