"""Who answered without looking: told from clips shown twice and from answers that never change."""

from collections.abc import Sequence
from dataclasses import dataclass

from changeling.study.rating_questions import QUESTIONS
from changeling.study.rating_store import Answer

FAR = 1.5
"""Mean difference above which the two answers about a clip have nothing to do with each other;
answers by throwing a die of five differ by 1.6."""
LONG = 8
"""Clips after which never having answered anything else tells that nobody looked."""

_SCALES = {question.name for question in QUESTIONS if question.scale}


@dataclass(frozen=True)
class LeftOut:
    """Somebody whose answers do not count."""

    rater: str
    """Alias."""
    why: str
    """In a sentence."""


def inattentive(answers: Sequence[Answer]) -> tuple[LeftOut, ...]:
    """Return whose answers do not count, by alias.

    Whether a clip was called real one time and fake the other is not looked at: of a swap that
    cannot be told from the truth, attentive people say so as well.
    """
    raters = sorted({one.rater for one in answers})
    found = []
    for rater in raters:
        own = [one for one in answers if one.rater == rater and one.question in _SCALES]
        if why := _far_apart(own) or _unchanging(own):
            found.append(LeftOut(rater, why))
    return tuple(found)


def _far_apart(answers: Sequence[Answer]) -> str:
    first: dict[tuple[str, str], Answer] = {}
    apart = []
    for one in sorted(answers, key=lambda one: one.place):
        before = first.setdefault((one.digest, one.question), one)
        if before is not one:
            apart.append(abs(one.value - before.value))
    mean = sum(apart) / len(apart) if apart else 0.0
    if mean <= FAR:
        return ""
    return f"The answers about clips shown twice differ by {mean:.2f} on average, more than {FAR}."


def _unchanging(answers: Sequence[Answer]) -> str:
    clips, values = {one.place for one in answers}, {one.value for one in answers}
    if len(clips) < LONG or len(values) > 1:
        return ""
    return f"All answers from 1 to 5 about {len(clips)} clips are {values.pop()}."
