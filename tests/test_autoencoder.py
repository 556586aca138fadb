"""Laws of the autoencoder, its losses and its schedules."""

from itertools import islice, pairwise

import pytest
import torch
from golden import PLAIN
from noise import noise_batches
from torchmetrics.functional.image import structural_similarity_index_measure as reference_ssim

from changeling.faces.people import PeopleBatch
from changeling.generators.autoencoder import Autoencoder, Config
from changeling.generators.blocks import discrepancy, dissimilarity, memory, pace
from changeling.generators.classic import Classic
from changeling.generators.classic import Config as ClassicConfig
from changeling.generators.protocols import Task
from changeling.training import Runtime, train


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """More threads than free cores slow tiny networks tenfold."""
    PLAIN.apply()


def coloured_people(step: int) -> PeopleBatch:
    """Person a is red, person b is green; brightness is the performance, a square the face."""
    brightness = torch.rand(1, 4, 1, 1, 1, generator=torch.Generator().manual_seed(step))
    colours = torch.tensor([[1.0, 0.2, 0.2], [0.2, 1.0, 0.2]]).reshape(2, 1, 3, 1, 1)
    targets = ((0.3 + 0.7 * brightness) * colours).expand(2, 4, 3, 16, 16)
    masks = torch.zeros(2, 4, 1, 16, 16)
    masks[..., 4:12, 4:12] = 1
    return PeopleBatch(targets, targets, masks, masks)


def test_a_swap_gives_the_other_person_in_the_same_performance() -> None:
    torch.manual_seed(0)
    config = Config(("a", "b"), size=16, widths=(8, 16), code=16, rate=1e-2)
    learner = Autoencoder(config, runtime=PLAIN)
    for _ in islice(train(learner, coloured_people, workers=0), 150):
        pass
    dark = torch.tensor([0.4, 0.08, 0.08]).reshape(1, 3, 1, 1).expand(1, 3, 16, 16)
    swapped = learner.swap(torch.cat([dark, 2 * dark]), to="b")
    inside = swapped.faces[..., 5:11, 5:11].mean(dim=(2, 3))
    assert inside[0] == pytest.approx([0.08, 0.4, 0.08], abs=0.15)
    assert inside[1] == pytest.approx([0.16, 0.8, 0.16], abs=0.15)
    assert swapped.masks[..., 6:10, 6:10].min() > 0.7
    assert swapped.masks[..., :2, :2].max() < 0.2


def test_the_swap_comes_from_the_average_of_the_weights() -> None:
    torch.manual_seed(0)
    learner = Autoencoder(Config.tiny(), runtime=PLAIN)
    batches = noise_batches(people=3, size=16)
    seen = []
    for step in range(3):
        learner.step(batches(step))
        seen.append({k: v.clone() for k, v in learner.state_dict()["network"].items()})
    average = dict(seen[0])
    for step, weights in enumerate(seen[1:], 2):
        kept = memory(step)
        average = {k: kept * average[k] + (1 - kept) * weights[k] for k in weights}
    for name, value in learner.state_dict()["average"].items():
        assert torch.allclose(value, average[name], atol=1e-6)
    faces = torch.rand(1, 3, 16, 16)
    before = learner.swap(faces, to="b")
    zeros = {name: torch.zeros_like(value) for name, value in average.items()}
    learner.load_state_dict({**learner.state_dict(), "network": zeros})
    assert torch.equal(learner.swap(faces, to="b").faces, before.faces)


def test_memory_forgets_the_start_and_keeps_a_fixed_share() -> None:
    assert memory(1) == 0
    assert all(memory(t) < memory(t + 1) < 1 for t in range(1, 50))
    weights = [1.0]
    for t in range(2, 401):
        weights = [memory(t) * w for w in weights] + [1 - memory(t)]
    assert sum(weights) == pytest.approx(1)
    mean_age = sum(w * (400 - t) for t, w in enumerate(weights, 1)) / 400
    assert mean_age == pytest.approx(1 / 18, rel=0.03)  # of a density t^16


