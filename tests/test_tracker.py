"""Following faces through a film, with eyes that know where they are."""

from dataclasses import replace

import numpy as np
from drawn import LEFT, RIGHT, Points, face_points, seen_face

from changeling.faces.alignment import TEMPLATE, Box, Face, Matrix, apply, five_points, similarity
from changeling.faces.detect import Detector, Grey
from changeling.faces.landmarks import Landmarker
from changeling.faces.tracker import Smoother, Tracker
from changeling.media import Pixels


def test_smoothing_rests_with_a_resting_face_and_keeps_up_with_a_moving_one() -> None:
    rng, points = np.random.default_rng(0), face_points() * 150
    still, smoother = [], Smoother()
    for _ in range(60):
        still.append(smoother.follow(points + rng.normal(0, 1, points.shape)))
    jitter = np.diff(np.stack(still[20:]), axis=0).std()
    assert jitter < 0.5 * np.sqrt(2)
    moving = Smoother()
    for frame in range(30):
        shown = points + np.array([8.0 * frame, 0])
        lag = shown - moving.follow(shown)
    assert np.abs(lag).max() < 2


class Stage:
    """A detector and a landmarker that know where the faces are, and count their calls."""

    def __init__(self) -> None:
        self.faces: list[Points] = []
        self.searches = 0
        self.confidence = 0.9
        self.rng = np.random.default_rng(0)
        stage = self

        class Eye(Detector):
            def __init__(self) -> None: ...

            def boxes(self, grey: Grey) -> tuple[Box, ...]:
                stage.searches += 1
                return tuple(_around(points) for points in stage.faces)

        class Hand(Landmarker):
            def __init__(self) -> None: ...

            def find(self, pixels: Pixels, matrix: Matrix) -> Face:
                for points in stage.faces:
                    if np.abs(apply(matrix, five_points(points)) - TEMPLATE).max() < 0.3:
                        return self._seen(points + stage.rng.normal(0, 0.5, points.shape))
                return seen_face(face_points(), 0.1)

            def _seen(self, points: Points) -> Face:
                face = seen_face(points)
                assert face.seen is not None
                sure = np.full(200, stage.confidence, np.float32)
                return replace(face, seen=replace(face.seen, confidence=sure))

        self.tracker = Tracker(Eye(), Hand())

    def show(self, light: int = 100) -> tuple[Face, ...]:
        return self.tracker.find(np.full((180, 320, 3), light, np.uint8))


def _around(points: Points) -> Box:
    left, top = apply(similarity(TEMPLATE, five_points(points)), np.array([[0.0, 0.0]]))[0]
    side = np.linalg.norm(np.subtract(*five_points(points)[:2])) / 0.36
    return (float(left), float(top), float(side), float(side))


def test_a_followed_face_is_not_searched_for() -> None:
    stage = Stage()
    stage.faces = [LEFT]
    found = [stage.show() for _ in range(20)]
    assert stage.searches == 1
    assert all(len(faces) == 1 for faces in found)
    assert max(np.abs(faces[0].landmarks - LEFT).max() for faces in found) < 2
    middles = [faces[0].landmarks.mean(0) for faces in found[5:]]
    assert float(np.std(middles, axis=0).max()) < 0.1


def test_a_new_face_must_be_sure_and_one_that_is_followed_need_not() -> None:
    stage = Stage()
    stage.faces, stage.confidence = [LEFT], 0.6
    assert stage.show() == ()
    stage.confidence = 0.8
    assert len(stage.show()) == 1
    stage.confidence = 0.6
    assert len(stage.show()) == 1


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


def test_one_of_two_is_searched_for_as_soon_as_it_is_lost() -> None:
    stage = Stage()
    stage.faces = [LEFT, RIGHT]
    stage.show()
    moved = RIGHT + np.array([-40, 30])
    stage.faces = [LEFT, moved]
    found = stage.show()
    assert stage.searches == 2
    assert [face.track for face in found] == [3, 0], "2 was the left one, seen again"
    assert np.abs(found[0].landmarks - moved).max() < 3


def test_one_of_two_who_comes_back_is_found_before_the_next_regular_search() -> None:
    stage = Stage()
    stage.faces = [LEFT, RIGHT]
    stage.show()
    counts = []
    for frame in range(8):
        stage.faces = [LEFT] if frame < 3 else [LEFT, RIGHT]
        counts.append(len(stage.show()))
    assert counts == [1, 1, 1, 1, 2, 2, 2, 2]


def test_whoever_has_left_is_not_searched_for_for_ever() -> None:
    stage = Stage()
    stage.faces = [LEFT, RIGHT]
    stage.show()
    stage.faces = [LEFT]
    searched = []
    for frame in range(130):
        before = stage.searches
        stage.show()
        searched += [frame] * (stage.searches - before)
    assert searched == [0, 1, 4, 11, 26, 51, 76, 101, 126]


def test_one_person_is_searched_for_as_ever() -> None:
    """Every 25th frame, and in every frame while nobody is seen."""
    stage = Stage()
    searched = []
    for frame in range(100):
        before = stage.searches
        stage.faces = [] if frame in (30, 31) else [LEFT]
        stage.show()
        searched += [frame] * (stage.searches - before)
    assert searched == [0, 25, 30, 31, 32, 57, 82]


def test_two_tracks_on_one_face_become_one() -> None:
    stage = Stage()
    stage.faces = [LEFT, RIGHT]
    stage.show()
    near = LEFT + np.array([4, 0])
    stage.faces = [near]
    stage.tracker._tracks[1].face = seen_face(near)
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


def test_a_face_keeps_its_number_until_it_is_lost_or_the_film_cuts() -> None:
    stage = Stage()
    stage.faces = [LEFT, RIGHT]
    first = [face.track for face in stage.show(60)]
    assert sorted(first) == [0, 1]
    assert [face.track for face in stage.show(60)] == first
    stage.faces = [RIGHT]
    assert [face.track for face in stage.show(60)] == [first[0]], "the larger one stays"
    stage.faces = [LEFT]
    assert [face.track for face in stage.show(60)] == [3]
    # Somebody else in exactly the same place after a cut is somebody else.
    assert [face.track for face in stage.show(160)] == [4]
    assert [face.track for face in stage.show(160)] == [4]
