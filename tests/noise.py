"""Batches of smooth noise in place of pictures, for tests of the families."""

from typing import Any

import torch
from torch.nn import functional as F

from changeling.faces.people import PeopleBatch
from changeling.faces.pictures import PictureBatch
from changeling.generators import FAMILIES, Learns
from changeling.training import Batches


def batches_for(family: str) -> Batches[Any]:
    """Return batches of noise for the tiny configuration of a family."""
    config: Any = FAMILIES[family].config.tiny()
    if FAMILIES[family].learns is Learns.PEOPLE:
        return noise_batches(people=len(config.people), size=config.size)
    return noise_pictures(channels=config.channels, kinds=config.kinds, size=config.size)


def noise_pictures(*, channels: int, kinds: int, size: int, n: int = 6) -> Batches[PictureBatch]:
    """Return batches of pictures and classes that depend on the step alone."""

    def batch(step: int) -> PictureBatch:
        generator = torch.Generator().manual_seed(step)
        coarse = torch.rand(n, channels, 4, 4, generator=generator)
        pictures = F.interpolate(coarse, (size, size), mode="bilinear")
        return PictureBatch(pictures, torch.arange(n) % max(1, kinds))

    return batch


def noise_batches(*, people: int, size: int, n: int = 3) -> Batches[PeopleBatch]:
    """Return batches whose inputs, targets and masks (discs) depend on the step alone."""
    line = torch.linspace(-1, 1, size)
    away = line[:, None] ** 2 + line[None] ** 2
    face, eyes = (away < 0.6).float(), (away < 0.1).float()

    def batch(step: int) -> PeopleBatch:
        generator = torch.Generator().manual_seed(step)
        coarse = torch.rand(people * n, 3, 4, 4, generator=generator)
        targets = F.interpolate(coarse, (size, size), mode="bilinear").unflatten(0, (people, n))
        grain = torch.rand(targets.shape, generator=generator)
        return PeopleBatch(
            inputs=(0.9 * targets + 0.1 * grain),
            targets=targets,
            masks=face.expand(people, n, 1, size, size).clone(),
            eyes=eyes.expand(people, n, 1, size, size).clone(),
            tones=torch.ones(people, 3),
        )

    return batch
