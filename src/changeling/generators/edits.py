"""Edits of drawings along directions of their styles that known attributes give.

Linear directions in the space of styles as in Shen et al., Interpreting the Latent Space of GANs
for Semantic Face Editing (arXiv 1907.10786), by regression instead of classification, and all
attributes at once, so that an edit of one leaves the others.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from changeling.errors import UserError
from changeling.generators.protocols import DrawsStyles

RIDGE = 0.01
"""Weight of the penalty on coefficients, as a share of the styles' mean variance."""


@dataclass(frozen=True, eq=False)
class Directions:
    """Where in the space of styles each attribute grows."""

    attributes: tuple[str, ...]
    """Their names."""
    steps: Tensor
    """(attributes, code): what is added to a style to raise the attribute by one deviation."""
    deviations: Tensor
    """(attributes,): the deviation of each among the drawings, in its own unit."""
    explained: tuple[float, ...]
    """Share of each attribute's variance that the styles explain linearly, at most 1."""


def directions(attributes: tuple[str, ...], styles: Tensor, values: Tensor) -> Directions:
    """Fit directions to styles (n, code) and the values (n, attributes) of their drawings.

    With ridge coefficients B and the styles' covariance C the steps are (Bᵀ C B)⁻¹ Bᵀ C: of all
    that raise one attribute by a deviation and leave the others, those that a Gaussian of the
    styles finds least surprising. Raises `UserError` when an attribute never varies.
    """
    deviations = values.double().std(0)
    if not bool((deviations > 0).all()):
        still = attributes[int((deviations <= 0).int().argmax())]
        raise UserError(f"{still!r} is the same in all {len(values)} drawings: leave it out")
    x = styles.double() - styles.double().mean(0)
    y = (values.double() - values.double().mean(0)) / deviations
    covariance = x.T @ x / (len(x) - 1)
    ridge = RIDGE * covariance.diagonal().mean() * torch.eye(len(covariance))
    coefficients = torch.linalg.solve(covariance + ridge, x.T @ y / (len(x) - 1))
    likely = covariance @ coefficients
    steps = torch.linalg.solve(coefficients.T @ likely, likely.T)
    explained = 1 - (y - x @ coefficients).var(0)
    return Directions(attributes, steps.float(), deviations.float(), tuple(explained.tolist()))


class StyleEditor:
    """A generator and directions of its styles, as `Edits`."""

    def __init__(self, generator: DrawsStyles, directions: Directions) -> None:
        """Take a trained generator and what `directions` found in its styles."""
        self._generator = generator
        self.directions = directions
        """Where each attribute grows."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """What can be edited."""
        return self.directions.attributes

    def edit(self, count: int, *, seed: int, attribute: str, amount: float) -> Tensor:
        """Draw what `draw` draws for the seed, with more of the attribute (see `Edits`)."""
        if attribute not in self.attributes:
            known = ", ".join(self.attributes)
            raise UserError(f"there is no edit of {attribute!r}: give one of {known}")
        step = self.directions.steps[self.attributes.index(attribute)]
        styles = self._generator.styles(count, seed=seed) + amount * step
        return self._generator.draw_styles(styles, seed=seed)
