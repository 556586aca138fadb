"""Reenactment: the expression of one face given to another, head pose and gaze left alone.

After Thies et al., "Face2Face: real-time face capture and reenactment of RGB videos", CVPR 2016;
but the target's own pixels are moved, so that one still is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from changeling.faces.morphable import Floats
from changeling.faces.view import View
from changeling.generators.protocols import Redrawn
from changeling.generators.reshaping import reshaped


@dataclass(frozen=True, eq=False)
class Reenact:
    """A driver's expressions over time."""

    times: Floats
    """(m,) seconds, rising."""
    actions: Floats
    """(m, a) what the driver's face does."""
    strength: float = 1.0
    """How much of the driver's expression is given; 0 leaves the target's."""

    def redraw(self, view: View) -> Redrawn:
        """Draw the target with the driver's expression at the view's time.

        What is moved is the difference from the target's own fit, so that faults which the two
        fits share do not show.
        """
        own = view.frame.actions
        wanted = own + self.strength * (self.at(view.time) - own)
        kept = np.array([name.startswith("eyeLook") for name in view.model.actions])
        return reshaped(view, view.identity, np.where(kept, own, np.clip(wanted, 0, 1)))

    def at(self, time: float) -> Floats:
        """(a,) the driver's actions; its film ends with its last expression."""
        columns = self.actions.T
        return np.array([np.interp(time, self.times, column) for column in columns])


def driven_by(known: Sequence[tuple[float, Floats]], strength: float = 1.0) -> Reenact:
    """The reenactment by frames of which the time in seconds and the actions (a,) are known."""
    times, actions = zip(*known, strict=True)
    return Reenact(np.array(times, np.float64), np.stack(actions), strength)
