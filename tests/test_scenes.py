"""Laws of scenes, of the crops cut from them, and of the batches that a swapper learns from."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from changeling.faces.alignment import TEMPLATE, align, apply
from changeling.faces.renders import Lessons, render_lessons
from changeling.faces.scene_lessons import PICTURES, SceneBatch, scene_batches
from changeling.faces.scenes import STYLINGS, Scenes

SMALL = Scenes(faces=8, cast=2, frames=6, size=48)


def picture(body: int, frame: int, plan: Scenes) -> np.ndarray:
    """Red tells the face, green the scene, blue the frame."""
    face, styling = body // STYLINGS, plan.actor(body).styling
    colour = (20 + 28 * face, 10 + 20 * (styling % 10), 30 + 30 * frame)
    return np.full((plan.size, plan.size, 3), colour, np.uint8)


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    """Plain colours in place of renders; the inner face is the left half of every crop."""
    rows = SMALL.bodies * SMALL.frames
    points = np.full((rows, 200, 2), 24.0, np.float32)
    five = 8 + 32 * TEMPLATE
    points[:, 36:42], points[:, 42:48] = five[0], five[1]
    points[:, [30, 48, 54]] = five[2:]
    segments = np.zeros((rows, 48, 48), np.uint8)
    segments[:, :, :24] = 1
    bodies = [SMALL.actor(k) for k in range(SMALL.bodies)]
    return Lessons(
        pictures=np.stack(
            [picture(k, j, SMALL) for k in range(SMALL.bodies) for j in range(SMALL.frames)]
        ),
        segments=segments,
        points=points,
        visible=np.ones((rows, 200), np.bool_),
        rotation=np.tile(np.eye(3, dtype=np.float32), (rows, 1, 1)),
        face=np.repeat([actor.face for actor in bodies], SMALL.frames).astype(np.int32),
        styling=np.repeat([actor.styling for actor in bodies], SMALL.frames).astype(np.int32),
    )


@pytest.fixture(scope="module")
def batch(lessons: Lessons, request: pytest.FixtureRequest) -> SceneBatch:
    """Without other light, so that colours still tell who it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("changeling.faces.scene_lessons._LIGHT", 0.0)
        patch.setattr("changeling.faces.scene_lessons._TINT", 0.0)
        prepare = scene_batches(lessons, SMALL, range(8), size=16, people=12, each=4, seed=3)
        return prepare(5)


