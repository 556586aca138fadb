"""What the study of FashionMNIST measures of real pictures, of noise, of runs of a few steps."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import torch

from changeling.generators.dcgan import Config as Adversarial
from changeling.generators.ddpm import Config as Diffusion
from changeling.generators.ddpm_process import Sampling
from changeling.generators.vae_pictures import Config as Variational
from changeling.provenance import State, verify
from changeling.study.experiments import Place
from changeling.study.experiments.drawn import measured, pictures
from changeling.study.experiments.fashion import Clothes
from changeling.study.results import CellResult, Measurement
from changeling.study.stages import quiet
from changeling.training import Budget, Run, Runtime

pytestmark = pytest.mark.fashion_mnist


@pytest.fixture(scope="module", autouse=True)
def fewer() -> Iterator[None]:
    """Not all training pictures are looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("changeling.study.experiments.drawn._LEARNT", 5_000)
        yield


def figures(found: tuple[Measurement, ...]) -> dict[str, float]:
    """The figures of a cell as a whole, by name."""
    return {one.metric: one.value for one in found if not one.clip and one.at is None}


def made(cell: Clothes, root: Path) -> CellResult:
    """The outcome of a cell."""
    runtime = replace(Runtime.best().plain(), threads=1)
    return cell.run(Place(root, "report-fashion", "quick", date(2026, 1, 1), runtime, quiet))


def test_training_pictures_are_copies_and_noise_is_nothing() -> None:
    """Test pictures beside each other have every class and few copies."""
    real, _ = pictures("test", 400)
    found = tuple(measured(pictures("train", 200)[0], real[:200]))
    learnt = figures(found)
    fresh = figures(tuple(measured(real[200:], real[:200])))
    dice = torch.Generator().manual_seed(0)
    noise = figures(tuple(measured(torch.rand(200, 1, 28, 28, generator=dice), real[:200])))
    assert learnt["copies"] == 1
    assert fresh["copies"] < 0.15
    assert fresh["confidence"] > 0.9
    assert fresh["coverage"] > 0.85
    assert fresh["different"] <= 2
    assert noise["coverage"] < 0.1
    assert noise["different"] > 5
    assert noise["frechet"] > 20 * fresh["frechet"]
    assert noise["spectral"] > 5 * fresh["spectral"]
    assert learnt["nearest"] == pytest.approx(0, abs=1e-6)
    assert learnt["covered"] == 10
    assert noise["covered"] < 5
    intervals = {one.metric: one.interval for one in found if one.at is None}
    for metric, one in intervals.items():
        assert one is not None
        assert (one.value, one.clips) == (learnt[metric], 200)
        assert one.value - one.low == pytest.approx(one.high - one.value)
    frechet, copies = intervals["frechet"], intervals["copies"]
    assert frechet and copies
    assert 0.02 * frechet.value < frechet.high - frechet.value < frechet.value
    assert copies.low == copies.high == 1
    # The same pictures again give the same digits.
    assert tuple(measured(pictures("train", 200)[0], real[:200])) == found


def test_few_pictures_have_no_distances() -> None:
    """But a confidence and a spectrum."""
    few = figures(tuple(measured(pictures("train", 9)[0], pictures("test", 200)[0])))
    assert set(few) == {"confidence", "spectral"}


def test_a_vae_is_measured_by_what_it_gives_back(tmp_path: Path) -> None:
    """Class by class, through the mean and through a sample; losses by epoch; sheets signed."""
    config = replace(Variational.tiny(), size=28)
    cell = Clothes("vae tiny", "vae-pictures", config, Budget(None, 30), count=10, tested=60)
    result = made(cell, tmp_path)
    by_mean = [one for one in result.measurements if one.metric == "mean_psnr"]
    assert [one.clip for one in by_mean] == [f"class {kind}" for kind in range(10)]
    assert all(5 < one.value < 25 for one in by_mean)
    losses = [one for one in result.measurements if one.metric.startswith("loss_")]
    assert {one.at for one in losses} == {1.0}
    assert {one.clip for one in result.shown} == {"samples", "spectra", "given_back"}
    for one in result.shown:
        assert verify(tmp_path / "report-fashion-quick" / one.file).state is State.TRUSTED
    assert made(cell, tmp_path).measurements == result.measurements


def test_diffusion_shows_its_strips_and_larger_pictures_are_sized(tmp_path: Path) -> None:
    """Pictures of 32 pixels are compared at 28."""
    config = replace(Diffusion.tiny(), size=32, kinds=10, sampling=Sampling(2))
    result = made(Clothes("ddpm tiny", "ddpm", config, Budget(None, 2), count=4), tmp_path)
    assert {one.clip for one in result.shown} == {"samples", "spectra", "forward", "reverse"}
    cost = {"parameters", "operations"}
    assert set(figures(result.measurements)) == {"confidence", "spectral"} | cost
    rings = [one for one in result.measurements if one.metric == "spectrum_real"]
    assert [one.at for one in rings] == list(range(21))  # up to the corners, 28 / √2 = 20
    assert result.samples == 2 * config.batch


def test_a_collapse_is_noted_beside_the_figures(tmp_path: Path) -> None:
    """As the log of the training shows it, with the cell's name."""
    cell = Clothes(
        "dcgan tiny", "dcgan", replace(Adversarial.tiny(), kinds=0), Budget(None, 2), count=4
    )
    healthy = made(cell, tmp_path)
    run = Run(tmp_path / "report-fashion-quick" / "cells" / cell.name / "run")
    for _ in range(20):
        run.log(2, {"d_real": 0.7, "d_fake": 0.3, "variety": 0.1, "seconds": 9.0})
    fallen = made(cell, tmp_path)
    assert healthy.note == ""
    assert fallen.note.startswith(f"{cell.name}: at step 2 the samples have lost their variety (10")
    assert (fallen.state, fallen.seconds) == ("done", 9.0)
    assert figures(fallen.measurements).keys() == figures(healthy.measurements).keys()
