"""What the colour difference at a pasted face's border promises."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_cie76, rgb2lab

from changeling.measuring import Border, border
from changeling.media import Pixels

SIDE = 80
Area = NDArray[np.float32]


def disc(radius: float = 24, soft: float = 0) -> Area:
    line = np.arange(SIDE) - SIDE / 2 + 0.5
    area = (np.hypot(line[:, None], line) < radius).astype(np.float32)
    return cv2.GaussianBlur(area, (0, 0), soft) if soft else area


def skin(seed: int = 0) -> Pixels:
    """A skin of one colour with a grain."""
    grain = np.random.default_rng(seed).normal(0, 4, (SIDE, SIDE, 1))
    return np.rint(np.array([190, 140, 120]) + grain).astype(np.uint8)


def pasted(area: Area, shift: NDArray[np.float64], under: Pixels | None = None) -> Pixels:
    """The frame with `shift` added inside the area."""
    frame = skin() if under is None else under
    return np.rint(frame + area[..., None] * shift).clip(0, 255).astype(np.uint8)


def test_the_performance_itself_has_no_excess() -> None:
    frame = skin()
    found = border(frame, frame, disc())
    assert found.swap == found.source < 2
    assert found.excess == 0


@pytest.mark.parametrize("soft", [0.0, 2.5])
def test_it_is_the_difference_of_two_flat_colours(soft: float) -> None:
    """However soft the edge; by scikit-image's conversion."""
    inner, outer = np.array([200, 150, 130], np.uint8), np.array([180, 140, 135], np.uint8)
    area = disc(soft=soft)
    flat = np.broadcast_to(outer, (SIDE, SIDE, 3))
    mixed = np.rint(flat + (area >= 0.5)[..., None] * (inner.astype(float) - outer))
    one, other = (rgb2lab(colour[None, None]) for colour in (inner, outer))
    found = border(mixed.astype(np.uint8), flat, area)
    assert found.swap == pytest.approx(float(deltaE_cie76(one, other)[0, 0]), rel=0.02)
    assert found.source == pytest.approx(0, abs=1e-3)


def test_a_stronger_tint_is_seen_more() -> None:
    area = disc(soft=1.5)
    frames = [pasted(area, level * np.array([1.0, 0.2, -0.5])) for level in (0, 5, 15, 40)]
    found = [border(frame, skin(), area).excess for frame in frames]
    assert found[0] == 0
    assert all(less < more for less, more in pairwise(found))


def test_the_face_may_have_an_edge_of_its_own() -> None:
    """Half of the background is dark: the performance shows it, and the excess leaves it out."""
    frame = skin()
    frame[:, : SIDE // 2][disc()[:, : SIDE // 2] < 0.5] //= 3
    found = border(pasted(disc(), np.array([4.0, 0, 0]), frame), frame, disc())
    assert found.source > 20
    assert 0 < found.excess < 5


def test_colours_are_compared_with_those_beside_them() -> None:
    """Light that falls off across the face is no border, though its ends differ by far."""
    light = np.linspace(0.4, 1, SIDE)[None, :, None]
    frame = np.rint(skin() * light).astype(np.uint8)
    assert border(frame, frame, disc()).swap < 5


def test_what_is_far_from_the_border_does_not_matter() -> None:
    area, changed = disc(), skin()
    changed[area > 0] = skin(1)[area > 0]
    middle, corner = np.s_[34:46, 34:46], np.s_[:6, :6]
    other = changed.copy()
    other[middle], other[corner] = 0, 255
    assert border(other, skin(), area) == border(changed, skin(), area)


def test_areas_without_a_border() -> None:
    for area in (np.zeros((SIDE, SIDE)), np.ones((SIDE, SIDE)), np.full((SIDE, SIDE), 0.5)):
        with pytest.raises(ValueError, match="has none"):
            border(skin(), skin(), area)
    assert Border(3.0, 1.0).excess == 2.0
