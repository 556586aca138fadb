"""Laws of the denoising autoencoder: what goes through the code, and what is unlike."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from golden import PLAIN
from noise import noise_pictures
from torch.nn import functional as F

from changeling.faces.pictures import PictureBatch
from changeling.generators.blocks import with_noise
from changeling.generators.protocols import Task
from changeling.generators.restoring import (
    Config,
    Restorer,
    unlikeness,
)
from changeling.training import train

pytestmark = pytest.mark.usefixtures("one_thread")


def ramps(step: int) -> PictureBatch:
    """Return pictures that shade from corner to corner: four colours each, and nothing else."""
    corners = torch.rand(16, 3, 2, 2, generator=torch.Generator().manual_seed(step))
    pictures = F.interpolate(corners, (16, 16), mode="bilinear", align_corners=True)
    return PictureBatch(pictures, torch.zeros(16, dtype=torch.int64))


@pytest.fixture(scope="module")
def taught() -> Restorer:
    """A restorer that has learnt ramps."""
    PLAIN.apply()
    torch.manual_seed(0)
    learner = Restorer(replace(Config.tiny(), rate=1e-2), runtime=PLAIN)
    for _ in islice(train(learner, ramps, workers=0), 150):
        pass
    return learner


def test_noise_is_taken_away(taught: Restorer) -> None:
    clean = ramps(1000).pictures
    noisy = with_noise(clean, 0.2, seed=1)
    before = (noisy - clean).square().mean()
    after = (taught.restore(noisy) - clean).square().mean()
    assert after < before / 2


def test_what_was_never_learnt_is_more_unlike(taught: Restorer) -> None:
    """Checks of 4 pixels, of the same spread, against ramps: no overlap."""
    row = torch.arange(16) // 4 % 2
    checks = (row[:, None] ^ row).float().expand(3, 3, 16, 16) * 0.8 + 0.1
    assert taught.unlikeness(checks).min() > taught.unlikeness(ramps(1001).pictures).max()


def test_unlikeness_has_its_closed_form() -> None:
    """Blocks of 4 pixels that differ by d, spread s: d² / s; finer differences count nothing."""
    half = torch.zeros(1, 1, 8, 8)
    half[..., 4:] = 1
    spread = float(half.std())
    assert unlikeness(half, half) == 0
    assert float(unlikeness(half, half - 0.5)) == pytest.approx(0.25 / spread)
    fine = torch.ones(8, 8).index_fill(1, torch.arange(0, 8, 2), -1.0)
    assert float(unlikeness(half, half + fine)) == pytest.approx(0, abs=1e-9)
    assert float(unlikeness(0.5 * half, 0.5 * half - 0.25)) == pytest.approx(0.125 / spread)


def test_noise_has_its_strength_and_its_seed() -> None:
    grey = torch.full((4, 3, 32, 32), 0.5)
    one, same, other = (with_noise(grey, 0.1, seed) for seed in (1, 1, 2))
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert float((one - grey).std()) == pytest.approx(0.1, rel=0.03)
    assert with_noise(grey, 5.0, seed=0).max() == 1


@pytest.mark.parametrize("config", [Config.laptop(Task()), Config.watchful(Task()), Config.tiny()])
def test_all_that_is_drawn_goes_through_the_code(config: Config) -> None:
    """The encoder gives as many numbers as are claimed, and the decoder knows nothing else."""
    learner = Restorer(config, runtime=PLAIN)
    network = learner._averaged.network
    picture = torch.rand(1, config.channels, config.size, config.size)
    code = network.encoder(2 * picture - 1)
    assert code.numel() == config.components < picture.numel() / 8
    drawn = (1 + network.decoder(code)) / 2
    assert torch.allclose(network(picture), drawn, atol=1e-6)


def test_grey_pictures_of_other_sizes_are_restored_too() -> None:
    learner = Restorer(replace(Config.tiny(), size=28, channels=1), runtime=PLAIN)
    batch = noise_pictures(channels=1, kinds=3, size=28)(0)
    learner.step(batch)
    assert learner.restore(batch.pictures).shape == (6, 1, 28, 28)
    assert learner.preview(batch).shape == (4, 3, 3, 28, 28)


def test_the_preview_shows_the_picture_then_its_noise(taught: Restorer) -> None:
    batch = noise_pictures(channels=3, kinds=0, size=16)(0)
    grid = taught.preview(batch)
    assert torch.equal(grid[:, 0], batch.pictures[:4])
    assert float((grid[:, 1] - grid[:, 0]).std()) == pytest.approx(0.19, abs=0.03)
