"""Which face of each frame is replaced: the largest, or that of somebody who is known."""

from collections.abc import Sequence
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces import Face, Identifier, Known, Recogniser, most_like
from changeling.media import Pixels

_FIRM = 0.1
"""By so much must another face be more alike than the one chosen in the last frame."""


class Chooser:
    """Give it the frames of one source in order; it chooses one face of each, or none.

    `allowed`: the people whom the consent enrols, whose faces alone may be replaced; none when it
    binds to nobody. `who`: a single person, the face most like whom is replaced. Without both it
    is the largest face, and the identity network is not asked.
    """

    def __init__(
        self,
        allowed: Sequence[Known] = (),
        who: Known | None = None,
        identifier: Identifier | None = None,
    ) -> None:
        self._wanted = [people for people in (allowed, (who,) if who else ()) if people]
        if self._wanted:
            identifier = identifier or Identifier.load()
            self._recogniser = Recogniser(identifier)
            self._same = identifier.same
        self._last: int | None = None
        self._best = -inf

    def choose(self, pixels: Pixels, faces: Sequence[Face]) -> Face | None:
        """The chosen one of the frame's faces, which come largest first."""
        if not self._wanted:
            return faces[0] if faces else None
        seen = self._recogniser.see(pixels, faces)
        fits = {number: self._fit(embeddings) for number, embeddings in seen.items()}
        self._best = max([self._best, *(least for least, _ in fits.values())])
        likely = {
            number: last + (_FIRM if number == self._last else 0.0)
            for number, (least, last) in fits.items()
            if least >= self._same
        }
        self._last = max(likely, key=likely.__getitem__, default=None)
        return None if self._last is None else faces[list(seen).index(self._last)]

    def nobody(self, source: Path) -> UserError:
        """Why no face of the source was chosen."""
        if self._best == -inf or self._best >= self._same:
            return UserError(f"No face was found in {source}: choose footage that shows one.")
        names = [person.name for people in self._wanted for person in people]
        return UserError(
            f"{source}: no face is that of {' and '.join(dict.fromkeys(names))} (the highest "
            f"similarity is {self._best:.2f}, needed {self._same:.2f}); choose footage of "
            "them, or give --who or --consent of somebody whom it shows."
        )

    def _fit(self, faces: NDArray[np.float32]) -> tuple[float, float]:
        """The least likeness to any of the groups of people, and that to the last group."""
        each = [most_like(faces, people)[1] for people in self._wanted]
        return min(each), each[-1]
