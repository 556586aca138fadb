"""Face sets on disk: what is kept, what may be deleted, what is broken."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from drawn import drawn_face, face_points, placed
from recordings import full_disk

from changeling.errors import UserError
from changeling.faces.alignment import Face, apply, inner_mask
from changeling.faces.faceset import INDEX, MASKS, FaceSet, Stored, open_set, stored_size
from changeling.media import Pixels, read_image, write_image
from changeling.provenance import Consent, Use

TODAY = date(2026, 6, 1)
GIVEN = Consent(kind="footage", people=("Ada",), given_by="Ada", purpose="tests")


def made(folder: Path, count: int = 4, size: int = 32, seed: int = 0) -> FaceSet:
    """A set of drawn faces, without a film."""
    folder.mkdir(parents=True)
    rng, stored = np.random.default_rng(seed), []
    for index in range(count):
        side = stored_size(size)
        points = apply(placed(size, rng.normal(0, 0.05), (side * 0.14, side * 0.14)), face_points())
        write_image(folder / f"{index:06d}.png", drawn_face((side, side), points, seed + index))
        start = 0.5 - (side - size) / 2
        unit = np.array([[1, 0, start], [0, 1, start]]) / size
        face = Face.from_landmarks(points)
        stored.append(
            Stored(
                f"{index:06d}.png",
                index,
                Fraction(index, 25),
                face.box,
                unit,
                face.landmarks,
                1.0,
                (0.1 * index, 0.0, -0.2),
            )
        )
    made = FaceSet(folder, size, "drawn.mp4", "0" * 64, GIVEN, None, count, 1, tuple(stored))
    made.save()
    return made


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_set_is_checked_before_each_use(tmp_path: Path) -> None:
    dataset = Consent(kind="dataset", licence="research only", purpose="tests", evidence="here")
    faces = replace(made(tmp_path / "a"), consent=dataset)
    faces.check(Use.TRAIN, today=TODAY)
    with pytest.raises(UserError, match=str(tmp_path / "a")):
        faces.check(Use.CONVERT, today=TODAY)


def test_a_deleted_png_removes_that_face_only(tmp_path: Path) -> None:
    whole = made(tmp_path / "a")
    rows = np.array(whole.pixels())
    (tmp_path / "a/000001.png").unlink()
    fewer = open_set(tmp_path / "a")
    assert [face.file for face in fewer.faces] == ["000000.png", "000002.png", "000003.png"]
    assert np.array_equal(fewer.pixels(), rows[[0, 2, 3]])
    assert len(list((tmp_path / "a").glob(".faces-*"))) == 1, "the old cache is gone"


def test_pixels_are_those_of_the_pngs_and_follow_a_change(tmp_path: Path) -> None:
    faces = made(tmp_path / "a")
    rows = faces.pixels()
    assert isinstance(rows, np.memmap)
    assert np.array_equal(faces.crops(), rows[:, 6:38, 6:38])
    wanted = inner_mask(faces.faces[1].landmarks, faces.faces[1].matrix, 32)
    assert np.array_equal(faces.masks()[1], wanted)
    for row, face in zip(rows, faces.faces, strict=True):
        assert np.array_equal(row, read_image(faces.folder / face.file))
    painted = np.full_like(rows[2], 200)
    write_image(faces.folder / "000002.png", painted)
    os.utime(faces.folder / "000002.png", ns=(1, 1))
    assert np.array_equal(faces.pixels()[2], painted)


def test_the_room_on_the_disk_is_taken_before_a_row_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row written into a hole of a mapped file, on a full disk, would kill the process."""
    faces, read, taken = made(tmp_path / "a"), FaceSet._read, []

    def reading(self: FaceSet, face: Stored) -> Pixels:
        (cache,) = self.folder.glob(".changeling-*.npy")
        taken.append(cache.stat().st_blocks * 512)
        return read(self, face)

    monkeypatch.setattr(FaceSet, "_read", reading)
    assert faces.pixels().shape == (4, 44, 44, 3)
    assert len(taken) == 4 and min(taken) >= 4 * 44 * 44 * 3


