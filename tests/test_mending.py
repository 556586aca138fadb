"""Pictures given back mended: sheets and folders, what is compared, consents, and refusals."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden import PLAIN
from test_drawing import LICENSED, Clothes

from changeling.cli import main
from changeling.errors import UserError
from changeling.faces import Pictures, open_files
from changeling.generators import FAMILIES, Restores, load_with, with_noise
from changeling.measuring import NonLocalMeans, mean_psnr, unit_tensor
from changeling.media import read_image, write_image
from changeling.provenance import Consent, Source, State, verify, write_consent
from changeling.study import Chosen, Damage, restore, train_pictures
from changeling.training import Budget

TODAY = date(2026, 11, 22)
GIVEN = Consent("dataset", licence="CC0", purpose="a test", evidence="here")
TELLS: Any = {"today": TODAY, "runtime": PLAIN}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """More threads than free cores slow tiny networks tenfold."""
    PLAIN.apply()


def trained(family: str, folder: Path, pictures: Pictures) -> Path:
    """A run of one step."""
    config = replace(
        FAMILIES[family].config.tiny(), channels=pictures.channels, kinds=len(pictures.kinds)
    )
    budget = Budget(None, 1)
    for _ in train_pictures(family, config, pictures, folder, budget, today=TODAY, runtime=PLAIN):
        pass
    return folder


@pytest.fixture(scope="module")
def colour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained("restoring", tmp_path_factory.mktemp("runs") / "rgb", Colours(LICENSED))


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained("ddpm", tmp_path_factory.mktemp("runs") / "grey", Clothes(LICENSED))


class Colours(Clothes):
    """Twelve pictures, each of one colour of its own."""

    def __init__(self, consent: Consent) -> None:
        super().__init__(consent, "colours", 3, ())

    def read(self, rows: Any, size: int) -> Any:  # noqa: ANN401
        shades = np.stack([20 * rows, 255 - 20 * rows, 5 * rows], 1).astype(np.uint8)
        return np.broadcast_to(shades[:, None, None], (len(rows), size, size, 3)).copy()


@pytest.fixture
def files(tmp_path: Path) -> Chosen:
    """Two files of 32 pixels."""
    write_consent(tmp_path / "c.toml", GIVEN)
    paths = [tmp_path / name for name in ("one.png", "two.png")]
    for seed, path in enumerate(paths):
        grain = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        write_image(path, grain.repeat(8, 0).repeat(8, 1))
    return Chosen.of_files(open_files(paths, consent=tmp_path / "c.toml"))


def test_a_sheet_has_a_row_for_each_picture_and_names_its_files(
    colour: Path, files: Chosen, tmp_path: Path
) -> None:
    mended = restore(colour, files, tmp_path / "s.png", **TELLS)
    given = unit_tensor(files.pictures.read(files.rows, 16))
    assert torch.equal(mended.columns["given"], given)
    restores: Restores = load_with(colour, "restore", runtime=PLAIN)
    assert torch.equal(mended.columns["restored"], restores.restore(given))
    assert (list(mended.columns), mended.gains, mended.unlike) == (["given", "restored"], {}, ())
    assert read_image(tmp_path / "s.png").shape == (2 * 66 + 2, 2 * 66 + 2, 3)
    found = verify(tmp_path / "s.png")
    assert found.state is State.TRUSTED and found.credential is not None
    assert found.credential.source is Source.COMPOSITE
    shown = [(one.title, one.relationship) for one in found.credential.ingredients]
    assert shown == [
        ("one.png", "componentOf"), ("two.png", "componentOf"),
        ("checkpoint.safetensors", "inputTo"),
    ]  # fmt: skip


def test_a_folder_gets_each_picture_edited_from_its_file(
    colour: Path, files: Chosen, tmp_path: Path
) -> None:
    mended = restore(colour, files, tmp_path / "all", **TELLS)
    shown = read_image(tmp_path / "all" / "00001.png")
    assert np.abs(shown / 255 - mended.columns["restored"][1].permute(1, 2, 0).numpy()).max() < 0.01
    credential = verify(tmp_path / "all" / "00001.png").credential
    assert credential is not None
    assert [one.title for one in credential.ingredients if one.relationship == "parentOf"] == [
        "two.png"
    ]
    with pytest.raises(UserError, match="exists already: give another folder"):
        restore(colour, files, tmp_path / "all", **TELLS)


def test_added_noise_is_compared_with_the_truth(colour: Path, tmp_path: Path) -> None:
    chosen = Chosen.some(Colours(LICENSED), 3, seed=1)
    damage = Damage(noise=0.1, seed=5)
    mended = restore(colour, chosen, tmp_path / "n.png", damage, score=True, **TELLS)
    true = unit_tensor(Colours(LICENSED).read(chosen.rows, 16))
    assert list(mended.columns) == ["given", "non-local means", "restored", "true"]
    assert torch.equal(mended.columns["true"], true)
    assert torch.equal(mended.columns["given"], with_noise(true, 0.1, 5))
    assert mended.gains["given"] == pytest.approx(20, abs=1.5)
    assert mended.gains["non-local means"] > mended.gains["given"] + 5
    network: Any = load_with(colour, "restore", runtime=PLAIN)
    assert mended.unlike == pytest.approx(network.unlikeness(true).tolist())
    credential = verify(tmp_path / "n.png").credential
    assert credential is not None
    assert dict(credential.facts) == {"noise": "0.1", "seed": "5"}
    again = restore(colour, chosen, tmp_path / "m", damage, **TELLS)
    assert torch.equal(again.columns["restored"], mended.columns["restored"])
    facts = verify(tmp_path / "m" / "00002.png").credential
    assert facts is not None
    assert dict(facts.facts)["row"] == str(chosen.rows[2]) and again.unlike == ()


def test_a_hole_is_filled_and_the_rest_kept(grey: Path, files: Chosen, tmp_path: Path) -> None:
    """RGB files are given to a grey run as grey."""
    white = np.zeros((32, 32, 3), np.uint8)
    white[:, 16:] = 255
    write_image(tmp_path / "mask.png", white)
    for hole, inside in (("centre", np.s_[4:12, 4:12]), (str(tmp_path / "mask.png"), np.s_[:, 8:])):
        mended = restore(grey, files, tmp_path / f"{len(hole)}.png", Damage(hole=hole), **TELLS)
        assert list(mended.columns) == ["given", "restored", "true"] and mended.gains == {}
        given, restored, true = (column[:, 0].numpy() for column in mended.columns.values())
        assert true.shape == (2, 16, 16)
        missing = np.zeros((16, 16), bool)
        missing[inside] = True
        assert np.array_equal(given == 0.5, np.broadcast_to(missing, given.shape))
        assert np.abs(restored - true)[:, ~missing].max() < 0.01
        assert np.abs(restored - given)[:, missing].mean() > 0.05


def test_a_network_that_can_be_told_the_noise_is_told(grey: Path, tmp_path: Path) -> None:
    chosen = Chosen.some(Clothes(LICENSED), 2)
    mended = restore(grey, chosen, tmp_path / "n.png", Damage(noise=0.3), **TELLS)
    network: Any = load_with(grey, "restore", runtime=PLAIN)
    told = network.restore(mended.columns["given"], noise=0.3)
    assert torch.equal(mended.columns["restored"], told)


def test_what_cannot_be_is_refused_before_anything_is_written(
    colour: Path, grey: Path, files: Chosen, tmp_path: Path
) -> None:
    out, later = tmp_path / "x.png", replace(GIVEN, until=date(2026, 11, 21))
    ended = Chosen.some(Clothes(later), 2)
    for run, chosen, damage, score, said in (
        (colour, files, Damage(hole="centre"), False, "which cannot fill: give one of ddpm"),
        (grey, files, Damage(0.1, "centre"), False, "leave out --noise or --hole"),
        (grey, files, Damage(), True, "cannot tell how unlike a picture is"),
        (colour, ended, Damage(), False, "clothes may not be drawn from: the consent ended"),
        (grey, files, Damage(hole="no.png"), False, "no.png: cannot be read"),
    ):
        with pytest.raises(UserError, match=said):
            restore(run, chosen, out, damage, score=score, **TELLS)
    assert not out.exists()


def test_some_of_a_set_are_drawn_with_the_seed() -> None:
    one, same, other = (Chosen.some(Clothes(GIVEN), 4, seed=seed).rows for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert sorted(set(one)) == one.tolist() and len(one) == 4
    assert Chosen.some(Clothes(GIVEN), 99).names == tuple(map(str, range(12)))


def test_the_command_prints_what_was_gained(
    colour: Path, files: Chosen, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("changeling.training.Runtime.best", lambda: PLAIN)
    line = ["restore", str(colour), *files.names, "-o", str(tmp_path / "s.png")]
    assert main([*line, "--noise", "0.1"]) == 2
    assert "one.png may show real people and comes without consent" in capsys.readouterr().err
    consent = ["--consent", str(tmp_path / "c.toml")]
    assert main([*line, "--noise", "0.1", "--score", *consent]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{tmp_path / 's.png'}: 2 pictures"
    assert [words.split("  ")[0] for words in said[1:4]] == ["given", "non-local means", "restored"]
    assert said[5].startswith(f"{files.names[0]}  0.") and len(said) == 7
    assert main([*line, "--data", "actors"]) == 2
    assert "give either pictures or --data" in capsys.readouterr().err


def test_non_local_means_smooth_what_is_alike_and_keep_edges() -> None:
    step = torch.zeros(2, 1, 24, 24)
    step[..., 12:] = 0.7
    for true in (step, step.expand(-1, 3, -1, -1).contiguous()):
        noisy = with_noise(true, 0.1, 0)
        best = NonLocalMeans.best(noisy, true, 0.1)
        gained = mean_psnr(best.restore(noisy), true) - mean_psnr(noisy, true)
        assert best.restore(noisy).shape == true.shape and gained > 6
        for other in (replace(best, strength=best.strength / 2), replace(best, window=9)):
            assert mean_psnr(other.restore(noisy), true) <= mean_psnr(noisy, true) + gained
    assert mean_psnr(torch.full((1, 1, 2, 2), 0.1), torch.zeros(1, 1, 2, 2)) == pytest.approx(20)
