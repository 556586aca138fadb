"""Drawing from a run: sheets, folders, their credentials, and what is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from changeling.cli import main
from changeling.errors import UserError
from changeling.faces.datasets_protocol import Attributes, none_known
from changeling.faces.pictures import PictureBatch
from changeling.generators import FAMILIES, Family, Learns, Task, registry
from changeling.media import read_frames, read_image
from changeling.provenance import Consent, Source, State, verify
from changeling.study import Wish, draw, draw_mixed, draw_process, draw_walk, train_pictures
from changeling.study.drawing import AT_ONCE, sheet
from changeling.training import Budget, Runtime

TODAY = date(2026, 11, 22)
PLAIN = Runtime(torch.device("cpu"), torch.float32, False, False, threads=1, workers=0)


@dataclass(frozen=True)
class Config:
    size: int = 8
    channels: int = 1
    kinds: int = 2
    batch: int = 3

    @classmethod
    def tiny(cls) -> "Config":
        return cls()

    @classmethod
    def laptop(cls, task: Task) -> "Config":
        return cls(task.size, task.channels, task.kinds)


class Dice:
    """Draws noise; asked for a kind, noise in one half of the range."""

    def __init__(self, config: Config, *, runtime: Runtime) -> None:
        self.size, self.channels, self.kinds = config.size, config.channels, config.kinds
        self.weight = torch.zeros(1)

    def step(self, batch: PictureBatch, /) -> dict[str, Tensor]:
        self.weight = self.weight + batch.pictures.mean() + batch.labels.sum()
        return {"l1": self.weight.mean()}

    def preview(self, batch: PictureBatch, /) -> Tensor:
        return batch.pictures[None].expand(-1, -1, 3, -1, -1)

    def draw(self, count: int, *, seed: int, kind: int | None = None) -> Tensor:
        shape = (count, self.channels, self.size, self.size)
        noise = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
        return noise if kind is None else (noise + kind) / 2

    def reverse_strip(
        self, count: int, columns: int, *, seed: int, kind: int | None = None
    ) -> Tensor:
        """Darker in every column and lighter in every row."""
        shades = torch.arange(count) / 10 - torch.arange(columns)[:, None] / 100 + 0.5
        return shades[..., None, None, None].expand(columns, count, 1, self.size, self.size)

    def mix(self, rows: int, columns: int, *, seed: int) -> Tensor:
        shades = torch.arange((rows + 1) * (columns + 1)) / 100
        return shades.view(rows + 1, columns + 1, 1, 1, 1).expand(-1, -1, 1, self.size, self.size)

    def walk(self, frames: int, *, seed: int, stops: int = 8) -> Iterator[Tensor]:
        for frame in range(frames):
            yield torch.full((1, self.size, self.size), frame / 10)

    def state_dict(self) -> dict[str, Any]:
        return {"network": {"weight": self.weight}}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        self.weight = state["network"]["weight"]


@dataclass(frozen=True)
class Clothes:
    """Twelve pictures of two kinds."""

    consent: Consent
    name: str = "clothes"
    channels: int = 1
    kinds: tuple[str, ...] = ("coat", "boot")

    def __len__(self) -> int:
        return 12

    def read(self, rows: NDArray[np.integer], size: int) -> NDArray[np.uint8]:
        return np.full((len(rows), size, size, 1), 51, np.uint8)

    def labels(self, rows: NDArray[np.integer]) -> NDArray[np.int64]:
        return rows.astype(np.int64) % 2

    def attributes(self, rows: NDArray[np.integer]) -> Attributes:
        return none_known(rows)


LICENSED = Consent("dataset", licence="CC0")


@pytest.fixture
def dice(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(FAMILIES) | {"dice": Family(Learns.PICTURES, Config, Dice)}
    monkeypatch.setattr(registry, "FAMILIES", known)


@pytest.fixture
def run(dice: None, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    for _ in train_pictures(
        "dice", Config(), Clothes(LICENSED), folder, Budget(None, 2), today=TODAY, runtime=PLAIN
    ):
        pass
    return folder


def test_a_sheet_is_signed_as_synthetic_and_repeats_its_pixels(run: Path, tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("a.png", "b.png", "c.png"))
    for out, seed in ((one, 4), (same, 4), (other, 5)):
        draw(run, out, Wish(5, seed), today=TODAY, runtime=PLAIN)
    assert np.array_equal(read_image(one), read_image(same))
    assert not np.array_equal(read_image(one), read_image(other))
    verification = verify(one)
    assert verification.state is State.TRUSTED
    assert verification.credential is not None
    assert verification.credential.source is Source.SYNTHETIC
    assert (verification.credential.model, verification.credential.run) == ("dice", "run")
    assert dict(verification.credential.facts) == {"seed": "4", "count": "5"}


def test_a_folder_gets_each_picture_signed_in_its_own_size(run: Path, tmp_path: Path) -> None:
    count = AT_ONCE + 2
    draw(run, tmp_path / "all", Wish(count, 4), today=TODAY, runtime=PLAIN)
    files = sorted((tmp_path / "all").iterdir())
    assert [file.name for file in files[:2]] == ["00000.png", "00001.png"] and len(files) == count
    first, last = read_image(files[0]), read_image(files[-1])
    assert first.shape == (8, 8, 3) and not np.array_equal(first, last)
    assert verify(files[-1]).state is State.TRUSTED
    with pytest.raises(UserError, match="exists already: give another folder"):
        draw(run, tmp_path / "all", Wish(1, 4), today=TODAY, runtime=PLAIN)
    draw(run, tmp_path / "few", Wish(AT_ONCE, 4), today=TODAY, runtime=PLAIN)
    assert np.array_equal(read_image(tmp_path / "few" / "00000.png"), first)


def test_a_kind_is_asked_for_by_its_name(run: Path, tmp_path: Path) -> None:
    for name in ("coat", "boot"):
        draw(run, tmp_path / name, Wish(9, 1, name), today=TODAY, runtime=PLAIN)
    coats, boots = (
        np.stack([read_image(file) for file in (tmp_path / name).iterdir()])
        for name in ("coat", "boot")
    )
    assert coats.max() <= 128 <= boots.min() + 1
    with pytest.raises(UserError, match=r"the kind 'hat': give one of coat, boot"):
        draw(run, tmp_path / "x", Wish(1, 1, "hat"), today=TODAY, runtime=PLAIN)


def test_consent_is_asked_for_training_and_for_drawing(dice: None, tmp_path: Path) -> None:
    ending = Consent("dataset", licence="CC0", until=TODAY)
    pictures, later = Clothes(ending), date(2026, 11, 23)
    folder = tmp_path / "run"
    steps = train_pictures(
        "dice", Config(), pictures, folder, Budget(None, 1), today=later, runtime=PLAIN
    )
    with pytest.raises(UserError, match="clothes may not be trained on: the consent ended"):
        next(steps)
    assert not folder.exists()
    list(
        train_pictures(
            "dice", Config(), pictures, folder, Budget(None, 1), today=TODAY, runtime=PLAIN
        )
    )
    with pytest.raises(UserError, match="clothes may not be drawn from: the consent ended"):
        draw(folder, tmp_path / "x.png", Wish(1), today=later, runtime=PLAIN)
    assert not (tmp_path / "x.png").exists()


def test_a_sheet_has_gaps_and_enlarges_small_pictures() -> None:
    pictures = np.zeros((5, 32, 32, 3), np.uint8)
    picture = sheet(pictures, columns=3)
    assert picture.shape == (2 * 66 + 2, 3 * 66 + 2, 3)
    assert (picture[2:66, 2:66] == 0).all() and (picture[:2] == 255).all()
    assert (picture[68:132, 134:198] == 255).all()  # the sixth place is empty
    assert sheet(pictures).shape == (2 * 66 + 2, 3 * 66 + 2, 3)
    assert sheet(np.zeros((1, 100, 100, 3), np.uint8)).shape == (104, 104, 3)


def tiles(path: Path, rows: int, columns: int) -> NDArray[np.float64]:
    """(rows, columns) 0…1: the middle of each tile of a sheet of enlarged pictures of 8 pixels."""
    pixels = read_image(path)
    assert pixels.shape == (rows * 66 + 2, columns * 66 + 2, 3)
    return pixels[34::66, 34::66, 0] / 255


def test_the_process_and_the_mixed_are_sheets_in_their_order(run: Path, tmp_path: Path) -> None:
    draw_process(run, tmp_path / "p.png", Wish(3), today=TODAY, runtime=PLAIN)
    shown = tiles(tmp_path / "p.png", rows=3, columns=12)
    wanted = np.arange(3)[:, None] / 10 - np.arange(12) / 100 + 0.5
    assert np.abs(shown - wanted).max() < 0.003
    draw_mixed(run, tmp_path / "m.png", Wish(9), today=TODAY, runtime=PLAIN)
    shown = tiles(tmp_path / "m.png", rows=4, columns=4)
    assert np.abs(shown - np.arange(16).reshape(4, 4) / 100).max() < 0.003
    assert verify(tmp_path / "m.png").state is State.TRUSTED


def test_a_walk_is_a_signed_video(run: Path, tmp_path: Path) -> None:
    draw_walk(run, tmp_path / "w.mp4", Wish(6), today=TODAY, runtime=PLAIN)
    frames = list(read_frames(tmp_path / "w.mp4"))
    shades = [frame.pixels.mean() / 255 for frame in frames]
    assert np.abs(np.array(shades) - np.arange(6) / 10).max() < 0.02
    assert float(frames[5].time) == 5 / 25 and frames[0].pixels.shape == (256, 256, 3)
    verification = verify(tmp_path / "w.mp4")
    assert verification.state is State.TRUSTED and verification.credential is not None
    assert verification.credential.source is Source.SYNTHETIC


def test_a_run_that_swaps_does_not_draw(run: Path, tmp_path: Path) -> None:
    settings = (run / "config.json").read_text()
    (run / "config.json").write_text(settings.replace('"dice"', '"classic"'))
    with pytest.raises(UserError, match=r"run of classic, which cannot draw: give one of .*dice"):
        draw(run, tmp_path / "x.png", Wish(1), today=TODAY, runtime=PLAIN)


def test_families_are_listed_with_what_they_can_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    assert main(["families"]) == 0
    said = capsys.readouterr().out.splitlines()
    for name, family in FAMILIES.items():
        (row,) = [i for i, line in enumerate(said) if line.split()[:1] == [name]]
        assert family.summary in said[row]
        for word in (*family.uses, *family.presets, family.learns.value):
            assert word in said[row + 1]
    assert FAMILIES["stylegan"].uses == ("draw", "mix", "walk", "edit")
    assert FAMILIES["restoring"].uses == ("restore", "score anomalies")