def test_a_full_disk_is_said_and_leaves_the_set_as_it_was(tmp_path: Path) -> None:
    faces = made(tmp_path / "a")
    before = files(tmp_path / "a")
    with full_disk(), pytest.raises(UserError, match=r"\.faces-\w+\.npy: the disk is full"):
        faces.pixels()
    assert files(tmp_path / "a") == before
    assert faces.pixels().any()


def test_an_old_cache_may_be_gone_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes open a set that changed: each deletes what the other one may have deleted."""
    faces = made(tmp_path / "a")
    (tmp_path / "a/.faces-0.npy").touch()
    unlink = Path.unlink

    def twice(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=True)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", twice)
    assert faces.pixels().shape == (4, 44, 44, 3)


def with_masks(folder: Path) -> FaceSet:
    """A set whose faces all have masks: a column each, 50 grey levels brighter than the last."""
    faces = made(folder)
    (folder / MASKS).mkdir()
    for index, face in enumerate(faces.faces):
        mask = np.zeros((44, 44), np.uint8)
        mask[:, 6 + index] = 50 + 50 * index
        write_image(folder / MASKS / face.file, mask)
    return faces


def test_masks_are_those_that_are_stored(tmp_path: Path) -> None:
    faces = with_masks(tmp_path / "a")
    masks = faces.masks()
    assert isinstance(masks, np.memmap)
    assert (masks.shape, masks.dtype) == ((4, 32, 32), np.float32)
    for index in range(4):
        assert masks[index, 3, index] == np.float32(50 + 50 * index) / np.float32(255)
        assert np.count_nonzero(masks[index]) == 32
    assert np.array_equal(faces.masks(), masks)


def test_a_deleted_mask_is_made_again_from_the_landmarks(tmp_path: Path) -> None:
    with_masks(tmp_path / "a")
    faces = open_set(tmp_path / "a")
    before = np.array(faces.masks())
    (tmp_path / "a/masks/000001.png").unlink()
    hulls = [inner_mask(face.landmarks, face.matrix, 32) for face in faces.faces]
    assert np.array_equal(faces.masks(), [before[0], hulls[1], before[2], before[3]])
    assert len(list((tmp_path / "a").glob(".masks-*"))) == 1, "the old cache is gone"
    (tmp_path / "a/000002.png").unlink()
    assert np.array_equal(open_set(tmp_path / "a").masks(), [before[0], hulls[1], before[3]])
    shutil.rmtree(tmp_path / "a/masks")
    assert np.array_equal(open_set(tmp_path / "a").masks(), [hulls[0], hulls[1], hulls[3]])


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def _shrink(path: Path) -> None:
    write_image(path, np.zeros((7, 9, 3), np.uint8))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [_cut, _shrink, _empty])
def test_a_broken_png_is_named_with_the_mend(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    faces = made(tmp_path / "a")
    spoil(tmp_path / "a/000002.png")
    with pytest.raises(UserError, match=r"000002\.png .*delete it"):
        faces.pixels()
    assert not list((tmp_path / "a").glob(".*"))


@pytest.mark.parametrize("spoil", [_cut, _shrink, _empty])
def test_a_broken_mask_is_named_with_the_mend(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    faces = with_masks(tmp_path / "a")
    spoil(tmp_path / "a/masks/000002.png")
    with pytest.raises(UserError, match=r"masks/000002\.png .*delete it"):
        faces.masks()
    assert not list((tmp_path / "a").glob(".*"))
    assert len(faces.pixels()) == 4


@pytest.mark.parametrize("text", ["{", "[]", '{"size": 64}', '{"size": 64, "picture": 99}'])
def test_a_damaged_index_is_named(tmp_path: Path, text: str) -> None:
    made(tmp_path / "a")
    (tmp_path / "a" / INDEX).write_text(text)
    with pytest.raises(UserError, match=r"faceset\.json is damaged"):
        open_set(tmp_path / "a")


def test_a_folder_without_index_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="changeling extract"):
        open_set(tmp_path)


def test_a_file_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    made(tmp_path / "a")
    write_image(tmp_path / "000001.png", np.zeros((44, 44, 3), np.uint8))
    index = tmp_path / "a" / INDEX
    index.write_text(index.read_text().replace('"000001.png"', '"../000001.png"'))
    assert open_set(tmp_path / "a").faces[1].file == "000001.png"
