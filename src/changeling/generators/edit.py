"""Editing a face by its model: age, gender, weight, or what it does, as a slider or a curve.

Shape alone changes: an older face sags, but its skin does not wrinkle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from changeling.errors import UserError
from changeling.faces.morphable import MorphableModel
from changeling.faces.view import View
from changeling.generators.protocols import Redrawn
from changeling.generators.reshaping import reshaped

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "smile": ("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft", "cheekSquintRight"),
        "frown": ("mouthFrownLeft", "mouthFrownRight"),
        "brows": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
        "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
        "gaze-left": ("eyeLookInLeft", "eyeLookOutRight"),
        "gaze-right": ("eyeLookOutLeft", "eyeLookInRight"),
        "gaze-up": ("eyeLookUpLeft", "eyeLookUpRight"),
        "gaze-down": ("eyeLookDownLeft", "eyeLookDownRight"),
    }
)
"""Actions that belong together, as seen in the picture."""


@dataclass(frozen=True)
class Change:
    """What is changed, and how strongly over time."""

    name: str
    """A trait of the model, a group of actions, or an action."""
    curve: tuple[tuple[float, float], ...]
    """Seconds, rising, and strengths, joined by straight lines and level before and after. Of a
    trait 1 is the whole range among adults; of an action its full strength, added to what the
    face does; both may be negative."""

    def at(self, time: float) -> float:
        """The strength at a time in seconds."""
        times, strengths = zip(*self.curve, strict=True)
        return float(np.interp(time, times, strengths))


@dataclass(frozen=True, eq=False)
class Edit:
    """Changes that are made together."""

    changes: Sequence[Change]

    def redraw(self, view: View) -> Redrawn:
        """Draw the face changed as asked at the view's time; UserError for an unknown name."""
        identity, actions = view.identity.copy(), view.frame.actions.copy()
        for change in self.changes:
            added = change.at(view.time)
            if change.name in view.model.traits:
                identity += added * view.model.trait_steps[view.model.traits.index(change.name)]
            else:
                actions[_places(view.model, change.name)] += added
        return reshaped(view, identity, np.clip(actions, 0, 1))


def changeable(model: MorphableModel) -> tuple[str, ...]:
    """All names that `Change` may have."""
    return (*model.traits, *GROUPS, *model.actions)


def _places(model: MorphableModel, name: str) -> list[int]:
    if name not in changeable(model):
        raise UserError(
            f"a face has no {name!r} to change: give one of {', '.join(changeable(model))}"
        )
    return [model.actions.index(action) for action in GROUPS.get(name, (name,))]


def check(changes: Sequence[Change], model: MorphableModel) -> None:
    """Raise UserError when a name means nothing."""
    for change in changes:
        if change.name not in model.traits:
            _places(model, change.name)
