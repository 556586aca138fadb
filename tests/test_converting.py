"""What converting promises: the way there and back, the laws of colour and blending."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from changeling.converting import (
    Converted,
    How,
    colours,
    convert_frame,
    convert_frames,
    encoded,
    linear,
    matched,
    unit,
)
from changeling.converting.blend import alpha, feathered, poisson
from changeling.converting.frame import _warped
from changeling.faces import Face, to_pixels
from changeling.generators import Swapped
from changeling.media import Pixels

SIZE = 96


@dataclass(frozen=True)
class Same:
    """A generator that returns its input with a full mask."""

    people: tuple[str, ...] = ("b",)
    size: int = SIZE

    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        return Swapped(faces, torch.ones_like(faces[:, :1]))


@dataclass(frozen=True)
class Painted:
    """A generator that paints every face in one colour, inside a disc of the given radius."""

    colour: tuple[float, float, float] = (0.9, 0.2, 0.1)
    radius: float = 0.35
    people: tuple[str, ...] = ("b",)
    size: int = SIZE

    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        axis = (torch.arange(self.size) + 0.5) / self.size - 0.5
        disc = (axis[:, None] ** 2 + axis**2 < self.radius**2).float()
        painted = torch.tensor(self.colour)[:, None, None].expand_as(faces).clone()
        return Swapped(painted, disc.expand(len(faces), 1, -1, -1).clone())


def scene(seed: int = 0, width: int = 160, height: int = 120) -> Pixels:
    """A smooth coloured picture."""
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    low, high = smooth.min(), smooth.max()
    return np.rint(30 + 190 * (smooth - low) / (high - low)).astype(np.uint8)


def face_at(x: float, y: float, side: float, degrees: float = 0.0) -> Face:
    """A face whose square has its centre at (x, y)."""
    turn = cv2.getRotationMatrix2D((x, y), degrees, 1 / side)
    turn[:, 2] += np.array([0.5, 0.5]) - (x, y)
    box = (x - side / 2, y - side / 2, side, side)
    return Face(box, np.zeros((68, 2), np.float32), turn, 1.0)


def psnr(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> float:
    return float(-10 * np.log10(((one.astype(float) - two) ** 2).mean() / 255**2 + 1e-12))


@pytest.mark.parametrize("blend", ["alpha", "poisson"])
@pytest.mark.parametrize("degrees", [0.0, 17.0])
def test_the_way_there_and_back(blend: str, degrees: float) -> None:
    pixels = scene()
    face = face_at(77.3, 58.6, 80, degrees)
    back = convert_frame(pixels, [face], Same(), to="b", how=How(blend=blend))  # type: ignore[arg-type]
    assert back.faces == 1
    assert psnr(back.pixels[back.area > 0], pixels[back.area > 0]) > 40
    assert np.array_equal(back.pixels[back.area == 0], pixels[back.area == 0])
    assert 0.5 * 80**2 < back.area.sum() < 80**2


def test_the_face_lands_where_it_was_cut_out() -> None:
    pixels = scene()
    done = convert_frame(pixels, [face_at(60, 50, 64)], Painted(), to="b", how=How())
    rows, columns = np.nonzero(done.area > 0.5)
    assert abs(rows.mean() - 50) < 0.5
    assert abs(columns.mean() - 60) < 0.5
    assert abs(np.sqrt(len(rows) / np.pi) - 0.35 * 64) < 1.0
    assert np.abs(done.pixels[50, 60] / 255 - Painted().colour).max() < 0.005


def test_no_edge_of_the_square_is_ever_seen() -> None:
    for feather in (0.0, 0.02, 0.1):
        mask = feathered(np.ones((SIZE, SIZE), np.float32), feather)
        rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert rim.max() == 0
        assert mask[SIZE // 2, SIZE // 2] == pytest.approx(1, abs=1e-6)
    wide = feathered(np.ones((SIZE, SIZE), np.float32), 0.1)
    assert np.abs(np.diff(wide, axis=1)).max() < 0.2


def test_a_softened_mask_is_as_large_as_it_was() -> None:
    disc = Painted().swap(torch.zeros(1, 3, SIZE, SIZE), to="b").masks[0, 0].numpy()
    for feather in (0.0, 0.04, 0.08):
        half = (feathered(disc, feather) > 0.5).sum()
        assert abs(np.sqrt(half / np.pi) / SIZE - 0.35) < 0.01


@pytest.mark.parametrize("side", [25.0, 32.0, 40.0])
def test_a_large_face_in_a_small_place_does_not_alias(side: float) -> None:
    """Stripes of one pixel, far finer than the frame can show, become their mean."""
    square = np.zeros((128, 128, 3), np.float32)
    square[:, ::2] = 1
    # Off the stripes' grid, so that samples without averaging meet now one colour, now the other.
    matrix = np.array([[1, 0.02, -20.3], [-0.02, 1, -10.6]]) / side
    inside = slice(14, 10 + round(side) - 4), slice(24, 20 + round(side) - 4)
    warped = _warped(square, matrix, inside, cv2.BORDER_REPLICATE)
    assert np.abs(warped - 0.5).max() < 0.13
    mask = _warped(square[..., 0].copy(), matrix, inside, cv2.BORDER_CONSTANT)
    assert np.abs(mask - 0.5).max() < 0.13


@pytest.mark.parametrize("side", [64.0, 70.0, 128.0, 300.0])
def test_at_ordinary_sizes_a_face_is_sampled_once(side: float) -> None:
    square = np.random.default_rng(0).random((128, 128, 3), np.float32)
    matrix = np.array([[1, 0.02, -20.3], [-0.02, 1, -10.6]]) / side
    matrix /= np.sqrt(np.linalg.det(matrix[:, :2])) * side
    region = slice(0, 90), slice(0, 100)
    wanted = cv2.warpAffine(
        square,
        to_pixels(matrix, 128),
        (100, 90),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    assert _warped(square, matrix, region, cv2.BORDER_REPLICATE).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("blend", ["alpha", "poisson"])
@pytest.mark.parametrize("place", [(0.0, 0.0), (159.0, 60.0), (80.0, 130.0)])
def test_a_face_may_leave_the_frame(blend: str, place: tuple[float, float]) -> None:
    pixels = scene()
    how = How(blend=blend)  # type: ignore[arg-type]
    done = convert_frame(pixels, [face_at(*place, 60)], Same(), to="b", how=how)
    assert done.faces == 1
    assert np.array_equal(done.pixels[done.area == 0], pixels[done.area == 0])
    assert psnr(done.pixels, pixels) > 40


@pytest.mark.parametrize("swaps", [Painted(radius=0.0), Same()])
def test_nothing_to_paste_changes_nothing(swaps: Painted | Same) -> None:
    pixels = scene()
    outside = face_at(-500, 50, 60) if isinstance(swaps, Same) else face_at(80, 60, 60)
    done = convert_frame(pixels, [outside], swaps, to="b", how=How(blend="poisson"))
    assert (done.faces, done.area.max()) == (0, 0)
    assert np.array_equal(done.pixels, pixels)


def test_poisson_of_the_same_picture_changes_nothing() -> None:
    frame = unit(scene())
    area = np.zeros((120, 160), np.float32)
    cv2.circle(area, (80, 60), 40, 1.0, -1)
    assert np.abs(poisson(frame, frame, area) - frame).max() * 255 <= 2


def test_poisson_takes_the_frames_colours_and_the_faces_gradients() -> None:
    frame = unit(scene())
    area = np.zeros((120, 160), np.float32)
    cv2.circle(area, (80, 60), 40, 1.0, -1)
    shifted = np.clip(frame + np.float32(0.1), 0, 1)
    assert np.abs(shifted - frame).max() > 0.09
    assert np.abs(poisson(frame, shifted, area) - frame).max() * 255 <= 3


def test_poisson_leaves_nothing_of_the_frames_own_texture() -> None:
    stripes = np.full((120, 160, 3), 0.4, np.float32)
    stripes[:, ::8] = 0.6
    area = np.zeros((120, 160), np.float32)
    cv2.circle(area, (80, 60), 40, 1.0, -1)
    done = poisson(stripes, np.full_like(stripes, 0.5), area)
    assert np.ptp(done[50:70, 70:90]) < 0.05


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (12, 1), (8, 8)])
def test_poisson_in_an_area_without_an_inside_is_alpha(size: tuple[int, int]) -> None:
    width, height = size
    area = np.zeros((120, 160), np.float32)
    area[50 : 50 + height, 70 : 70 + width] = 0.5
    frame, face = unit(scene(0)), unit(scene(1))
    assert np.array_equal(poisson(frame, face, area), alpha(frame, face, area))


def test_frames_in_a_batch_are_as_one_by_one() -> None:
    frames = [(scene(seed), [face_at(50 + 9 * seed, 60, 60)] * (seed % 3)) for seed in range(5)]
    how = How(colour="covariance")
    together = convert_frames(frames, Painted(), to="b", how=how)
    for (pixels, faces), done in zip(frames, together, strict=True):
        alone = convert_frame(pixels, faces, Painted(), to="b", how=how)
        assert np.array_equal(alone.pixels, done.pixels)
        assert np.array_equal(alone.area, done.area)
        assert done.faces == len(faces)


def test_two_faces_are_both_replaced_and_the_input_is_left_alone() -> None:
    pixels = scene()
    before = pixels.copy()
    faces = [face_at(40, 60, 50), face_at(115, 60, 50)]
    done = convert_frame(pixels, faces, Painted(), to="b", how=How())
    assert done.faces == 2
    assert np.array_equal(pixels, before)
    for x in (40, 115):
        assert np.abs(done.pixels[60, x] / 255 - Painted().colour).max() < 0.005


@pytest.fixture
def lights() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Two correlated clouds of colours of different kind, and a mask."""
    random = np.random.default_rng(3)
    mix = 0.1 * np.eye(3) + random.normal(0, 0.03, (2, 3, 3))
    one = 0.5 + random.normal(size=(40, 50, 3)) @ mix[0]
    two = 0.3 + random.normal(size=(40, 50, 3)) @ mix[1]
    mask = random.uniform(0, 1, (40, 50)).astype(np.float32)
    return one.astype(np.float32), two.astype(np.float32), mask


