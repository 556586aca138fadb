"""Batches of smooth noise in place of faces, for tests of the families."""

import torch
from torch.nn import functional as F

from changeling.faces.people import PeopleBatch
from changeling.training import Batches


def noise_batches(*, people: int, size: int, n: int = 3) -> Batches[PeopleBatch]:
    """Return batches whose inputs, targets and masks (a disc) depend on the step alone."""
    line = torch.linspace(-1, 1, size)
    disc = ((line[:, None] ** 2 + line[None] ** 2) < 0.6).float()

    def batch(step: int) -> PeopleBatch:
        generator = torch.Generator().manual_seed(step)
        coarse = torch.rand(people * n, 3, 4, 4, generator=generator)
        targets = F.interpolate(coarse, (size, size), mode="bilinear").unflatten(0, (people, n))
        grain = torch.rand(targets.shape, generator=generator)
        return PeopleBatch(
            inputs=(0.9 * targets + 0.1 * grain),
            targets=targets,
            masks=disc.expand(people, n, 1, size, size).clone(),
        )

    return batch
