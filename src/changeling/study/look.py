"""Faces in pictures that do not follow each other."""

from changeling.faces import Detector, Face, Landmarker, Tracker
from changeling.media import Pixels


class Look:
    """Looks at each picture afresh, with cascades and landmark network loaded once."""

    def __init__(self) -> None:
        self._detector, self._marker = Detector(), Landmarker.load()

    def at(self, pixels: Pixels) -> Face | None:
        """The largest face."""
        return next(iter(Tracker(self._detector, self._marker).find(pixels)), None)
