"""What a family is configured for, and what a trained one can do, as small protocols."""

from collections.abc import Iterator
from dataclasses import Field, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from changeling.faces.view import View


@dataclass(frozen=True)
class Task:
    """What a configuration is made for: the data that a family shall learn, and how long."""

    people: tuple[str, ...] = ()
    """Names of the people to swap between; none for a family that learns from pictures."""
    size: int = 64
    """Side of the pictures in pixels."""
    channels: int = 3
    """3 for RGB, 1 for grey."""
    kinds: int = 0
    """Classes of the pictures; 0: they have no labels."""
    steps: int | None = None
    """Planned steps where they are known; a schedule with an end needs them."""


class FamilyConfig(Protocol):
    """What the frozen dataclasses of settings have in common; some have report(task), too."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def size(self) -> int:
        """Side of the pictures in pixels."""
        ...

    @property
    def batch(self) -> int:
        """Faces of each person, or pictures, in a step."""
        ...

    @classmethod
    def tiny(cls) -> Self:
        """Return the smallest configuration that still runs every line."""
        ...

    @classmethod
    def laptop(cls, task: Task) -> Self:
        """Return the configuration for two cores."""
        ...


@dataclass(frozen=True, eq=False)
class Swapped:
    """Faces given back as another person, with the area that is the face."""

    faces: Tensor
    """float32 (n, 3, size, size), RGB, 0…1."""
    masks: Tensor
    """float32 (n, 1, size, size), 0…1: 1 where the face is to be pasted."""


class Swaps(Protocol):
    """A family that gives a face's performance back as one of the people it knows."""

    @property
    def people(self) -> tuple[str, ...]:
        """The names it can swap to."""
        ...

    @property
    def size(self) -> int:
        """Side of its square faces in pixels."""
        ...

    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """Give aligned `faces`, float32 (n, 3, size, size) RGB 0…1, back as the person `to`.

        of: whose faces they are, where that is one of `people`; None: somebody's who is not `to`.

        Raises `UserError` when `to` is not one of `people`.
        """
        ...


class Draws(Protocol):
    """A family that draws new pictures from random numbers."""

    @property
    def size(self) -> int:
        """Side of its square pictures in pixels."""
        ...

    @property
    def channels(self) -> int:
        """3 for RGB, 1 for grey."""
        ...

    @property
    def kinds(self) -> int:
        """Classes that it can be asked for; 0: none."""
        ...

    def draw(self, count: int, *, seed: int, kind: int | None = None) -> Tensor:
        """Draw `count` pictures, float32 (count, channels, size, size) 0…1 on the CPU.

        The same seed gives the same pictures. Raises `UserError` for a `kind` that it cannot draw.
        """
        ...


class Unfolds(Protocol):
    """A family that draws in many steps and can show them."""

    def reverse_strip(
        self, count: int, columns: int, *, seed: int, kind: int | None = None
    ) -> Tensor:
        """Show `count` pictures coming out of noise, (columns, count, channels, size, size) 0…1."""
        ...


class Mixes(Protocol):
    """A family whose pictures have coarse and fine traits that can be exchanged."""

    def mix(self, rows: int, columns: int, *, seed: int) -> Tensor:
        """Draw rows' coarse with columns' fine traits: (rows + 1, columns + 1, channels, s, s) 0…1.

        The first row and the first column show the pictures that are mixed.
        """
        ...


class Walks(Protocol):
    """A family whose pictures change smoothly with their random numbers."""

    def walk(self, frames: int, *, seed: int, stops: int = 8) -> Iterator[Tensor]:
        """Draw a smooth closed walk past `stops` pictures, (channels, size, size) 0…1 a frame."""
        ...


class Restores(Protocol):
    """A family that gives a noisy picture back as it was."""

    @property
    def size(self) -> int:
        """Side of its square pictures in pixels."""
        ...

    @property
    def channels(self) -> int:
        """3 for RGB, 1 for grey."""
        ...

    def restore(self, pictures: Tensor, *, noise: float | None = None) -> Tensor:
        """Give noisy `pictures`, float32 (n, channels, size, size) 0…1, back clean.

        noise: its standard deviation, 0…1, where that is known.
        """
        ...


@runtime_checkable
class Fills(Restores, Protocol):
    """A family that makes up what is missing in a picture."""

    def fill(self, pictures: Tensor, known: Tensor) -> Tensor:
        """Give `pictures` (n, channels, size, size) 0…1 back whole.

        known: (n, 1, size, size), 1 where a picture stays as it is, 0 where it is made up.
        """
        ...


@runtime_checkable
class Notices(Protocol):
    """A family that can tell how unlike what it learnt a picture is."""

    def unlikeness(self, pictures: Tensor) -> Tensor:
        """How unlike the learnt ones pictures (n, channels, size, size) are, (n,), from 0 on."""
        ...


class DrawsStyles(Draws, Protocol):
    """A family that draws from styles, numbers of which each changes the whole picture a little."""

    def styles(self, count: int, *, seed: int, truncation: float | None = None) -> Tensor:
        """Draw styles (count, code), on the CPU, `truncation` times as far from the average.

        None: as far as `draw` draws them. 0: the average style itself. 1: as they were learnt.
        """
        ...

    def draw_styles(self, styles: Tensor, *, seed: int = 0) -> Tensor:
        """Draw styles (n, code) as pictures like those of `draw`; the seed is that of the grain."""
        ...


class Edits(Protocol):
    """A family that changes one attribute of what it draws."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """What can be changed, such as age or smile."""
        ...

    def edit(self, count: int, *, seed: int, attribute: str, amount: float) -> Tensor:
        """Draw what `Draws.draw` draws for the seed, with `amount` more of an attribute.

        The amount is in the attribute's deviations among drawings; 0 changes nothing. Returns
        float32 (count, channels, size, size), 0…1, on the CPU. Raises `UserError` when there is no
        such attribute.
        """
        ...


@dataclass(frozen=True, eq=False)
class Redrawn:
    """A part of a frame drawn anew, and how much of each pixel is."""

    pixels: NDArray[np.float32]
    """(h, w, 3) sRGB 0…1."""
    mask: NDArray[np.float32]
    """(h, w) 0…1; where it is 0 the frame stays as it is."""


class Redraws(Protocol):
    """A manipulation that needs no training: it draws a fitted face anew where it is."""

    def redraw(self, view: "View") -> Redrawn:
        """Draw what the view's window shows, changed."""
        ...
