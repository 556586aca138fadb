"""Laws of the autoencoder and its losses."""

import pytest
import torch
from golden import PLAIN
from noise import noise_batches
from swapping import check_colours, teach_colours
from torchmetrics.functional.image import structural_similarity_index_measure as reference_ssim

from changeling.generators.autoencoder import Autoencoder, Config
from changeling.generators.blocks import discrepancy, dissimilarity
from changeling.generators.classic import Classic
from changeling.generators.classic import Config as ClassicConfig
from changeling.generators.protocols import Task
from changeling.training import Runtime
from changeling.training.averaged import memory

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_swap_gives_the_other_person_in_the_same_performance() -> None:
    torch.manual_seed(0)
    config = Config(("a", "b"), size=16, widths=(8, 16), code=16, rate=1e-2)
    learner = Autoencoder(config, runtime=PLAIN)
    teach_colours(learner, steps=150)
    check_colours(learner)


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
