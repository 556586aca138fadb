"""What a study is made of: training with consent, the truth curve, stages, strips, reports."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch
from test_faceset import made
from torch import Tensor

from changeling.actors import Actor, Film
from changeling.errors import UserError
from changeling.faces import FaceSet
from changeling.generators import Swapped, family
from changeling.measuring import Row, Score, Scores
from changeling.media import read_image, write_image
from changeling.provenance import Consent, Credential, Source, sha256
from changeling.study import Advance, ScoreLine, Stage, donor_of, score_lines, train_family
from changeling.study.charts import caption, loss_chart, panels, truth_chart
from changeling.study.curve import Question, TruthCurve, actor_of, ask, examine
from changeling.study.films import strip
from changeling.study.report import Grid, Picture, Report, Table, write_report
from changeling.study.report import Row as GridRow
from changeling.study.stages import Clock, Ledger, quiet
from changeling.training import Budget, Progress, Run, Runtime, Step

TODAY = date(2026, 11, 21)
PLAIN = Runtime(torch.device("cpu"), torch.float32, False, False, threads=1, workers=0)
FAMILY = "autoencoder"
GOOD, BAD = Score(0.001, 30.0, 0.9), Score(0.1, 10.0, 0.2)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, FaceSet]]:
    """Two small sets of drawn faces under a consent of footage."""
    folder = tmp_path_factory.mktemp("people")
    return [(name, made(folder / name, seed=9 * i)) for i, name in enumerate("ab")]


def train(
    sets: Sequence[tuple[str, FaceSet]], run: Path, *, steps: int = 2, seed: int = 0
) -> list[Advance]:
    tiny = family(FAMILY).config.tiny()
    config = replace(tiny, people=tuple(name for name, _ in sets))
    return list(
        train_family(
            FAMILY, config, sets, run, Budget(None, steps), today=TODAY, runtime=PLAIN,
            batch=2, seed=seed,
        )
    )  # fmt: skip


def under(sets: list[tuple[str, FaceSet]], **changes: object) -> list[tuple[str, FaceSet]]:
    """The same sets with another consent of the last person."""
    *first, (name, last) = sets
    consent = replace(last.consent, **changes)  # type: ignore[arg-type]
    return [*first, (name, replace(last, consent=consent))]


def weights(run: Path) -> dict[str, Tensor]:
    checkpoint = Run(run).load()
    assert checkpoint is not None
    found: dict[str, Tensor] = checkpoint.state["network"]
    return found


# Training


def test_the_same_call_goes_on_to_the_same_weights(
    sets: list[tuple[str, FaceSet]], tmp_path: Path
) -> None:
    train(sets, tmp_path / "whole", steps=4)
    assert [one.progress.step.index for one in train(sets, tmp_path / "parts", steps=2)] == [1, 2]
    assert [one.progress.step.index for one in train(sets, tmp_path / "parts", steps=4)] == [3, 4]
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    train(sets, tmp_path / "other", steps=4, seed=1)
    other = weights(tmp_path / "other")
    assert not all(torch.equal(whole[name], other[name]) for name in whole)


def test_people_who_are_no_actors_have_no_truth(
    sets: list[tuple[str, FaceSet]], tmp_path: Path
) -> None:
    assert [one.truth for one in train(sets, tmp_path / "run")] == [None, None]
    assert not any("truth_psnr" in row for row in Run(tmp_path / "run").rows())


@pytest.mark.parametrize(
    ("change", "words"),
    [({"revoked": True}, "revoked"), ({"until": date(2026, 11, 20)}, "ended on 2026-11-20")],
)
def test_without_consent_of_everybody_nothing_is_trained(
    sets: list[tuple[str, FaceSet]], tmp_path: Path, change: dict[str, object], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        train(under(sets, **change), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_renewed_consent_reaches_the_donor(
    sets: list[tuple[str, FaceSet]], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    train(under(sets, until=date(2026, 12, 1)), run)
    assert donor_of(run, "b").consent.until == date(2026, 12, 1)
    assert train(under(sets, until=date(2027, 12, 1)), run) == []
    assert donor_of(run, "b").consent.until == date(2027, 12, 1)
    assert donor_of(run, "a").consent == sets[0][1].consent


def test_the_donor_says_what_taught_the_network(
    sets: list[tuple[str, FaceSet]], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    train(sets, run)
    donor = donor_of(run, "a")
    assert (donor.model, donor.run) == (FAMILY, "run")
    given = [(one.title, one.relationship) for one in donor.ingredients]
    titles = ["drawn.mp4", "drawn.mp4", "faces of a", "faces of b", "checkpoint.safetensors"]
    assert given == [(title, "inputTo") for title in titles]
    digests = [one.sha256 for one in donor.ingredients]
    assert digests[:2] == ["0" * 64] * 2
    assert digests[2] != digests[3]
    assert digests[4] == sha256(run / "checkpoint.safetensors")


def test_a_donor_nobody_knows(sets: list[tuple[str, FaceSet]], tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(sets, run)
    with pytest.raises(UserError, match="nobody called 'c': give --to one of a, b"):
        donor_of(run, "c")
    (run / "consents.json").write_text("{}")
    with pytest.raises(UserError, match=r"consents\.json does not hold the consent of a"):
        donor_of(run, "a")


def test_another_set_is_another_run(sets: list[tuple[str, FaceSet]], tmp_path: Path) -> None:
    own = made(tmp_path / "own")
    train([sets[0], ("own", own)], tmp_path / "run")
    with pytest.raises(UserError, match="other settings"):
        train([sets[0], ("own", replace(own, faces=own.faces[:3]))], tmp_path / "run")
    picture = read_image(own.folder / own.faces[0].file)
    write_image(own.folder / own.faces[0].file, 255 - picture)
    with pytest.raises(UserError, match="other settings"):
        train([sets[0], ("own", own)], tmp_path / "run")


# The truth curve


@dataclass(frozen=True)
class Oracle:
    """Knows every answer, or gives the face back as it is."""

    answer: Tensor | None
    people: tuple[str, ...] = ("a", "b")
    size: int = 16

    def swap(self, faces: Tensor, *, to: str) -> Swapped:
        given = faces if self.answer is None else self.answer
        return Swapped(given, torch.ones_like(faces[:, :1]))


def question(seed: int = 0) -> Question:
    rng = np.random.default_rng(seed)
    faces = rng.integers(0, 256, (2, 3, 16, 16)).astype(np.uint8)
    answers = rng.integers(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    inner = np.zeros((2, 16, 16), np.bool_)
    inner[:, 4:12, 4:12] = True
    return Question("b", torch.from_numpy(faces).float() / 255, answers, inner)


def test_whoever_knows_the_answers_has_the_best_score() -> None:
    asked = question()
    answer = torch.from_numpy(asked.answers).permute(0, 3, 1, 2).float() / 255
    assert examine(Oracle(answer), [asked]).psnr == pytest.approx(100)
    assert examine(Oracle(answer), [asked]).ssim == pytest.approx(1)
    spoilt = answer.clone()
    spoilt[:, :, :4] = 0
    assert examine(Oracle(spoilt), [asked]).psnr == pytest.approx(100)  # outside the inner face
    spoilt[:, :, 4:6] = 0
    assert examine(Oracle(spoilt), [asked]).psnr < 15


def progress(seconds: float, fraction: float = 0.5) -> Progress:
    return Progress(Step(round(seconds), {}, 4), seconds, 1.0, fraction, 1.0)


def test_the_curve_has_a_point_now_and_then_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeling.study.curve._questions", lambda actors, size: [question()])
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"family": "", "config": {}, "data": {}}')
    run = Run(tmp_path / "run")
    curve = TruthCurve(run, Oracle(None), [])
    seen = [curve.follow(progress(at)) for at in (100, 124, 125.5, 140, 151)]
    assert [score is None for score in seen] == [True, True, False, False, False]
    curve.follow(progress(152, fraction=1.0))
    rows = run.rows()
    assert [row["seconds"] for row in rows] == [125.5, 151, 152]
    score = examine(Oracle(None), [question()])
    wanted = {"step": 151, "seconds": 151, "truth_psnr": score.psnr, "truth_ssim": score.ssim}
    assert rows[1] == wanted


def test_an_actor_given_by_itself_is_its_own_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeling.study.curve.FRAMES", 2)
    asked = ask(Actor(1, 1), Actor(1, 1), "a", 32)
    assert asked.faces.shape == (2, 3, 32, 32)
    given = (asked.faces * 255).round().byte().permute(0, 2, 3, 1).numpy()
    assert np.array_equal(given, asked.answers)
    assert 0.3 < asked.inner.mean() < 0.95
    assert asked.inner[:, 16, 16].all()


def test_an_actor_is_known_by_the_recipe_of_the_film(sets: list[tuple[str, FaceSet]]) -> None:
    faces = sets[0][1]
    assert actor_of(faces) is None
    assert actor_of(replace(faces, film=Film(7, 9, 3, 2.0, 320, 180, "25"))) == Actor(7, 9)


# Stages


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


def test_speed_is_that_of_all_stages_with_the_verb(tmp_path: Path) -> None:
    path = tmp_path / "stages.json"
    rows = [("film a", 10, 2.0), ("film b", 20, 1.0), ("extract a", 90, 1.0)]
    finished = [{"name": name, "frames": n, "seconds": s} for name, n, s in rows]
    path.write_text(json.dumps({"finished": finished}))
    assert Ledger(path, quiet).speed("film") == 10
    assert Ledger(path, quiet).speed("convert") == 0


# Scores, strips, charts, reports


def test_score_lines_name_place_and_rival() -> None:
    rows = [Row(*(Score(0.1, n + rival, 0.5) for rival in range(3))) for n in (0, 10, 20)]
    lines = score_lines(Scores(*rows))
    assert [line.score.psnr for line in lines] == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    assert [line.where for line in lines[::3]] == ["crop", "in place", "whole frame"]
    assert lines[3].who == "the swap"
    assert len({line.who for line in lines}) == 3


def test_a_strip_keeps_the_order_and_the_shape() -> None:
    tiles = [np.full((90, 640, 3), level, np.uint8) for level in (10, 20, 30)]
    row = strip(tiles)
    assert row.shape == (45, 3 * 320 + 2 * 5, 3)
    assert [int(row[20, x, 0]) for x in (160, 485, 810)] == [10, 20, 30]
    assert int(row[20, 322, 0]) == 255
    assert strip([np.zeros((16, 16, 3), np.uint8)], least=128).shape == (128, 128, 3)


def test_captions_are_of_one_height() -> None:
    long, short = caption("performance", 24), caption("truth", 24)
    assert len(long) == len(short) == 24
    assert long.shape[1] > 1.6 * short.shape[1]
    assert 0.9 < long.max() <= 1
    assert long[0].max() == long[-1].max() == 0


def test_charts_show_what_the_log_holds() -> None:
    losses = [{"step": i, "l1": 1 / i, "tie": 0.0, "rate": 9.0, "seconds": 6.0 * i} for i in (1, 2)]
    truth = [{"step": 2, "truth_psnr": 20.0, "truth_ssim": 0.5, "seconds": 12.0}]
    drawn = loss_chart([*losses, *truth])
    assert np.array_equal(drawn, loss_chart(losses))
    assert np.array_equal(
        drawn, panels({"l1": ([0.1, 0.2], [1, 0.5]), "tie": ([0.1, 0.2], [0, 0])}, "minutes")
    )
    assert truth_chart(losses) is None
    assert truth_chart([*losses, *truth]) is not None
    assert (drawn < 128).any()


def test_a_report_marks_the_best_and_escapes_words(tmp_path: Path) -> None:
    tile = np.zeros((8, 8, 3), np.uint8)
    picture = Picture(tile, Credential("tile", Source.RENDERED), 'a "tile"')
    report = Report(
        title="<b> & others",
        lead="",
        figures=(),
        table=Table("t", "", (ScoreLine("crop", "one", GOOD), ScoreLine("crop", "two", BAD))),
        grids=(Grid("g", "", ("x",), (GridRow("1 s", picture),)),),
        charts=(),
        commands=("changeling verify 'a b.mp4'",),
        facts=(),
    )
    path = tmp_path / "report.html"
    write_report(path, report)
    page = path.read_text("utf-8")
    assert "<h1>&lt;b&gt; &amp; others</h1>" in page
    assert 'alt="a &#34;tile&#34;"' in page
    best = [line.split("</td>")[0] for line in page.split('best">')[1:]]
    assert best == ["30.00", "0.900", "0.00100"]
    with pytest.raises(UserError, match="exists already"):
        write_report(path, report)
