"""A verifier accepts as many strangers as it was set to, and no more."""

import numpy as np
import pytest
from numpy.typing import NDArray

from changeling.measuring import calibrated


def people(faces: int, each: int, spread: float, seed: int = 0) -> NDArray[np.float32]:
    """(faces × each, 16) embeddings of length 1 about a direction of each face."""
    rng = np.random.default_rng(seed)
    middles = np.repeat(rng.normal(size=(faces, 16)), each, axis=0)
    shown = middles + spread * rng.normal(size=middles.shape)
    return (shown / np.linalg.norm(shown, axis=1, keepdims=True)).astype(np.float32)


FACE = np.repeat(np.arange(60), 4)
STYLING = np.tile([0, 0, 1, 1], 60)


def test_it_accepts_the_share_of_strangers_that_was_asked() -> None:
    """Counted over all pairs of two faces, at most that share and nearly all of it."""
    shown = people(60, 4, 0.5)
    cosines = shown @ shown.T
    strangers = cosines[FACE[:, None] != FACE]
    for one, share in zip(
        calibrated(shown, FACE, STYLING, (0.01, 0.001)), (0.01, 0.001), strict=True
    ):
        accepted = float((strangers >= one.threshold).mean())
        assert 0.9 * share < accepted < 1.01 * share
        assert one.accepts == share
        assert one.strangers == len(strangers) // 2


def test_a_stricter_one_knows_fewer() -> None:
    """And one that is asked about faces that it tells apart knows all."""
    loose, strict = calibrated(people(60, 4, 0.5), FACE, STYLING, (0.01, 0.001))
    assert strict.threshold > loose.threshold
    assert strict.knows < loose.knows
    (sure,) = calibrated(people(60, 4, 0.01), FACE, STYLING, (0.01,))
    assert sure.knows == 1


def test_who_passes() -> None:
    """The person does, a stranger does not, and half of both is one half."""
    shown = people(60, 4, 0.05)
    (one,) = calibrated(shown, FACE, STYLING, (0.001,))
    enrolled, person, stranger = shown[:2], shown[2:4], shown[8:10]
    assert one.passes(enrolled, person) == 1
    assert one.passes(enrolled, stranger) == 0
    assert one.passes(enrolled, np.concatenate([person, stranger])) == 0.5
    assert one.passes(enrolled, shown[:0]) == 0


def test_clothes_do_not_help_to_know_a_person() -> None:
    """Pairs of one face in one styling do not count as known."""
    with pytest.raises(ValueError, match="0 pairs of one face"):
        calibrated(people(60, 4, 0.5), FACE, np.zeros_like(STYLING), (0.01,))


def test_too_few_strangers_tell_nothing() -> None:
    """One in a thousand cannot be told from a hundred pairs."""
    with pytest.raises(ValueError, match="of strangers"):
        calibrated(people(5, 4, 0.5), FACE[:20], STYLING[:20], (0.001,))
