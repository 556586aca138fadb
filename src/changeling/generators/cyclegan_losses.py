"""What CycleGAN's generators draw from each other's drawings, and what that is compared with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.faces.people import relit
from changeling.generators.blocks import dissimilarity

_SQUARES = 4
"""Squares across a face of which the light is compared."""


@dataclass(frozen=True, eq=False)
class Translations:
    """What two generators draw, each list in the order of the people that are drawn."""

    fakes: list[Tensor]
    """(n, 3, s, s): the other one's faces as this person."""
    same: list[Tensor]
    """(n, 3, s, s): this person's faces as this person, from what was given of them."""
    back: list[Tensor]
    """(n, 3, s, s): this person's faces as the other one, and back."""
    masks: list[Tensor]
    """(n, 0 or 1, s, s): logits of the masks drawn with `same`."""
    turned: list[Tensor]
    """(n, 3, s, s): the other one's faces as they were turned into this person, levelled."""
    level: list[Tensor]
    """(n, 3, s, s): the fakes as they are turned back, levelled."""


def translate(
    generators: Iterable[nn.Module],
    faces: Sequence[Tensor],
    given: Sequence[Tensor],
    factors: Tensor | None = None,
) -> Translations:
    """Draw the faces (n, 3, s, s) of each of two people as the other and back, and as their own.

    Their own they draw from `given`: the faces themselves, or other views of them. What is turned
    into the other person, and back, is first levelled by the `factors` (2, 3) of the person that
    it shows, where there are any: `given` already is, and so will be what is swapped. Generator k
    draws person k as (n, 3 or 4, s, s); a fourth channel is the mask's logits.
    """
    one, other = generators
    first, second = _levelled(faces, factors)
    drawn = [
        one(torch.cat([second, given[0]])).float(),
        other(torch.cat([first, given[1]])).float(),
    ]
    fakes, same = zip(*(x.chunk(2) for x in drawn), strict=True)
    pictures = [fake[:, :3] for fake in fakes]
    level = _levelled(pictures, factors)
    back = [one(level[1]).float(), other(level[0]).float()]
    return Translations(
        fakes=pictures,
        same=[x[:, :3] for x in same],
        back=[x[:, :3] for x in back],
        masks=[x[:, 3:] for x in same],
        turned=[second, first],
        level=level,
    )


def comparisons(
    drawn: Translations,
    faces: Sequence[Tensor],
    masks: Tensor,
    *,
    outside: float,
    wanted: Mapping[str, float],
) -> dict[str, Tensor]:
    """Compare what was drawn with the faces, in each way that is wanted more than 0.

    A pixel outside the masks (2, n, 1, s, s) counts `outside`, where one inside counts 1.
    """
    weights = outside + (1 - outside) * masks
    ways = {
        "cycle": lambda: differences(drawn.back, faces, weights),
        "identity": lambda: differences(drawn.same, faces, weights),
        "structure": lambda: structure_differences(drawn, faces, weights),
        "light": lambda: light_differences(drawn, weights.flatten(0, 1).mean(0, keepdim=True)),
        "mask": lambda: mask_loss(drawn.masks, masks.flatten(0, 1)),
    }
    return {name: way() for name, way in ways.items() if wanted[name]}


def light_differences(drawn: Translations, weights: Tensor) -> Tensor:
    """Return the mean absolute difference of the light on what was drawn and on what it was of.

    Both as levelled colours, averaged over sixteen squares by the weights (1, 1, s, s) of their
    pixels: who it is shows little in these.
    """
    shares = F.adaptive_avg_pool2d(weights, _SQUARES)
    losses = [
        (F.adaptive_avg_pool2d(weights * (one - other), _SQUARES).abs().mean() / shares.mean())
        for one, other in zip(drawn.level, drawn.turned, strict=True)
    ]
    return torch.stack(losses).sum()


def _levelled(faces: Sequence[Tensor], factors: Tensor | None) -> list[Tensor]:
    """Return each person's faces (n, 3, s, s), −1…1, in light multiplied by their factors."""
    if factors is None:
        return list(faces)
    return [
        2 * relit((1 + one) / 2, factor) - 1 for one, factor in zip(faces, factors, strict=True)
    ]


def taken_for(what: float, said: Tensor) -> Tensor:
    """Return the least squares loss of a judge's map for real (1) or drawn (0) faces.

    Mao et al., arXiv 1611.04076, equation 9, without its half.
    """
    return (said.float() - what).square().mean()


def differences(
    drawn: Sequence[Tensor], faces: Sequence[Tensor], weights: Iterable[Tensor]
) -> Tensor:
    """Return the weighted mean absolute difference of what was drawn, over both people."""
    losses = [
        (weight * (x - y).abs()).mean() / weight.mean()
        for x, y, weight in zip(drawn, faces, weights, strict=True)
    ]
    return torch.stack(losses).sum()


def structure_differences(
    drawn: Translations, faces: Sequence[Tensor], weights: Iterable[Tensor]
) -> Tensor:
    """Return how faces drawn as their own and back differ in structure, over both people."""
    losses = [
        dissimilarity((1 + mine) / 2, (1 + face) / 2, weight)
        for group in (drawn.same, drawn.back)
        for mine, face, weight in zip(group, faces, weights, strict=True)
    ]
    return torch.stack(losses).sum()


def mask_loss(logits: Sequence[Tensor], masks: Tensor) -> Tensor:
    """Return the cross-entropy of logits, (n, 1, s, s) each, and all masks (2 n, 1, s, s)."""
    given = torch.cat(list(logits))
    return F.binary_cross_entropy_with_logits(given, masks)
