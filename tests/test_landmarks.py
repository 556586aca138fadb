"""The landmark network: its learning, its examination and its weights, on drawn faces."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from drawn import drawn_lessons

from changeling.actors import Spoil
from changeling.errors import UserError
from changeling.faces.alignment import apply, crop, enlarged
from changeling.faces.landmark_exam import examine
from changeling.faces.landmark_lessons import landmark_batches
from changeling.faces.landmark_teaching import (
    LandmarkLearner,
    LandmarkTeaching,
    begun,
    marks_losses,
    teach_landmarks,
    wing,
)
from changeling.faces.landmarks import (
    MARGIN,
    SIZE,
    WEIGHTS,
    Landmarker,
    LandmarkNet,
    Marks,
    guess,
)
from changeling.faces.renders import Lessons, Renders
from changeling.faces.weights import write_weights
from changeling.training import Budget

CLEAN = Spoil.none()


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    return drawn_lessons()


def test_wing_loss_is_steep_near_zero_and_continuous() -> None:
    errors = torch.tensor([0.0, 7.9999, 8.0001, 14.0])
    values = wing(errors)
    assert float(values[0]) == 0
    assert abs(float(values[2] - values[1])) < 1e-3
    assert float(values[3] - values[2]) == pytest.approx(6, abs=1e-3)
    assert torch.equal(wing(-errors), values)


def test_perfect_marks_have_the_least_loss(lessons: Lessons) -> None:
    batch = landmark_batches([lessons], batch=6, seed=0, spoil=CLEAN)(0)
    many = 40.0
    marks = Marks(
        points=batch.points, spread=torch.full((6, 200), -8.0),
        visible=(batch.visible - 0.5) * many, rotation=batch.rotation,
        present=(batch.present - 0.5) * many,
        parts=torch.log(batch.parts + 1e-6),
    )  # fmt: skip
    losses = marks_losses(marks, batch)
    assert float(losses["points"]) == 0 and float(losses["turn"]) == 0
    assert max(float(losses[name]) for name in ("visible", "presence")) < 1e-4
    entropy = -(batch.parts * torch.log(batch.parts + 1e-6)).sum(1).mean()
    assert float(losses["parts"]) == pytest.approx(float(entropy), abs=1e-3)
    assert float(losses["inner"]) == pytest.approx(_inner_entropy(batch.parts), abs=1e-3)
    off = marks_losses(Marks(**{**marks.__dict__, "points": batch.points + 1 / SIZE}), batch)
    assert float(off["points"]) == pytest.approx(float(wing(torch.tensor(1.0))), rel=1e-3)
    # The likelihood is greatest where the spread is the distance.
    wide = [
        marks_losses(
            Marks(
                **{
                    **marks.__dict__,
                    "points": batch.points + 1 / SIZE,
                    "spread": torch.full((6, 200), s),
                }
            ),
            batch,
        )["spread"]
        for s in (np.log(2**0.5 / SIZE) - 0.3, np.log(2**0.5 / SIZE), np.log(2**0.5 / SIZE) + 0.3)
    ]
    assert wide[1] < wide[0] and wide[1] < wide[2]


def _inner_entropy(parts: torch.Tensor) -> float:
    inner = parts[:, [1, 4, 5]].sum(1).clamp(1e-6, 1 - 1e-6)
    return float(-(inner * inner.log() + (1 - inner) * (1 - inner).log()).mean())


def test_an_error_at_the_mouth_counts_twice_one_at_the_chin(lessons: Lessons) -> None:
    batch = landmark_batches([lessons], batch=6, seed=0, spoil=CLEAN)(0)
    losses = []
    for moved in ([60, 61], [8, 100]):
        points = batch.points.clone()
        points[:, moved] += 1 / SIZE
        nothing = torch.zeros(6, 200)
        marks = Marks(points, nothing, nothing, batch.rotation, batch.present, batch.parts)
        losses.append(float(marks_losses(marks, batch)["points"]))
    assert losses[0] == pytest.approx(2 * losses[1], rel=1e-4)


def test_points_are_moved_by_what_is_shown_where_they_are() -> None:
    torch.manual_seed(0)
    move, shown = LandmarkNet().requires_grad_(False).move, torch.rand(2, 24, 32, 32)
    points = torch.rand(2, 200, 2) * 0.6 + 0.2
    assert not move(shown, points).any(), "nothing at first"
    for weights in (move.change.weight, move.nudge):
        torch.nn.init.normal_(weights)
    moved = move(shown, points)
    aside = move(shown.roll((3, -2), (2, 3)), points + torch.tensor([-2, 3]) / 32)
    assert torch.allclose(moved, aside, atol=1e-4)
    assert float((moved - move(shown, points + 2 / 32)).abs().mean()) > 0.1


def test_the_learner_moves_every_weight_and_resumes(lessons: Lessons) -> None:
    torch.manual_seed(0)
    batches = landmark_batches([lessons], batch=4, seed=1)
    learner = LandmarkLearner(LandmarkNet())
    net = learner.averaged.network
    before = {name: value.clone() for name, value in net.named_parameters()}
    losses = [learner.step(batches(step)) for step in range(2)]
    assert all(loss.isfinite() and not loss.requires_grad for loss in losses[0].values())
    assert all(not torch.equal(before[n], p) for n, p in net.named_parameters())
    other = LandmarkLearner(LandmarkNet())
    other.load_state_dict(deepcopy(learner.state_dict()))
    for twin in (learner, other):
        twin.step(batches(2))
    same = zip(net.parameters(), other.averaged.network.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in same)
    kept = deepcopy(learner.state_dict())
    assert learner.preview(batches(0)).shape == (4, 4, 3, SIZE, SIZE)
    assert all(torch.equal(kept["network"][n], v) for n, v in net.state_dict().items())


def test_learning_brings_the_points_nearer(lessons: Lessons) -> None:
    torch.manual_seed(0)
    learner = LandmarkLearner(LandmarkNet(), averaging=0.0, rate=4e-3)
    batches = landmark_batches([lessons], batch=12, seed=1, spoil=CLEAN)
    before = examine(learner.averaged.average, lessons, spoil=CLEAN)
    for step in range(40):
        learner.step(batches(step))
    after = examine(learner.averaged.network, lessons, spoil=CLEAN)
    assert after.error_68 < 0.6 * before.error_68
    assert after.iou > before.iou + 0.2
    assert after.frames == 8


def test_folding_the_normalisation_changes_nothing(lessons: Lessons) -> None:
    torch.manual_seed(0)
    learner = LandmarkLearner(LandmarkNet(), averaging=0.0)
    learner.step(landmark_batches([lessons], batch=4, seed=1)(0))
    picture, matrix = lessons.pictures[0], guess((20, 20, 70, 70))
    view = enlarged(matrix, MARGIN)
    small = torch.from_numpy(crop(picture, view, SIZE)).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        marks = learner.averaged.average(small)
    face = Landmarker(learner.averaged.average).find(picture, matrix)
    assert face.seen is not None
    back = apply(view, face.seen.dense)
    assert np.abs(back - marks.points[0].numpy()).max() < 1e-4
    assert face.score == pytest.approx(float(marks.present[0].sigmoid()), abs=1e-4)
    assert np.allclose(face.seen.rotation @ face.seen.rotation.T, np.eye(3), atol=1e-5)
    assert np.abs(face.seen.parts.sum(0).astype(int) - 255).max() <= 4


def test_weights_survive_writing_and_a_changed_file_is_refused(
    lessons: Lessons, tmp_path: Path
) -> None:
    path, net = tmp_path / "w.safetensors", LandmarkNet()
    write_weights(net, path, {})
    assert sum(p.numel() for p in net.parameters()) <= 1_500_000
    assert path.stat().st_size <= 3_000_000
    matrix = guess((20, 20, 70, 70))
    one = Landmarker(net).find(lessons.pictures[0], matrix)
    two = Landmarker.load(path).find(lessons.pictures[0], matrix)
    assert np.abs(one.landmarks - two.landmarks).max() < 0.2
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="SHA-256"):
        Landmarker.load(path)
    with pytest.raises(UserError, match="changeling teach landmarks"):
        Landmarker.load(tmp_path / "none.safetensors")


def test_teaching_goes_on_and_writes_what_it_taught(
    lessons: Lessons, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[Renders]()

    def rendered(renders: Renders, cache: Path, tick: object = None) -> Lessons:
        asked.append(renders)
        return lessons

    for room in ("renders", "landmark_teaching"):
        monkeypatch.setattr(f"changeling.faces.{room}.render_lessons", rendered)
    out, ticks = tmp_path / "w.safetensors", list[int]()
    for steps in (1, 2, 2):
        taught = teach_landmarks(
            tmp_path / "run",
            Budget(minutes=None, steps=steps),
            LandmarkTeaching(batch=4),
            cache=tmp_path / "cache",
            out=out,
            tick=lambda done, total: ticks.append(done),
        )
        assert taught.steps == steps and taught.kept.frames == 4
    assert ticks == [1000, 1000]
    assert asked[:2] == [Renders(), Renders(faces=600, varied=False)]
    with pytest.raises(UserError, match="--actors"):
        teach_landmarks(
            tmp_path / "other", Budget(minutes=None, steps=1), LandmarkTeaching(Renders(faces=3)),
            cache=tmp_path / "cache", out=out,
        )  # fmt: skip


def test_teaching_begins_from_weights_as_far_as_they_fit(tmp_path: Path) -> None:
    torch.manual_seed(0)
    given, path = LandmarkNet(), tmp_path / "w.safetensors"
    given.sharpen = torch.nn.Conv2d(8, 7, 3)
    write_weights(given, path, {})
    net = begun(path)
    assert torch.allclose(net.read.weight, given.read.weight, atol=1e-4)
    assert net.sharpen.weight.shape == (7, 24, 3, 3)
    write_weights(torch.nn.Linear(2, 2), path, {})
    with pytest.raises(UserError, match="--begin"):
        begun(path)


def test_the_weights_that_ship_are_small_and_whole() -> None:
    assert WEIGHTS.stat().st_size <= 3_000_000
    Landmarker.load()
