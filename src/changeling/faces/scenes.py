"""Scenes: several faces under one styling in one performance, each the true swap of the others.

Faces stand in squares of `cast` × `cast`. Each row of a square is a scene and each column is one,
so every face is seen in two scenes, and two faces share one at most. What a face looks like can so
be taken from its other scene, in which styling, performance and light are others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from changeling.actors import Actor, Performance, varied
from changeling.faces.renders import SECONDS

STYLINGS = 2
"""Scenes in which each face is seen: that of its row, and that of its column."""
_MIDDLE = 0.03
"""Metres above the picture's middle, seen a metre away, at which the eyes are."""
_DRIFT = 0.3
"""How much of a film's sideways drift is left, so that a near face stays in the picture."""


@dataclass(frozen=True)
class Scenes:
    """Which faces play in which scenes, and how they are rendered."""

    faces: int = 656
    """How many faces, in whole squares."""
    first: int = 20_000
    """Seed of the first face; other lessons use smaller ones, examinations those from 90,000 on."""
    cast: int = 4
    """Faces in a scene."""
    frames: int = 12
    """Frames of each scene, evenly spread over its takes."""
    size: int = 128
    """Side of the square renders in pixels; the unit crop has about three quarters of it."""
    varied: bool = True
    """The last row and the last column of each square are performed as `actors.varied` has it."""
    zoom: float = 1.9
    """How much nearer than in a film."""

    @property
    def name(self) -> str:
        """Names the cache's folder."""
        kind = "scenes" if self.varied else "film-scenes"
        numbers = f"{self.faces}of{self.cast}x{self.frames}"
        return f"{kind}-{self.first}-{numbers}-{self.size}-{self.zoom}"

    @property
    def bodies(self) -> int:
        """How many actors."""
        return self.faces * STYLINGS

    def actor(self, index: int) -> Actor:
        """Actor number `index`, face by face; the seed of the styling is that of the scene."""
        face, across = divmod(index, STYLINGS)
        square = face // self.cast**2
        seed = 10 * (self.first + square * self.cast + self._line(index)) + across
        return Actor(self.first + face, seed)

    def body(self, index: int) -> tuple[Actor, Performance]:
        """Actor number `index` and the performance of its scene."""
        actor = self.actor(index)
        performance = Performance.from_seed(actor.styling, seconds=SECONDS)
        if self.varied and self._line(index) == self.cast - 1:
            performance = varied(performance, actor.styling)
        return actor, self._near(performance)

    def partners(self, index: int) -> tuple[int, ...]:
        """The actors of the scene of actor number `index`, in order, itself among them."""
        face, across = divmod(index, STYLINGS)
        square, place = divmod(face, self.cast**2)
        row, column = divmod(place, self.cast)
        line = range(self.cast)
        places = (k * self.cast + column if across else row * self.cast + k for k in line)
        return tuple((square * self.cast**2 + k) * STYLINGS + across for k in places)

    def _line(self, index: int) -> int:
        """Which row of its square is the scene of actor number `index`, or which column."""
        face, across = divmod(index, STYLINGS)
        place = face % self.cast**2
        return place % self.cast if across else place // self.cast

    def _near(self, performance: Performance) -> Performance:
        """The face large, and in the middle."""
        side, away, up = performance.position.T
        position = np.stack([_DRIFT * side, away, up + _MIDDLE * away], -1)
        focal = performance.focal * np.float32(self.zoom)
        return replace(performance, position=position.astype(np.float32), focal=focal)
