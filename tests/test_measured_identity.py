"""How much of a person is in a result."""

import numpy as np
import pytest

from changeling.faces.identity import Embeddings
from changeling.measuring import likeness_of


def directions(*angles: float) -> Embeddings:
    """Unit vectors in a plane of the 128 dimensions."""
    out = np.zeros((len(angles), 128), np.float32)
    out[:, 0], out[:, 1] = np.cos(angles), np.sin(angles)
    return out


def test_the_truth_is_wholly_the_target_and_the_source_wholly_the_source() -> None:
    target, source = directions(0.0, 0.0), directions(1.0, 1.2)
    whole = likeness_of(target, target, source)
    assert whole.to_target == pytest.approx(1) and whole.nearer == 1
    assert whole.to_source == pytest.approx((np.cos(1.0) + np.cos(1.2)) / 2)
    none = likeness_of(source, target, source)
    assert none.to_source == pytest.approx(1) and none.nearer == 0
    assert none.to_target == pytest.approx(whole.to_source)


def test_half_the_frames_count_half() -> None:
    target, source = directions(0.0, 0.0), directions(1.0, 1.0)
    assert likeness_of(directions(0.4, 0.6), target, source).nearer == 0.5


def test_no_frames_have_no_likeness() -> None:
    with pytest.raises(ValueError, match="no frames"):
        likeness_of(directions(), directions(), directions())
