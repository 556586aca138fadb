"""The truth curve: who knows the answers, when they are asked, and for whom."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_faceset import made
from torch import Tensor

from changeling.actors import Actor, Film
from changeling.generators import Swapped
from changeling.study.curve import Question, TruthCurve, actor_of, ask, examine
from changeling.training import Progress, Run, Step


@dataclass(frozen=True)
class Oracle:
    """Knows every answer, or gives the face back as it is."""

    answer: Tensor | None
    people: tuple[str, ...] = ("a", "b")
    size: int = 16

    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        given = faces if self.answer is None else self.answer
        return Swapped(given, torch.ones_like(faces[:, :1]))


def question(seed: int = 0) -> Question:
    rng = np.random.default_rng(seed)
    faces = rng.integers(0, 256, (2, 3, 16, 16)).astype(np.uint8)
    answers = rng.integers(0, 256, (2, 16, 16, 3)).astype(np.uint8)
    inner = np.zeros((2, 16, 16), np.bool_)
    inner[:, 4:12, 4:12] = True
    return Question("b", torch.from_numpy(faces).float() / 255, answers, inner)


def test_whoever_knows_the_answers_has_the_best_score() -> None:
    asked = question()
    answer = torch.from_numpy(asked.answers).permute(0, 3, 1, 2).float() / 255
    assert examine(Oracle(answer), [asked]).psnr == pytest.approx(100)
    assert examine(Oracle(answer), [asked]).ssim == pytest.approx(1)
    spoilt = answer.clone()
    spoilt[:, :, :4] = 0
    assert examine(Oracle(spoilt), [asked]).psnr == pytest.approx(100)  # outside the inner face
    spoilt[:, :, 4:6] = 0
    assert examine(Oracle(spoilt), [asked]).psnr < 15


def progress(seconds: float, fraction: float = 0.5) -> Progress:
    return Progress(Step(round(seconds), {}, 4), seconds, 1.0, fraction, 1.0)


def test_the_curve_has_a_point_now_and_then_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeling.study.curve._questions", lambda actors, size: [question()])
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"family": "", "config": {}, "data": {}}')
    run = Run(tmp_path / "run")
    curve = TruthCurve(run, Oracle(None), [])
    seen = [curve.follow(progress(at)) for at in (100, 124, 125.5, 140, 151)]
    assert [score is None for score in seen] == [True, True, False, False, False]
    curve.follow(progress(152, fraction=1.0))
    rows = run.rows()
    assert [row["seconds"] for row in rows] == [125.5, 151, 152]
    score = examine(Oracle(None), [question()])
    wanted = {"step": 151, "seconds": 151, "truth_psnr": score.psnr, "truth_ssim": score.ssim}
    assert rows[1] == wanted


def test_an_actor_given_by_itself_is_its_own_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeling.study.curve.FRAMES", 2)
    asked = ask(Actor(1, 1), Actor(1, 1), "a", 32)
    assert asked.faces.shape == (2, 3, 32, 32)
    given = (asked.faces * 255).round().byte().permute(0, 2, 3, 1).numpy()
    assert np.array_equal(given, asked.answers)
    assert 0.3 < asked.inner.mean() < 0.95
    assert asked.inner[:, 16, 16].all()


def test_an_actor_is_known_by_the_recipe_of_the_film(tmp_path: Path) -> None:
    faces = made(tmp_path / "a")
    assert actor_of(faces) is None
    assert actor_of(replace(faces, film=Film(7, 9, 3, 2.0, 320, 180, "25"))) == Actor(7, 9)
