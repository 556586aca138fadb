"""Two actors and a short performance that several tests look at, rendered once."""

from functools import cache

from changeling.actors import Actor, Performance, Shot, render

ACTOR = Actor(face=3, styling=9)
"""Long hair and glasses."""
OTHER = Actor(face=5, styling=12)
FRAMES = (0, 20, 40, 60, 80, 100, 120, 140)


@cache
def performance() -> Performance:
    """Six seconds in two takes."""
    return Performance.from_seed(2, seconds=6)


@cache
def shots(
    actor: Actor = ACTOR, size: tuple[int, int] = (160, 120), frames: tuple[int, ...] = FRAMES
) -> tuple[Shot, ...]:
    """Frames of the performance; tests must not write into them."""
    return tuple(render(actor, performance(), size=size, frames=frames))