class TestScenes:
    def test_a_scene_has_one_styling_and_one_performance(self) -> None:
        plan = Scenes(faces=32)
        for index in range(plan.bodies):
            partners = plan.partners(index)
            actors = [plan.actor(other) for other in partners]
            assert index in partners and len({actor.face for actor in actors}) == plan.cast
            assert {actor.styling for actor in actors} == {plan.actor(index).styling}
        played = [plan.body(index)[1] for index in plan.partners(7)[:2]]
        assert np.array_equal(played[0].turn, played[1].turn)
        assert np.array_equal(played[0].key, played[1].key)

    def test_two_faces_share_one_scene_at_most_and_no_two_scenes_a_styling(self) -> None:
        plan = Scenes(faces=48)
        bodies = range(plan.bodies)
        scenes = {plan.partners(index) for index in bodies}
        assert len(scenes) == plan.bodies // plan.cast
        shared = [{index // STYLINGS for index in scene} for scene in scenes]
        assert max(len(one & other) for one in shared for other in shared if one is not other) == 1
        faces = {face for one in shared for face in one}
        assert faces == set(range(plan.faces))

    def test_faces_are_told_apart_by_their_seeds(self) -> None:
        plan = Scenes(faces=8, cast=2)
        assert [plan.actor(k).face for k in (0, 1, 15)] == [20_000, 20_000, 20_007]
        assert len({plan.actor(k).styling for k in range(plan.bodies)}) == plan.bodies // 2

    def test_only_the_last_row_and_column_are_varied(self) -> None:
        plain, varied = Scenes(faces=4, cast=2, varied=False), Scenes(faces=4, cast=2)
        same = [
            np.array_equal(plain.body(k)[1].turn, varied.body(k)[1].turn)
            for k in range(varied.bodies)
        ]
        last = [(k // STYLINGS) % 2 if k % STYLINGS else (k // STYLINGS) // 2 for k in range(8)]
        assert same == [line == 0 for line in last]
        assert plain.name != varied.name

    def test_scenes_are_rendered_once_with_the_face_in_the_picture(self, tmp_path: Path) -> None:
        plan = Scenes(faces=1, cast=1, frames=2, size=64, varied=False)
        made = render_lessons(plan, tmp_path)
        stamp = (tmp_path / plan.name / "pictures.npy").stat().st_mtime_ns
        again = render_lessons(plan, tmp_path)
        assert stamp == (tmp_path / plan.name / "pictures.npy").stat().st_mtime_ns
        assert np.array_equal(made.pictures, again.pictures) and len(made) == 4
        assert made.face.tolist() == [20_000] * 4
        assert made.styling.tolist() == [200_000, 200_000, 200_001, 200_001]
        for points in made.points[:, :68]:
            width = 1 / np.sqrt(np.linalg.det(align(points)[:, :2]))
            assert 0.6 * 64 < width < 0.95 * 64
            assert (points > -4).all() and (points < 68).all()


class TestBatches:
    def test_the_answer_is_the_person_in_the_scene_of_the_input(self, batch: SceneBatch) -> None:
        assert batch.inputs.shape == (12, 4, 3, 16, 16) and len(batch) == 48
        shown = (batch.references * 255).mean((-1, -2)).round()
        given = (batch.inputs * 255).mean((-1, -2)).round()
        asked = (batch.targets * 255).mean((-1, -2)).round()
        face, scene, frame = range(3)
        assert (given[..., face] != asked[..., face]).all(), "somebody else"
        assert (given[..., scene] == asked[..., scene]).all(), "in the same styling"
        assert (given[..., frame] == asked[..., frame]).all(), "at the same moment"
        assert (shown[:, :1, face] == asked[..., face]).all(), "the person of the references"
        assert (shown[:, :1, scene] != asked[..., scene]).all(), "who are from the other scene"

    def test_references_are_different_frames_one_to_four(
        self, lessons: Lessons, batch: SceneBatch
    ) -> None:
        frames = (batch.references[:, :, 2] * 255).mean((-1, -2)).round()
        assert all(len(set(row.tolist())) == len(row) for row in frames)
        prepare = scene_batches(lessons, SMALL, range(8), size=8, people=1, each=1, seed=0)
        counts = {prepare(step).references.shape[1] for step in range(30)}
        assert counts == set(range(1, PICTURES + 1))

    def test_the_mask_is_the_inner_face_of_the_answer(self, batch: SceneBatch) -> None:
        left, right = (
            batch.masks[..., :5].mean((-1, -2, -3)),
            batch.masks[..., -5:].mean((-1, -2, -3)),
        )
        assert ((left > 0.9) != (right > 0.9)).all(), "one half, mirrored or not"
        assert {bool(x) for x in (left > 0.9).flatten()} == {True, False}
        assert batch.masks.min() >= 0 and batch.masks.max() <= 1

    def test_batches_are_functions_of_seed_and_step(self, lessons: Lessons) -> None:
        one, same, other = (
            scene_batches(lessons, SMALL, range(4), size=8, people=2, each=2, seed=seed)(9)
            for seed in (1, 1, 2)
        )
        assert one.inputs.equal(same.inputs) and one.references.equal(same.references)
        assert not one.inputs.equal(other.inputs)

    def test_only_the_faces_asked_for_are_drawn(self, lessons: Lessons) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("changeling.faces.scene_lessons._LIGHT", 0.0)
            patch.setattr("changeling.faces.scene_lessons._TINT", 0.0)
            batch = scene_batches(lessons, SMALL, range(4, 8), size=8, people=20, each=2, seed=0)(0)
        red = (batch.targets[:, :, 0] * 255).mean((-1, -2)).round()
        assert set(red.flatten().tolist()) <= {20.0 + 28 * face for face in range(4, 8)}


def test_crops_are_aligned_and_missed_a_little(lessons: Lessons) -> None:
    """A dot on the left eye lands near the template's, in the answer nearer than in the input."""
    pictures = np.zeros_like(lessons.pictures)
    eye = lessons.points[0, 36:42].mean(0)
    for shown in pictures:
        cv2.circle(shown, tuple(np.rint(eye * 16).astype(int).tolist()), 40, (255,) * 3, -1, 16, 4)
    dotted = Lessons(**{**vars(lessons), "pictures": pictures})
    batch = scene_batches(dotted, SMALL, range(8), size=64, people=30, each=4, seed=1)(0)
    wanted = apply(align(lessons.points[0, :68]), eye[None])[0]
    far = []
    for faces in (batch.targets, batch.inputs):
        grey = faces.mean(2).flatten(0, 1).numpy()
        ys, xs = np.mgrid[:64, :64]
        at = np.stack([(grey * xs).sum((1, 2)), (grey * ys).sum((1, 2))]) / grey.sum((1, 2))
        at = (at + 0.5) / 64
        mirrored = at[0] > 0.5
        at[0] = np.where(mirrored, 1 - at[0], at[0])
        assert 0.2 < mirrored.mean() < 0.8
        far.append(float(np.hypot(*(at - wanted[:, None])).mean()))
    assert 0.005 < far[0] < far[1] < 0.03
