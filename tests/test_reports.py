"""Score lines, strips, captions, charts and reports."""

from pathlib import Path

import numpy as np
import pytest

from changeling.errors import UserError
from changeling.measuring import Row, Score, Scores
from changeling.provenance import Credential, Source
from changeling.study import ScoreLine, judge_report, score_lines
from changeling.study.charts import caption, loss_chart, panels, truth_chart
from changeling.study.films import strip
from changeling.study.report import Grid, Picture, Report, Table, write_report
from changeling.study.report import Row as GridRow

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
