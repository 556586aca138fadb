"""The landmark network: its lessons, its learning, its examination, on drawn faces."""

from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from drawn import drawn_face, face_points, placed

from changeling.actors import Segment, Spoil
from changeling.errors import UserError
from changeling.faces import renders as renders_module
from changeling.faces.alignment import align, apply, crop, enlarged
from changeling.faces.landmark_exam import examine
from changeling.faces.landmark_lessons import LandmarkBatch, drawn, landmark_batches, shares
from changeling.faces.landmark_teaching import (
    LandmarkLearner,
    LandmarkTeaching,
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
    rolled,
)
from changeling.faces.renders import Lessons, Renders
from changeling.faces.weights import write_weights
from changeling.training import Budget

CLEAN = Spoil.none()


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    """Eight drawn faces as if they had been rendered."""
    rng = np.random.default_rng(5)
    points = [
        apply(placed(rng.uniform(50, 60), rng.normal(0, 0.2), (35, 35)), face_points())
        for _ in range(8)
    ]
    dense = [np.concatenate([p, np.repeat(p[30:31], 132, 0)]) for p in points]
    segments = np.zeros((8, 112, 112), np.uint8)
    for labels, p in zip(segments, points, strict=True):
        hull = cv2.convexHull(p.astype(np.float32)).astype(np.int32)
        cv2.fillPoly(labels, [hull], int(Segment.FACE))
    return Lessons(
        pictures=np.stack([drawn_face((112, 112), p, seed=k) for k, p in enumerate(points)]),
        segments=segments,
        points=np.stack(dense).astype(np.float32),
        visible=np.ones((8, 200), bool),
        rotation=np.tile(np.eye(3, dtype=np.float32), (8, 1, 1)),
        face=np.repeat([1, 2, 3, 4], 2).astype(np.int32),
        styling=np.arange(8).astype(np.int32),
    )


def test_wing_loss_is_steep_near_zero_and_continuous() -> None:
    errors = torch.tensor([0.0, 7.9999, 8.0001, 14.0])
    values = wing(errors)
    assert float(values[0]) == 0
    assert abs(float(values[2] - values[1])) < 1e-3
    assert float(values[3] - values[2]) == pytest.approx(6, abs=1e-3)
    assert torch.equal(wing(-errors), values)


def test_batches_are_pure_in_the_step(lessons: Lessons) -> None:
    batches = landmark_batches([lessons], batch=12, seed=3)
    one, again, other = batches(7), batches(7), batches(8)
    assert torch.equal(one.crops, again.crops)
    assert torch.equal(one.parts, again.parts)
    assert not torch.equal(one.crops, other.crops)
    assert len(one) == 12
    assert one.crops.shape == (12, 3, SIZE, SIZE) and one.parts.shape == (
        12,
        7,
        SIZE // 2,
        SIZE // 2,
    )


def test_truth_moves_with_the_crop(lessons: Lessons) -> None:
    """A white dot at the nose is where the crop's points say, whatever the crop missed by."""
    marked = np.zeros_like(lessons.pictures)
    for picture, points in zip(marked, lessons.points, strict=True):
        x, y = points[30]
        cv2.circle(picture, (round(x * 256), round(y * 256)), 3 * 256, (255,) * 3, -1, shift=8)
    dots = Lessons(**{**lessons.__dict__, "pictures": marked})
    batch = landmark_batches([dots], batch=40, seed=0, spoil=CLEAN)(0)
    checked = 0
    for picture, goal, present in zip(batch.crops[:, 0], batch.points, batch.present, strict=True):
        if not present:
            continue
        rows, columns = torch.nonzero(picture > picture.max() / 2, as_tuple=True)
        centre = torch.stack([columns.float().mean(), rows.float().mean()])
        assert float((centre - (goal[30] * SIZE - 0.5)).abs().max()) < 0.6
        checked += 1
    assert checked >= 30


def test_a_turned_crop_turns_the_head(lessons: Lessons) -> None:
    view = enlarged(align(lessons.points[0][:68]), MARGIN)
    turned = placed(1, 0.3, (0, 0))[:, :2] @ view
    batch = drawn([(lessons, 0)] * 2, [view, turned], np.ones(2, bool), seed=0, spoil=CLEAN)
    between = batch.rotation[1] @ batch.rotation[0].T
    assert torch.allclose(
        between, torch.from_numpy(cv2.Rodrigues(np.array([0, 0, 0.3]))[0]).float(), atol=1e-5
    )
    assert np.allclose(rolled(view) @ rolled(view).T, np.eye(3))


def test_parts_are_shares_and_clothes_are_background() -> None:
    segments = torch.zeros(1, 4, 4, dtype=torch.uint8)
    segments[0, :2, :2] = int(Segment.CLOTHES)
    segments[0, 0, 2] = int(Segment.OCCLUDER)
    segments[0, 2:, :2] = int(Segment.EYES)
    found = shares(segments)
    assert torch.equal(found.sum(1), torch.ones(1, 2, 2))
    assert float(found[0, 0, 0, 0]) == 1 and float(found[0, 6, 0, 1]) == 0.25
    assert float(found[0, 4, 1, 0]) == 1


def test_a_crop_beside_the_face_shows_none_and_one_between_is_not_asked(lessons: Lessons) -> None:
    matrix = align(lessons.points[0][:68])
    aside = [matrix + np.array([[0, 0, far], [0, 0, 0]]) for far in (0.0, 0.72, 5.0)]
    views = [enlarged(matrix, MARGIN) for matrix in aside]
    flat = Lessons(**{**lessons.__dict__, "pictures": np.zeros_like(lessons.pictures)})
    there = np.array([True, False, False])
    batch = drawn([(flat, 0)] * 3, views, there, seed=0, spoil=CLEAN)
    assert batch.present.tolist() == [1, 0, 0]
    assert batch.asked[0] == 1
    assert float(batch.visible[2].sum()) == 0, "points outside the crop are not seen"


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
    monkeypatch.setattr(
        "changeling.faces.renders.render_lessons", lambda renders, cache, tick: lessons
    )
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
    with pytest.raises(UserError, match="--actors"):
        teach_landmarks(
            tmp_path / "other", Budget(minutes=None, steps=1), LandmarkTeaching(Renders(faces=3)),
            cache=tmp_path / "cache", out=out,
        )  # fmt: skip


def test_renders_are_made_once_and_shared(tmp_path: Path) -> None:
    asked = Renders(faces=1, frames=1, size=32, first=50)
    ticks = list[int]()
    first = renders_module.render_lessons(
        asked, tmp_path, part=(0, 2), tick=lambda d, t: ticks.append(d)
    )
    assert first.styling[0] > 0 and not first.pictures[1].any(), "the other process's"
    both = renders_module.render_lessons(asked, tmp_path)
    assert isinstance(both.pictures, np.memmap) and len(both) == 2
    assert np.array_equal(both.pictures[0], first.pictures[0]) and both.pictures[1].any()
    assert both.face.tolist() == [50, 50] and both.styling[0] != both.styling[1]
    assert ticks == [1]
    stamp = [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("pictures.npy"))]
    renders_module.render_lessons(asked, tmp_path)
    assert stamp == [path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("pictures.npy"))]


def test_the_weights_that_ship_are_small_and_whole() -> None:
    assert WEIGHTS.stat().st_size <= 3_000_000
    Landmarker.load()


def test_a_batch_knows_its_length() -> None:
    assert len(LandmarkBatch(torch.zeros(3, 3, 8, 8), *[torch.zeros(3)] * 6)) == 3
