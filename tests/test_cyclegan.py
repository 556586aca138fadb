"""Laws of CycleGAN: the cycle, the pool, the decay, and what a judge sees."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from golden import PLAIN
from noise import noise_batches
from torch import nn

from changeling.errors import UserError
from changeling.faces.people import relit
from changeling.generators.cyclegan import CycleGan, decay
from changeling.generators.cyclegan_config import Config
from changeling.generators.cyclegan_losses import (
    differences,
    light_differences,
    taken_for,
    translate,
)
from changeling.generators.cyclegan_networks import PatchJudge, ResNet
from changeling.generators.cyclegan_pool import Pool
from changeling.generators.protocols import Task
from changeling.training import train

ALL = [torch.ones(1, 1, 1, 1)] * 2
"""Weights of pixels that count alike."""
WINDOW = torch.ones(1, 1, 16, 16)
PARTS = ("inputs", "targets", "masks", "eyes")

pytestmark = pytest.mark.usefixtures("one_thread")


class Painted(nn.Module):
    """A generator that adds a number, and gives no mask."""

    def __init__(self, amount: float) -> None:
        super().__init__()
        self.amount = amount

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return faces + self.amount


def two_people() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(3, 3, 8, 8, generator=generator) for _ in range(2)]


def test_generators_that_change_nothing_lose_no_cycle() -> None:
    faces = two_people()
    drawn = translate([nn.Identity(), nn.Identity()], faces, faces)
    assert differences(drawn.back, faces, ALL) == 0 and differences(drawn.same, faces, ALL) == 0
    assert torch.equal(drawn.fakes[0], faces[1]) and torch.equal(drawn.fakes[1], faces[0])


def test_a_cycle_goes_through_both_generators() -> None:
    """One adds 1 and the other takes 1 away, or 3: what comes back differs by 0, or by 2."""
    faces = two_people()
    undone = translate([Painted(1), Painted(-1)], faces, faces)
    assert differences(undone.back, faces, ALL) == pytest.approx(0, abs=1e-6)
    assert differences(undone.same, faces, ALL) == pytest.approx(2, abs=1e-5)
    wrong = translate([Painted(1), Painted(-3)], faces, faces)
    assert differences(wrong.back, faces, ALL) == pytest.approx(4, abs=1e-5)
    assert torch.allclose(wrong.fakes[0], faces[1] + 1)


def test_the_own_face_is_drawn_from_what_is_given_of_it() -> None:
    faces = two_people()
    given = [face.flip(3) for face in faces]
    drawn = translate([nn.Identity(), nn.Identity()], faces, given)
    assert all(torch.equal(same, view) for same, view in zip(drawn.same, given, strict=True))
    assert differences(drawn.back, faces, ALL) == 0


def test_only_the_own_face_is_asked_for_from_warped_views() -> None:
    """Where inputs are the targets, it makes no difference; where they are not, one loss moves."""
    batch = noise_batches(people=2, size=16)(0)
    unwarped = replace(batch, inputs=batch.targets)
    told = []
    for warped, shown in ((False, batch), (True, unwarped), (True, batch)):
        torch.manual_seed(0)
        learner = CycleGan(replace(Config.tiny(), warped=warped), runtime=PLAIN)
        told.append(learner.step(shown))
    plain, same, other = told
    assert all(torch.equal(plain[name], same[name]) for name in plain)
    assert plain["identity"] != other["identity"]
    assert plain["cycle"] == other["cycle"] and plain["fool"] == other["fool"]


def test_what_is_turned_is_levelled_both_ways() -> None:
    """By one's own factor each time: both people's faces in one colour come back as they were."""
    grey = torch.full((2, 3, 8, 8), 0.2)
    factors = torch.tensor([[0.5, 0.5, 0.5], [2.0, 2.0, 2.0]])
    shown: list[list[torch.Tensor]] = [[], []]

    class Noted(nn.Module):
        """Notes what it is shown, and draws it in the person's own light."""

        def __init__(self, person: int) -> None:
            super().__init__()
            self.person = person

        def forward(self, faces: torch.Tensor) -> torch.Tensor:
            shown[self.person].append(faces)
            return 2 * relit((1 + faces) / 2, 1 / factors[self.person]) - 1

    own = [2 * relit(grey, 1 / factor) - 1 for factor in factors]
    level = [2 * grey - 1] * 2
    drawn = translate([Noted(0), Noted(1)], own, level, factors)
    assert all(torch.allclose(one, 2 * grey.repeat(2, 1, 1, 1) - 1) for one, _ in shown)
    assert all(torch.allclose(one, 2 * grey - 1) for _, one in shown)
    assert differences(drawn.back, own, ALL) == pytest.approx(0, abs=1e-6)


