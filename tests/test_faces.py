"""Finding, following and aligning faces, on drawn faces whose landmarks are known."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from changeling.actors import Actor, Performance
from changeling.errors import UserError
from changeling.faces import lessons
from changeling.faces.alignment import (
    MIRROR,
    TEMPLATE,
    Box,
    Face,
    Matrix,
    align,
    apply,
    crop,
    enlarged,
    five_points,
    inner_mask,
    invert,
    similarity,
    to_pixels,
)
from changeling.faces.detect import Detector, Grey, merged, overlap
from changeling.faces.landmarks import (
    SIZE,
    WEIGHTS,
    Landmarker,
    LandmarkLearner,
    LandmarkNet,
    guess,
    wing,
)
from changeling.faces.lessons import Lessons, Sheet, landmark_batches
from changeling.faces.teach import Taught, Teaching, examine, teach_landmarks, write_weights
from changeling.faces.tracker import Smoother, Tracker
from changeling.media import Pixels
from changeling.training import Budget

Points = NDArray[np.float64]


def face_points() -> Points:
    """(68, 2) landmarks of a drawn face in the unit crop; its five points are the template."""
    turn = np.linspace(0, np.pi, 17)
    jaw = np.stack([0.5 - 0.45 * np.cos(turn), 0.35 + 0.65 * np.sin(turn)], 1)
    arc = np.linspace(-1, 1, 5)
    brow = np.stack([0.09 * arc, 0.03 * arc**2 - 0.13], 1)
    bridge = np.stack([np.full(4, 0.5), np.linspace(0.36, 0.57, 4)], 1)
    nostrils = np.stack([0.5 + 0.07 * arc, 0.63 - 0.02 * arc**2], 1)
    round6 = np.pi + np.arange(6) * np.pi / 3
    eye = np.stack([0.06 * np.cos(round6), 0.03 * np.sin(round6)], 1)
    round12 = np.pi + np.arange(12) * np.pi / 6
    lips = np.stack([0.5 + 0.14 * np.cos(round12), 0.72 + 0.07 * np.sin(round12)], 1)
    round8 = np.pi + np.arange(8) * np.pi / 4
    inner = np.stack([0.5 + 0.10 * np.cos(round8), 0.72 + 0.02 * np.sin(round8)], 1)
    brows, eyes = (np.concatenate([TEMPLATE[i] + part for i in (0, 1)]) for part in (brow, eye))
    return np.concatenate([jaw, brows, bridge, nostrils, eyes, lips, inner])


def placed(scale: float, angle: float, shift: tuple[float, float]) -> Matrix:
    """(2, 3) unit crop → frame."""
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])


def drawn_face(size: tuple[int, int], points: Points, seed: int = 0) -> Pixels:
    """A picture (w, h) of a cartoon face with these landmarks on noise."""
    rng = np.random.default_rng(seed)
    rough = rng.integers(40, 90, (size[1] // 8 + 1, size[0] // 8 + 1, 3)).astype(np.uint8)
    canvas = cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC)
    skin = tuple(int(v) for v in rng.integers(140, 210, 3))
    parts = [
        (np.concatenate([points[:17], points[26:16:-1]]), skin),
        (points[36:42], (250, 250, 250)),
        (points[42:48], (250, 250, 250)),
        (points[48:60], (150, 60, 60)),
        (points[31:36], (90, 60, 50)),
    ]
    for corners, colour in parts:
        hull = cv2.convexHull(corners.astype(np.float32))
        cv2.fillPoly(canvas, [np.rint(hull * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)
    for brow in (points[17:22], points[22:27]):
        line = [np.rint(brow * 16).astype(np.int32)]
        cv2.polylines(canvas, line, False, (30, 20, 20), 3, cv2.LINE_AA, 4)
    return np.asarray(canvas, np.uint8)


def test_similarity_is_recovered_from_points() -> None:
    points = np.random.default_rng(1).normal(size=(9, 2)) * 40
    wanted = placed(1.7, 0.6, (31, -7))
    assert np.abs(similarity(points, apply(wanted, points)) - wanted).max() < 1e-12


def test_similarity_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(2)
    source, target = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
    best = similarity(source, target)
    error = np.square(apply(best, source) - target).sum()
    for change in np.eye(4) * 1e-3:
        a, b, x, y = change
        other = best + np.array([[a, -b, x], [b, a, y]])
        assert np.square(apply(other, source) - target).sum() > error


def test_the_inverse_undoes_the_matrix() -> None:
    matrix = align(apply(placed(120, 0.3, (200, 90)), face_points()))
    points = np.random.default_rng(3).uniform(0, 400, (50, 2))
    assert np.abs(apply(invert(matrix), apply(matrix, points)) - points).max() < 1e-9


def test_align_takes_the_five_points_to_the_template() -> None:
    points = apply(placed(150, -0.25, (300, 140)), face_points())
    assert np.abs(apply(align(points), five_points(points)) - TEMPLATE).max() < 1e-9


@pytest.mark.parametrize("scale", [40.0, 75.0, 260.0, 700.0])
def test_marked_points_of_a_crop_lie_on_the_template(scale: float) -> None:
    points = apply(placed(scale, 0.2, (150 + scale * 0.3, 120)), face_points())
    size, wide = 64, max(2.0, scale / 40)
    down, along = np.mgrid[:900, :1000]
    for wanted, (x, y) in zip(TEMPLATE, five_points(points), strict=True):
        blob = np.exp(-(np.square(along - x) + np.square(down - y)) / (2 * wide**2))
        frame = np.rint(255 * blob).astype(np.uint8)
        small = crop(frame, align(points), size).astype(np.float64)
        rows, columns = np.mgrid[:size, :size]
        found = np.array([(small * columns).sum(), (small * rows).sum()]) / small.sum()
        assert np.abs(found - (wanted * size - 0.5)).max() < 0.25


def test_a_shrunk_crop_averages_instead_of_aliasing() -> None:
    board = (np.indices((800, 800)).sum(0) % 2 * 255).astype(np.uint8)
    small = crop(board, invert(placed(640, 0.1, (80, 80))), 64)
    assert abs(float(small.mean()) - 127.5) < 1
    assert float(small.std()) < 8


def test_enlarged_keeps_the_centre() -> None:
    matrix = align(apply(placed(80, 0.4, (60, 50)), face_points()))
    corners = np.array([[0.5, 0.5], [0, 0], [1, 1]])
    wide = apply(invert(enlarged(matrix, 1.5)), corners)
    assert np.abs(apply(matrix, wide) - [[0.5, 0.5], [-0.25, -0.25], [1.25, 1.25]]).max() < 1e-9


def test_to_pixels_puts_centres_at_whole_numbers() -> None:
    unit = np.array([[0.5 / 64, 63.5 / 64]])
    assert np.allclose(apply(to_pixels(np.eye(2, 3), 64), unit), [[0, 63]])


def test_inner_mask_is_the_hull_with_raised_brows() -> None:
    points = apply(placed(200, 0.1, (90, 60)), face_points())
    mask = inner_mask(points, align(points), 128)
    assert mask.dtype == np.float32
    assert (mask.min(), mask.max()) == (0, 1)
    inside = np.rint(apply(to_pixels(align(points), 128), points[17:])).astype(int)
    assert all(mask[y, x] == 1 for x, y in inside)
    hull = cv2.convexHull(face_points().astype(np.float32))
    assert float(mask.mean()) > cv2.contourArea(hull)
    assert mask[0, 0] == mask[127, 127] == 0


def test_mirror_is_an_involution_and_maps_a_mirrored_face() -> None:
    assert np.array_equal(MIRROR[MIRROR], np.arange(68))
    points = face_points()
    mirrored = ([1, 0] + np.array([-1, 1]) * points)[MIRROR]
    assert np.abs(mirrored - points).max() < 1e-9, "the drawn face is symmetric"


def test_mirror_keeps_each_feature_in_its_place() -> None:
    for first, last in pairwise([0, 17, 27, 31, 36, 48, 60, 68]):
        assert sorted(MIRROR[first:last]) == list(range(first, last))


def test_overlapping_boxes_are_one_face_and_the_largest_is_first() -> None:
    small, large, beside = (
        (10.0, 10.0, 30.0, 30.0),
        (5.0, 5.0, 40.0, 40.0),
        (100.0, 0.0, 35.0, 35.0),
    )
    assert merged([small, beside, large]) == (large, beside)
    assert overlap(small, large) == 1
    assert overlap(small, beside) == 0


def test_a_plain_wall_has_no_face() -> None:
    assert Detector().boxes(np.full((180, 320), 90, np.uint8)) == ()


def test_guess_puts_a_cascade_box_about_the_unit_crop() -> None:
    box = (50.0, 30.0, 100.0, 100.0)
    corners = apply(invert(guess(box)), np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.5]]))
    assert abs(corners[2, 0] - 100) < 1e-9
    assert 80 < corners[1, 0] - corners[0, 0] < 120


def test_wing_loss_is_steep_near_zero_and_continuous() -> None:
    errors = torch.tensor([0.0, 3.9999, 4.0001, 10.0])
    values = wing(errors)
    assert float(values[0]) == 0
    assert abs(float(values[2] - values[1])) < 1e-3
    assert float(values[3] - values[2]) == pytest.approx(6, abs=1e-3)
    assert torch.equal(wing(-errors), values)


def sheets(count: int = 2) -> list[Sheet]:
    """Drawn faces as if they had been rendered."""
    rng, made = np.random.default_rng(5), []
    for index in range(count):
        points = [
            apply(placed(rng.uniform(50, 70), rng.normal(0, 0.2), (45, 45)), face_points())
            for _ in range(3)
        ]
        drawn = [drawn_face((160, 160), p, seed=index)[..., 1] for p in points]
        made.append(Sheet(np.stack(drawn), np.stack(points).astype(np.float32)))
    return made


def test_landmark_batches_are_pure_in_the_step() -> None:
    batches = landmark_batches(sheets(), batch=12, seed=3)
    one, again, other = batches(7), batches(7), batches(8)
    assert torch.equal(one.crops, again.crops)
    assert torch.equal(one.points, again.points)
    assert not torch.equal(one.crops, other.crops)
    assert len(one) == 12


def test_landmark_batches_keep_the_points_on_the_face() -> None:
    bright = sheets(1)[0]
    marked = np.zeros_like(bright.pictures)
    for picture, points in zip(marked, bright.points, strict=True):
        x, y = points[30]
        cv2.circle(picture, (round(x * 256), round(y * 256)), 3 * 256, 255, -1, shift=8)
    batch = landmark_batches([Sheet(marked, bright.points)], batch=60, seed=0)(0)
    checked = 0
    for grey, goal, present in zip(batch.crops[:, 0], batch.points, batch.present, strict=True):
        assert not present or goal[36, 0] < goal[45, 0], "a mirrored face keeps its order"
        peak = grey - grey.median()
        if not present or peak.max() < 0.4 or (peak > 0.3).sum() > 60:
            continue
        rows, columns = torch.nonzero(peak > peak.max() / 2, as_tuple=True)
        centre = torch.stack([columns.float().mean(), rows.float().mean()])
        assert float((centre - (goal[30] * SIZE - 0.5)).abs().max()) < 1
        checked += 1
    assert checked >= 20


def test_landmark_learner_moves_every_weight_and_resumes() -> None:
    torch.manual_seed(0)
    batches = landmark_batches(sheets(), batch=4, seed=1)
    learner = LandmarkLearner()
    before = {name: value.clone() for name, value in learner.net.named_parameters()}
    losses = [learner.step(batches(step)) for step in range(2)]
    assert all(loss.isfinite() and not loss.requires_grad for loss in losses[0].values())
    assert all(not torch.equal(before[n], p) for n, p in learner.net.named_parameters())
    other = LandmarkLearner()
    other.load_state_dict(deepcopy(learner.state_dict()))
    for twin in (learner, other):
        twin.step(batches(2))
    same = zip(learner.net.parameters(), other.net.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in same)
    assert learner.preview(batches(0)).shape == (4, 2, 3, SIZE, SIZE)


def test_learning_brings_the_points_nearer() -> None:
    torch.manual_seed(0)
    taught, lesson = LandmarkLearner(averaging=0.5), sheets()
    batches = landmark_batches(lesson, batch=12, seed=1)
    before = examine(Landmarker(taught.average), lesson)
    for step in range(14):
        taught.step(batches(step))
    assert examine(Landmarker(taught.average), lesson) < 0.7 * before


def test_folding_the_normalisation_changes_nothing() -> None:
    torch.manual_seed(0)
    learner = LandmarkLearner(averaging=0.0)
    learner.step(landmark_batches(sheets(), batch=4, seed=1)(0))
    grey = drawn_face((90, 80), apply(placed(50, 0, (15, 12)), face_points()))[..., 0]
    matrix = guess((10, 10, 55, 55))
    small = torch.from_numpy(crop(grey, enlarged(matrix, 1.6), SIZE))[None, None].float() / 255
    with torch.no_grad():
        points, logit = learner.average(small)
    found, score = Landmarker(learner.average).find(grey, matrix)
    back = apply(enlarged(matrix, 1.6), found)
    assert np.abs(back - points[0].numpy()).max() < 1e-4
    assert score == pytest.approx(float(logit.sigmoid()), abs=1e-4)


def test_weights_survive_writing_and_a_changed_file_is_refused(tmp_path: Path) -> None:
    path, net = tmp_path / "w.safetensors", LandmarkNet()
    write_weights(net, path, Taught(1, 0.5), Lessons())
    assert path.stat().st_size <= 2**20
    grey, matrix = np.arange(6400, dtype=np.uint8).reshape(80, 80), guess((10, 10, 60, 60))
    one, _ = Landmarker(net).find(grey, matrix)
    two, _ = Landmarker.load(path).find(grey, matrix)
    assert np.abs(one - two).max() < 0.1
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="SHA-256"):
        Landmarker.load(path)
    with pytest.raises(UserError, match="changeling teach landmarks"):
        Landmarker.load(tmp_path / "none.safetensors")


def test_teaching_renders_once_goes_on_and_writes_what_it_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[int, int]] = []

    def render(
        actor: Actor, performance: Performance, *, size: tuple[int, int], frames: list[int]
    ) -> Iterator[SimpleNamespace]:
        drawn.append((actor.face, performance.seed))
        for _ in frames:
            points = apply(placed(60, 0.1, (45, 40)), face_points())
            frame = SimpleNamespace(pixels=drawn_face(size, points, seed=actor.face))
            truth = SimpleNamespace(landmarks=points.astype(np.float32))
            yield SimpleNamespace(frame=frame, truth=truth)

    monkeypatch.setattr(lessons, "render", render)
    teaching = Teaching(Lessons(actors=3, performances=2, frames=2), batch=4)
    out, ticks = tmp_path / "w.safetensors", list[int]()
    for steps in (1, 2):
        taught = teach_landmarks(
            tmp_path / "run",
            Budget(minutes=None, steps=steps),
            teaching,
            cache=tmp_path / "cache",
            out=out,
            tick=lambda done, total: ticks.append(done),
        )
        assert taught.steps == steps
    assert drawn == [(f, 10 * f + k) for f in (10_000, 10_001, 10_002) for k in (0, 1)]
    assert ticks == [1, 2, 3, 1000, 1, 2, 3, 1000]
    held_out = lessons.render_lessons(teaching.lessons, tmp_path / "cache")[:1]
    assert isinstance(held_out[0].pictures, np.memmap)
    assert examine(Landmarker.load(out), held_out) == pytest.approx(taught.error, rel=0.02)


def test_the_weights_that_ship_are_small_and_whole() -> None:
    assert WEIGHTS.stat().st_size <= 2**20
    Landmarker.load()


def test_smoothing_rests_with_a_resting_face_and_keeps_up_with_a_moving_one() -> None:
    rng, points = np.random.default_rng(0), face_points() * 150
    still, smoother = [], Smoother()
    for _ in range(60):
        still.append(smoother.follow(points + rng.normal(0, 1, points.shape)))
    jitter = np.diff(np.stack(still[20:]), axis=0).std()
    assert jitter < 0.35 * np.sqrt(2)
    moving = Smoother()
    for frame in range(30):
        shown = points + np.array([8.0 * frame, 0])
        lag = shown - moving.follow(shown)
    assert np.abs(lag).max() < 3


class Stage:
    """A detector and a landmarker that know where the faces are, and count their calls."""

    def __init__(self) -> None:
        self.faces: list[Points] = []
        self.searches = 0
        self.rng = np.random.default_rng(0)
        stage = self

        class Eye(Detector):
            def __init__(self) -> None: ...

            def boxes(self, grey: Grey) -> tuple[Box, ...]:
                stage.searches += 1
                return tuple(_around(points) for points in stage.faces)

        class Hand(Landmarker):
            def __init__(self) -> None: ...

            def find(self, grey: Grey, matrix: Matrix) -> tuple[Points, float]:
                for points in stage.faces:
                    if np.abs(apply(matrix, five_points(points)) - TEMPLATE).max() < 0.3:
                        return points + stage.rng.normal(0, 0.5, points.shape), 0.9
                return np.zeros((68, 2)), 0.1

        self.tracker = Tracker(Eye(), Hand())

    def show(self, light: int = 100) -> tuple[Face, ...]:
        return self.tracker.find(np.full((180, 320, 3), light, np.uint8))


def _around(points: Points) -> Box:
    left, top = apply(similarity(TEMPLATE, five_points(points)), np.array([[0.0, 0.0]]))[0]
    side = np.linalg.norm(np.subtract(*five_points(points)[:2])) / 0.36
    return (float(left), float(top), float(side), float(side))


LEFT = apply(placed(60, 0, (40, 50)), face_points())
RIGHT = apply(placed(80, 0.1, (200, 40)), face_points())


def test_a_followed_face_is_not_searched_for() -> None:
    stage = Stage()
    stage.faces = [LEFT]
    found = [stage.show() for _ in range(20)]
    assert stage.searches == 1
    assert all(len(faces) == 1 for faces in found)
    assert max(np.abs(faces[0].landmarks - LEFT).max() for faces in found) < 2
    middles = [faces[0].landmarks.mean(0) for faces in found[5:]]
    assert float(np.std(middles, axis=0).max()) < 0.1


def test_two_people_are_followed_and_the_largest_is_first() -> None:
    stage = Stage()
    stage.faces = [LEFT, RIGHT]
    for _ in range(3):
        faces = stage.show()
    assert [face.box[2] > 70 for face in faces] == [True, False]


def test_a_new_person_is_seen_within_a_second() -> None:
    stage = Stage()
    stage.faces = [LEFT]
    stage.show()
    stage.faces = [LEFT, RIGHT]
    counts = [len(stage.show()) for _ in range(25)]
    assert counts == [1] * 24 + [2]


def test_a_cut_is_searched_at_once() -> None:
    stage = Stage()
    stage.faces = [LEFT]
    stage.show(60)
    stage.faces = [LEFT, RIGHT]
    assert len(stage.show(160)) == 2
    assert stage.searches == 2


def test_a_lost_face_is_dropped_and_found_again() -> None:
    stage = Stage()
    stage.faces = [LEFT]
    stage.show()
    stage.faces = []
    assert stage.show() == ()
    stage.faces = [RIGHT]
    assert np.abs(stage.show()[0].landmarks - RIGHT).max() < 2


def test_two_tracks_on_one_face_become_one() -> None:
    stage = Stage()
    stage.faces = [LEFT, RIGHT]
    stage.show()
    near = LEFT + np.array([4, 0])
    stage.faces = [near]
    stage.tracker._tracks[1].face = Face.from_landmarks(near)
    assert len(stage.show()) == 1


def test_the_same_frames_give_the_same_faces() -> None:
    def film() -> list[tuple[Face, ...]]:
        stage = Stage()
        stage.faces = [LEFT, RIGHT]
        return [stage.show() for _ in range(4)]

    for one, other in zip(film(), film(), strict=True):
        assert all(
            np.array_equal(a.landmarks, b.landmarks) for a, b in zip(one, other, strict=True)
        )
