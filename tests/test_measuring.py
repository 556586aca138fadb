"""What measuring promises: the laws of its metrics, its baselines, and what a judge sees."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import log10
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from changeling.actors import Segment, Truth, sidecar_path
from changeling.actors.sidecar import SidecarWriter
from changeling.converting import How, colours, convert_frame, linear, unit
from changeling.errors import UserError
from changeling.faces import Face, crop
from changeling.generators import Swaps
from changeling.measuring import (
    CopySource,
    MeanFace,
    Rivals,
    Sample,
    Score,
    error_map,
    judge,
    judge_videos,
    mean,
    mse,
    psnr,
    read_samples,
    score,
    ssim,
)
from changeling.media import Frame, FrameWriter, Pixels, read_frames

SIZE = 32


def picture(seed: int, height: int = 48, width: int = 64) -> Pixels:
    """A smooth coloured picture."""
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.rint(40 + 170 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def tensor(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float64) / 255).permute(2, 0, 1)[None]


@pytest.fixture
def mask() -> NDArray[np.bool_]:
    """An ellipse that touches the border."""
    area = np.zeros((48, 64), np.uint8)
    cv2.ellipse(area, (20, 8), (15, 20), 20, 0, 360, 1, -1)
    return area.astype(np.bool_)


def test_equal_pictures(mask: NDArray[np.bool_]) -> None:
    one = picture(0)
    assert score(one, one) == score(one, one, mask) == Score(0.0, 100.0, 1.0)


def test_symmetry(mask: NDArray[np.bool_]) -> None:
    one, two = picture(0), picture(1)
    assert score(one, two) == score(two, one)
    assert score(one, two, mask) == score(two, one, mask)


@pytest.mark.parametrize("offset", [0.01, 0.1, 0.5])
def test_a_constant_offset(offset: float, mask: NDArray[np.bool_]) -> None:
    one = np.full((48, 64, 3), 0.25)
    two = one + offset
    found = score(two, one, mask)
    assert found.mse == pytest.approx(offset**2)
    assert found.psnr == pytest.approx(-20 * log10(offset))
    light = (2 * 0.25 * (0.25 + offset) + 1e-4) / (0.25**2 + (0.25 + offset) ** 2 + 1e-4)
    assert found.ssim == pytest.approx(light)


def test_more_noise_is_worse(mask: NDArray[np.bool_]) -> None:
    one = unit(picture(0)).astype(np.float64)
    noise = np.random.default_rng(1).normal(size=one.shape)
    scores = [score(one + level * noise, one, mask) for level in (0, 0.01, 0.03, 0.1, 0.3)]
    for better, worse in pairwise(scores):
        assert better.mse < worse.mse
        assert better.psnr > worse.psnr
        assert better.ssim > worse.ssim


def test_the_full_mask_agrees_with_torchmetrics() -> None:
    one, two = picture(0), picture(1)
    everything = np.ones(one.shape[:2], np.bool_)
    for area in (None, everything):
        found = score(one, two, area)
        true_psnr = peak_signal_noise_ratio(tensor(one), tensor(two), data_range=1.0)
        true_ssim = structural_similarity_index_measure(tensor(one), tensor(two), data_range=1.0)
        assert found.psnr == pytest.approx(float(true_psnr), abs=1e-6)
        assert isinstance(true_ssim, torch.Tensor)
        assert found.ssim == pytest.approx(float(true_ssim), abs=1e-6)


def slow_ssim(one: Pixels, two: Pixels, mask: NDArray[np.bool_], row: int, column: int) -> float:
    """Equation 13 at one pixel away from the border, written as sums over the window."""
    reach = np.arange(-5, 6)
    bell = np.exp(-(reach[:, None] ** 2 + reach**2) / (2 * 1.5**2))
    window = np.s_[row - 5 : row + 6, column - 5 : column + 6]
    weights = bell * mask[window]
    weights = weights / weights.sum()
    values = []
    for channel in range(3):
        x, y = one[window][..., channel] / 255, two[window][..., channel] / 255
        mx, my = (weights * x).sum(), (weights * y).sum()
        vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
        both = (weights * (x - mx) * (y - my)).sum()
        values.append(
            (2 * mx * my + 1e-4) * (2 * both + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))
        )
    return float(np.mean(values))


def test_ssim_agrees_with_its_definition_inside_a_mask() -> None:
    one, two = picture(0), picture(1)
    mask = np.zeros(one.shape[:2], np.bool_)
    mask[15:30, 20:33] = True
    mask[20, 22] = False
    places = np.argwhere(mask)
    slow = np.mean([slow_ssim(one, two, mask, row, column) for row, column in places])
    assert ssim(one, two, mask) == pytest.approx(slow, abs=1e-9)


def test_what_lies_outside_the_mask_does_not_matter(mask: NDArray[np.bool_]) -> None:
    one, two = picture(0), picture(1)
    other = np.where(mask[..., None], two, picture(2))
    assert not np.array_equal(other, two)
    assert score(one, other, mask) == score(one, two, mask)


def test_a_mask_selects_pixels(mask: NDArray[np.bool_]) -> None:
    one, two = picture(0), picture(1)
    inside, outside = mse(one, two, mask), mse(one, two, ~mask)
    share = mask.mean()
    assert share * inside + (1 - share) * outside == pytest.approx(mse(one, two))
    assert inside != pytest.approx(outside, rel=0.01)


def test_an_empty_mask_is_an_error() -> None:
    nothing = np.zeros((48, 64), np.bool_)
    for metric in (mse, ssim):
        with pytest.raises(ValueError, match="empty mask"):
            metric(picture(0), picture(1), nothing)


def test_psnr_is_finite_and_falls() -> None:
    assert psnr(0) == psnr(1e-12) == 100
    assert psnr(1) == 0
    assert psnr(0.01) == pytest.approx(20)


def test_the_mean_averages_decibels() -> None:
    assert mean([Score(0.0, 100.0, 1.0), Score(0.1, 10.0, 0.5)]) == Score(0.05, 55.0, 0.75)
    with pytest.raises(ValueError, match="no scores"):
        mean([])


def test_the_error_map() -> None:
    one = np.full((4, 4, 3), 100, np.uint8)
    two = one.copy()
    two[1, 2] = 255
    heat = error_map(one, two)
    assert heat.shape == (4, 4, 3)
    assert heat[0, 0].astype(int).sum() < 10
    assert heat[1, 2].astype(int).sum() > 600
    assert heat[1, 2, 0] > heat[1, 2, 2]


@pytest.fixture
def target() -> tuple[Pixels, NDArray[np.float32]]:
    """Six crops of the target person, bluish, and their masks."""
    crops = np.stack([picture(seed, SIZE, SIZE) for seed in range(10, 16)])
    crops = (crops * np.array([0.5, 0.7, 1.0])).astype(np.uint8)
    masks = np.zeros((6, SIZE, SIZE), np.float32)
    masks[:, 6:26, 8:24] = 1
    return crops, masks


def test_copying_the_source_gives_it_the_targets_colours(
    target: tuple[Pixels, NDArray[np.float32]],
) -> None:
    crops, masks = target
    baseline = CopySource.from_faces("b", crops, masks)
    source = picture(0, SIZE, SIZE)
    swapped = baseline.swap(tensor(source).float(), to="b")
    copy = swapped.faces[0].permute(1, 2, 0).numpy()
    done, wanted = colours(linear(copy), masks[0]), colours(linear(unit(crops)), masks)
    assert np.abs(done.mean - wanted.mean).max() < 0.01
    assert np.abs(done.covariance - wanted.covariance).max() < 0.1 * wanted.covariance.max()
    grey = np.corrcoef(copy.mean(2).ravel(), source.mean(2).ravel())[0, 1]
    assert grey > 0.6
    assert torch.equal(swapped.masks[0, 0], torch.from_numpy(masks[0]))


def test_copying_the_target_itself_changes_nothing() -> None:
    own = picture(3, SIZE, SIZE)
    everything = np.ones((1, SIZE, SIZE), np.float32)
    copy = CopySource.from_faces("b", own[None], everything).swap(tensor(own).float(), to="b")
    assert (copy.faces - tensor(own)).abs().max() < 1e-4


def test_the_mean_face_ignores_the_source(target: tuple[Pixels, NDArray[np.float32]]) -> None:
    crops, masks = target
    baseline = MeanFace.from_faces("b", crops, masks)
    swapped = baseline.swap(torch.rand(3, 3, SIZE, SIZE), to="b")
    wanted = torch.from_numpy(crops.astype(np.float64).mean(0) / 255).permute(2, 0, 1)
    assert swapped.faces.shape == (3, 3, SIZE, SIZE)
    assert swapped.masks.shape == (3, 1, SIZE, SIZE)
    assert (swapped.faces - wanted).abs().max() < 1e-6


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