def test_light_is_asked_to_stay_whoever_is_drawn() -> None:
    """Another skin in the same light costs nothing; the same skin in twice the light does."""
    dark = torch.rand(2, 3, 16, 16) / 4
    factors = torch.tensor([[1.0, 1.0, 1.0], [0.25, 0.25, 0.25]])
    faces = [dark, 2 * relit(dark, torch.full((3,), 4.0)) - 1]
    faces[0] = 2 * dark - 1
    keep = [Relit(1.0, factors[0]), Relit(1.0, factors[1])]
    assert light_differences(translate(keep, faces, faces, factors), WINDOW) < 1e-6
    brighter = [Relit(2.0, factors[0]), Relit(1.0, factors[1])]
    assert light_differences(translate(brighter, faces, faces, factors), WINDOW) > 0.05


class Relit(nn.Module):
    """Draws levelled faces in its person's skin, in some times the light."""

    def __init__(self, times: float, factor: torch.Tensor) -> None:
        super().__init__()
        self.times, self.factor = times, factor

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return 2 * relit((1 + faces) / 2, self.times / self.factor) - 1


def test_a_batch_is_levelled_by_the_colours_it_tells() -> None:
    """As it will be when it swaps; unlevelled batches are seen as they are."""
    batch = noise_batches(people=2, size=16)(0)
    told = []
    for tones in (torch.ones(2, 3), torch.full((2, 3), 0.3), torch.tensor([[0.2] * 3, [0.6] * 3])):
        torch.manual_seed(0)
        learner = CycleGan(replace(Config.tiny(), warped=True), runtime=PLAIN)
        told.append(learner.step(replace(batch, tones=tones)))
    assert told[0]["cycle"] == told[1]["cycle"] != told[2]["cycle"]
    assert told[0]["identity"] == told[2]["identity"]


def test_a_collapse_would_be_seen_even_in_steps_of_one_face() -> None:
    """Generators that draw the same black face of everybody have no variety."""
    batch = noise_batches(people=2, size=16)(0)
    one = replace(batch, **{name: getattr(batch, name)[:, :1] for name in PARTS})
    torch.manual_seed(0)
    learner = CycleGan(Config.tiny(), runtime=PLAIN)
    assert learner.step(one)["variety"] > 0
    for name, weight in learner.state_dict()["network"].items():
        if name.startswith("generators"):
            weight.zero_()
    told = learner.step(one)
    assert told["variety"] == 0 and 0 <= told["d_fake"] <= 1 and 0 <= told["d_real"] <= 1


def test_least_squares_are_zero_for_a_judge_that_is_right() -> None:
    said = torch.tensor([[1.0, 0.0]])
    assert taken_for(1, torch.ones(2)) == 0 and taken_for(0, torch.zeros(2)) == 0
    assert taken_for(1, said) == taken_for(0, said) == 0.5


def test_the_pool_fills_then_gives_old_faces_half_of_the_time() -> None:
    torch.manual_seed(0)
    pool = Pool(50)
    faces = torch.arange(1050.0).reshape(-1, 1, 1, 1)
    assert torch.equal(pool.exchange(faces[:30]), faces[:30]) and len(pool.faces) == 30
    assert torch.equal(pool.exchange(faces[30:50]), faces[30:50])
    given = torch.cat([pool.exchange(part) for part in faces[50:].split(4)])
    assert len(given) == 1000 and len(pool.faces) == 50
    old = (given < faces[50:]).float().mean()
    assert old == pytest.approx(0.5, abs=0.05) and (given <= faces[50:]).all()
    # Every face is in the pool, or was given as new, or was kept and then given as old.
    everything = torch.cat([faces[:50], given, pool.faces]).flatten().tolist()
    assert set(everything) == set(faces.flatten().tolist())


