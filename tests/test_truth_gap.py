"""What the distances of a face from the true one promise."""

from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from cast import ACTOR, OTHER, shots
from numpy.typing import NDArray
from skimage.color import deltaE_cie76, rgb2lab

from changeling.actors import Actor, Shot
from changeling.converting import colours, encoded, linear, matched, unit
from changeling.faces import Identifier, align, crop, likeness
from changeling.faces.identity import read_network
from changeling.measuring import FaceDistances, FaceMeter, truth_gap
from changeling.media import Pixels

FRAMES = (0, 20, 60, 80, 120, 140)
SIDE = 96


@cache
def meter() -> FaceMeter:
    return FaceMeter.load()


def cut(found: tuple[Shot, ...]) -> tuple[Pixels, NDArray[np.bool_]]:
    """Crops aligned by the true landmarks, and their inner faces."""
    crops, masks = [], []
    for shot in found:
        matrix = align(shot.truth.landmarks)
        crops.append(crop(shot.frame.pixels, matrix, SIDE))
        masks.append(crop(shot.truth.inner_face.astype(np.uint8) * 255, matrix, SIDE) > 127)
    return np.stack(crops), np.stack(masks)


@cache
def performed() -> tuple[Pixels, Pixels, NDArray[np.bool_]]:
    """The performance, the true swap and its inner faces."""
    copies, _ = cut(shots(ACTOR, (240, 180), FRAMES))
    truth, inner = cut(shots(Actor(OTHER.face, ACTOR.styling), (240, 180), FRAMES))
    return copies, truth, inner


def coloured() -> Pixels:
    """The performance's face in the very colours of the true frame."""
    out = []
    for copy, true, mask in zip(*performed(), strict=True):
        inside = mask.astype(np.float32)
        light, wanted = linear(unit(copy)), colours(linear(unit(true)), inside)
        given = encoded(matched(light, colours(light, inside), wanted, "covariance"))
        out.append(np.rint(given.clip(0, 1) * 255).astype(np.uint8))
    return np.stack(out)


def blurred(faces: Pixels, sigma: float) -> Pixels:
    return np.stack([cv2.GaussianBlur(face, (0, 0), sigma) for face in faces])


def test_the_truth_is_at_no_distance() -> None:
    copies, truth, inner = performed()
    found = meter().measure(truth, truth, inner)
    for distances in (found.identity, found.perceptual, found.colour):
        assert distances == pytest.approx(np.zeros(len(truth)), abs=1e-6)
    assert truth_gap(found, meter().measure(copies, truth, inner)) == pytest.approx(0, abs=1e-6)


def test_the_untouched_performance_is_at_one() -> None:
    own = meter().measure(*performed())
    assert truth_gap(own, own) == 1


def test_it_ranks_blurred_swaps_before_a_copy_in_the_right_colours() -> None:
    """Truth, sharp swap, blurred swaps, coloured copy, copy; a squared error does not."""
    copies, truth, inner = performed()
    rivals = [truth, blurred(truth, 1), blurred(truth, 2.5), coloured(), copies]
    found = [meter().measure(faces, truth, inner) for faces in rivals]
    gaps = [truth_gap(one, found[-1]) for one in found]
    assert all(nearer < farther for nearer, farther in pairwise(gaps))


def test_identity_is_the_identifiers() -> None:
    copies, truth, inner = performed()
    whole = np.ones_like(inner)
    found = meter().measure(copies, truth, whole)
    one, other = (Identifier.load().embed(faces) for faces in (copies, truth))
    wanted = [1 - likeness(x, y) for x, y in zip(one, other, strict=True)]
    assert found.identity == pytest.approx(wanted, abs=1e-5)
    assert min(wanted) > 0.3


def test_perceptual_is_its_equation() -> None:
    """Equation 1 of LPIPS, as loops, for the first face."""
    copies, truth, _ = performed()
    net, _ = read_network()
    net.eval().requires_grad_(False)
    total = 0.0
    for one, other in zip(*(net.maps(tensor(x[:1])) for x in (copies, truth)), strict=True):
        for row in range(one.shape[2]):
            for column in range(one.shape[3]):
                a, b = one[0, :, row, column], other[0, :, row, column]
                apart = a / (a.norm() + 1e-8) - b / (b.norm() + 1e-8)
                total += float(apart @ apart) / one[0, 0].numel()
    found = meter().measure(copies[:1], truth[:1], np.ones((1, SIDE, SIDE), np.bool_))
    assert found.perceptual == pytest.approx([total], rel=1e-4)


def tensor(faces: Pixels) -> torch.Tensor:
    return torch.from_numpy(faces).permute(0, 3, 1, 2).float().div(255)


def test_colour_is_scikit_images() -> None:
    copies, truth, inner = performed()
    found = meter().measure(copies, truth, inner)
    apart = deltaE_cie76(rgb2lab(copies), rgb2lab(truth))
    wanted = [apart[k][inner[k]].mean() for k in range(len(copies))]
    assert found.colour == pytest.approx(wanted, rel=0.01)


def test_brightness_is_seen_by_the_colours_alone() -> None:
    _, truth, inner = performed()
    darker = (truth * 0.8).astype(np.uint8)
    found = meter().measure(darker, truth, np.ones_like(inner))
    assert found.identity.max() < 0.01
    assert found.perceptual.max() < 0.05
    assert found.colour.min() > 5


def test_more_blur_is_farther() -> None:
    _, truth, inner = performed()
    found = [meter().measure(blurred(truth, sigma), truth, inner) for sigma in (0.5, 1, 2, 4)]
    for nearer, farther in pairwise(found):
        assert nearer.identity.mean() < farther.identity.mean()
        assert nearer.perceptual.mean() < farther.perceptual.mean()


def test_what_lies_outside_the_inner_face_does_not_matter() -> None:
    copies, truth, inner = performed()
    other = np.where(inner[..., None], copies, np.uint8(7))
    one, two = (meter().measure(faces, truth, inner) for faces in (copies, other))
    assert np.array_equal(one.identity, two.identity)
    assert np.array_equal(one.perceptual, two.perceptual)
    assert np.array_equal(one.colour, two.colour)


def test_shares_are_averaged() -> None:
    copy = FaceDistances(np.array([0.5, 1.5]), np.array([2.0, 2.0]), np.array([8.0, 12.0]))
    swap = FaceDistances(np.array([0.5]), np.array([1.5]), np.array([2.5]))
    assert truth_gap(swap, copy) == pytest.approx((0.5 + 0.75 + 0.25) / 3)


def test_an_empty_mask_is_an_error() -> None:
    copies, truth, inner = performed()
    nothing = inner.copy()
    nothing[3] = False
    with pytest.raises(ValueError, match="empty mask"):
        meter().measure(copies, truth, nothing)