def test_pace_warms_up_stays_and_falls_with_the_root() -> None:
    rates = [pace(step, steady=100, warm=10) for step in range(1, 500)]
    assert rates[0] == 0.1
    assert rates[9:100] == [1.0] * 91
    assert rates[399] == pytest.approx(0.5)
    assert all(later < earlier for earlier, later in pairwise(rates[100:]))


def test_dissimilarity_is_that_of_an_independent_implementation() -> None:
    torch.manual_seed(0)
    x, y = torch.rand(2, 3, 17, 17), torch.rand(2, 3, 17, 17)
    y = 0.5 * x + 0.5 * y
    _, pixels = reference_ssim(
        x, y, gaussian_kernel=False, kernel_size=7, data_range=1.0, return_full_image=True
    )
    assert isinstance(pixels, torch.Tensor)
    windows = pixels[..., 3:-3, 3:-3][..., ::2, ::2]
    assert windows.shape[-1] == 6
    got = dissimilarity(x, y, torch.ones(2, 1, 17, 17))
    assert got == pytest.approx(float((1 - windows).mean() / 2), abs=1e-5)


def test_dissimilarity_is_zero_for_equals_and_blind_outside_the_weights() -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 3, 32, 32)
    y = x.clone()
    y[..., 20:] = 0
    weights = torch.zeros(1, 1, 32, 32)
    weights[..., :12] = 1
    assert dissimilarity(x, x, torch.ones_like(weights)) == pytest.approx(0, abs=1e-5)
    assert dissimilarity(x, y, weights) == pytest.approx(0, abs=1e-5)
    assert dissimilarity(x, y, torch.ones_like(weights)) > 0.1


def test_discrepancy_is_its_definition() -> None:
    torch.manual_seed(0)
    codes = torch.randn(2, 4, 5)

    def kernel(x: torch.Tensor, y: torch.Tensor) -> float:
        return float(torch.exp(-((x - y) ** 2).sum() / 10))

    a, b = codes
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    within = sum(kernel(p[i], p[j]) for p in (a, b) for i, j in pairs)
    across = sum(kernel(a[i], b[j]) for i, j in pairs)
    assert discrepancy(codes) == pytest.approx((within - 2 * across) / 12, abs=1e-5)


def test_discrepancy_grows_with_the_distance_and_is_unbiased() -> None:
    torch.manual_seed(0)
    codes = torch.randn(200, 2, 8, 5)
    apart = torch.tensor([0.0, 1.0]).reshape(2, 1, 1)
    alike, near, far = (
        torch.stack([discrepancy(x + d * apart) for x in codes]).mean() for d in (0.0, 0.5, 1.0)
    )
    assert abs(float(alike)) < 0.01
    assert alike < near < far


def test_rows_in_common_do_not_look_like_a_difference() -> None:
    torch.manual_seed(0)
    shared = torch.randn(200, 1, 8, 5).expand(200, 2, 8, 5)
    assert abs(float(torch.stack([discrepancy(x) for x in shared]).mean())) < 1e-5


def test_every_person_has_a_decoder_of_its_own() -> None:
    torch.manual_seed(0)
    learner = Autoencoder(Config.tiny(), runtime=PLAIN)
    faces = torch.rand(1, 3, 16, 16)
    drawn = [learner.swap(faces, to=person).faces for person in learner.people]
    assert len(drawn) == 3
    assert not torch.equal(drawn[0], drawn[1]) and not torch.equal(drawn[1], drawn[2])


@pytest.mark.parametrize(("size", "levels"), [(64, 4), (96, 4), (128, 5)])
def test_presets_end_in_a_small_grid(size: int, levels: int) -> None:
    config = Config.laptop(Task(("a", "b"), size))
    assert config.size == size and len(config.widths) == levels
    assert size // 2**levels in (4, 6)


def test_the_classic_has_exactly_the_parameters_of_the_field() -> None:
    meta = Runtime(torch.device("meta"), torch.float32, False, False, threads=1, workers=0)
    with torch.device("meta"):
        learner = Classic(ClassicConfig(("a", "b")), runtime=meta)
    weights = learner.state_dict()["network"].values()
    assert sum(weight.numel() for weight in weights) == 82_062_470
