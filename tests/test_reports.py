"""Score lines, strips, captions, and what the reports of a swap show."""

from pathlib import Path

import numpy as np
import pytest

from changeling.errors import UserError
from changeling.measuring import Row, Score, Scores
from changeling.study import ScoreLine, judge_report, score_lines
from changeling.study.charts import caption
from changeling.study.films import strip
from changeling.study.judge import score_table
from changeling.study.page_table import figures, rule
from changeling.study.run_curves import loss_curves, truth_curves

GOOD, BAD = Score(0.001, 30.0, 0.9), Score(0.1, 10.0, 0.2)


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


def test_curves_show_what_the_log_holds() -> None:
    losses = [{"step": i, "l1": 1 / i, "tie": 0.0, "rate": 9.0, "seconds": 6.0 * i} for i in (1, 2)]
    truth = [{"step": 2, "truth_psnr": 20.0, "truth_ssim": 0.5, "seconds": 12.0}]
    curves = loss_curves([*losses, *truth])
    assert [(one.y, one.lines[0].points) for one in curves] == [
        ("l1", ((0.1, 1.0), (0.2, 0.5))),
        ("tie", ((0.1, 0.0), (0.2, 0.0))),
    ]
    assert truth_curves(losses) == ()
    psnr, ssim = truth_curves([*losses, *truth])
    assert (psnr.lines[0].points, ssim.lines[0].points) == (((0.2, 20.0),), ((0.2, 0.5),))


def test_scores_of_a_film_are_a_table_without_intervals() -> None:
    table = score_table(
        (
            ScoreLine("crop", "one", GOOD),
            ScoreLine("crop", "two", BAD),
            ScoreLine("frame", "one", BAD),
            ScoreLine("frame", "two", GOOD),
        )
    )
    assert [column.group for column in table.columns] == ["crop"] * 3 + ["frame"] * 3
    one, two = figures(table)
    assert [cell.text for cell in one] == ["30.00", "0.900", "0.00100", "10.00", "0.200", "0.10000"]
    assert [cell.text for cell in two] == ["10.00", "0.200", "0.10000", "30.00", "0.900", "0.00100"]
    assert rule(table) == ""
    assert not any(cell.best for cell in (*one, *two)), "one film tells nothing of chance"


def test_a_report_that_cannot_be_written_is_said_before_anything_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(
        "changeling.study.judge.judge_videos", lambda *given, **_: asked.extend(given)
    )
    (tmp_path / "report.html").write_text("old")
    for place, words in (
        (tmp_path / "report.html", "exists already"),
        (tmp_path / "report.html" / "below.html", "cannot be written"),
        (tmp_path, "this is a folder"),
    ):
        with pytest.raises(UserError, match=words):
            judge_report(tmp_path / "a.mp4", tmp_path / "b.mp4", place)
    assert asked == []
    assert (tmp_path / "report.html").read_text() == "old"


def test_a_judgement_that_fails_leaves_no_report(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"b\.mp4"):
        judge_report(tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "out" / "report.html")
    assert list((tmp_path / "out").iterdir()) == []
