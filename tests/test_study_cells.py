"""The cells of the studies on the shortest films: what they measure, and that it repeats."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from shutil import rmtree

import pytest
import torch

from changeling.errors import UserError
from changeling.generators.autoencoder import Config
from changeling.measuring import tensors_in
from changeling.provenance import State, verify
from changeling.study.experiments import STUDIES, Place
from changeling.study.experiments.attack import ACCEPTS, Attack, Verifiers, shown_study
from changeling.study.experiments.material import Material
from changeling.study.experiments.running import (
    Planned,
    Settings,
    as_planned,
    compared,
    finished,
    open_study,
    planned,
    steps_of,
)
from changeling.study.experiments.stopping import Watched
from changeling.study.experiments.swapping import Trained, Untrained
from changeling.study.results import CellResult
from changeling.study.stages import quiet
from changeling.training import Budget, Runtime

SHORT = Material(seconds=0.24, clips=1, clip_seconds=0.48, faces=32)
TINY = Trained(
    "twins", "autoencoder", replace(Config.tiny(), people=("a", "b")), Budget(None, 2), SHORT
)


@pytest.fixture(scope="module", autouse=True)
def short() -> Iterator[None]:
    """One frame of each clip is split."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("changeling.study.experiments.errors.FRAMES", 1)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, configuration: None) -> Place:
    """A study's folder with the films of a pair."""
    root = tmp_path_factory.mktemp("studies")
    runtime = replace(Runtime.best().plain(), threads=1)
    made = Place(root, "face-to-face", "quick", date(2026, 1, 1), runtime, quiet)
    open_study(made.folder, Settings("face-to-face", "quick"))
    SHORT.films(made)
    return made


@pytest.fixture(scope="module")
def swapped(place: Place) -> CellResult:
    """A network that has learnt nothing, measured."""
    return finished(TINY, place)


def figures(result: CellResult, metric: str) -> list[float]:
    """A metric's figures, clip by clip."""
    return [one.value for one in result.measurements if one.metric == metric]


def test_both_directions_are_filmed_with_their_truth(place: Place) -> None:
    """The truth of each clip is as long as it, and so is the material of the next call."""
    films = SHORT.films(place)
    assert [(clip.name, clip.to) for clip in films.clips] == [
        ("7-to-19-1", "b"),
        ("19-to-7-1", "a"),
    ]
    before = {path: path.stat().st_mtime_ns for path in place.folder.rglob("*.mp4")}
    assert len(before) == 6
    SHORT.films(place)
    assert {path: path.stat().st_mtime_ns for path in place.folder.rglob("*.mp4")} == before


def test_a_trained_cell_measures_every_clip(swapped: CellResult, place: Place) -> None:
    """Against the truth and without; the films that it shows are signed."""
    assert (swapped.steps, swapped.state) == (2, "done")
    for metric in ("bare_psnr", "placed_ssim", "placed_to_target", "unaided_flicker"):
        assert len(figures(swapped, metric)) == 2
    assert figures(swapped, "parameters")[0] > 1000
    assert figures(swapped, "operations")[0] > 1000
    for one in swapped.shown:
        assert verify(place.folder / one.file).state is State.TRUSTED
    assert {one.kind for one in swapped.shown} == {"performance", "swap", "truth", "target"}


def test_the_same_cell_again_gives_the_same_digits(swapped: CellResult, place: Place) -> None:
    """Measured again from its folder, and trained again from nothing elsewhere."""
    assert TINY.run(place).measurements == swapped.measurements
    anew = replace(TINY, family="again")
    assert anew.run(place).measurements == swapped.measurements


def test_the_performance_left_as_it_is_is_its_own_measure(place: Place) -> None:
    """It keeps everything of the performer, and is nobody else."""
    left = finished(Untrained("performer", SHORT), place)
    assert figures(left, "unaided_expression") == pytest.approx([0, 0], abs=1e-6)
    assert figures(left, "unaided_flicker") == pytest.approx([1, 1])
    assert figures(left, "placed_to_source") == pytest.approx([1, 1], abs=1e-5)
    assert figures(left, "bare_psnr") == []
    mean = finished(Untrained("mean face", SHORT), place)
    assert min(figures(mean, "placed_to_target")) > max(figures(left, "placed_to_target"))


def test_without_alignment_faces_are_upright_boxes(place: Place) -> None:
    """Stored beside the aligned ones; each matrix neither turns nor shears."""
    boxed = replace(SHORT, aligned=False).films(place).faces("a")
    assert boxed.folder != SHORT.films(place).faces("a").folder
    for face in boxed.faces:
        (a, b, _), (c, d, _) = face.matrix
        assert (b, c) == (0, 0)
        assert a == d > 0


