"""Laws of the faceswap-GAN: each of its options changes just what it says."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from golden import PLAIN
from noise import noise_batches
from swapping import check_colours, teach_colours
from torch import Tensor

from changeling.faces.people import PeopleBatch
from changeling.generators.faceswapgan import Config, FaceswapGAN
from changeling.generators.faceswapgan_losses import (
    Views,
    Weights,
    blend,
    edge_loss,
    hinge_loss,
    in_motion,
    in_other_colours,
    mixing_shares,
    moved,
    paste,
    perceptual_loss,
    recoloured,
    squares,
    strokes,
)
from changeling.generators.protocols import Task

pytestmark = pytest.mark.usefixtures("one_thread")


def learner(**changes: Any) -> FaceswapGAN:  # noqa: ANN401
    torch.manual_seed(0)
    return FaceswapGAN(replace(Config.tiny(), **changes), runtime=PLAIN)


def first_step(batch: PeopleBatch | None = None, **changes: Any) -> dict[str, float]:  # noqa: ANN401
    made = learner(**changes)
    torch.manual_seed(1)
    batch = batch or noise_batches(people=2, size=16)(0)
    return {name: float(loss) for name, loss in made.step(batch).items()}


def pictures(n: int = 4, size: int = 16, seed: int = 0) -> Tensor:
    return 2 * torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed)) - 1


def views(n: int = 4) -> Views:
    ones = torch.ones(n, 1, 16, 16)
    return Views(pictures(n), pictures(n, seed=1), ones, ones)


class TestLosses:
    def test_blend_takes_what_alpha_says(self) -> None:
        drawn = torch.cat([pictures(), torch.full((4, 1, 16, 16), 50.0)], dim=1)
        assert torch.allclose(blend(drawn, pictures(seed=1)), pictures().tanh())
        drawn[:, 3] = -50
        assert torch.allclose(blend(drawn, pictures(seed=1)), pictures(seed=1))

    def test_edges_of_equal_and_of_shifted_brightness_are_alike(self) -> None:
        shares = torch.ones(4, 1, 16, 16)
        assert edge_loss(pictures(), pictures(), shares) == 0
        assert edge_loss(pictures() + 0.3, pictures(), shares) < 1e-6
        ramp = torch.linspace(0, 3, 4).expand(1, 3, 4, 4)
        assert edge_loss(ramp, 0 * ramp, torch.ones(1, 1, 4, 4)) == pytest.approx(1)
        assert edge_loss(ramp, -ramp, torch.ones(1, 1, 4, 4)) == 0, "as strong"

    def test_a_face_is_pasted_inside_its_mask(self) -> None:
        seen, drawn = views(), torch.cat([pictures(seed=2), torch.zeros(4, 1, 16, 16)], dim=1)
        assert torch.allclose(paste(drawn, seen), drawn[:, :3].tanh())
        outside = replace(seen, masks=0 * seen.masks)
        assert torch.equal(paste(drawn, outside), seen.targets)

    def test_the_hinge_is_0_above_its_threshold(self) -> None:
        assert hinge_loss(torch.rand(3, 1, 4, 4) * 0.4 + 0.6, 0.6) == 0
        assert hinge_loss(torch.full((3, 1, 4, 4), 0.2), 0.6) == pytest.approx(0.4)

    def test_a_mixture_of_real_faces_alone_is_the_plain_loss(self) -> None:
        judged = torch.randn(5, 1, 2, 2)
        assert squares(judged, torch.ones(5, 1, 1, 1)) == (judged - 1).square().mean()
        assert squares(judged, torch.zeros(5, 1, 1, 1)) == judged.square().mean()

    def test_shares_are_those_of_the_beta_distribution(self) -> None:
        torch.manual_seed(0)
        shares = mixing_shares(20_000, 0.2)
        assert float(shares.mean()) == pytest.approx(0.5, abs=0.01)
        assert float(shares.var()) == pytest.approx(0.25 / 1.4, abs=0.005)
        assert set(mixing_shares(100, 0).flatten().tolist()) == {0.0, 1.0}

    def test_features_weigh_from_the_coarsest_and_by_their_size(self) -> None:
        true = [torch.rand(2, 3, 8, 8) + 1, torch.rand(2, 3, 4, 4) + 1]
        coarse = [true[0], 1.5 * true[1]]
        assert perceptual_loss(true, true, (1, 1)) == 0
        assert perceptual_loss(coarse, true, (0.2, 7)) == pytest.approx(0.1)
        larger, large = ([9 * x for x in maps] for maps in (coarse, true))
        assert perceptual_loss(larger, large, (0.2, 7)) == pytest.approx(0.1)

    def test_the_total_weighs_each_loss(self) -> None:
        names = ("adversarial", "l1", "edge", "perceptual")
        losses = {name: torch.tensor(10.0**i) for i, name in enumerate(names)}
        assert Weights().total(losses) == pytest.approx(0.1 + 10 + 0.1 * 100 + 1000)


class TestAugmentation:
    def test_both_pictures_take_on_the_donors_colours(self) -> None:
        seen = views()
        donors = torch.tensor([2, -1, 1, 3])
        for faces in (seen.inputs, seen.targets):
            faces = 0.2 * faces
            given = recoloured(faces, 0.3 * seen.targets + 0.1, seen.masks, donors)
            wanted = 0.3 * seen.targets + 0.1
            for mine, donor in ((0, 2), (2, 1), (3, 3)):
                assert torch.allclose(
                    given[mine].mean((1, 2)), wanted[donor].mean((1, 2)), atol=0.01
                )
                assert torch.allclose(given[mine].std((1, 2)), wanted[donor].std((1, 2)), atol=0.02)
            assert torch.equal(given[1], faces[1])

    @pytest.mark.parametrize("vary", [in_other_colours, in_motion])
    def test_a_share_of_the_faces_changes_input_and_target_alike(self, vary: Any) -> None:  # noqa: ANN401
        torch.manual_seed(0)
        before = views(400)
        after = vary(before, 0.5)
        changed = [
            (a != b).flatten(1).any(1)
            for a, b in ((after.inputs, before.inputs), (after.targets, before.targets))
        ]
        assert changed[0].float().mean() == pytest.approx(0.5, abs=0.1)
        assert (changed[0] != changed[1]).float().mean() < 0.01
        assert torch.equal(after.masks, before.masks)

    def test_motion_blurs_along_its_line_only(self) -> None:
        across = strokes(torch.tensor([0.0, torch.pi / 2]), 5)
        assert torch.allclose(across.sum((1, 2)), torch.ones(2))
        stripes = torch.arange(16.0)[:, None].remainder(2).expand(2, 3, 16, 16)
        blurred = moved(stripes, across)
        assert torch.allclose(blurred[0], stripes[0], atol=1e-6)
        assert blurred[1, :, 4:-4].std() < 0.3 * stripes.std()


class TestOptions:
    """What a first step reports, with one option changed."""

    def test_a_pasted_face_is_judged_within_its_mask_only(self) -> None:
        batch = noise_batches(people=2, size=16)(0)
        hidden = replace(batch, masks=0 * batch.masks)
        assert first_step(hidden, pasted=True)["perceptual"] == 0
        assert first_step(hidden, pasted=False)["perceptual"] > 0
        assert first_step(batch, pasted=True)["perceptual"] > 0

    def test_the_eyes_weigh_more_within_the_eyes_only(self) -> None:
        batch = noise_batches(people=2, size=16)(0)
        blind = replace(batch, eyes=torch.zeros_like(batch.eyes))
        weights = Config.tiny().weights
        none, some, more = (
            first_step(batch, weights=replace(weights, eyes=eyes), match=0.0, blur=0.0)
            for eyes in (0.0, 10.0, 20.0)
        )
        for name in ("l1", "edge"):
            assert more[name] - some[name] == pytest.approx(some[name] - none[name], rel=1e-4)
            assert some[name] > none[name]
        assert first_step(blind, match=0.0, blur=0.0)["l1"] == pytest.approx(none["l1"])

    def test_losses_that_weigh_nothing_are_left_out(self) -> None:
        weights = Weights(perceptual=(0, 0, 0, 0))
        judged = {"l1", "edge", "adversarial", "judges", "d_real", "d_fake", "variety"}
        assert set(first_step(weights=weights)) == judged
        assert set(first_step(weights=weights, unjudged=1)) == {"l1", "edge"}

    @pytest.mark.parametrize(
        ("change", "moves"),
        [
            ({"active": False}, {"perceptual"}),
            ({"threshold": 0.9}, {"hinge"}),
            ({"mixup": 0.0}, {"judges"}),
        ],
    )
    def test_an_option_changes_its_own_loss(self, change: dict[str, Any], moves: set[str]) -> None:
        usual, other = first_step(), first_step(**change)
        after = {"adversarial", "d_real", "d_fake"}  # the judges have moved by then
        assert {name for name in usual if usual[name] != other[name]} - after == moves

    @pytest.mark.parametrize("change", [{"factor": 0.5}, {"rate": 5e-5}])
    def test_the_factor_scales_the_learning_rate(self, change: dict[str, float]) -> None:
        """The first step of Adam is as long as its rate."""
        lengths = []
        for config in ({}, change):
            made = learner(**config, steady=None)
            before = [p.detach().clone() for p in made._network.parameters()]
            made.step(noise_batches(people=2, size=16)(0))
            pairs = zip(made._network.parameters(), before, strict=True)
            lengths.append(max(float((p.detach() - q).abs().max()) for p, q in pairs))
        assert lengths[0] == pytest.approx(1e-4, rel=0.01)
        assert lengths[1] == pytest.approx(0.5 * lengths[0], rel=0.01)

    def test_identity_networks_have_no_cyclic_loss(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = learner()
        faces = 0.9 * pictures(6)
        monkeypatch.setattr(made._network.generator, "encode", lambda x: x)
        monkeypatch.setattr(
            made._network.generator,
            "decode",
            lambda x, people: torch.cat([x.atanh(), torch.zeros_like(x[:, :1])], dim=1),
        )
        assert made._cycle(faces) < 1e-6

    def test_the_cycle_goes_over_the_next_person(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = learner()
        asked: list[tuple[int, ...]] = []
        decode = made._network.generator.decode

        def asking(codes: Tensor, people: tuple[int, ...]) -> Tensor:
            asked.append(people)
            return decode(codes, people)

        monkeypatch.setattr(made._network.generator, "decode", asking)
        made._cycle(pictures(4))
        assert asked == [(1, 0), (0, 1)]

    def test_the_report_is_the_listing_and_sizes_and_people_are_the_tasks(self) -> None:
        report = Config.report(Task(("a", "b", "c"), 128))
        assert (report.people, report.size, report.batch) == (("a", "b", "c"), 128, 8)
        assert (report.capacity, report.norm, report.attention) == ("standard", "instance", True)
        assert report.weights == Weights(0.1, 1.0, 0.1, 30.0, perceptual=(0.01, 0.1, 0.3, 0.1))
        assert (report.mixup, report.match, report.rate, report.factor) == (0.2, 0.5, 1e-4, 1.0)


def test_a_swap_gives_the_other_person_in_the_same_performance() -> None:
    weights = Weights(perceptual=(0, 0, 0, 0), alpha=1, eyes=0, tie=0.01)
    plain = {
        "noise": 0.0,
        "match": 0.0,
        "blur": 0.0,
        "attention": False,
        "norm": "none",
        "capacity": "lite",
    }
    made = learner(
        **plain, filters=16, code=8, weights=weights, rate=5e-3, unjudged=999, steady=None
    )
    teach_colours(made, steps=120)
    check_colours(made)
