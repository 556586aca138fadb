"""What people are asked about a clip: the criteria of visual evaluation, and real or fake."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from changeling.measuring.agreement import Level


@dataclass(frozen=True)
class Question:
    """One question about a clip, the same for swaps and truths."""

    name: str
    """The criterion."""
    words: str
    """The question itself."""
    low: str
    """What the lowest answer means."""
    high: str
    """What the highest answer means."""
    lowest: int = 1
    highest: int = 5
    against: Literal["", "performance", "target"] = ""
    """What is shown beside the clip; nothing: the clip is judged by itself."""

    @property
    def scale(self) -> bool:
        """Whether answers are opinions, 1 to 5, rather than a choice of two."""
        return self.highest == 5

    @property
    def level(self) -> Level:
        """What the answers tell."""
        return "ordinal" if self.scale else "nominal"


REAL = Question(
    name="real or fake",
    words="Is the face as it was filmed, or was it put in afterwards?",
    low="fake: it was put in",
    high="real: as it was filmed",
    lowest=0,
    highest=1,
)
"""Asked first, before anything is shown beside the clip that could give the answer away."""

QUESTIONS = (
    REAL,
    Question("artefacts", "Do you see faults, such as seams, blotches or ghosts?",
             "faults everywhere", "no faults"),
    Question("sharpness", "Is the face as sharp as what is around it?",
             "blurred", "as sharp"),
    Question("steadiness", "Is the face steady over time?",
             "it flickers or trembles", "steady"),
    Question("light and colour", "Do light and colour of the face fit the scene?",
             "they do not fit", "they fit"),
    Question("expression", "Does the face make the same expression as the performance?",
             "another expression", "the same", against="performance"),
    Question("pose", "Does the head look the same way as in the performance?",
             "another way", "the same way", against="performance"),
    Question("likeness", "Does the clip show this person?",
             "somebody else", "this person", against="target"),
)  # fmt: skip
"""In the order in which they are asked: what needs nothing beside the clip comes first."""


def questions_with(references: Collection[str]) -> tuple[Question, ...]:
    """The questions that can be asked where these kinds of references are there to be shown."""
    return tuple(one for one in QUESTIONS if not one.against or one.against in references)
