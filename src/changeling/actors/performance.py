"""What an actor does, frame by frame: actions, head pose, gaze, light, camera, background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from changeling.actors.acting import act
from changeling.actors.model import Floats, Ints
from changeling.actors.recording import read_recording
from changeling.actors.staging import cut, stage
from changeling.errors import UserError


@dataclass(frozen=True, eq=False)
class Performance:
    """A performance, one row a frame; independent of who gives it."""

    seed: int
    """What the backgrounds are drawn from."""
    rate: Fraction
    """Frames per second."""
    actions: Floats
    """(n, 52) strengths in 0…1, in the order of `ACTIONS`."""
    turn: Floats
    """(n, 3) yaw, pitch and roll of the head in radians."""
    position: Floats
    """(n, 3) of the point between the eyes: right, away from the camera, up, in metres."""
    gaze: Floats
    """(n, 2) of both eyes: to the side and up, in radians, relative to the head."""
    key: Floats
    """(n, 3) unit vectors towards the key light."""
    key_colour: Floats
    """(n, 3) linear RGB; likewise `fill_colour`, `sky` and `ground`."""
    fill: Floats
    fill_colour: Floats
    sky: Floats
    ground: Floats
    focal: Floats
    """(n,) focal length in heights of the picture."""
    take: Ints
    """(n,) index of the take; each has its background."""

    def __len__(self) -> int:
        return len(self.actions)

    @classmethod
    def from_seed(
        cls, seed: int, *, seconds: float = 20, rate: Fraction = Fraction(25)
    ) -> Performance:
        """A performance of a seed: moods, talk, blinks, glances and a moving head in several takes.

        Raises UserError when it would have no frame.
        """
        count = round(seconds * rate)
        if count < 1:
            raise UserError(
                f"A performance of {seconds} seconds has no frame: give --seconds a larger number."
            )
        r = np.random.default_rng([seed, 5])
        take = cut(count, float(rate), r)
        return cls(
            seed=seed,
            rate=rate,
            take=take,
            **act(count, float(rate), r),
            **stage(take, r),
        )

    @classmethod
    def from_csv(cls, path: Path, *, seed: int = 0, rate: Fraction | None = None) -> Performance:
        """A performance recorded by a phone: a CSV of ARKit blend shapes (Live Link Face).

        HeadYaw, HeadPitch and HeadRoll are radians; light, camera and background come from the
        seed. rate: frames a second; None: by the recording's timecodes, or 60 where a recording of
        less than about two seconds or without timecodes does not tell. Raises UserError for a file
        that is none.
        """
        recorded = read_recording(path)
        rate = rate or recorded.rate or Fraction(60)
        count = len(recorded.actions)
        staged = cls.from_seed(seed, seconds=count / float(rate), rate=rate)
        return replace(staged, actions=recorded.actions, turn=recorded.turn, gaze=recorded.gaze)
