"""What is found in whole face sets, alone among good faces; setting aside; the command."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from textures import SIDE, Knowing, checked, found, made, smeared, soft, stored, texture

import changeling.faces.checking
from changeling.cli import main
from changeling.errors import UserError
from changeling.faces import FaceSet, Reason, open_set, set_aside
from changeling.faces.identity import Identifier
from changeling.media import Pixels, write_image
from changeling.provenance import State, verify
from changeling.study.coverage import coverage_chart


@pytest.fixture
def faulty(tmp_path: Path) -> FaceSet:
    """Ten faces; from the fourth on each has a fault, but for 5, which a blurred one resembles."""
    pictures = [texture(seed) for seed in range(10)]
    pictures[3] = pictures[1]
    pictures[4] = soft(pictures[5], 3)
    pictures[6] = smeared(pictures[6], 11)
    pictures[7][..., 2] = 200
    faces = [stored(index) for index in range(10)]
    faces[8] = replace(faces[8], score=0.4)
    faces[9] = replace(faces[9], landmarks=faces[9].landmarks + np.float32(60))
    return made(tmp_path / "faulty", pictures, faces)


def test_every_fault_is_found_once_and_good_faces_stay(faulty: FaceSet) -> None:
    check = checked(faulty)
    assert found(check) == [
        (8, Reason.MISALIGNED), (9, Reason.MISALIGNED), (4, Reason.BLURRED), (6, Reason.BLURRED),
        (7, Reason.OTHER_PERSON), (3, Reason.DUPLICATE),
    ]  # fmt: skip
    assert [face.frame for face in check.flagged(Reason.BLURRED)] == [4, 6]
    assert check.coverage.pose.counts.sum() == check.coverage.light.counts.sum() == 4


def test_a_set_without_faces_is_said(tmp_path: Path) -> None:
    faces = made(tmp_path / "a", [texture(0)])
    assert found(checked(faces)) == []
    (tmp_path / "a" / "000000.png").unlink()
    with pytest.raises(UserError, match="holds no face any more"):
        checked(open_set(tmp_path / "a"))


def test_coverage_counts_poses_and_puts_the_extreme_into_the_last_cell(tmp_path: Path) -> None:
    poses = [(0, 0, 2), (0.1, -0.05, 0), (0.2, 0, 0), (-0.2, 0.12, 0), (3, -3, 0)]
    faces = [stored(i, pose=pose) for i, pose in enumerate(poses)]
    pictures = [texture(seed) for seed in range(len(poses))]
    pictures[1] = np.asarray(pictures[1] // 4, np.uint8)
    pictures[1][:, : SIDE // 2] //= 2
    coverage = checked(made(tmp_path / "a", pictures, faces)).coverage
    wanted = np.zeros((7, 9), int)
    wanted[3, 4], wanted[3, 5], wanted[4, 3], wanted[0, 8] = 2, 1, 1, 1
    assert np.array_equal(coverage.pose.counts, wanted)
    assert coverage.pose.covered == 4
    (dark,) = np.argwhere(coverage.light.counts[:2])  # the one with a shadow on the left
    assert dark[1] > 4
    assert (len(coverage.light.rows), len(coverage.light.columns)) == (8, 10)


def test_what_is_set_aside_is_kept_and_comes_back(faulty: FaceSet) -> None:
    folder = faulty.folder
    (folder / "masks").mkdir()
    write_image(folder / "masks/000007.png", np.full((SIDE, SIDE, 3), 255, np.uint8))
    before = sorted(path.read_bytes() for path in folder.rglob("*.png"))
    first = checked(faulty)
    assert set_aside(first) == 6
    moved = sorted(str(path.relative_to(folder)) for path in (folder / "removed").rglob("*.png"))
    assert moved == [
        "removed/blurred/000004.png", "removed/blurred/000006.png",
        "removed/duplicate/000003.png", "removed/misaligned/000008.png",
        "removed/misaligned/000009.png", "removed/other-person/000007.png",
        "removed/other-person/masks/000007.png",
    ]  # fmt: skip
    assert sorted(path.read_bytes() for path in folder.rglob("*.png")) == before
    assert [face.frame for face in open_set(folder).faces] == [0, 1, 2, 5]
    assert found(checked(open_set(folder))) == []
    for path in (folder / "removed").glob("*/*.png"):
        path.rename(folder / path.name)
    assert found(checked(open_set(folder))) == found(first)


def test_nothing_is_overwritten_and_then_nothing_moved(faulty: FaceSet) -> None:
    there = faulty.folder / "removed/duplicate/000003.png"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"mine")
    with pytest.raises(UserError, match=r"duplicate/000003\.png exists already"):
        set_aside(checked(faulty))
    assert len(open_set(faulty.folder)) == 10
    assert there.read_bytes() == b"mine"


# The command and its picture


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped network is not asked."""
    monkeypatch.setattr(Identifier, "load", lambda: Knowing())


@pytest.mark.usefixtures("known")
def test_the_command_tells_moves_and_draws(
    faulty: FaceSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "coverage.png"
    line = ["faces", "check", str(faulty.folder)]
    assert main(line) == 0
    said = [words.split() for words in capsys.readouterr().out.splitlines()]
    assert ["misaligned", "2", "000008.png,", "000009.png"] in said
    assert ["other-person", "1", "000007.png"] in said
    assert not (faulty.folder / "removed").exists()
    assert main([*line, "--remove", "-o", str(picture)]) == 0
    out = capsys.readouterr().out
    assert "4 of 10 faces are good" in out
    assert "1 of 63 cells of yaw × pitch" in out
    assert "Moved 6 faces" in out
    assert verify(picture).state is State.TRUSTED
    assert len(open_set(faulty.folder)) == 4


def test_a_picture_that_is_kept_is_said_before_the_work(
    faulty: FaceSet, published: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(changeling.faces.checking, "look", None)
    line = ["faces", "check", str(faulty.folder), "-o", str(published / "a.png")]
    assert main(line) == 2
    assert "exists already" in capsys.readouterr().err


def test_the_chart_shows_counts_where_they_are(faulty: FaceSet) -> None:
    coverage = checked(faulty).coverage

    def drawn(row: int, column: int) -> Pixels:
        counts = np.zeros((7, 9), np.int64)
        counts[row, column] = 5
        return coverage_chart(replace(coverage, pose=replace(coverage.pose, counts=counts)))

    low, high = drawn(0, 0).astype(int), drawn(6, 8)
    y, x = np.nonzero((low - high)[..., 0] < -100)  # darker red: the filled cell of the first
    v, u = np.nonzero((low - high)[..., 0] > 100)
    assert y.min() > v.max() and x.max() < u.min() < low.shape[1] / 2
