"""What the pages of the studies say of figures that are known."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from changeling.measuring import Estimate
from changeling.study.experiments import STUDIES, Extent, Findings
from changeling.study.experiments.ablation import JUDGED, WHOLE, changes
from changeling.study.experiments.metrics import TRUTH
from changeling.study.experiments.pages import best_sentence, mean_of, table
from changeling.study.experiments.stopping import budgets
from changeling.study.experiments.stopping_page import GUESSED
from changeling.study.page import Scores
from changeling.study.results import CellResult, Measurement
from changeling.training import Budget


def cell(family: str, *figures: Measurement, seed: int = 0, data: str = "a pair") -> CellResult:
    """A finished cell."""
    name = f"{family}-{seed}".replace(" ", "-").replace(",", "")
    return CellResult(
        name, family, data, seed, "done", steps=100, seconds=60.0, measurements=figures
    )


def findings(*results: CellResult) -> Findings:
    """Of these cells."""
    return Findings(
        Path(), "laptop", results, "run it", {one.cell: "measure it" for one in results}
    )


def psnr(*values: float) -> list[Measurement]:
    """The finished film's PSNR, a clip each."""
    return [Measurement("placed_psnr", value, f"clip {k}") for k, value in enumerate(values)]


def test_a_clip_counts_once_whatever_the_seeds() -> None:
    """Two seeds of the same clips narrow nothing; other pairs do."""
    one, other = cell("vae", *psnr(1, 2, 3, 4)), cell("vae", *psnr(1, 2, 3, 4), seed=1)
    single, both = mean_of([one], "vae", "placed_psnr"), mean_of([one, other], "vae", "placed_psnr")
    assert single is not None
    assert both is not None
    assert (both.value, both.clips) == (2.5, 4)
    assert both.high - both.low == pytest.approx(single.high - single.low, rel=0.05)
    third = mean_of([one, cell("vae", *psnr(1, 2, 3, 4), data="others")], "vae", "placed_psnr")
    assert third is not None
    assert third.clips == 8


def test_a_row_that_diverged_says_so_and_others_stay() -> None:
    """And a column without any figure is left out."""
    broken = CellResult("gan-0", "gan", "a pair", 0, "diverged", "training diverged at step 9")
    scores = table(findings(cell("vae", *psnr(20, 22)), broken), TRUTH, "", "")
    assert [column.name for column in scores.columns] == ["PSNR"]
    assert scores.rows[0].cells[0] is not None
    assert (scores.rows[1].cells, scores.rows[1].note) == ((), "training diverged at step 9")


def test_a_winner_is_named_only_where_intervals_are_apart() -> None:
    """Else the two are not to be told apart."""
    first, near, far = (
        Estimate(22, 21, 23, 9),
        Estimate(21.5, 20.5, 22.5, 9),
        Estimate(18, 17, 19, 9),
    )
    assert best_sentence([("a", first), ("b", near)], "Nearest", " dB", 1) == (
        "Nearest: a, 22.0 dB (21.0 … 23.0), not to be told apart from b, 21.5 dB (20.5 … 22.5)."
    )
    assert best_sentence([("a", first), ("b", far)], "Nearest", " dB", 1) == (
        "Nearest: a, 22.0 dB (21.0 … 23.0), before b, 18.0 dB (17.0 … 19.0)."
    )


def scores_of(study: str, found: Findings, section: str) -> Scores:
    """The table of a section of a study's page."""
    (part,) = next(one for one in STUDIES[study].page(found).sections if one.title == section).parts
    assert isinstance(part, Scores)
    return part


