"""What the landmark network learns from, on drawn faces."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from drawn import drawn_lessons, placed
from recordings import full_disk

from changeling.actors import Segment, Spoil
from changeling.errors import UserError
from changeling.faces import renders as renders_module
from changeling.faces.alignment import align, enlarged
from changeling.faces.landmark_lessons import LandmarkBatch, drawn, landmark_batches, shares
from changeling.faces.landmarks import MARGIN, SIZE, rolled
from changeling.faces.renders import Lessons, Renders, render_lessons

CLEAN = Spoil.none()


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    return drawn_lessons()


def test_batches_are_pure_in_the_step(lessons: Lessons) -> None:
    batches = landmark_batches([lessons], batch=12, seed=3)
    one, again, other = batches(7), batches(7), batches(8)
    assert torch.equal(one.crops, again.crops)
    assert torch.equal(one.parts, again.parts)
    assert not torch.equal(one.crops, other.crops)
    assert len(one) == 12 and one.points.shape == (12, 200, 2)
    assert one.crops.shape == (12, 3, SIZE, SIZE)
    assert one.parts.shape == (12, 7, SIZE // 2, SIZE // 2)


def test_all_sources_are_learnt_from_alike_and_three_in_ten_unspoilt(lessons: Lessons) -> None:
    bright = Lessons(**{**lessons.__dict__, "pictures": np.full_like(lessons.pictures, 200)})
    dark = Lessons(**{**lessons.__dict__, "pictures": np.zeros_like(lessons.pictures)})
    noisy = replace(CLEAN, noise=1.0)
    crops = landmark_batches([bright, dark], batch=200, seed=0, spoil=noisy)(0).crops
    bright_ones = crops.mean((1, 2, 3)) > 0.4
    assert 75 <= int(bright_ones.sum()) <= 125
    flat = crops[bright_ones].std((1, 2, 3)) < 1e-4
    assert float(flat.float().mean()) == pytest.approx(0.3, abs=0.1)


def test_truth_moves_with_the_crop(lessons: Lessons) -> None:
    """A white dot at the nose is where the crop's points say, whatever the crop missed by."""
    marked = np.zeros_like(lessons.pictures)
    for picture, points in zip(marked, lessons.points, strict=True):
        x, y = points[30]
        cv2.circle(picture, (round(x * 256), round(y * 256)), 3 * 256, (255,) * 3, -1, shift=8)
    dots = Lessons(**{**lessons.__dict__, "pictures": marked})
    batch = landmark_batches([dots], batch=40, seed=0, spoil=CLEAN)(0)
    checked = 0
    for picture, goal, present in zip(batch.crops[:, 0], batch.points, batch.present, strict=True):
        if not present:
            continue
        rows, columns = torch.nonzero(picture > picture.max() / 2, as_tuple=True)
        centre = torch.stack([columns.float().mean(), rows.float().mean()])
        assert float((centre - (goal[30] * SIZE - 0.5)).abs().max()) < 0.6
        checked += 1
    assert checked >= 30


def test_a_turned_crop_turns_the_head(lessons: Lessons) -> None:
    view = enlarged(align(lessons.points[0][:68]), MARGIN)
    turned = placed(1, 0.3, (0, 0))[:, :2] @ view
    batch = drawn([(lessons, 0)] * 2, [view, turned], np.ones(2, bool), seed=0, spoil=CLEAN)
    between = batch.rotation[1] @ batch.rotation[0].T
    assert torch.allclose(
        between, torch.from_numpy(cv2.Rodrigues(np.array([0, 0, 0.3]))[0]).float(), atol=1e-5
    )
    assert np.allclose(rolled(view) @ rolled(view).T, np.eye(3))


def test_parts_are_shares_and_clothes_are_background() -> None:
    segments = torch.zeros(1, 4, 4, dtype=torch.uint8)
    segments[0, :2, :2] = int(Segment.CLOTHES)
    segments[0, 0, 2] = int(Segment.OCCLUDER)
    segments[0, 2:, :2] = int(Segment.EYES)
    found = shares(segments)
    assert torch.equal(found.sum(1), torch.ones(1, 2, 2))
    assert float(found[0, 0, 0, 0]) == 1 and float(found[0, 6, 0, 1]) == 0.25
    assert float(found[0, 4, 1, 0]) == 1


def test_a_crop_beside_the_face_shows_none_and_one_between_is_not_asked(lessons: Lessons) -> None:
    matrix = align(lessons.points[0][:68])
    aside = [matrix + np.array([[0, 0, far], [0, 0, 0]]) for far in (0.0, 0.72, 5.0)]
    views = [enlarged(matrix, MARGIN) for matrix in aside]
    flat = Lessons(**{**lessons.__dict__, "pictures": np.zeros_like(lessons.pictures)})
    there = np.array([True, False, False])
    batch = drawn([(flat, 0)] * 3, views, there, seed=0, spoil=CLEAN)
    assert batch.present.tolist() == [1, 0, 0]
    assert batch.asked[0] == 1
    assert float(batch.visible[2].sum()) == 0, "points outside the crop are not seen"


def test_renders_are_made_once_and_shared(tmp_path: Path) -> None:
    asked = Renders(faces=1, frames=1, size=32, first=50)
    ticks = list[int]()
    first = renders_module.render_lessons(
        asked, tmp_path, part=(0, 2), tick=lambda d, t: ticks.append(d)
    )
    assert first.styling[0] > 0 and not first.pictures[1].any(), "the other process's"
    both = renders_module.render_lessons(asked, tmp_path)
    assert isinstance(both.pictures, np.memmap) and len(both) == 2
    assert np.array_equal(both.pictures[0], first.pictures[0]) and both.pictures[1].any()
    assert both.face.tolist() == [50, 50] and both.styling[0] != both.styling[1]
    assert ticks == [1]
    stamp = [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("pictures.npy"))]
    renders_module.render_lessons(asked, tmp_path)
    assert stamp == [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("pictures.npy"))]


def test_a_batch_knows_its_length() -> None:
    assert len(LandmarkBatch(torch.zeros(3, 3, 8, 8), *[torch.zeros(3)] * 6)) == 3


def test_a_full_disk_is_said_before_anything_is_rendered(tmp_path: Path) -> None:
    plan = Renders(faces=4, frames=1, size=32)
    with full_disk(), pytest.raises(UserError, match=r"pictures\.npy: the disk is full .*again\.$"):
        render_lessons(plan, tmp_path)
    assert list((tmp_path / plan.name).iterdir()) == []


def test_renders_take_their_room_on_the_disk_first(tmp_path: Path) -> None:
    """A row written into a hole of a mapped file, on a full disk, would kill the process."""
    rows = renders_module._file(tmp_path / "a" / "rows.npy", np.uint8, (40, 32, 32))
    found = (tmp_path / "a" / "rows.npy").stat()
    assert found.st_blocks * 512 >= found.st_size > 40 * 32 * 32
    rows[39] = 7
    rows.flush()
    again = renders_module._file(tmp_path / "a" / "rows.npy", np.uint8, (40, 32, 32))
    assert again[39].min() == 7 and not again[:39].any()
