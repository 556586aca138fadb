"""Whether a family swaps faces, which two people of one colour each show within seconds."""

from itertools import islice
from typing import Protocol

import pytest
import torch

from changeling.faces.people import PeopleBatch
from changeling.generators.protocols import Swaps
from changeling.training import Learner, train


class Swapper(Learner[PeopleBatch], Swaps, Protocol):
    """A family that learns from people and swaps them."""


def coloured_people(step: int) -> PeopleBatch:
    """Person a is red, person b is green; brightness is the performance, a square the face."""
    brightness = torch.rand(1, 4, 1, 1, 1, generator=torch.Generator().manual_seed(step))
    colours = torch.tensor([[1.0, 0.2, 0.2], [0.2, 1.0, 0.2]]).reshape(2, 1, 3, 1, 1)
    targets = ((0.3 + 0.7 * brightness) * colours).expand(2, 4, 3, 16, 16)
    masks = torch.zeros(2, 4, 1, 16, 16)
    masks[..., 4:12, 4:12] = 1
    return PeopleBatch(targets, targets, masks, masks, torch.ones(2, 3))


def teach_colours(learner: Swapper, steps: int) -> None:
    """Train for some steps on the two people."""
    for _ in islice(train(learner, coloured_people, workers=0), steps):
        pass


def check_colours(learner: Swapper) -> None:
    """Assert that red faces become green ones as bright, in a mask that is the square."""
    dark = torch.tensor([0.4, 0.08, 0.08]).reshape(1, 3, 1, 1).expand(1, 3, 16, 16)
    swapped = learner.swap(torch.cat([dark, 2 * dark]), to="b")
    inside = swapped.faces[..., 5:11, 5:11].mean(dim=(2, 3))
    assert inside[0] == pytest.approx([0.08, 0.4, 0.08], abs=0.15)
    assert inside[1] == pytest.approx([0.16, 0.8, 0.16], abs=0.15)
    assert swapped.masks[..., 6:10, 6:10].min() > 0.7
    assert swapped.masks[..., :2, :2].max() < 0.2
