"""What the identity network learns from, and how it is examined."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_auroc

import changeling.faces
from changeling.actors import Spoil
from changeling.actors.actor import face_traits
from changeling.cli import main
from changeling.errors import UserError
from changeling.faces import identity_teaching
from changeling.faces.alignment import TEMPLATE, Matrix
from changeling.faces.identity import LENGTH, SIZE, Identifier
from changeling.faces.identity_lessons import (
    draw_pairs,
    identity_batches,
    missed,
    traits,
    unit_crops,
)
from changeling.faces.identity_teaching import (
    Examination,
    IdentityTaught,
    IdentityTeaching,
    auc,
    equal_error,
    examine,
    teach_identity,
)
from changeling.faces.renders import Lessons, Renders
from changeling.training import Budget


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    """Nine faces in two of six stylings, three frames each; every face has a grey of its own."""
    index = np.arange(9 * 2 * 3)
    face, side = index // 6, 40
    points = np.zeros((len(index), 200, 2), np.float32)
    # All landmarks at the unit crop's five points, which are all that aligning looks at.
    for rows, place in zip(
        ([*range(36, 42)], [*range(42, 48)], [30], [48], [54]), TEMPLATE, strict=True
    ):
        points[:, rows] = place * side - 0.5
    pictures = (
        np.zeros((len(index), side, side, 3), np.uint8) + (25 * face + 10)[:, None, None, None]
    )
    return Lessons(
        pictures=pictures.astype(np.uint8),
        segments=np.ones(pictures.shape[:3], np.uint8),
        points=points,
        visible=np.ones((len(index), 200), np.bool_),
        rotation=np.zeros((len(index), 3, 3), np.float32),
        face=(500 + face).astype(np.int32),
        styling=((face + index // 3 % 2) % 6).astype(np.int32),
    )


def test_batches_are_a_pure_function_of_the_step(lessons: Lessons) -> None:
    one, other = (identity_batches(lessons, batch=6, seed=3) for _ in range(2))
    first, again, later = one(2), other(2), one(3)
    assert torch.equal(first.crops, again.crops) and torch.equal(first.who, again.who)
    assert not torch.equal(first.crops, later.crops)
    assert first.crops.shape == (6, 3, SIZE, SIZE) and first.crops.dtype == torch.float32
    assert float(first.crops.min()) >= 0 and float(first.crops.max()) <= 1


def test_a_batch_says_who_it_shows(lessons: Lessons) -> None:
    drawn = identity_batches(lessons, batch=200, seed=3, spoil=Spoil.none())(0)
    greys = drawn.crops[:, 0, SIZE // 2, SIZE // 2] * 255
    assert torch.equal(greys.round().long(), 25 * drawn.who + 10)
    assert drawn.who.unique().tolist() == list(range(9))


def test_crops_miss_as_far_as_landmarks_do() -> None:
    rng = np.random.default_rng(1)
    matrix: Matrix = np.array([[0.02, 0, -0.3], [0, 0.02, -0.2]])
    all_ = np.stack([missed(matrix, rng) for _ in range(2000)])
    turn = all_[:, :, :2] / 0.02
    mirrored = np.linalg.det(turn) < 0
    assert abs(mirrored.mean() - 0.5) < 0.05
    straight = turn[~mirrored]
    assert np.log(np.linalg.det(straight)).std() / 2 == pytest.approx(0.04, rel=0.1)
    angles = np.arctan2(straight[:, 1, 0], straight[:, 0, 0])
    assert np.rad2deg(angles).std() == pytest.approx(3, rel=0.1)
    middle = np.array([0.8, 0.7]) / 0.02
    middle = (np.array([0.5, 0.5]) - matrix[:, 2]) / 0.02
    moved = all_[:, :, :2] @ middle + all_[:, :, 2] - 0.5
    assert moved.std(0) == pytest.approx([0.03, 0.03], rel=0.1)


def test_traits_are_even_and_tell_faces_apart() -> None:
    found = traits(np.arange(20))
    assert float(found.mean(0).abs().max()) < 1e-5
    spread = found.std(0, correction=0)
    told = spread > 0
    assert float((spread[told] - 1).abs().max()) < 1e-5
    assert found.shape[1] > 100 and int(told.sum()) >= found.shape[1] - 2
    melanin = np.array([face_traits(face).melanin for face in range(20)])
    even = torch.from_numpy((melanin - melanin.mean()) / melanin.std()).float()
    assert float((found - even[:, None]).abs().sum(0).min()) < 1e-4
    assert float(torch.cdist(found, found).fill_diagonal_(9).min()) > 5


def test_unit_crops_are_by_the_true_landmarks(lessons: Lessons) -> None:
    shown = unit_crops(lessons.rows(0, 8))
    assert shown.shape == (8, SIZE, SIZE, 3)
    assert np.array_equal(shown[:, 20, 20, 0], [10] * 6 + [35] * 2)


def test_one_face_always_comes_in_two_stylings(lessons: Lessons) -> None:
    pairs = draw_pairs(lessons.face, lessons.styling, 400, seed=1)
    face, styling = lessons.face, lessons.styling
    assert len(pairs) == 400 and pairs.same.sum() == 200
    one, other = pairs.one[pairs.same], pairs.other[pairs.same]
    assert np.array_equal(face[one], face[other])
    assert (styling[one] != styling[other]).all()


def test_of_two_faces_half_have_like_skin_and_half_wear_the_same(lessons: Lessons) -> None:
    pairs = draw_pairs(lessons.face, lessons.styling, 400, seed=1)
    one, other = pairs.one[~pairs.same], pairs.other[~pairs.same]
    assert (lessons.face[one] != lessons.face[other]).all()
    assert pairs.matched.sum() == 100 and not (pairs.matched & pairs.same).any()
    alike = lessons.styling[one] == lessons.styling[other]
    assert 0.5 <= alike.mean() < 0.8


def test_like_skin_is_that_of_the_nearest_pigments(
    lessons: Lessons, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeling.faces.identity_lessons._NEAREST", 2)
    pairs = draw_pairs(lessons.face, lessons.styling, 400, seed=1)
    skin = {
        int(f): np.array([face_traits(f).melanin, face_traits(f).haemoglobin])
        for f in set(lessons.face)
    }
    spread = np.std(list(skin.values()), axis=0)
    for one, other in zip(pairs.one[pairs.matched], pairs.other[pairs.matched], strict=True):
        a, b = int(lessons.face[one]), int(lessons.face[other])
        far = sorted(float(np.linalg.norm((skin[a] - skin[c]) / spread)) for c in skin if c != a)
        assert np.linalg.norm((skin[a] - skin[b]) / spread) <= far[1] + 1e-9


def test_the_same_seed_draws_the_same_pairs(lessons: Lessons) -> None:
    one, again, other = (draw_pairs(lessons.face, lessons.styling, 80, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.one, again.one) and np.array_equal(one.other, again.other)
    assert not np.array_equal(one.other, other.other)


def test_auc_in_closed_form() -> None:
    low, high = np.array([0.1, 0.2]), np.array([0.3, 0.4])
    assert auc(high, low) == 1
    assert auc(low, high) == 0
    assert auc(low, low) == 0.5
    assert auc(np.array([0.2, 0.4]), np.array([0.1, 0.3])) == 0.75


def test_auc_is_that_of_torchmetrics() -> None:
    rng = np.random.default_rng(3)
    one, two = rng.normal(1, 1, 300).round(1), rng.normal(0, 1, 200).round(1)
    scores = torch.from_numpy(np.concatenate([one, two])).sigmoid()
    wanted = binary_auroc(scores, torch.tensor([1] * 300 + [0] * 200))
    assert auc(one, two) == pytest.approx(float(wanted), abs=1e-6)


def test_equal_error_in_closed_form() -> None:
    assert equal_error(np.array([0.6, 0.9]), np.array([0.1, 0.2])) == (0, 0.6)
    assert equal_error(np.array([0.1, 0.6, 0.7, 0.8]), np.array([0.0, 0.2, 0.3, 0.65])) == (
        0.25,
        0.6,
    )
    same = np.linspace(0, 1, 101)
    assert equal_error(same, same)[0] == pytest.approx(0.5, abs=0.01)


def test_an_examination_of_one_who_knows_and_of_one_who_guesses(lessons: Lessons) -> None:
    pairs = draw_pairs(lessons.face, lessons.styling, 400, seed=1)
    known = np.eye(LENGTH, dtype=np.float32)[lessons.face - 500]
    found = examine(known, pairs)
    assert (found.pairs, found.auc, found.matched, found.error, found.threshold) == (
        400,
        1,
        1,
        0,
        1,
    )
    dressed = np.eye(LENGTH, dtype=np.float32)[lessons.styling]
    assert examine(dressed, pairs).auc < 0.5


def test_teaching_writes_weights_with_their_threshold_and_goes_on(
    lessons: Lessons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("changeling.faces.renders.render_lessons", lambda *_, **__: lessons)
    monkeypatch.setattr(identity_teaching, "PAIRS", 40)
    out, told = tmp_path / "a.safetensors", []

    def teach(steps: int) -> int:
        teaching = IdentityTeaching(Renders(faces=9), batch=4)
        return teach_identity(
            tmp_path / "run", Budget(None, steps), teaching, cache=tmp_path, out=out,
            workers=0, tick=lambda done, _: told.append(done),
        ).steps  # fmt: skip

    assert teach(2) == 2
    before = out.read_bytes()
    assert teach(3) == teach(3) == 3
    assert out.read_bytes() != before
    assert told == [500, 1000, 1000]
    about = json.loads(out.with_suffix(".json").read_text())
    assert about["taught"]["steps"] == 3 and about["taught"]["kept"]["pairs"] == 40
    assert Identifier.load(out).same == about["same"] == about["taught"]["kept"]["threshold"]


def test_too_few_faces_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="give --actors 4 or more"):
        teach_identity(tmp_path, Budget(1), IdentityTeaching(Renders(faces=3)), cache=tmp_path)


def test_the_command_calls_the_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[object, ...]] = []

    def teach(run: Path, budget: Budget, teaching: object, **rest: object) -> IdentityTaught:
        calls.append((run, budget, teaching, rest["cache"], rest["out"]))
        return IdentityTaught(7, Examination(6000, 0.98, 0.97, 0.064, 0.3))

    monkeypatch.setattr(changeling.faces, "teach_identity", teach, raising=False)
    out = tmp_path / "w.safetensors"
    line = f"teach identity --minutes 2 --actors 5 --seed 3 --out {out} --cache {tmp_path}"
    assert main(line.split()) == 0
    teaching = IdentityTeaching(Renders(faces=5), seed=3)
    assert calls == [(Path("runs/identity"), Budget(2.0), teaching, tmp_path, out)]
    assert "7 steps, equal error rate 6.4 %" in capsys.readouterr().out