def test_what_is_left_out_is_compared_clip_by_clip() -> None:
    """Clips 10 dB apart tell a difference of half a decibel; each variant has its rival."""
    found = findings(
        cell(WHOLE, *psnr(10, 20, 30)),
        cell("no warp", *psnr(9.4, 19.5, 29.6)),
        cell(JUDGED, *psnr(11, 21, 31)),
        cell(f"{JUDGED}, no perceptual loss", *psnr(11, 21, 31)),
    )
    scores = changes(found)
    change = dict(zip([row.label for row in scores.rows], scores.rows, strict=True))
    (lost,) = change[f"no warp, less {WHOLE}"].cells[:1]
    assert lost is not None
    assert lost.value == pytest.approx(-0.5)
    assert -0.9 < lost.low < lost.high < -0.1
    (same,) = change[f"{JUDGED}, no perceptual loss, less {JUDGED}"].cells[:1]
    assert same == Estimate(0, 0, 0, 3)


def looks(family: str, truth: Sequence[float], **guesses: Sequence[float]) -> CellResult:
    """A run that was measured again and again."""
    series = {"truth_psnr": truth, "truth_ssim": truth, "truth_to_target": truth}
    series |= {name: truth for name in GUESSED} | guesses
    figures = [
        Measurement(name, float(value), "clip 1", at=float(k + 1))
        for name, values in series.items()
        for k, value in enumerate(values)
    ]
    return cell(family, *figures)


def test_what_follows_the_truth_is_found() -> None:
    """ρ is 1 and nothing is lost; its opposite is −1 and loses most; errors count downwards."""
    truth, back = [1.0, 3.0, 4.0, 2.0], [-1.0, -3.0, -4.0, -2.0]
    found = findings(
        looks("vae", truth, guess_likeness=truth, guess_leftover=back, guess_reconstruction=back)
    )
    scores = scores_of("when-to-stop", found, "What foretells it")
    rows = {row.label: [one.value for one in row.cells if one] for row in scores.rows}
    assert rows["likeness to the faces learnt"] == [1, 0]
    assert rows["likeness to the performer"] == [1, 0]
    assert rows["reconstruction of own faces"] == [-1, 3]
    assert rows["training to the end"] == pytest.approx([0.4, 2])


def test_looks_come_after_ever_longer_training() -> None:
    """The last one is at the end, and each has half as much again."""
    by_steps = [one.steps for one in budgets(Budget(None, 900), 12)]
    assert by_steps[-3:] == [400, 600, 900]
    assert len(by_steps) == 12
    minutes = [one.minutes or 0 for one in budgets(Budget(20.0), 3)]
    assert minutes[-1] == 20
    assert minutes[-2] * 1.5 == pytest.approx(20)


@pytest.mark.parametrize("extent", ["quick", "laptop", "full"])
@pytest.mark.parametrize("name", list(STUDIES))
def test_cells_have_names_of_their_own_that_are_folders(name: str, extent: Extent) -> None:
    """And by steps they stay the same cells."""
    cells = STUDIES[name].cells(extent)
    names = [one.name for one in cells]
    assert len(set(names)) == len(names)
    assert all(one.replace("-", "").replace(".", "").isalnum() for one in names)
    assert [one.within(Budget(None, 5)).name for one in cells] == names


@pytest.mark.parametrize("name", ["face-to-face", "ablation", "when-to-stop", "report-fashion"])
def test_no_cell_of_a_laptop_is_longer_than_half_an_hour(name: str) -> None:
    """And all together fit into 150 minutes, as far as budgets in minutes say."""
    minutes = [
        one.budget.minutes
        for one in STUDIES[name].cells("laptop")
        if one.budget and one.budget.minutes
    ]
    assert all(one <= 30 for one in minutes)
    assert sum(minutes) <= 120


def test_families_are_set_beside_what_needs_no_training_and_what_needs_a_fit() -> None:
    rows = {
        "performer": 14.0,
        "mean face": 18.0,
        "graphics": 22.0,
        "vae": 19.0,
        "autoencoder": 23.0,
    }
    found = findings(*(cell(name, *psnr(level, level)) for name, level in rows.items()))
    lead = STUDIES["face-to-face"].page(found).lead
    assert (
        "2 of 2 families are nearer to the truth than the best that needs neither training nor a "
        "fit: mean face, 18.00 dB."
    ) in lead
    assert (
        "1 of 2 families are nearer to the truth than the best that needs a fit alone: graphics, "
        "22.00 dB."
    ) in lead
