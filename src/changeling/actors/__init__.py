"""Rendered people: face and styling from two seeds, a performance from a third, and the truth of every frame."""

from changeling.actors.actor import Actor
from changeling.actors.film import Film, film, prove
from changeling.actors.performance import ACTIONS, Performance
from changeling.actors.render import Shot, render
from changeling.actors.sidecar import read_truth, sidecar_path
from changeling.actors.truth import Segment, Truth

__all__ = [
    "ACTIONS",
    "Actor",
    "Film",
    "Performance",
    "Segment",
    "Shot",
    "Truth",
    "film",
    "prove",
    "read_truth",
    "render",
    "sidecar_path",
]
