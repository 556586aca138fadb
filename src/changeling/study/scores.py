"""Scores as lines to print, and as what scores.json holds."""

from dataclasses import dataclass, fields
from importlib.metadata import version
from platform import python_version

from changeling.actors import Actor
from changeling.measuring import Likenesses, Row, Score, Scores, VideoJudgement

WHERE = {
    "crop": "crop",
    "in_place": "in place",
    "frame": "whole frame",
    "face": "face",
}
WHO = {
    "swap": "the swap",
    "copy_source": "source in the target’s colours",
    "mean_face": "target’s mean face",
}


@dataclass(frozen=True)
class ScoreLine:
    """One score: where it was measured, of what."""

    where: str
    who: str
    score: Score


@dataclass(frozen=True)
class Seeds:
    """All that chance decided."""

    a: Actor
    """Who performs."""
    b: Actor
    """Whose face is put in."""
    performance_a: int
    """What A performs for training."""
    performance_b: int
    """What B performs for training."""
    performance: int
    """What A performs held out."""
    training: int
    """Of weights, batches and noise."""


@dataclass(frozen=True)
class Versions:
    """Versions of what decides about numbers."""

    changeling: str
    python: str
    torch: str
    numpy: str
    opencv: str
    av: str
    anny: str
    warp: str

    @classmethod
    def installed(cls) -> "Versions":
        """Those of this installation."""
        return cls(
            changeling=version("changeling"),
            python=python_version(),
            torch=version("torch"),
            numpy=version("numpy"),
            opencv=version("opencv-python-headless"),
            av=version("av"),
            anny=version("anny"),
            warp=version("warp-lang"),
        )


@dataclass(frozen=True)
class Results:
    """What a demo measured; scores.json holds just this."""

    crop: Row
    """The network's aligned output against the aligned true face, inside the true inner face."""
    in_place: Row
    """The finished frame, inside the true inner face and the pasted area."""
    frame: Row
    """The whole finished frame."""
    identity: Likenesses
    """How much of the target is in the finished frames, by the identity network."""
    train_seconds: float
    """Seconds trained, over all sittings."""
    faces_per_second: float
    """Faces trained on a second, of all people together."""
    convert_fps: float
    """Frames a second, decoded, swapped and encoded; as the next two from the first frame on."""
    render_fps: float
    """Frames a second, rendered and encoded with their truth."""
    extract_fps: float
    """Frames a second, decoded, looked at and their faces stored."""
    seeds: Seeds
    versions: Versions

    @property
    def scores(self) -> Scores:
        """The scores alone."""
        return Scores(self.crop, self.in_place, self.frame)


def score_lines(scores: Scores | VideoJudgement) -> tuple[ScoreLine, ...]:
    """The scores as lines of a table, the swap before the baselines in each place."""
    if isinstance(scores, VideoJudgement):
        places = {"face": scores.face, "frame": scores.frame}
        return tuple(ScoreLine(WHERE[at], WHO["swap"], one) for at, one in places.items())
    return tuple(
        ScoreLine(WHERE[place.name], WHO[rival.name], getattr(row, rival.name))
        for place in fields(scores)
        for row in (getattr(scores, place.name),)
        for rival in fields(row)
    )
