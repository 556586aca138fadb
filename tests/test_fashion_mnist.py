"""FashionMNIST: found, downloaded, checked, shown at any size, and left out where it is missing."""

import gzip
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import LEFT_OUT, pytest_collection_modifyitems, pytest_terminal_summary

from changeling.errors import UserError
from changeling.faces import datasets_fashion as fashion
from changeling.faces import open_pictures, picture_batches
from changeling.provenance import Consent, write_consent

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 28, 28), dtype=np.uint8)
LABELS = np.arange(9, dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small files in place of the four, with their checksums; no package and an empty cache."""
    (tmp_path / "four").mkdir()
    checksums = {}
    for (images, labels), count in zip(fashion._FILES.values(), (6, 3), strict=True):
        for name, header, data in ((images, 16, PIXELS[:count]), (labels, 8, LABELS[:count])):
            content = bytes(header) + data.tobytes()
            (tmp_path / "four" / name).write_bytes(gzip.compress(content))
            checksums[name] = sha256(content).hexdigest()
    monkeypatch.setattr(fashion, "_SHA256", checksums)
    monkeypatch.setattr(fashion, "PACKAGED", tmp_path / "none")
    monkeypatch.setattr(fashion, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(fashion, "ORIGIN", (tmp_path / "four").as_uri())
    return tmp_path / "four"


def refused(source: object, **given: Any) -> str:  # noqa: ANN401
    with pytest.raises(UserError) as caught:
        open_pictures(str(source), **given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.fashion_mnist
def test_the_data_set_is_what_its_authors_published() -> None:
    train, test = (open_pictures("fashion-mnist", part=part) for part in ("train", "test"))
    assert (len(train), len(test)) == (60_000, 10_000)
    for pictures in (train, test):
        every = pictures.labels(np.arange(len(pictures)))
        assert np.bincount(every).tolist() == [len(pictures) / 10] * 10
    assert train.kinds[train.labels(np.array([0]))[0]] == "Ankle boot"
    mean = train.read(np.arange(60_000), 28).mean() / 255
    assert mean == pytest.approx(0.2860, abs=1e-4), "as is known of the data set"


def test_a_folder_holds_both_parts(folder: Path) -> None:
    train, test = open_pictures(str(folder)), open_pictures(str(folder), part="test")
    assert (len(train), len(test), train.channels) == (6, 3, 1)
    rows = np.array([4, 0, 4])
    assert np.array_equal(train.read(rows, 28)[..., 0], PIXELS[rows])
    assert np.array_equal(test.read(np.arange(3), 28)[..., 0], PIXELS[:3])
    assert train.labels(rows).tolist() == [4, 0, 4]
    assert train.labels(rows).dtype == np.int64
    assert train.attributes(rows).values.shape == (3, 0)


def test_sizes_are_padded_or_scaled(folder: Path) -> None:
    pictures, row = open_pictures(str(folder)), np.array([2])
    padded = pictures.read(row, 32)[0, ..., 0]
    assert np.array_equal(padded[2:30, 2:30], PIXELS[2])
    assert padded.sum() == PIXELS[2].sum(dtype=np.int64), "the rim is black"
    half = pictures.read(row, 14)[0, ..., 0]
    means = PIXELS[2].reshape(14, 2, 14, 2).mean((1, 3))
    assert np.abs(half - means).max() <= 0.5
    large = pictures.read(row, 64)[0, ..., 0]
    assert np.array_equal(large, cv2.resize(PIXELS[2], (64, 64), interpolation=cv2.INTER_CUBIC))


def test_batches_are_grey_and_never_mirrored_unasked(folder: Path) -> None:
    batch = picture_batches(open_pictures(str(folder)), size=28, batch=6, seed=3)(0)
    assert batch.pictures.shape == (6, 1, 28, 28)
    shown = (batch.pictures[:, 0] * 255).round().byte().numpy()
    assert np.array_equal(shown, PIXELS[batch.labels.numpy()])


def test_it_brings_its_consent(folder: Path, tmp_path: Path) -> None:
    consent = open_pictures(str(folder)).consent
    assert (consent.kind, consent.licence, consent.people) == ("dataset", "MIT", ())
    file = tmp_path / "consent.toml"
    write_consent(file, Consent("dataset", licence="ours", purpose="a test"))
    assert "brings its own consent" in refused(folder, consent=file)


def test_it_is_downloaded_once(folder: Path, tmp_path: Path) -> None:
    assert len(open_pictures("fashion-mnist")) == 6
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    assert len(open_pictures("fashion-mnist", part="test")) == 3
    assert len(list((tmp_path / "cache" / "fashion-mnist").iterdir())) == 4


def test_the_package_comes_before_the_cache(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fashion, "PACKAGED", folder)
    monkeypatch.setattr(fashion, "ORIGIN", "file:///nowhere")
    assert len(open_pictures("fashion-mnist")) == 6
    assert not (tmp_path / "cache").exists()


def test_offline_a_sentence_names_the_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion, "ORIGIN", "file:///nowhere")
    assert "install Debian's package dataset-fashion-mnist" in refused("fashion-mnist")


def test_a_download_of_something_else_is_not_kept(folder: Path, tmp_path: Path) -> None:
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"not it"))
    said = refused("fashion-mnist")
    assert f"{folder.as_uri()}/t10k-images-idx3-ubyte.gz is not FashionMNIST's" in said
    kept = {path.name for path in (tmp_path / "cache" / "fashion-mnist").iterdir()}
    assert kept == {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"}


def test_damaged_files_are_named(folder: Path) -> None:
    file = folder / "train-images-idx3-ubyte.gz"
    whole = file.read_bytes()
    for damaged in (whole[:-9], b"no gz", whole[:40] + b"\0" * 20 + whole[60:]):
        file.write_bytes(damaged)
        assert f"{file} is no whole gz file; fetch it again" in refused(folder)
    file.write_bytes(gzip.compress(bytes(16) + PIXELS[:6, ::-1].tobytes()))
    assert f"{file} is not FashionMNIST's" in refused(folder)
    file.unlink()
    assert f"{file} cannot be read (No such file" in refused(folder)


class _Item(SimpleNamespace):
    def get_closest_marker(self, name: str) -> bool:
        return self.marked and name == "fashion_mnist"


def test_without_it_its_tests_are_left_out_and_named_and_in_ci_that_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[_Item] = []
    said: list[str] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: gone.extend(items))
    config: Any = SimpleNamespace(stash=pytest.Stash(), hook=hook)
    reporter: Any = SimpleNamespace(write_line=lambda line, **_: said.append(line))
    items: Any = [_Item(marked=False), _Item(marked=True), _Item(marked=True)]
    kept = list(items)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.UsageError, match=r"which 2 of .* apt-get install dataset"):
        pytest_collection_modifyitems(config, items)
    monkeypatch.setenv("CI", "")
    monkeypatch.setattr(fashion, "PACKAGED", folder)
    pytest_collection_modifyitems(config, items)
    assert items == kept
    monkeypatch.undo()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(fashion, "find_fashion", lambda: None)
    pytest_collection_modifyitems(config, items)
    assert (items, gone) == (kept[:1], kept[1:])
    pytest_terminal_summary(reporter, config)
    assert said == config.stash[LEFT_OUT]
    assert said[0].startswith("LEFT OUT: what needs FashionMNIST")
    assert "2 of the tests" in said[0]
