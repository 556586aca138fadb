"""Rendered people: face, styling and performance from seeds, and the truth of every frame."""

from changeling.actors.acting import ACTIONS
from changeling.actors.actor import Actor
from changeling.actors.blend import Blend, Factor, at_rest, averaged, moved
from changeling.actors.film import Film, film, prove
from changeling.actors.performance import Performance
from changeling.actors.randomise import Randomised, Spoil, randomise
from changeling.actors.render import Shot, render
from changeling.actors.sidecar import read_truth, sidecar_path
from changeling.actors.truth import Segment, Truth
from changeling.actors.varied import varied

__all__ = [
    "ACTIONS",
    "Actor",
    "Blend",
    "Factor",
    "Film",
    "Performance",
    "Randomised",
    "Segment",
    "Shot",
    "Spoil",
    "Truth",
    "at_rest",
    "averaged",
    "film",
    "moved",
    "prove",
    "randomise",
    "read_truth",
    "render",
    "sidecar_path",
    "varied",
]
