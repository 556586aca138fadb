"""In which order one person sees the clips: by chance, and some of them twice."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

EVERY = 8
"""One clip in so many is shown again."""
APART = 5
"""Places at least between the two times."""


def order_for(rater: str, clips: Sequence[str]) -> tuple[str, ...]:
    """All clips, shuffled by the rater's name, one in `EVERY` (at least one) again further on.

    Fewer than `APART` clips are too few to show one again. The same name and clips give the same
    order.
    """
    text = "\n".join([rater, *clips])
    random = np.random.default_rng(list(sha256(text.encode()).digest()))
    order = [clips[index] for index in random.permutation(len(clips))]
    early = max(0, len(order) - APART + 1)
    count = min(early, max(1, round(len(order) / EVERY)))
    again = {
        int(place): int(random.integers(place + APART, len(order) + 1))
        for place in random.choice(early, count, replace=False)
    }
    # From the back, so that the places further forward stay what they are.
    for place, before in sorted(again.items(), key=lambda pair: -pair[1]):
        order.insert(before, order[place])
    return tuple(order)
