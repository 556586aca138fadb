"""Each fault of a face by itself: how it is measured, and where the limit lies."""

from fractions import Fraction

import numpy as np
import pytest
from textures import INNER, SIZE, smeared, soft, stored, texture

from changeling.faces.checking import blurred, duplicates, look, misaligned, sharpness, strangers


def test_sharpness_falls_with_blur_and_with_motion_along_either_axis() -> None:
    grey = texture(0)[:SIZE, :SIZE, 0].astype(np.float32)
    blurs = [sharpness(soft(grey, width), INNER) for width in (0.1, 1, 2, 3)]
    assert blurs == sorted(blurs, reverse=True)
    assert blurs[3] < 0.2 * blurs[0]
    moves = [sharpness(smeared(grey, pixels), INNER) for pixels in (1, 5, 9)]
    assert moves[2] < 0.3 * moves[0]
    turned = sharpness(np.ascontiguousarray(smeared(grey, 9).T), INNER)
    assert turned == pytest.approx(moves[2], rel=1e-5)
    assert sharpness(np.full_like(grey, 90), INNER) == 0


def test_sharpness_tells_neither_light_nor_contrast_and_little_noise() -> None:
    grey = texture(0)[:SIZE, :SIZE, 0].astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 5, grey.shape).astype(np.float32)
    plain = sharpness(grey, INNER)
    assert sharpness(0.3 * grey + 40, INNER) == pytest.approx(plain, rel=1e-3)
    assert sharpness(grey + noise, INNER) == pytest.approx(plain, rel=0.15)
    assert sharpness(soft(grey, 3) + noise, INNER) < 0.3 * plain


def test_sharpness_is_that_of_the_mask_alone() -> None:
    grey = texture(0)[:SIZE, :SIZE, 0].astype(np.float32)
    half = INNER.copy()
    half[:, SIZE // 2 :] = False
    spoilt = grey.copy()
    spoilt[:, SIZE // 2 + 4 :] = 0
    assert sharpness(spoilt, half) == pytest.approx(sharpness(grey, half), rel=1e-3)


def test_blurred_is_told_by_the_median_and_absolutely() -> None:
    assert blurred(np.array([0.020, 0.021, 0.0059, 0.0065])).tolist() == [False] * 4
    assert blurred(np.array([0.020, 0.021, 0.0059, 0.022])).tolist() == [False, False, True, False]
    assert blurred(np.array([0.0034, 0.0036])).tolist() == [True, False]
    assert blurred(np.zeros(0)).tolist() == []


def test_the_first_of_those_that_look_alike_stays() -> None:
    levels = np.array([100, 101, 102, 100, 103, 101], np.int16)
    thumbnails = np.repeat(levels[:, None], 256, 1)
    assert duplicates(thumbnails).tolist() == [False, True, False, True, True, True]
    thumbnails[3, :128] = 103  # half of the pixels by three levels: 1.5 on average
    assert duplicates(thumbnails[[0, 3]]).tolist() == [False, False]
    thumbnails[3, :128] = 102
    assert duplicates(thumbnails[[0, 3]]).tolist() == [False, True]


def test_strangers_do_not_pull_the_centre_to_themselves() -> None:
    angles = np.deg2rad([0, 8, -8, 4, 0, 80, 75])
    embeddings = np.zeros((7, 128), np.float32)
    embeddings[:, 0], embeddings[:, 1] = np.cos(angles), np.sin(angles)
    assert strangers(embeddings, 0.5).tolist() == [False] * 5 + [True] * 2
    assert strangers(embeddings, 0.1).tolist() == [False] * 7
    assert strangers(embeddings, 0.995).tolist()[5:] == [True, True]
    assert strangers(embeddings[:1], 0.9).tolist() == [False]
    assert strangers(embeddings[:0], 0.5).tolist() == []


def test_unsure_and_far_landmarks_are_misaligned() -> None:
    away = stored(1).landmarks.copy()
    away[8] += (0, 0.6 * SIZE)  # the chin; landmark 8 of the drawn face touches the crop's edge
    near = stored(2).landmarks.copy()
    near[8] += (0, 0.3 * SIZE)
    apart = Fraction(9)
    faces = [
        stored(0, score=0.59),
        stored(1, landmarks=away, time=apart),
        stored(2, landmarks=near, time=2 * apart),
        stored(3, score=0.61, time=3 * apart),
    ]
    assert misaligned(faces).tolist() == [True, True, False, False]
    assert misaligned(faces[:1]).tolist() == [True]


@pytest.mark.parametrize(
    ("offsets", "every", "wanted"),
    [
        ((0, 0, 20, 0, 0), 1, [2]),  # there and back
        ((0, 0, 4, 0, 0), 1, []),  # a twitch
        ((0, 0, 20, 20, 20), 1, []),  # a cut
        ((0, 20, 40, 60, 80), 1, []),  # a fast head
        ((0, 0, 20, 0, 0), 4, []),  # too far apart to know
    ],
)
def test_one_face_off_the_way_of_its_neighbours_jumps(
    offsets: tuple[int, ...], every: int, wanted: list[int]
) -> None:
    faces = [
        stored(
            index,
            time=Fraction(index * every, 25),
            landmarks=stored(0).landmarks + np.float32(offset),
            # The crop follows the face wherever it is.
            matrix=stored(0).matrix - np.array([[0, 0, offset]] * 2) / SIZE,
        )
        for index, offset in enumerate(offsets)
    ]
    assert np.flatnonzero(misaligned(faces)).tolist() == wanted


def test_light_is_measured_inside_the_mask_and_from_the_left_to_the_right() -> None:
    crop = np.zeros((1, 32, 32, 3), np.uint8)
    crop[:, :, :16], crop[:, :, 16:], crop[:, :8] = 51, 153, 255
    mask = np.ones((1, 32, 32), np.float32)
    mask[:, :9] = 0
    seen = look(crop, mask)
    assert seen.brightness[0] == pytest.approx(0.4, abs=0.01)
    assert seen.side[0] == pytest.approx(0.5, abs=0.02)
    assert look(crop[:, :, ::-1], mask).side[0] == pytest.approx(-seen.side[0], abs=1e-6)
    assert look(crop, 0 * mask).sharpness[0] == 0