def test_true_films_pass_where_strangers_do_not(
    place: Place, swapped: CellResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verifier whose threshold is 0.5 knows B's true film, and not A."""
    from changeling.measuring import Verifier

    known = Verifiers(0, tuple(Verifier(share, 0.5, 1.0, 1) for share in ACCEPTS))
    monkeypatch.setattr("changeling.study.experiments.attack._verifiers", lambda place: known)
    attack, own = Attack(TINY), place.of("attack")
    attack.prepare(own)
    result = attack.run(own)
    assert min(figures(result, "truth_passes_0.01")) > 0.9
    assert max(figures(result, "performance_passes_0.01")) < 0.1
    assert len(figures(result, "swap_passes_0.001")) == 2
    assert result.steps == swapped.steps


def test_a_watched_cell_is_measured_while_it_learns(place: Place) -> None:
    """Looks that were made are read again, and say what the network was then."""
    watched, own = Watched(TINY.within(Budget(None, 9)), looks=4), place.of("when-to-stop")
    result = watched.run(own)
    looks = sorted({one.at for one in result.measurements if one.at is not None})
    assert looks[-1] == result.steps == 9
    assert looks == sorted({max(1.0, round(9 * 1.5**-k)) for k in range(4)})
    assert watched.run(own).measurements == result.measurements
    assert len({value for value in figures(result, "truth_psnr")}) > 2


def test_a_film_that_is_missing_is_made_again(swapped: CellResult, place: Place) -> None:
    """The performance by the films' ledger and the swap by its cell, with the same figures."""
    gone = [place.folder / one.file for one in swapped.shown[:2]]
    for path in gone:
        path.unlink()
    again = finished(TINY, place)
    assert all(path.exists() for path in gone)
    assert list(compared(swapped, again)) == []
    assert (again.memory, again.wall) == (swapped.memory, swapped.wall)


def test_a_network_that_draws_no_numbers_is_a_row_that_says_so(place: Place) -> None:
    """The losses of its last step were numbers, and the step itself broke it."""
    broken = replace(TINY, family="broken", seed=3)
    run = broken.train(place)
    kept = run.load()
    assert kept is not None
    for tensor in tensors_in(kept.state):
        tensor.fill_(torch.nan)
    run.save(kept.step, kept.seconds, kept.state)
    result = finished(broken, place)
    assert (result.state, result.measurements) == ("diverged", ())
    assert result.note == (
        "broken-7-19-seed-3 draws what is no number: train it with a lower learning rate"
    )


def test_looks_are_repeated_where_they_were(place: Place) -> None:
    """Looks that minutes made fall where the machine was: steps say where, and the same comes out.

    The last look is measured again from the run; those before it are of networks that are gone.
    """
    own = replace(place, root=place.root / "minutes", study="when-to-stop")
    watched = Watched(TINY.within(Budget(None, 9)), looks=4)
    before = finished(watched.at((2, 3, 7)), own)
    study = replace(STUDIES["when-to-stop"], cells=lambda extent: (watched,))
    steps = steps_of(own.folder, study.cells("quick"))
    assert steps == (Planned(watched.name, 7, (2, 3, 7)),)
    repeat = replace(own, root=place.root / "repeat")
    (cell,) = planned(study, Settings(study.name, "quick", steps))
    again = cell.run(repeat)
    assert list(compared(before, again)) == []
    assert {one.at for one in again.measurements} == {2.0, 3.0, 7.0, None}
    assert figures(before, "parameters") == figures(again, "parameters") != []
    assert (before.samples, len(figures(before, "operations"))) == (7 * 2 * TINY.config.batch, 1)
    looks = sorted((repeat.cell(cell.name) / "looks").iterdir())
    for path in looks[1:]:  # the last one is not read
        spoilt = path.read_text("utf-8").replace('"value": ', '"value": 1')
        path.write_text(spoilt, encoding="utf-8")
    assert {at for (_, _, at), *_ in compared(before, cell.run(repeat))} == {3.0}


def test_the_swaps_of_a_repeated_study_are_attacked_as_they_were_made(place: Place) -> None:
    """Neither refused nor trained again; and an attack that repeats repeats the swaps."""
    root = place.root / "repeated"
    swaps, own = replace(place, root=root), replace(place, root=root, study="attack")
    steps = (Planned(TINY.name, 5),)
    open_study(swaps.folder, Settings("face-to-face", "quick", steps))
    assert shown_study(own) == (swaps, Settings("face-to-face", "quick", steps))
    rmtree(swaps.folder)
    open_study(own.folder, Settings("attack", "quick", steps))
    assert shown_study(own) == (swaps, Settings("face-to-face", "quick", steps))
    cell = as_planned(TINY, shown_study(own)[1])
    assert cell.budget == Budget(None, 5)


def test_a_film_that_is_missing_is_named(swapped: CellResult, place: Place) -> None:
    """The attack says which."""
    from changeling.study.experiments.attack import _crops

    with pytest.raises(UserError, match=r"gone\.mp4"):
        _crops(place.folder / "gone.mp4")
