"""Actor × performance → frames with their truth."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

from changeling.actors.actor import Actor
from changeling.actors.blend import Blend
from changeling.actors.body import build
from changeling.actors.camera import Camera, Drawn
from changeling.actors.device import device as default_device
from changeling.actors.performance import Performance
from changeling.actors.truth import Truth
from changeling.errors import UserError
from changeling.media import Frame

THREADS = 2
"""Cameras that draw at the same time; warp runs each kernel on one core."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One rendered frame and what is known of it."""

    frame: Frame
    truth: Truth


def render(
    actor: Actor | Blend,
    performance: Performance,
    *,
    size: tuple[int, int] = (640, 360),
    frames: Sequence[int] | None = None,
    device: str | None = None,
    coarse: bool = False,
) -> Iterator[Shot]:
    """Draw an actor's performance, frame after frame, antialiased with 2×2 samples a pixel.

    size: (width, height) in pixels. frames: which frames, all when None. device: a warp device;
    the first CUDA device when there is one. coarse: a simpler skin, for small pictures of actors by
    the thousand. Same seeds, same machine, same bytes. The truth of a swap onto B is
    `render(Actor(b.face, a.styling), performance_of_a)`. UserError for too small a picture.
    """
    _check(size)
    where = device or default_device()
    body = build(actor, coarse=coarse)
    local = threading.local()

    def draw(index: int) -> Drawn:
        if not hasattr(local, "camera"):
            local.camera = Camera(body, size, where)
        return local.camera.draw(performance, index)

    order = range(len(performance)) if frames is None else frames
    with ThreadPoolExecutor(THREADS if where == "cpu" else 1) as pool:
        waiting: deque[tuple[int, Future[Drawn]]] = deque()
        try:
            for index in order:
                waiting.append((index, pool.submit(draw, index)))
                if len(waiting) > 2 * THREADS:
                    yield _shot(*waiting.popleft(), performance.rate)
            while waiting:
                yield _shot(*waiting.popleft(), performance.rate)
        finally:
            pool.shutdown(cancel_futures=True)


def _check(size: tuple[int, int]) -> None:
    if min(size) < 16:
        raise UserError(
            f"A picture of {size[0]}x{size[1]} is too small: give --size at least 16x16."
        )


def _shot(index: int, drawn: Future[Drawn], rate: Fraction) -> Shot:
    out = drawn.result()
    return Shot(Frame(out.pixels, index, Fraction(index) / rate), out.truth)
