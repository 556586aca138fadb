"""Laws of what CycleGAN looks at, and of the weights that it begins with."""

from dataclasses import replace

import pytest
import torch
from golden import PLAIN
from torch import nn

from changeling.errors import UserError
from changeling.generators import twins
from changeling.generators.cyclegan import CycleGan
from changeling.generators.cyclegan_config import Config
from changeling.generators.cyclegan_losses import (
    comparisons,
    differences,
    light_differences,
    structure_differences,
    translate,
)
from changeling.generators.protocols import Task
from changeling.generators.twins import Layout

WINDOW = torch.ones(1, 1, 16, 16)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_pixels_count_by_their_weights() -> None:
    """A difference of 1 in a tenth of the pixels: 0.1, and a 91st where they weigh a tenth."""
    face, other = torch.zeros(1, 3, 10, 10), torch.zeros(1, 3, 10, 10)
    other[..., 0, :] = 1
    weights = torch.ones(1, 1, 10, 10)
    assert differences([face], [other], [weights]) == pytest.approx(0.1)
    weights[..., 0, :] = 0.1
    assert differences([face], [other], [weights]) == pytest.approx(0.01 / 0.91)


def test_light_is_compared_in_the_window_only() -> None:
    dark = torch.rand(2, 3, 16, 16) / 4
    window = torch.zeros(1, 1, 16, 16)
    window[..., 4:12, 4:12] = 1
    faces = [2 * dark - 1] * 2
    inside = light_differences(translate([Framed(0.3, frame=False)] * 2, faces, faces), window)
    assert inside == pytest.approx(2 * 0.3, rel=1e-4)
    drawn = translate([Framed(0.3)] * 2, faces, faces)
    assert light_differences(drawn, window) == 0 < light_differences(drawn, WINDOW)


class Framed(nn.Module):
    """A generator that adds a number, to all or to a frame around the middle half."""

    def __init__(self, amount: float, *, frame: bool = True) -> None:
        super().__init__()
        self.amount, self.frame = amount, frame

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        drawn = faces + self.amount
        if self.frame:
            drawn[..., 4:12, 4:12] = faces[..., 4:12, 4:12]
        return drawn


def test_what_is_outside_the_faces_counts_a_share() -> None:
    """Drawn rightly inside the masks and wrongly outside: all of it, a tenth, or nothing."""
    faces = list(torch.zeros(2, 2, 3, 16, 16))
    masks = torch.zeros(2, 2, 1, 16, 16)
    masks[..., 4:12, 4:12] = 1
    drawn = translate([Framed(0.3)] * 2, faces, faces)
    wanted = {"identity": 1.0, "light": 1.0, "cycle": 0.0, "structure": 0.0, "mask": 0.0}
    told = [comparisons(drawn, faces, masks, outside=x, wanted=wanted) for x in (1.0, 0.1, 0.0)]
    # 192 of 256 pixels are off by 0.3, of each of two people.
    expected = [0.6 * 192 / 256, 0.6 * 19.2 / (64 + 19.2), 0.0]
    for name in ("identity", "light"):
        assert [float(one[name]) for one in told] == pytest.approx(expected, rel=1e-4)
    assert set(told[0]) == {"identity", "light"}


def test_structure_counts_in_what_is_drawn_as_their_own_and_back() -> None:
    faces = list(torch.rand(2, 3, 3, 8, 8))
    weights = [torch.ones(3, 1, 8, 8)] * 2
    kept = translate([nn.Identity()] * 2, faces, faces)
    assert structure_differences(kept, faces, weights) == pytest.approx(0, abs=1e-6)
    turned = translate([nn.Identity()] * 2, faces, [face.flip(3) for face in faces])
    assert 0.2 < structure_differences(turned, faces, weights) < 2


def test_a_generator_begins_with_what_was_taught() -> None:
    """The teacher's network draws the same of the same face; another layout is refused."""
    taught = Config.laptop(Task(("a", "b"), 64))
    assert taught.taught and not Config.scratch(Task(("a", "b"), 64)).taught
    faces = torch.rand(2, 3, 64, 64)
    network = twins.taught(Layout(64, (32, 64, 128, 256), 256), 1)
    drawn = network.draw(network.encode(faces), 0)
    learner = CycleGan(taught, runtime=PLAIN)
    for person in ("a", "b"):
        swapped = learner.swap(faces, to=person)
        assert torch.allclose(swapped.faces, drawn[:, :3].clamp(0, 1), atol=1e-5)
        assert torch.allclose(swapped.masks, drawn[:, 3:].sigmoid(), atol=1e-5)
    with pytest.raises(UserError, match="64 pixels"):
        CycleGan(replace(taught, code=128), runtime=PLAIN)
