"""The truth curve: how near the swap is to the true answer while the network still learns.

Reconstruction cannot tell: it may improve while the swap gets worse. For rendered actors the true
answer costs a few dozen frames.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from changeling.actors import Actor, Performance, Shot, render
from changeling.faces import FaceSet, crop
from changeling.generators import Swaps
from changeling.measuring import Score, mean, score
from changeling.media import Pixels
from changeling.study.look import Look
from changeling.training import Progress, Run

EVERY = 25.0
"""Seconds of training between two points of the curve."""
FRAMES = 20
"""Frames of each direction, a second apart."""
HELD_OUT = 900_001
"""Seed of the performance that is asked; films for training and for judging have small seeds."""


@dataclass(frozen=True, eq=False)
class Question:
    """Aligned faces of one actor, and what they should look like as another one."""

    to: str
    """The other person's name."""
    faces: Tensor
    """float32 (n, 3, size, size), 0…1."""
    answers: NDArray[np.uint8]
    """(n, size, size, 3): the other one's face under this one's styling, aligned by itself."""
    inner: NDArray[np.bool_]
    """(n, size, size): the inner face in the answers, from the renderer."""


class TruthCurve:
    """Adds a point to a run's log now and then; does nothing unless all people are actors.

    A point is the mean PSNR and SSIM inside the true inner face of held-out crops, each person
    swapped to the next one, the last to the first: for two people both directions.
    """

    def __init__(self, run: Run, swaps: Swaps, sets: Sequence[tuple[str, FaceSet]]) -> None:
        self._run, self._swaps = run, swaps
        self._actors = [(name, actor_of(faces)) for name, faces in sets]
        self._questions: list[Question] | None = None
        self._due: float | None = None
        self._last: Score | None = None

    def follow(self, progress: Progress) -> Score | None:
        """The last point, which is a new one when it is time or training is over."""
        if self._due is None:
            self._due = progress.seconds + EVERY
        if progress.seconds >= self._due or progress.fraction >= 1:
            self._due = progress.seconds + EVERY
            self._ask(progress)
        return self._last

    def _ask(self, progress: Progress) -> None:
        if self._questions is None:
            self._questions = list(_questions(self._actors, self._swaps.size))
        if not self._questions:
            return
        self._last = examine(self._swaps, self._questions)
        point = {"truth_psnr": self._last.psnr, "truth_ssim": self._last.ssim}
        self._run.log(progress.step.index, {**point, "seconds": progress.seconds})


def examine(swaps: Swaps, questions: Sequence[Question]) -> Score:
    """The mean score of a generator's answers, inside the true inner faces."""
    scores = []
    for question in questions:
        with torch.inference_mode():
            given = swaps.swap(question.faces, to=question.to).faces
        pictures = given.permute(0, 2, 3, 1).float().cpu().numpy()
        for picture, answer, inner in zip(pictures, question.answers, question.inner, strict=True):
            scores.append(score(picture, answer, inner))
    return mean(scores)


def actor_of(faces: FaceSet) -> Actor | None:
    """The actor whom a set of a proven film shows; None for anybody else."""
    film = faces.film
    return None if film is None else Actor(film.face, film.styling)


def _questions(actors: Sequence[tuple[str, Actor | None]], size: int) -> Iterator[Question]:
    people = [(name, actor) for name, actor in actors if actor is not None]
    if len(people) < len(actors):
        return
    for (_, one), (name, other) in zip(people, [*people[1:], people[0]], strict=True):
        question = ask(one, other, name, size)
        if len(question.faces):
            yield question


def ask(one: Actor, other: Actor, name: str, size: int) -> Question:
    """The held-out performance of `one`, and its true answer as `other`, called `name`.

    Frames in which either face is not found are left out, so there may be none.
    """
    performance = Performance.from_seed(HELD_OUT, seconds=FRAMES)
    chosen = range(0, len(performance), len(performance) // FRAMES)
    shown = render(one, performance, frames=chosen)
    true = render(Actor(other.face, one.styling), performance, frames=chosen)
    look = Look()
    faces, answers, inners = [], [], []
    for face, answer in zip(
        (_cut(look, shot, size) for shot in shown),
        (_cut(look, shot, size) for shot in true),
        strict=True,
    ):
        if face is not None and answer is not None and answer.inner.any():
            faces.append(face.pixels)
            answers.append(answer.pixels)
            inners.append(answer.inner)
    shape = (len(faces), size, size)
    pictures = np.array(faces, np.uint8).reshape(*shape, 3)
    return Question(
        to=name,
        faces=torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(255),
        answers=np.array(answers, np.uint8).reshape(*shape, 3),
        inner=np.array(inners, np.bool_).reshape(shape),
    )


@dataclass(frozen=True, eq=False)
class _Crop:
    """An aligned face (size, size, 3) and its true inner part (size, size)."""

    pixels: Pixels
    inner: NDArray[np.bool_]


def _cut(look: Look, shot: Shot, size: int) -> _Crop | None:
    face = look.at(shot.frame.pixels)
    if face is None:
        return None
    inner = shot.truth.inner_face.astype(np.uint8) * 255
    return _Crop(crop(shot.frame.pixels, face.matrix, size), crop(inner, face.matrix, size) > 127)