def test_the_rate_stays_then_falls_to_zero() -> None:
    assert decay(1, 100) == decay(50, 100) == decay(51, 100) == 1
    assert decay(76, 100) == pytest.approx(0.5)
    assert decay(100, 100) == pytest.approx(0.02)
    assert decay(101, 100) == decay(1000, 100) == 0


def test_after_the_planned_steps_no_weight_moves() -> None:
    torch.manual_seed(0)
    learner = CycleGan(replace(Config.tiny(), steps=2), runtime=PLAIN)
    steps = train(learner, noise_batches(people=2, size=16), workers=0)
    weights = []
    for _ in islice(steps, 3):
        weights.append({k: v.clone() for k, v in learner.state_dict()["network"].items()})
    assert all(not torch.equal(weights[0][k], weights[1][k]) for k in weights[0])
    assert all(torch.equal(weights[1][k], weights[2][k]) for k in weights[0])


def test_without_a_planned_end_weights_go_on_moving() -> None:
    torch.manual_seed(0)
    learner = CycleGan(replace(Config.tiny(), steps=2, steady=2), runtime=PLAIN)
    steps = train(learner, noise_batches(people=2, size=16), workers=0)
    weights = []
    for _ in islice(steps, 4):
        weights.append({k: v.clone() for k, v in learner.state_dict()["network"].items()})
    assert all(not torch.equal(weights[2][k], weights[3][k]) for k in weights[0])


@pytest.mark.parametrize(("layers", "sees"), [(1, 16), (2, 34), (3, 70)])
def test_a_judge_sees_its_patch(layers: int, sees: int) -> None:
    """By gradient: without normalisation, which looks at the whole picture."""
    judge = PatchJudge(2, layers)
    for i, layer in enumerate(judge.layers):
        if isinstance(layer, nn.InstanceNorm2d):
            judge.layers[i] = nn.Identity()
    for weight in judge.parameters():
        nn.init.constant_(weight, 1.0)
    face = torch.ones(1, 3, 160, 160, requires_grad=True)
    said = judge(face)
    said[0, 0, said.shape[2] // 2, said.shape[3] // 2].backward()
    assert face.grad is not None
    reached = face.grad[0, 0].abs() > 0
    assert int(reached.any(0).sum()) == int(reached.any(1).sum()) == sees


def test_a_new_network_is_spread_as_in_the_paper() -> None:
    torch.manual_seed(0)
    for network in (ResNet(32, 1, channels=3), PatchJudge(32, 3)):
        weights = torch.cat([w.detach().flatten() for w in network.parameters() if w.dim() == 4])
        assert float(weights.mean()) == pytest.approx(0, abs=2e-4)
        assert float(weights.std()) == pytest.approx(0.02, rel=0.01)


def test_presets_are_the_papers_and_the_laptops() -> None:
    report = Config.report(Task(("a", "b"), 256))
    assert report == Config(("a", "b")) and (report.blocks, report.filters) == (9, 64)
    assert Config.report(Task(("a", "b"), 128, steps=7)) == replace(
        report, size=128, blocks=6, steps=7
    )
    planned, open_end = (Config.laptop(Task(("a", "b"), 64, steps=n)) for n in (9, None))
    assert (planned.steps, planned.steady, open_end.steady) == (9, None, 1000)
    assert Config.laptop(Task(("a", "b"), 128)) == Config.scratch(Task(("a", "b"), 128))
    # The paper's generator for 128 pixels, less the 3,712 biases that normalisation takes out.
    generator = ResNet(64, 6, channels=3)
    assert sum(w.numel() for w in generator.parameters()) == 7_837_699 - 3_712


def test_the_whole_square_is_the_face_unless_a_mask_is_drawn() -> None:
    learner = CycleGan(replace(Config.tiny(), mask=0.0), runtime=PLAIN)
    faces = torch.rand(2, 3, 16, 16)
    assert learner.swap(faces, to="a").masks.min() == 1
    drawn = CycleGan(Config.tiny(), runtime=PLAIN).swap(faces, to="a").masks
    assert 0 < drawn.min() < drawn.max() < 1


def test_more_than_two_people_are_refused() -> None:
    config = replace(Config.tiny(), people=("a", "b", "c"))
    with pytest.raises(UserError, match=r"between two people .* a, b, c: leave out --person"):
        CycleGan(config, runtime=PLAIN)
