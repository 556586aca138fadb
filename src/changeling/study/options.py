"""What a demo does by default, and what its folder holds."""

from dataclasses import dataclass

from changeling.generators import FAMILIES
from changeling.study.pairs import PAIRS, Pair

PEOPLE = A, B = ("a", "b")
FILMS = FILM_A, FILM_B, PERFORMANCE, TRUTH = ("a.mp4", "b.mp4", "performance.mp4", "truth.mp4")
FACES, RUN = "faces", "run"
SWAP, SIDE_BY_SIDE = "swap.mp4", "side_by_side.mp4"
REPORT, SCORES = "report.html", "scores.json"
OPTIONS, STAGES = "demo.json", "stages.json"


@dataclass(frozen=True)
class DemoOptions:
    """What a demo films, trains and converts."""

    pair: Pair = PAIRS[0]
    """Who performs (a), and whose face is put in (b)."""
    performances: tuple[int, int, int] = (1, 2, 3)
    """Seeds of what A and B perform for training, and of what A performs held out."""
    seconds: float = 22.0
    """Length of each of the two films for training."""
    held_out: float = 8.0
    """Length of the held-out performance in seconds."""
    size: tuple[int, int] = (640, 360)
    """Width and height of the films in pixels."""
    family: str = next(iter(FAMILIES))
    """Which family of networks; by default the first one."""
    faces: int = 64
    """Side of the network's faces in pixels."""
    minutes: float | None = 5.0
    """Minutes of training; None: as long as the steps take."""
    steps: int | None = None
    """Steps of training; None: as many as fit."""
    seed: int = 0
    """Of weights, batches and noise."""
