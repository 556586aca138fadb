"""Ratings: which clips in which order, answers that survive, and what is made of them."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rating import CLIPS, FAMILIES, save

from changeling.errors import UserError
from changeling.measuring import Estimate
from changeling.study import QUESTIONS, RatingResults, Sitting, rating_results
from changeling.study.rating_attention import inattentive
from changeling.study.rating_clips import TRUTH, Clip, Exhibit, cells_of, exhibits_of
from changeling.study.rating_follows import follows
from changeling.study.rating_order import APART, order_for
from changeling.study.rating_store import STORE, Answer, Ratings
from changeling.study.results import CellResult, Measurement


def rate(study: Path, rater: str, opinion: Callable[[Exhibit, int], int]) -> None:
    """Answer every question by `opinion`; real is what is thought worth a 5."""
    sitting = Sitting(study, rater)
    for place, exhibit in enumerate(sitting.exhibits):
        for question in sitting.questions(place):
            value = opinion(exhibit, place)
            sitting.keep(place, question.name, value if question.scale else int(value == 5))


def by_family(exhibit: Exhibit, _: int) -> int:
    """What a good eye says."""
    return {"autoencoder": 2, "vae": 4, TRUTH: 5}[exhibit.clip.family]


def means(results: RatingResults) -> dict[tuple[str, str], float]:
    return {(one.family, one.question): one.mean.value for one in results.opinions}


def test_every_swap_and_each_truth_once_with_the_same_references(study: Path) -> None:
    exhibits = exhibits_of(study)
    families = [one.clip.family for one in exhibits]
    assert Counter(families) == {FAMILIES[0]: 2, FAMILIES[1]: 2, TRUTH: 2}
    assert {one.clip.name for one in exhibits} == set(CLIPS)
    for one in exhibits:
        names = {kind: path.name for kind, path in one.references.items()}
        clip = one.clip.name
        assert names == {"performance": f"performance-{clip}.mp4", "target": f"target-{clip}.png"}


def test_a_film_that_several_cells_show_is_rated_once(study: Path) -> None:
    (first, *_) = cells_of(study)
    films = tuple(one for one in first.shown if one.kind in ("swap", "target", "performance"))
    save(study, replace(first, cell="zz", seed=1, shown=films))
    assert [one.clip.cell for one in exhibits_of(study)].count("zz") == 0
    assert len(exhibits_of(study)) == len(Sitting(study, "ann").exhibits) - 1 == 6


def test_a_clip_without_a_target_is_not_asked_about_likeness(study: Path) -> None:
    for cell in cells_of(study):
        kept = tuple(one for one in cell.shown if one.kind != "target")
        save(study, replace(cell, shown=kept))
    sitting = Sitting(study, "ann")
    names = [question.name for question in sitting.questions(0)]
    assert names == [question.name for question in QUESTIONS if question.name != "likeness"]


@pytest.mark.parametrize("count", [1, 4, 5, 6, 9, 40, 100])
def test_the_order_shows_all_and_some_again_further_on(count: int) -> None:
    clips = [str(index) for index in range(count)]
    orders = {rater: order_for(rater, clips) for rater in ("ann", "bob", "cyd")}
    assert orders["ann"] == order_for("ann", clips)
    assert count < 4 or len(set(orders.values())) == 3
    for order in orders.values():
        assert set(order) == set(clips)
        assert len(order) - count == (0 if count < 5 else max(1, round(count / 8)))
        places = {clip: [i for i, one in enumerate(order) if one == clip] for clip in clips}
        assert all(again - first >= APART for first, *rest in places.values() for again in rest)


def test_a_rater_goes_on_where_they_stopped(study: Path) -> None:
    first = Sitting(study, "ann")
    for place in range(2):
        for question in first.questions(place):
            first.keep(place, question.name, 1)
    first.keep(2, "real or fake", 0)
    again, other = Sitting(study, "ann"), Sitting(study, "bob")
    assert again.exhibits == first.exhibits
    assert (again.next_place(), again.given(2)) == (2, {"real or fake": 0})
    assert (other.next_place(), other.given(2)) == (0, {})
    again.keep(2, "real or fake", 1)
    assert again.given(2) == {"real or fake": 1}


def test_answers_that_were_not_asked_for_are_refused(study: Path) -> None:
    sitting = Sitting(study, "ann")
    for place, question, value in (
        (0, "pose", 0), (0, "pose", 6), (0, "real or fake", 2), (0, "taste", 3), (99, "pose", 3),
        (-1, "pose", 3),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="no "):
            sitting.keep(place, question, value)
    assert sitting.given(0) == {}


def test_answers_are_kept_at_once_and_survive_kill_9(study: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from changeling.study import Sitting\n"
        "sitting = Sitting(Path(sys.argv[1]), 'ann')\n"
        "for value, question in enumerate(sitting.questions(0)[1:5], 1):\n"
        "    sitting.keep(0, question.name, value)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code, study], env=os.environ, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert sorted(Sitting(study, "ann").given(0).values()) == [1, 2, 3, 4]
    file = sqlite3.connect(study / STORE)
    assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()


def foreign_database(path: Path) -> None:
    file = sqlite3.connect(path)
    file.execute("CREATE TABLE notes (text)")
    file.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.write_bytes(b"no database" * 100), "file is not a database"),
        (foreign_database, "is no file of ratings: move it away"),
        (lambda path: path.mkdir(), "unable to open database file"),
        (lambda path: Ratings(path, [Clip("0" * 64, "vae", "c", "d", "e")]), "about other films"),
    ],
)
def test_a_damaged_or_foreign_file_of_answers_is_named(
    spoil: Callable[[Path], object], words: str, study: Path
) -> None:
    spoil(study / STORE)
    before = (study / STORE).read_bytes() if (study / STORE).is_file() else b""
    with pytest.raises(UserError, match=words) as caught:
        Sitting(study, "ann")
    assert str(study / STORE) in str(caught.value)
    assert not before or (study / STORE).read_bytes() == before


def test_a_cut_file_of_answers_is_named(study: Path) -> None:
    rate(study, "ann", by_family)
    path = study / STORE
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match=r"ratings.sqlite cannot be used to keep answers \(.*\)"):
        Sitting(study, "ann")


def test_results_by_hand(study: Path) -> None:
    rate(study, "ann", by_family)
    rate(study, "bob", lambda exhibit, _: {2: 1, 4: 4, 5: 5}[by_family(exhibit, 0)])
    results = rating_results(study)
    assert (results.raters, results.answers, results.left_out) == (2, 2 * 6 * 8, ())
    found = means(results)
    for question in QUESTIONS:
        expected = (1.5, 4, 5) if question.scale else (0, 0, 1)
        families = (*FAMILIES, TRUTH)
        assert tuple(found[family, question.name] for family in families) == expected
    (first, *_) = [one for one in results.opinions if one.question == "pose"]
    assert (first.mean.low, first.mean.high, first.mean.clips, first.answers) == (1, 5, 2, 4)
    # Mid-ranks of 1, 1, 2, 2, 4 (four times), 5 (four times): 1, 3, 6, 10. Dₒ = 2·2·2²/12;
    # Dₑ = 2 (4·4 + 8·25 + 8·81 + 8·9 + 8·49 + 16·16) / (12·11) = 24.
    real, *scales = (one.alpha for one in results.agreements)
    assert real == 1
    assert scales == [pytest.approx(1 - (16 / 12) / 24)] * 7
    follow = {(one.metric, one.question): one for one in results.follows}
    # Ranks 1, 2, 3, 4 of PSNR with 1½, 1½, 3½, 3½ of opinion: 4 / (√5 · 2).
    psnr, whole = follow["psnr", "pose"], follow["seconds", "pose"]
    assert psnr.rho is not None
    assert psnr.rho.value == pytest.approx(4 / (2 * 5**0.5))
    # Four swaps of two performances, which are what is resampled.
    assert (psnr.of, psnr.count, psnr.rho.clips) == ("clips", 4, 2)
    assert (whole.rho, whole.of, whole.count) == (None, "cells", 2)
    assert follow["psnr", "real or fake"].rho is None
    assert follow["psnr", "overall"].rho == psnr.rho


def by_chance(seed: int) -> Estimate | None:
    """ρ of eight families on eight clips, a metric and an opinion that know nothing of each other.

    Each is swayed by the clip, as figures and opinions are.
    """
    random = np.random.default_rng(seed)
    metric, opinion = (random.normal(size=8) + random.normal(size=(8, 8)) for _ in range(2))
    cells: list[CellResult] = []
    opinions: dict[tuple[str, str], float] = {}
    for row in range(8):
        figures = [Measurement("psnr", metric[row, k], str(k)) for k in range(8)]
        cells.append(CellResult(f"f{row}", f"f{row}", "a", 0, "done", measurements=tuple(figures)))
        opinions |= {(f"f{row}", str(k)): opinion[row, k] for k in range(8)}
    asked = follows(cells, {"real or fake": opinions})
    return next(asked).rho


def test_the_interval_of_rho_holds_nothing_where_there_is_nothing() -> None:
    """Families that swap one performance are alike: resampled one by one they covered half."""
    found = [one for seed in range(20) if (one := by_chance(seed))]
    assert {one.clips for one in found} == {8}
    assert np.mean([one.low <= 0 <= one.high for one in found]) >= 0.85


def test_what_is_written_is_anonymous_complete_and_the_same_again(study: Path) -> None:
    rate(study, "Ann Lovelace", by_family)
    results = rating_results(study)
    files = [study / "ratings.csv", study / "ratings_results.json"]
    before = [path.read_bytes() for path in files]
    assert all(b"Lovelace" not in text for text in before)
    with files[0].open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    # Seven places, as one clip is shown again; eight questions each.
    assert len(lines) == 7 * 8
    assert sum(line["again"] == "True" for line in lines) == 8
    assert results.answers == 6 * 8
    assert json.loads(before[1])["answers"] == results.answers
    assert rating_results(study) == results
    assert [path.read_bytes() for path in files] == before


def answers(rater: str, values: list[tuple[str, int]]) -> list[Answer]:
    return [Answer(rater, place, clip, "pose", value) for place, (clip, value) in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([("a", 5), ("b", 3), ("a", 3), ("b", 3)], ""),
        ([("a", 5), ("b", 3), ("a", 3), ("b", 4)], ""),
        ([("a", 5), ("b", 3), ("a", 3), ("b", 5)], "differ by 2.00 on average, more than 1.5."),
        ([(str(index), 4) for index in range(8)], "All answers from 1 to 5 about 8 clips are 4."),
        ([(str(index), 4) for index in range(7)], ""),
    ],
)
def test_who_does_not_look_is_told(values: list[tuple[str, int]], why: str) -> None:
    found = inattentive(answers("x", values))
    assert [one.rater for one in found] == (["x"] if why else [])
    assert all(one.why.endswith(why) for one in found)


def test_who_does_not_look_counts_nowhere(study: Path) -> None:
    rate(study, "ann", by_family)
    alone = rating_results(study)
    rate(study, "dice", lambda _, place: 1 if place < 5 else 5)
    results = rating_results(study)
    assert len(results.left_out) == 1
    assert (results.opinions, results.agreements) == (alone.opinions, alone.agreements)
