"""What the classifier of clothing promises, and how it is taught."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import changeling.faces
import changeling.measuring
from changeling.cli import main
from changeling.errors import UserError
from changeling.faces.pictures import PictureBatch
from changeling.measuring import Classified, FashionClassifier, FashionTeaching, teach_fashion
from changeling.measuring.fashion import WEIGHTS, FashionNet
from changeling.measuring.fashion_teaching import FashionTaught, shifted
from changeling.training import Batches


def bars(step: int, n: int = 20) -> PictureBatch:
    """Pictures of ten classes that are easy: a bar whose place is the class, in noise."""
    generator = torch.Generator().manual_seed(step)
    labels = torch.arange(n) % 10
    pictures = 0.3 * torch.rand(n, 1, 28, 28, generator=generator)
    for picture, label in zip(pictures, labels.tolist(), strict=True):
        if label < 5:
            picture[0, 4 + 5 * label : 6 + 5 * label] += 0.6
        else:
            picture[0, :, 4 + 5 * (label - 5) : 6 + 5 * (label - 5)] += 0.6
    return PictureBatch(pictures, labels)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights taught by the bars in a few steps."""
    folder = tmp_path_factory.mktemp("fashion")
    teaching = FashionTeaching(steps=25, rate=0.02)
    found = teach_fashion(folder / "run", bars, bars(999), teaching, out=folder / "w.safetensors")
    assert found.steps == 25 and found.accuracy == 1.0 and 0.8 < found.confidence <= 1
    return folder / "w.safetensors"


class TestTeaching:
    def test_the_same_seed_gives_the_same_bytes(self, taught: Path, tmp_path: Path) -> None:
        out = tmp_path / "w.safetensors"
        teach_fashion(
            tmp_path / "run", bars, bars(999), FashionTeaching(steps=25, rate=0.02), out=out
        )
        assert out.read_bytes() == taught.read_bytes()
        assert out.with_suffix(".json").read_text() == taught.with_suffix(".json").read_text()

    def test_a_teaching_that_is_over_changes_nothing(self, taught: Path) -> None:
        run, again = taught.parent / "run", taught.parent / "again.safetensors"
        teach_fashion(run, bars, bars(999), FashionTeaching(steps=25, rate=0.02), out=again)
        assert again.read_bytes() == taught.read_bytes()

    def test_shifts_are_of_a_pixel_at_most_in_each_direction(self) -> None:
        torch.manual_seed(0)
        dot = torch.zeros(300, 1, 9, 9)
        dot[:, 0, 4, 4] = 1
        moved = shifted(dot)
        assert moved.shape == dot.shape and torch.equal(moved.sum((1, 2, 3)), torch.ones(300))
        places = moved.nonzero()[:, 2:]
        assert set(map(tuple, places.tolist())) == {
            (y, x) for y in range(3, 6) for x in range(3, 6)
        }

    def test_shifts_bring_in_black(self) -> None:
        moved = shifted(torch.ones(40, 1, 6, 6))
        assert set(moved.sum((1, 2, 3)).tolist()) <= {float(a * b) for a in (5, 6) for b in (5, 6)}


class _Pictures:
    """Stands for a part of FashionMNIST: all pictures are as bright as their number."""

    def __init__(self, source: str, *, part: str) -> None:
        assert source == "fashion-mnist"
        self.first = 0 if part == "train" else 200

    def __len__(self) -> int:
        return 5

    def read(self, rows: np.ndarray, size: int) -> np.ndarray:
        brightness = (self.first + rows).astype(np.uint8)[:, None, None, None]
        return np.tile(brightness, (1, size, size, 1))

    def labels(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows)


def test_the_command_teaches_by_the_training_part_and_examines_with_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def teach(run: Path, learnt: Batches[PictureBatch], kept: PictureBatch, *rest: object,
              out: Path, **more: object) -> FashionTaught:  # fmt: skip
        assert run == tmp_path / "run" and rest == (FashionTeaching(seed=4),)
        assert learnt(0).pictures.shape == (128, 1, 28, 28) and learnt(0).pictures.max() < 0.1
        assert sorted(kept.labels.tolist()) == list(range(5)) and kept.pictures.min() > 0.7
        return FashionTaught(9, 0.934, 0.95)

    monkeypatch.setattr(changeling.faces, "open_pictures", _Pictures)
    monkeypatch.setattr(changeling.measuring, "teach_fashion", teach)
    out = tmp_path / "w.safetensors"
    assert main(f"teach fashion --seed 4 --run-folder {tmp_path / 'run'} --out {out}".split()) == 0
    said = capsys.readouterr().out
    assert (
        said == f"{out}: 9 steps, 93.4 % of the test pictures right, 95.0 % confident on average\n"
    )


class TestClassifying:
    def test_what_was_taught_is_what_is_loaded(self, taught: Path) -> None:
        seen = FashionClassifier.load(taught).classify(bars(7).pictures)
        assert seen.accuracy(bars(7).labels) == 1.0
        assert seen.probabilities.shape == (20, 10) and seen.features.shape == (20, 128)
        assert seen.probabilities.sum(1) == pytest.approx(np.ones(20), abs=1e-5)

    def test_a_picture_is_seen_alike_in_any_company_size_and_colour(self, taught: Path) -> None:
        classifier, pictures = FashionClassifier.load(taught), bars(3, n=600).pictures
        whole = classifier.classify(pictures)
        alone = classifier.classify(pictures[580:581].expand(-1, 3, -1, -1))
        assert alone.features == pytest.approx(whole.features[580:581], abs=1e-4)
        large = pictures[:20].repeat_interleave(2, 2).repeat_interleave(2, 3)
        seen = classifier.classify(large)
        assert seen.probabilities.argmax(1).tolist() == list(range(10)) * 2

    def test_confidence_and_shares(self) -> None:
        probabilities = np.full((4, 10), 0.05, np.float32)
        probabilities[[0, 1, 2, 3], [2, 2, 2, 9]] = 0.55
        seen = Classified(probabilities, np.zeros((4, 128), np.float32))
        assert seen.confidence == pytest.approx(0.55)
        assert seen.shares.tolist() == [0, 0, 0.75, 0, 0, 0, 0, 0, 0, 0.25]
        assert seen.accuracy(torch.tensor([2, 2, 1, 1])) == 0.5

    def test_damaged_weights_are_refused(self, taught: Path, tmp_path: Path) -> None:
        path = tmp_path / "w.safetensors"
        path.write_bytes(taught.read_bytes()[:-1] + b"\0")
        path.with_suffix(".json").write_bytes(taught.with_suffix(".json").read_bytes())
        with pytest.raises(UserError, match="SHA-256 differs"):
            FashionClassifier.load(path)
        with pytest.raises(UserError, match="changeling teach fashion"):
            FashionClassifier.load(tmp_path / "none.safetensors")


class TestWhatShips:
    def test_the_weights_are_small_and_those_that_were_written(self) -> None:
        data = WEIGHTS.read_bytes()
        about = json.loads(WEIGHTS.with_suffix(".json").read_text())
        assert len(data) <= 1_000_000
        assert hashlib.sha256(data).hexdigest() == about["sha256"]
        assert FashionClassifier.load().name == about["sha256"][:16]

    def test_they_know_92_of_100_pictures(self) -> None:
        about = json.loads(WEIGHTS.with_suffix(".json").read_text())
        assert about["taught"]["accuracy"] >= 0.92

    def test_they_fit_the_network(self) -> None:
        net = FashionNet()
        assert sum(x.numel() for x in net.state_dict().values()) * 2 < 1_000_000
