"""Laws of StyleGAN: penalties, styles, mixing, walks and edits have closed forms."""

from dataclasses import replace

import pytest
import torch
from golden import PLAIN
from noise import noise_pictures
from torch import Tensor
from torch.nn import functional as F

from changeling.errors import UserError
from changeling.generators import Edits, Task
from changeling.generators import stylegan_networks as networks
from changeling.generators.edits import StyleEditor, directions
from changeling.generators.stylegan import Config, StyleGAN, along, r1

TINY = Config.tiny()


@pytest.fixture(scope="module")
def learner() -> StyleGAN:
    """A tiny learner after three steps, so that no weight is where it began."""
    return trained(TINY)


def trained(config: Config) -> StyleGAN:
    torch.manual_seed(0)
    learner = StyleGAN(config, runtime=PLAIN)
    batches = noise_pictures(channels=3, kinds=0, size=config.size)
    for step in range(3):
        learner.step(batches(step))
    return learner


def rand(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class TestPenalty:
    def test_r1_of_a_linear_judge_is_its_squared_length(self) -> None:
        weights, pictures = rand(3, 8, 8), rand(5, 3, 8, 8, seed=1).requires_grad_()
        scores = (pictures * weights).sum(dim=(1, 2, 3))[:, None]
        assert float(r1(scores, pictures)) == pytest.approx(float(weights.square().sum()), rel=1e-5)

    def test_r1_is_lazy(self) -> None:
        """It is computed in steps 0 and 2 of 4 when every second step is asked for."""
        torch.manual_seed(0)
        learner = StyleGAN(TINY, runtime=PLAIN)
        batches = noise_pictures(channels=3, kinds=0, size=TINY.size)
        seen = [float(learner.step(batches(step))["r1"]) for step in range(4)]
        assert seen[0] == seen[1] != seen[2] == seen[3]


class TestLayers:
    def test_demodulated_kernels_have_length_one(self) -> None:
        weight, scales = rand(7, 5, 3, 3), rand(4, 5, seed=1)
        factors = networks.demodulation(weight, scales)
        kernels = weight * scales[:, None, :, None, None] * factors[:, :, None, None, None]
        lengths = kernels.square().sum(dim=(2, 3, 4))
        assert torch.allclose(lengths, torch.ones(4, 7), atol=1e-5)

    def test_scaling_input_and_output_is_scaling_the_kernel(self) -> None:
        """The layer never makes a kernel for each picture, yet draws as if it did."""
        torch.manual_seed(0)
        layer = networks.Modulated(TINY, 8, 8, double=False)
        x, style, noise = rand(2, 8, 4, 4), rand(2, TINY.code, seed=1), torch.zeros(2, 1, 4, 4)
        kernels = layer.weight / (8 * 9) ** 0.5 * layer.style(style)[:, None, :, None, None]
        kernels = kernels / kernels.square().sum(dim=(2, 3, 4), keepdim=True).sqrt()
        drawn = torch.cat([F.conv2d(x[i : i + 1], kernels[i], padding=1) for i in range(2)])
        expected = F.leaky_relu(drawn * 2**0.5, 0.2)
        assert torch.allclose(layer(x, style, noise), expected, atol=1e-5)

    def test_adain_gives_the_styles_mean_and_deviation(self) -> None:
        mean, deviation = rand(2, 5), rand(2, 5, seed=1).abs()
        x = networks.adapted(3 + 2 * rand(2, 5, 16, 16, seed=2), mean, deviation)
        assert torch.allclose(x.mean(dim=(2, 3)), mean, atol=1e-5)
        assert torch.allclose(x.std(dim=(2, 3), correction=0), deviation, atol=1e-4)

    def test_one_wide_kernel_doubles_as_neighbours_and_kernel_do(self) -> None:
        x, weight = rand(2, 5, 4, 4), rand(7, 5, 3, 3, seed=1)
        expected = F.conv2d(F.interpolate(x, scale_factor=2), weight, padding=1)
        assert torch.allclose(networks.convolved(x, weight, double=True), expected, atol=1e-5)

    def test_one_wide_kernel_halves_as_kernel_and_mean_do(self) -> None:
        torch.manual_seed(0)
        layer = networks.Convolution(5, 7, 3, halve=True)
        x = rand(2, 5, 8, 8)
        expected = F.avg_pool2d(F.conv2d(x, layer.weight * layer._scale, padding=1), 2)
        assert torch.allclose(layer(x), expected, atol=1e-5)

    def test_equal_pictures_do_not_deviate(self) -> None:
        x = rand(1, 3, 4, 4).expand(8, -1, -1, -1)
        channel = networks.Deviation()(x)[:, 3:]
        assert channel.shape == (8, 1, 4, 4) and channel.abs().max() <= 1.1e-4

    def test_the_deviation_is_that_of_each_group(self) -> None:
        x = torch.cat([rand(4, 3, 2, 2), rand(1, 3, 2, 2).expand(4, -1, -1, -1)])
        channel = networks.Deviation()(x)[:, 3]
        assert torch.allclose(channel[:4], x[:4].std(0, correction=0).mean().expand(4, 2, 2))
        assert channel[4:].max() <= 1.1e-4

    def test_the_mapping_looks_at_directions_alone(self) -> None:
        mapping, z = networks.Mapping(6, layers=2, rate=0.01), rand(3, 6)
        assert torch.allclose(mapping(z), mapping(5 * z), atol=1e-5)


class TestStyles:
    def test_truncation_0_is_the_average_face_for_every_seed(self, learner: StyleGAN) -> None:
        one, other = (learner.styles(4, seed=seed, truncation=0) for seed in (1, 2))
        assert torch.equal(one, other) and torch.equal(one, one[:1].expand(4, -1))
        assert not torch.equal(one[0], torch.zeros(TINY.code))

    def test_truncation_is_linear(self, learner: StyleGAN) -> None:
        none, half, whole = (learner.styles(4, seed=1, truncation=t) for t in (0, 0.5, 1))
        assert torch.allclose(half, (none + whole) / 2, atol=1e-6)

    def test_noise_without_weight_changes_nothing(self) -> None:
        learner = trained(TINY)
        styles = learner.styles(2, seed=0)
        assert not torch.equal(*(learner.draw_styles(styles, seed=seed) for seed in (1, 2)))
        for name, weight in learner._average.named_parameters():
            if name.endswith(".noise"):
                weight.zero_()
        assert torch.equal(*(learner.draw_styles(styles, seed=seed) for seed in (1, 2)))

    def test_batches_change_nothing(self, learner: StyleGAN) -> None:
        styles = learner.styles(5, seed=0)
        whole, parts = (learner.draw_styles(styles, batch=batch) for batch in (5, 2))
        assert torch.allclose(whole, parts, atol=1e-6)


class TestMixing:
    def test_equal_styles_mix_to_themselves(self, learner: StyleGAN) -> None:
        flat = replace(TINY, truncation=0)
        mixer = StyleGAN(flat, runtime=PLAIN)
        mixer.load_state_dict(learner.state_dict())
        grid = mixer.mix(2, 3, seed=1)
        assert grid.shape == (3, 4, 3, 16, 16)
        assert torch.allclose(grid, grid[:1, :1].expand_as(grid), atol=1e-6)

    def test_borders_are_the_styles_and_the_inside_is_neither(self, learner: StyleGAN) -> None:
        grid = learner.mix(2, 3, seed=1)
        alone = learner.draw_styles(learner.styles(5, seed=1), seed=1)
        assert torch.allclose(grid[1:, 0], alone[:2], atol=1e-6)
        assert torch.allclose(grid[0, 1:], alone[2:], atol=1e-6)
        assert (grid[1:, 1:] - grid[1:, :1]).abs().amax(dim=(2, 3, 4)).min() > 1e-3
        assert (grid[1:, 1:] - grid[:1, 1:]).abs().amax(dim=(2, 3, 4)).min() > 1e-3


class TestWalk:
    def test_the_spline_meets_its_stops_and_closes(self) -> None:
        styles = rand(5, 4)
        for stop in range(5):
            assert torch.allclose(along(styles, stop / 5), styles[stop], atol=1e-6)
        assert torch.allclose(along(styles, 1 - 1e-6), styles[0], atol=1e-4)

    def test_the_spline_has_no_bends(self) -> None:
        """Catmull and Rom: at a stop it moves as from the stop before to the stop after."""
        styles, tiny = rand(5, 4), 1e-4
        for stop in range(5):
            expected = (styles[(stop + 1) % 5] - styles[stop - 1]) / 2
            for one, other in ((0, tiny), (1 - tiny, 1)):
                at = [along(styles.double(), (stop + t - (one > 0)) / 5 % 1) for t in (one, other)]
                assert torch.allclose((at[1] - at[0]).float() / tiny, expected, atol=1e-2)

    def test_a_walk_begins_at_the_first_style(self, learner: StyleGAN) -> None:
        frames = list(learner.walk(6, seed=3, stops=3))
        stops = learner.draw_styles(learner.styles(3, seed=3), seed=3)
        assert len(frames) == 6 and frames[0].shape == (3, 16, 16)
        for frame, stop in zip(frames[::2], stops, strict=True):
            assert torch.allclose(frame, stop, atol=1e-5)


class TestEdits:
    def test_a_step_raises_its_attribute_alone(self) -> None:
        styles, slopes = rand(2000, 6), rand(6, 2, seed=1)
        values = styles @ slopes + torch.tensor([5.0, -3.0])
        found = directions(("age", "smile"), styles, values)
        change = found.steps @ slopes / values.std(0)
        assert torch.allclose(change, torch.eye(2), atol=0.05)
        assert min(found.explained) > 0.99

    def test_a_step_goes_where_styles_vary(self) -> None:
        """Of two numbers that say the same, the one that varies ten times as much moves more."""
        styles = rand(2000, 2) * torch.tensor([10.0, 1.0])
        found = directions(("age",), styles, styles.sum(1, keepdim=True))
        assert found.steps[0, 0] > 50 * found.steps[0, 1].abs()

    def test_noise_is_not_explained(self) -> None:
        found = directions(("luck",), rand(2000, 6), rand(2000, 1, seed=1))
        assert abs(found.explained[0]) < 0.02

    def test_edits_move_drawings(self, learner: StyleGAN) -> None:
        styles = learner.styles(50, seed=0)
        editor: Edits = StyleEditor(learner, directions(("first",), styles, styles[:, :1]))
        still, moved = (editor.edit(2, seed=4, attribute="first", amount=x) for x in (0.0, 2.0))
        assert torch.equal(still, learner.draw(2, seed=4)) and not torch.equal(still, moved)

    def test_bad_attributes_are_refused(self, learner: StyleGAN) -> None:
        styles = learner.styles(50, seed=0)
        with pytest.raises(UserError, match="'age' is the same in all 50 drawings"):
            directions(("age",), styles, torch.ones(50, 1))
        editor = StyleEditor(learner, directions(("yaw",), styles, styles[:, :1]))
        with pytest.raises(UserError, match="no edit of 'age': give one of yaw"):
            editor.edit(1, seed=0, attribute="age", amount=1.0)


@pytest.mark.parametrize(("size", "grid", "levels"), [(64, 4, 4), (32, 4, 3), (28, 7, 2)])
def test_the_laptop_configuration_fits_its_task(size: int, grid: int, levels: int) -> None:
    config = Config.laptop(Task(size=size, channels=1))
    assert (config.size, config.channels, len(config.widths)) == (size, 1, levels)
    assert size == grid * networks.divisor(config)


def test_adain_learns_too() -> None:
    """Every weight moves when styles act by adaptive normalisation, and it draws its seed."""
    config = replace(TINY, style="adain")
    torch.manual_seed(0)
    before = StyleGAN(config, runtime=PLAIN).state_dict()["network"]["generator"]
    before = {name: weight.clone() for name, weight in before.items()}
    learner = trained(config)
    after = learner.state_dict()["network"]["generator"]
    assert [name for name in before if torch.equal(before[name], after[name])] == []
    assert torch.equal(learner.draw(2, seed=1), learner.draw(2, seed=1))
