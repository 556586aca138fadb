"""Spoiling pictures: seeded, each effect does what it says, and the labels stay right."""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
import torch
from cast import shots
from torch import Tensor

from changeling.actors import Randomised, Segment, Spoil, randomise
from changeling.actors.compress import h264, jpeg
from changeling.actors.photograph import LUMA, blur, expose, shake

CLEAN = Spoil.none()
CHANCES = tuple(field.name for field in fields(Spoil) if getattr(CLEAN, field.name) == 0)
COVERS = ("hand", "strands", "glasses", "mask", "microphone", "card", "hat")
DEVICES = ("cpu", *(["cuda"] if torch.cuda.is_available() else []))
FLESH = (Segment.FACE, Segment.SKIN, Segment.EYES, Segment.MOUTH)

Batch = tuple[Tensor, Tensor, Tensor]


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Eight faces: pictures, segments and 200 points, 96 pixels high and 112 wide."""
    every = shots()
    pictures = np.stack([shot.frame.pixels for shot in every])[:, 8:104, 24:136]
    segments = np.stack([shot.truth.segmentation for shot in every])[:, 8:104, 24:136]
    points = np.stack([shot.truth.dense for shot in every]) - np.array([24, 8], np.float32)
    return (
        torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(255).contiguous(),
        torch.from_numpy(segments).contiguous(),
        torch.from_numpy(points),
    )


def only(effect: str, **strengths: float) -> Spoil:
    return replace(CLEAN, **{effect: 1.0}, **strengths)


def spoilt(batch: Batch, spoil: Spoil, seed: int = 0) -> Randomised:
    return randomise(*batch, seed=seed, spoil=spoil)


def difference(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().mean())


def roughness(pictures: Tensor) -> float:
    """Mean square of the steps between neighbours."""
    return float(pictures.diff(dim=2).square().mean() + pictures.diff(dim=3).square().mean())


def test_without_effects_everything_stays_to_the_bit(batch: Batch) -> None:
    out = spoilt(batch, CLEAN)
    assert torch.equal(out.pictures, batch[0])
    assert torch.equal(out.segments, batch[1])
    assert not out.covered.any()
    assert len(CHANCES) == 20


@pytest.mark.parametrize("device", DEVICES)
def test_the_seed_decides_and_the_inputs_stay(batch: Batch, device: str) -> None:
    pictures, segments, points = (tensor.to(device) for tensor in batch)
    before = [tensor.clone() for tensor in (pictures, segments, points)]
    first, again, other = (randomise(pictures, segments, points, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.pictures, again.pictures)
    assert torch.equal(first.segments, again.segments)
    assert torch.equal(first.covered, again.covered)
    assert difference(first.pictures, other.pictures) > 0.05
    after = (pictures, segments, points)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert first.pictures.device == pictures.device
    on_cpu = spoilt(batch, Spoil(), 3)
    assert difference(on_cpu.pictures, first.pictures.cpu()) < 0.002
    assert (on_cpu.segments == first.segments.cpu()).float().mean() > 0.999


@pytest.mark.parametrize("effect", CHANCES)
def test_each_effect_alone_changes_pictures_within_range(batch: Batch, effect: str) -> None:
    pictures, segments, points = batch
    out = spoilt(batch, only(effect))
    changed = (out.pictures - pictures).abs().mean((1, 2, 3))
    assert (changed > 1e-4).sum() >= 7
    assert out.pictures.dtype == torch.float32
    assert out.pictures.min() >= 0
    assert out.pictures.max() <= 1
    assert out.segments.dtype == torch.uint8
    hidden = out.segments != segments
    assert bool(hidden.any()) == (effect in COVERS)
    assert (out.segments[hidden] == Segment.OCCLUDER).all()
    assert out.covered.shape == points.shape[:2]


@pytest.mark.parametrize("effect", COVERS)
def test_what_is_before_a_face_hides_its_points(batch: Batch, effect: str) -> None:
    pictures, segments, points = batch
    out = spoilt(batch, only(effect), 1)
    occluder = out.segments == Segment.OCCLUDER
    x, y = points.round().long().unbind(2)
    inside = (x >= 0) & (x < 112) & (y >= 0) & (y < 96)
    row = torch.arange(len(points))[:, None].expand_as(x)
    expected = inside & occluder[row, y.clamp(0, 95), x.clamp(0, 111)]
    assert torch.equal(out.covered, expected)
    assert 0.002 < occluder.float().mean() < 0.5
    face = torch.isin(segments, torch.tensor([int(label) for label in FLESH], dtype=torch.uint8))
    assert (face & occluder).sum() / face.sum() < 0.6
    assert difference(pictures.movedim(1, 3)[occluder], out.pictures.movedim(1, 3)[occluder]) > 0.05


def test_masks_hide_the_mouth_and_hats_the_forehead(batch: Batch) -> None:
    masked, hatted = spoilt(batch, only("mask")).covered, spoilt(batch, only("hat")).covered
    assert masked[:, 48:68].float().mean() > 0.95
    assert masked[:, 17:27].float().mean() < 0.05
    assert not hatted[:, 36:68].any()


def test_glasses_surround_the_eyes(batch: Batch) -> None:
    """Rims alone where the lens is clear; the lens too where it is dark."""
    seen = torch.cat([spoilt(batch, only("glasses"), seed).covered[:, 36:48] for seed in range(4)])
    dark = seen.float().mean(1)
    assert 0.2 < (dark > 0.9).float().mean() < 0.6
    assert (dark < 0.5).float().mean() > 0.3


def test_faces_are_hardly_ever_hidden(batch: Batch) -> None:
    usual = replace(CLEAN, **{effect: getattr(Spoil(), effect) for effect in COVERS})
    hidden = torch.cat([spoilt(batch, usual, seed).covered for seed in range(30)])
    share = hidden[:, :68].float().mean(1)
    assert (share > 0.8).float().mean() < 0.01
    assert 0.15 < (share > 0).float().mean() < 0.4


def test_points_outside_the_picture_are_not_covered(batch: Batch) -> None:
    pictures, segments, points = batch
    every = torch.full_like(segments, int(Segment.OCCLUDER))
    away = torch.tensor([[-1.0, 5.0], [5.0, -0.6], [111.6, 5.0], [5.0, 95.6], [1e4, 1e4]])
    ends = torch.tensor([[-0.4, -0.4], [111.4, 95.4]])
    more = torch.cat([points[:, :68], torch.cat([away, ends]).expand(8, -1, -1)], 1)
    covered = randomise(pictures, every, more, seed=0, spoil=CLEAN).covered[:, 68:]
    assert covered.tolist() == [[False] * 5 + [True] * 2] * 8


def test_a_new_background_leaves_the_actor_alone(batch: Batch) -> None:
    pictures, segments, _ = batch
    out = spoilt(batch, only("background")).pictures
    behind = (segments == Segment.BACKGROUND).numpy().astype(np.uint8)
    near = np.stack([cv2.dilate(one, np.ones((3, 3), np.uint8)) for one in behind])
    core = np.stack([cv2.erode(one, np.ones((3, 3), np.uint8)) for one in behind])
    moved = (out - pictures).abs().amax(1)
    assert moved[torch.from_numpy(near == 0)].max() == 0
    assert moved[torch.from_numpy(core == 1)].mean() > 0.1


def test_grey_has_one_value_a_pixel(batch: Batch) -> None:
    out = spoilt(batch, only("grey")).pictures
    assert torch.equal(out[:, 0], out[:, 1])
    assert torch.equal(out[:, 0], out[:, 2])
    weights = torch.tensor(LUMA)[:, None, None]
    assert torch.allclose(out[:, 0], (batch[0] * weights).sum(1), atol=1e-6)


def test_exposure_multiplies_light(batch: Batch) -> None:
    """A stop is twice the light, whose square root is stored."""
    pictures = batch[0]
    brighter = expose(pictures, torch.full((8, 3), 2.0))
    assert torch.allclose(brighter, (pictures * 2**0.5).clamp(max=1), atol=1e-6)
    out = spoilt(batch, only("exposure", stops=1.0)).pictures
    dim = (pictures > 0.05) & (pictures < 0.7)
    for one, before, where in zip(out, pictures, dim, strict=True):
        gain = (one[where] / before[where]) ** 2
        assert gain.std() < 1e-4
        assert 0.5 <= gain.mean() <= 2


def test_white_balance_scales_channels(batch: Batch) -> None:
    out = spoilt(batch, only("white_balance")).pictures
    dim = (batch[0] > 0.05).all(1) & (batch[0] < 0.7).all(1)
    gains = (out / batch[0].clamp(min=1e-3)).movedim(1, 3)[0][dim[0]]
    assert (gains.std(0) < 1e-4).all()
    assert gains.mean(0)[0] != pytest.approx(float(gains.mean(0)[2]), abs=0.01)


def test_noise_grows_with_light_by_its_law() -> None:
    """Variance of light: shot · light + read²."""
    levels = torch.tensor([0.3, 0.5, 0.7])[:, None, None, None].expand(3, 3, 96, 96)
    labels, points = torch.ones(3, 96, 96, dtype=torch.uint8), torch.rand(3, 68, 2) * 96
    out = randomise(levels, labels, points, seed=1, spoil=only("noise", grain=0.01)).pictures
    light = out.square()
    assert light.mean((1, 2, 3)) == pytest.approx(torch.tensor([0.09, 0.25, 0.49]), rel=0.02)
    assert (light.var((1, 2, 3)) < 0.01 * torch.tensor([0.09, 0.25, 0.49]) + 0.0001).all()
    assert (light.var((1, 2, 3)) > 0).all()


def test_blur_smooths_like_opencv(batch: Batch) -> None:
    pictures = batch[0]
    out = blur(pictures, torch.linspace(0.5, 2, 8))
    for k, sigma in enumerate(np.linspace(0.5, 2, 8)):
        picture = pictures[k].permute(1, 2, 0).numpy()
        expected = cv2.GaussianBlur(picture, (0, 0), float(sigma))[8:-8, 8:-8]
        assert np.abs(out[k].permute(1, 2, 0).numpy()[8:-8, 8:-8] - expected).max() < 0.004
    for effect in ("focus", "motion", "low_resolution"):
        assert roughness(spoilt(batch, only(effect)).pictures) < 0.8 * roughness(pictures)


def test_motion_smears_along_its_direction() -> None:
    dot = torch.zeros(2, 3, 41, 41)
    dot[:, :, 20, 20] = 1
    out = shake(dot, torch.tensor([8.0, 8.0]), torch.tensor([0.0, torch.pi / 2]))
    assert out.sum((2, 3)) == pytest.approx(torch.ones(2, 3), abs=1e-5)
    assert out[0, 0].amax(0).gt(0.01).sum() == pytest.approx(9, abs=1)
    assert out[0, 0].amax(1).gt(0.01).sum() == 1
    assert torch.allclose(out[0], out[1].transpose(1, 2), atol=1e-6)


def test_jpeg_is_opencv_s(batch: Batch) -> None:
    """Within 1.5 levels of 255 on average, where JPEG changes more: only the rounding differs."""
    for quality in (15, 40, 75, 90):
        ours = jpeg(batch[0], torch.full((8,), float(quality)))
        for picture, answer in zip(batch[0], ours, strict=True):
            pixels = (picture * 255).round().byte().permute(1, 2, 0).numpy()[..., ::-1]
            coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            theirs = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32)
            shift = answer.permute(1, 2, 0).numpy() * 255 - theirs
            away = np.abs(shift)
            assert away.mean() < 1.5
            assert np.abs(shift.mean((0, 1))).max() < 1, "no tint"
            assert np.abs(pixels[..., ::-1] - theirs).mean() > 1.5 * away.mean()


def test_worse_quality_is_further_away(batch: Batch) -> None:
    pictures = batch[0]
    losses = [difference(jpeg(pictures, torch.full((8,), q)), pictures) for q in (90.0, 50.0, 15.0)]
    assert 0 < losses[0] < losses[1] < losses[2]
    assert losses[0] < 0.015
    each = h264(pictures, torch.tensor([20.0, 45.0] * 4)) - pictures
    fine, coarse = each.abs().mean((1, 2, 3)).view(4, 2).T
    assert (fine < 0.02).all()
    assert (coarse > 1.5 * fine).all()


@pytest.mark.parametrize("size", [(17, 23), (80, 80)])
def test_any_size_will_do(size: tuple[int, int]) -> None:
    pictures, points = torch.rand(2, 3, *size), torch.rand(2, 68, 2) * size[0]
    labels = torch.zeros(2, *size, dtype=torch.uint8)
    every = replace(CLEAN, **dict.fromkeys(CHANCES, 1.0))
    out = randomise(pictures, labels, points, seed=0, spoil=every)
    assert out.pictures.shape == pictures.shape
    assert out.pictures.isfinite().all()
