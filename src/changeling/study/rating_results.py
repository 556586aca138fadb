"""What people thought: mean opinions, how far they agree, and which metric thinks like them."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from changeling.errors import UserError
from changeling.measuring import Estimate, krippendorff_alpha, mean_opinion
from changeling.media import writing
from changeling.study.rating_attention import LeftOut, inattentive
from changeling.study.rating_clips import TRUTH, Clip, cells_of, exhibits_of
from changeling.study.rating_follows import Follows, Swap, follows
from changeling.study.rating_questions import QUESTIONS, Question
from changeling.study.rating_store import STORE, Answer, Ratings
from changeling.training import to_json


@dataclass(frozen=True)
class Opinion:
    """What people think of the clips of one family."""

    family: str
    """A family, or "the truth"."""
    question: str
    """Answers run from 1 to 5; of "real or fake" the mean is the share taken for real, 0 to 1."""
    mean: Estimate
    """Over all answers, its interval over resampled raters, who are its `clips`."""
    answers: int


@dataclass(frozen=True)
class Agreement:
    """How far people agree on one question."""

    question: str
    alpha: float | None
    """Krippendorff's α, ordinal; nominal for "real or fake". None: nothing to compare."""


@dataclass(frozen=True)
class RatingResults:
    """All that people said; ratings_results.json holds just this."""

    raters: int
    """Who count."""
    answers: int
    """That count: of a clip that a person saw twice those of the first time."""
    left_out: tuple[LeftOut, ...]
    opinions: tuple[Opinion, ...]
    agreements: tuple[Agreement, ...]
    follows: tuple[Follows, ...]


@dataclass(frozen=True)
class Rated:
    """One line of ratings.csv: an answer and what it was about, the person by an alias."""

    rater: str
    left_out: bool
    """Whether the person's answers count nowhere."""
    place: int
    """0 is the first clip that the person saw."""
    again: bool
    """Whether the person had seen the clip before."""
    family: str
    cell: str
    data: str
    clip: str
    film: str
    """SHA-256."""
    question: str
    value: int


def rating_results(study: Path) -> RatingResults:
    """Evaluate the answers kept with a study; write ratings.csv and ratings_results.json there.

    Raises UserError when there are no answers, and as `exhibits_of` and `Ratings` do.
    """
    clips = [one.clip for one in exhibits_of(study)]
    path = study / STORE
    answers = Ratings(path, clips).answers() if path.exists() else ()
    if not answers:
        raise UserError(f"{study} has no ratings yet: `changeling rate {study}` asks for them.")
    left_out = inattentive(answers)
    lines = tuple(_lines(answers, {clip.digest: clip for clip in clips}, left_out))
    counting = [line for line in lines if not line.left_out and not line.again]
    asked = {one: [line for line in counting if line.question == one.name] for one in QUESTIONS}
    asked = {question: rows for question, rows in asked.items() if rows}
    results = RatingResults(
        raters=len({line.rater for line in counting}),
        answers=len(counting),
        left_out=left_out,
        opinions=tuple(_opinions(asked)),
        agreements=tuple(Agreement(one.name, _alpha(one, rows)) for one, rows in asked.items()),
        follows=tuple(
            follows(cells_of(study), {one.name: _of_swaps(rows) for one, rows in asked.items()})
        ),
    )
    _write(study, lines, results)
    return results


def _lines(
    answers: Sequence[Answer], clips: Mapping[str, Clip], left_out: Sequence[LeftOut]
) -> Iterator[Rated]:
    """The answers with what they are about, in order of raters and places."""
    out = {one.rater for one in left_out}
    first: dict[tuple[str, str], int] = {}
    for one in answers:
        clip = clips[one.digest]
        yield Rated(
            rater=one.rater,
            left_out=one.rater in out,
            place=one.place,
            again=one.place > first.setdefault((one.rater, one.digest), one.place),
            family=clip.family,
            cell=clip.cell,
            data=clip.data,
            clip=clip.name,
            film=one.digest,
            question=one.question,
            value=one.value,
        )


def _opinions(asked: Mapping[Question, Sequence[Rated]]) -> Iterator[Opinion]:
    """By family, the truth last."""
    families = {line.family for rows in asked.values() for line in rows}
    for family in sorted(families, key=lambda name: (name == TRUTH, name)):
        for question, rows in asked.items():
            if own := [line for line in rows if line.family == family]:
                mean = mean_opinion(
                    [line.value for line in own],
                    [line.rater for line in own],
                    scale=(question.lowest, question.highest),
                )
                yield Opinion(family, question.name, mean, len(own))


def _alpha(question: Question, rows: Sequence[Rated]) -> float | None:
    raters = sorted({line.rater for line in rows})
    films = sorted({line.film for line in rows})
    table = np.full((len(raters), len(films)), np.nan)
    for line in rows:
        table[raters.index(line.rater), films.index(line.film)] = line.value
    return krippendorff_alpha(table, question.level)


def _of_swaps(rows: Sequence[Rated]) -> dict[Swap, float]:
    """The mean answer about each swap."""
    values: dict[Swap, list[int]] = {}
    for line in rows:
        if line.family != TRUTH:
            values.setdefault((line.cell, line.clip), []).append(line.value)
    return {swap: float(np.mean(given)) for swap, given in values.items()}


def _write(study: Path, lines: Sequence[Rated], results: RatingResults) -> None:
    with (
        writing(study / "ratings.csv", overwrite=True) as beside,
        beside.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow([field.name for field in fields(Rated)])
        table.writerows(astuple(line) for line in lines)
    with writing(study / "ratings_results.json", overwrite=True) as beside:
        text = json.dumps(to_json(results), indent=1, allow_nan=False)
        beside.write_text(text + "\n", encoding="utf-8")
