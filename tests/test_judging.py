"""What a judge sees: frames, videos, and where the face truly is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from test_measuring import SIZE, picture

from changeling.actors import Segment, Truth, sidecar_path
from changeling.actors.sidecar import SidecarWriter
from changeling.converting import How, convert_frame
from changeling.errors import UserError
from changeling.faces import Face, crop
from changeling.generators import Swaps
from changeling.measuring import (
    CopySource,
    MeanFace,
    Rivals,
    Sample,
    Score,
    judge,
    judge_videos,
    mean,
    read_samples,
    score,
)
from changeling.media import Frame, FrameWriter, Pixels, read_frames


def still_face(pixels: Pixels) -> tuple[Face, ...]:
    """A face in the middle of the frame; none in a black one."""
    if not pixels.any():
        return ()
    height, width = pixels.shape[:2]
    side = height / 2
    matrix = np.array([[1 / side, 0, 0.5 - width / 2 / side], [0, 1 / side, 0.5 - 1]])
    angle = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], 1) * height / 5 + (width / 2, height / 2)
    return (Face((0.0, 0.0, side, side), circle.astype(np.float32), matrix, 1.0),)


class StillTracker:
    """Finds the same face in every frame that is not black."""

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        return still_face(pixels)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeling.measuring.judging.Tracker", StillTracker)
    monkeypatch.setattr("changeling.measuring.videos.Tracker", StillTracker)


@dataclass(frozen=True)
class Scene:
    """A performance, its truth, and rivals of which the mean face is exactly the true crop."""

    sample: Sample
    rivals: Rivals


@pytest.fixture
def stage(still: None) -> Scene:
    performance, truth = picture(0, 96, 128), picture(1, 96, 128)
    inner = np.zeros((96, 128), np.bool_)
    inner[36:60, 52:76] = True
    true_crop = crop(truth, still_face(truth)[0].matrix, SIZE)[None]
    full = np.ones((1, SIZE, SIZE), np.float32)
    perfect: Swaps = MeanFace.from_faces("b", true_crop, full)
    copy: Swaps = CopySource.from_faces("b", true_crop, full)
    return Scene(Sample(performance, truth, inner), Rivals(copy, copy, perfect))


def test_the_judge_knows_a_perfect_generator(stage: Scene) -> None:
    judgement = judge([stage.sample] * 2, stage.rivals, to="b", how=How())
    assert (len(judgement.series), judgement.missed) == (2, 0)
    crops = judgement.scores.crop
    assert crops.mean_face.mse == pytest.approx(0, abs=1e-10)
    assert crops.mean_face.ssim == pytest.approx(1, abs=1e-6)
    assert crops.swap == crops.copy_source
    assert crops.swap.psnr < 30
    assert judgement.scores.in_place.mean_face.psnr > judgement.scores.in_place.swap.psnr


def test_the_judge_scores_in_place_and_as_a_frame(stage: Scene) -> None:
    sample, rivals = stage.sample, stage.rivals
    scores = judge([sample], rivals, to="b", how=How()).scores
    (face,) = still_face(sample.performance)
    done = convert_frame(sample.performance, [face], rivals.mean_face, to="b", how=How())
    union = sample.inner | (done.area > 0)
    assert scores.in_place.mean_face == score(done.pixels, sample.truth, union)
    assert scores.frame.mean_face == score(done.pixels, sample.truth)
    assert scores.in_place.mean_face.mse < scores.frame.mean_face.mse


def test_only_the_true_inner_face_counts_in_the_crop(stage: Scene) -> None:
    scores = judge([stage.sample], stage.rivals, to="b", how=How()).scores
    truth = stage.sample.truth.copy()
    truth[~cv2.dilate(stage.sample.inner.astype(np.uint8), np.ones((9, 9))).astype(bool)] = 7
    other = judge([replace(stage.sample, truth=truth)], stage.rivals, to="b", how=How()).scores
    assert other.crop == scores.crop
    assert other.frame != scores.frame


def test_frames_without_a_face_are_left_out_and_counted(stage: Scene) -> None:
    black = replace(stage.sample, performance=np.zeros((96, 128, 3), np.uint8))
    judgement = judge([black, stage.sample, black], stage.rivals, to="b", how=How())
    assert (len(judgement.series), judgement.missed) == (1, 2)
    assert judgement.scores == judgement.series[0]
    with pytest.raises(UserError, match="No frame shows a face"):
        judge([black], stage.rivals, to="b", how=How())


def film(path: Path, pictures: list[Pixels]) -> Path:
    height, width = pictures[0].shape[:2]
    with FrameWriter(path, size=(width, height), rate=Fraction(25)) as writer:
        for index, pixels in enumerate(pictures):
            writer.write(Frame(pixels, index, Fraction(index, 25)))
    return path


@pytest.fixture
def films(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    truth = [picture(seed, 96, 128) for seed in range(3)]
    swap = [pixels.copy() for pixels in truth]
    swap[1][40:56, 56:72] = 0
    yield film(tmp_path / "swap.mp4", swap), film(tmp_path / "truth.mp4", truth)


def test_videos_are_judged_frame_by_frame(still: None, films: tuple[Path, Path]) -> None:
    swap, truth = films
    same = judge_videos(truth, truth)
    assert same.face == same.frame == Score(0.0, 100.0, 1.0)
    judgement = judge_videos(swap, truth)
    assert [moment.time for moment in judgement.series] == pytest.approx([0, 0.04, 0.08])
    faces = [moment.face for moment in judgement.series]
    assert faces[1] is not None and faces[0] is not None
    assert faces[1].psnr < 15 < 30 < faces[0].psnr
    assert faces[1].mse > 3 * judgement.series[1].frame.mse
    assert judgement.frame == mean([moment.frame for moment in judgement.series])


def test_videos_of_different_size_or_length_are_refused(
    still: None, films: tuple[Path, Path], tmp_path: Path
) -> None:
    swap, _ = films
    small = film(tmp_path / "small.mp4", [picture(0)] * 3)
    with pytest.raises(UserError, match=r"128x96 pixels.*64x48"):
        judge_videos(swap, small)
    short = film(tmp_path / "short.mp4", [picture(0, 96, 128)] * 2)
    with pytest.raises(UserError, match=r"short\.mp4 ends first"):
        judge_videos(swap, short)
    with pytest.raises(UserError, match=r"short\.mp4 ends first"):
        judge_videos(short, swap)


def filmed(tmp_path: Path, inner: list[NDArray[np.bool_]]) -> Path:
    """A film with its truth beside it, of which only the labels matter here."""
    truth = film(tmp_path / "film.mp4", [picture(seed, 96, 128) for seed in range(len(inner))])
    beside = SidecarWriter()
    points, turn = np.zeros((68, 2), np.float32), np.eye(3, dtype=np.float32)
    seen = np.zeros(68, np.bool_)
    for area in inner:
        labels = np.where(area, Segment.FACE, Segment.HAIR).astype(np.uint8)
        depth = np.full(area.shape, np.inf, np.float32)
        beside.add(Truth(labels, points, points, seen, seen, depth, turn, points[:52, 0], turn))
    beside.write(sidecar_path(truth))
    return truth


def test_the_truth_beside_a_film_says_where_the_face_is(still: None, tmp_path: Path) -> None:
    areas = [np.zeros((96, 128), np.bool_) for _ in range(3)]
    areas[0][10:20, 30:60] = areas[1][50:70, 5:25] = True
    truth = filmed(tmp_path, areas)
    samples = list(read_samples(truth, truth))
    assert all(np.array_equal(one.inner, area) for one, area in zip(samples, areas, strict=True))
    assert all(np.array_equal(one.performance, one.truth) for one in samples)
    other = film(tmp_path / "other.mp4", [picture(9, 96, 128)] * 3)
    series = judge_videos(other, truth).series
    shown = [frame.pixels for frame in read_frames(other)]
    true = [frame.pixels for frame in read_frames(truth)]
    for moment, one, two, area in zip(series[:2], shown, true, areas, strict=False):
        assert moment.face == score(one, two, area)
    assert series[2].face is None


def test_a_truth_that_does_not_fit_is_refused(still: None, tmp_path: Path) -> None:
    truth = filmed(tmp_path, [np.ones((96, 128), np.bool_)] * 2)
    longer = film(truth, [picture(0, 96, 128)] * 3)
    with pytest.raises(UserError, match=r"film\.truth\.npz does not fit"):
        judge_videos(longer, longer)


def test_a_truth_without_a_face_is_refused(still: None, tmp_path: Path) -> None:
    black = film(tmp_path / "black.mp4", [np.zeros((96, 128, 3), np.uint8)] * 2)
    with pytest.raises(UserError, match="No face was found"):
        judge_videos(black, black)
