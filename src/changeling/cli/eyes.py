"""The choice of what looks for faces, for the commands that look."""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from changeling.faces import Tracker

Eyes = Literal["haar", "yunet"]


def tracker_with(detector: Eyes) -> "Tracker | None":
    """A tracker whose new faces are found by this detector; None: the usual one.

    Raises UserError when YuNet's file is neither in the cache nor to be had.
    """
    if detector == "haar":
        return None
    # Imported here because torch takes seconds that --help and verify need not spend.
    from changeling.faces import Tracker, YuNet

    return Tracker(YuNet.load())