def test_mean_match_makes_the_means_equal(
    lights: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
) -> None:
    one, two, mask = lights
    done = matched(one, colours(one, mask), colours(two, mask), "mean")
    assert np.allclose(colours(done, mask).mean, colours(two, mask).mean, atol=1e-6)
    assert not np.allclose(colours(done, mask).covariance, colours(two, mask).covariance, rtol=0.1)


def test_covariance_match_makes_mean_and_covariance_equal(
    lights: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
) -> None:
    one, two, mask = lights
    done = colours(matched(one, colours(one, mask), colours(two, mask), "covariance"), mask)
    wanted = colours(two, mask)
    assert np.allclose(done.mean, wanted.mean, atol=1e-6)
    assert np.abs(done.covariance - wanted.covariance).max() < 1e-3 * wanted.covariance.max()


@pytest.mark.parametrize("how", ["none", "mean", "covariance"])
def test_matching_equal_statistics_is_the_identity(
    how: str, lights: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
) -> None:
    one, _, mask = lights
    own = colours(one, mask)
    assert np.abs(matched(one, own, own, how) - one).max() < 1e-5  # type: ignore[arg-type]


def test_a_flat_face_does_not_explode() -> None:
    dust = np.random.default_rng(0).normal(0, 1e-4, (8, 8, 3)).astype(np.float32)
    flat = 0.4 + dust
    mask = np.ones((8, 8), np.float32)
    target = linear(unit(scene()))
    done = matched(
        flat, colours(flat, mask), colours(target, np.ones((120, 160), np.float32)), "covariance"
    )
    assert np.isfinite(done).all()
    assert np.ptp(done, axis=(0, 1)).max() < 0.1


def test_the_colour_of_the_frames_own_face_is_taken_over() -> None:
    pixels = scene()
    face = face_at(80, 60, 80)
    plain = convert_frame(pixels, [face], Painted(), to="b", how=How())
    done = convert_frame(pixels, [face], Painted(), to="b", how=How(colour="mean"))

    def mean(converted: Converted | None) -> NDArray[np.float64]:
        picture = pixels if converted is None else converted.pixels
        return colours(linear(unit(picture)), plain.area).mean

    assert np.abs(mean(done) - mean(None)).max() < 0.02
    assert np.abs(mean(plain) - mean(None)).max() > 0.2


def test_linear_and_back_is_the_identity() -> None:
    levels = np.linspace(0, 1, 1001, dtype=np.float32)
    assert np.abs(encoded(linear(levels)) - levels).max() < 1e-6
    assert linear(np.full(1, 0.5, np.float32))[0] == pytest.approx(0.214041, abs=1e-6)
