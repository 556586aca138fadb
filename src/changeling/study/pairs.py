"""The five fixed pairs of actors by which families are compared."""

from dataclasses import dataclass

from changeling.actors import Actor


@dataclass(frozen=True)
class Pair:
    """A performs, and B's face is put in."""

    a: Actor
    b: Actor


PAIRS = (
    Pair(Actor(7, 7), Actor(19, 19)),  # light skins, a woman and a man
    Pair(Actor(10, 10), Actor(33, 33)),  # light to dark, two men
    Pair(Actor(27, 27), Actor(12, 12)),  # dark to light, a man and a woman
    Pair(Actor(22, 22), Actor(39, 39)),  # dark skins, a woman and a man
    Pair(Actor(21, 21), Actor(16, 16)),  # light to brown, two women
)
"""Chosen by eye from the first forty seeds; nobody wears glasses or hair over the eyes."""
