"""One person rating the clips of a study: what is asked next, and answers kept at once."""

from pathlib import Path

from changeling.errors import UserError
from changeling.study.rating_clips import Exhibit, exhibits_of
from changeling.study.rating_questions import Question, questions_with
from changeling.study.rating_store import STORE, Ratings

LONGEST = 60
"""Characters of a person's name."""


class Sitting:
    """The clips of a study in the order of one person, who goes on where they stopped."""

    def __init__(self, study: Path, rater: str) -> None:
        """Open the study's ratings, or begin them.

        Raises UserError for an odd name, and as `exhibits_of` and `Ratings` do.
        """
        if not rater.strip() or len(rater) > LONGEST or not rater.isprintable():
            raise UserError(
                f"--rater {rater[:LONGEST]!r} is no name: give one of 1 to {LONGEST} letters."
            )
        self._rater = rater.strip()
        exhibits = {one.clip.digest: one for one in exhibits_of(study)}
        self._ratings = Ratings(study / STORE, [one.clip for one in exhibits.values()])
        order = self._ratings.join(self._rater)
        self.exhibits: tuple[Exhibit, ...] = tuple(exhibits[digest] for digest in order)
        """By place; some are the same as an earlier one."""

    def questions(self, place: int) -> tuple[Question, ...]:
        """What is asked about the clip at a place, in this order."""
        return questions_with(self.exhibits[place].references)

    def given(self, place: int) -> dict[str, int]:
        """What was answered about the clip at a place, by the questions' names."""
        return self._ratings.given(self._rater).get(place, {})

    def next_place(self) -> int:
        """The first place about which a question is open; their number when there is none."""
        given = self._ratings.given(self._rater)
        for place in range(len(self.exhibits)):
            if len(given.get(place, {})) < len(self.questions(place)):
                return place
        return len(self.exhibits)

    def keep(self, place: int, question: str, value: int) -> None:
        """Keep an answer. Raises ValueError for one that was not asked for."""
        if not 0 <= place < len(self.exhibits):
            raise ValueError(f"no clip at {place}")
        asked = {one.name: one for one in self.questions(place)}
        if question not in asked:
            raise ValueError(f"no question {question!r} about this clip")
        one = asked[question]
        if not one.lowest <= value <= one.highest:
            raise ValueError(f"{value} is no answer to {question!r}")
        self._ratings.keep(self._rater, place, one, value)
