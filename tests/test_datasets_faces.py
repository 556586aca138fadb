"""Data sets of faces: rendered actors with what is true of them, and face sets."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from drawn import LEFT, drawn_face, placed
from numpy.typing import NDArray
from test_faceset import made

from changeling.actors import ACTIONS
from changeling.actors.actor import face_traits
from changeling.errors import UserError
from changeling.faces import (
    Face,
    Identifier,
    Known,
    Pictures,
    Tracker,
    align,
    crop,
    datasets,
    open_actors,
    open_files,
    open_pictures,
)
from changeling.faces.alignment import TEMPLATE, apply, turns
from changeling.faces.datasets_actors import ActorPictures
from changeling.faces.datasets_sets import joined
from changeling.faces.renders import Lessons, Renders, _file, _open, render_lessons
from changeling.media import read_image, write_image
from changeling.provenance import Consent, Enrolment, write_consent

TODAY = date(2026, 6, 1)
GIVEN = Consent("dataset", licence="research only", purpose="a test", until=date(2026, 12, 31))
CORNERS = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
RENDERS = Renders(faces=4, first=20, stylings=1, frames=2, size=48, varied=False)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As if eight frames of four actors had been rendered: noise, each with its own landmarks."""
    cache, rng = tmp_path_factory.mktemp("lessons"), np.random.default_rng(0)
    lessons = _open(cache / RENDERS.name, RENDERS)
    lessons.pictures[:] = rng.integers(0, 256, lessons.pictures.shape)
    for row in range(8):
        lessons.points[row] = five_places(apply(placed(24, 0.04 * row, (12, 10)), TEMPLATE))
        lessons.rotation[row] = cv2.Rodrigues(np.array([0, 0.1 * row - 0.3, 0.1]))[0]
        lessons.face[row] = RENDERS.first + row // 2
    _file(cache / RENDERS.name / "done.npy", np.bool_, (4,))[:] = True
    return cache


def five_places(places: NDArray[np.float64]) -> NDArray[np.float32]:
    """(200, 2) landmarks of which only the five points lie anywhere, at (5, 2) `places`."""
    points = np.zeros((200, 2), np.float32)
    rows = ([*range(36, 42)], [*range(42, 48)], [30], [48], [54])
    for some, place in zip(rows, places, strict=True):
        points[some] = place
    return points


def opened(source: object, **given: Any) -> Pictures:  # noqa: ANN401
    return open_pictures(str(source), **given)


def parts(source: object, **given: Any) -> tuple[Pictures, Pictures]:  # noqa: ANN401
    return opened(source, part="train", **given), opened(source, part="test", **given)


def everything(pictures: Pictures, size: int) -> Any:  # noqa: ANN401
    return pictures.read(np.arange(len(pictures)), size)


def test_actors_are_cropped_as_face_sets_are(cache: Path) -> None:
    lessons = render_lessons(RENDERS, cache)
    train, test = parts("actors-film", renders=RENDERS, cache=cache)
    assert (len(train), len(test)) == (4, 4), "two of the four faces are kept to examine with"
    for pictures, rows in ((train, range(4)), (test, range(4, 8))):
        for shown, row in zip(everything(pictures, 24), rows, strict=True):
            matrix = align(lessons.points[row][:68])
            assert np.array_equal(shown, crop(np.asarray(lessons.pictures[row]), matrix, 24))
            unturned = placed(24, 0.04 * row, (12, 10))
            assert apply(matrix, apply(unturned, TEMPLATE)) == pytest.approx(TEMPLATE, abs=1e-5)
    assert (train.consent.kind, train.kinds, train.channels) == ("actor", (), 3)
    assert test.labels(np.arange(4)).tolist() == [0] * 4


def test_the_truth_of_actors_is_told_by_row(cache: Path) -> None:
    test = parts("actors-film", renders=RENDERS, cache=cache)[1]
    rows = np.array([3, 0])
    about = test.attributes(rows)
    assert about.names == ("age", "gender", "skin", "yaw", "smile")
    for row, values in zip(rows, about.values, strict=True):
        body, frame = divmod(4 + int(row), 2)
        # Two frames of 800, each from the middle of its half.
        actions = RENDERS.body(body)[1].actions[(200, 600)[frame]]
        smiles = [actions[ACTIONS.index(f"mouthSmile{side}")] for side in ("Left", "Right")]
        traits = face_traits(20 + body)
        phenotypes = dict(traits.phenotypes)
        yaw = turns(cv2.Rodrigues(np.array([0, 0.1 * (4 + row) - 0.3, 0.1]))[0])[0]
        expected = [phenotypes["age"], phenotypes["gender"], traits.melanin, yaw, np.mean(smiles)]
        assert values == pytest.approx(expected, abs=1e-5)
    assert np.ptp(about.values, axis=0).min() > 1e-3, "the two rows differ in everything"


def test_crops_that_reach_far_over_the_frame_are_left_out() -> None:
    points: list[NDArray[np.float32]] = []
    for reach in (-0.5, 0.05, 0.3, 0.05, 0.2):
        # A crop of 40 pixels, turned, whose corner lies so far over the left edge of 100 pixels,
        # or in the last two rows over the lower one.
        corners = apply(placed(40, 0.5, (0, 0)), CORNERS)
        left, low = -40 * reach - corners[:, 0].min(), 99 + 40 * reach - corners[:, 1].max()
        shift = (40.0, low) if len(points) >= 3 else (left, 20.0)
        points.append(five_places(apply(placed(40, 0.5, shift), TEMPLATE)))
    grey = np.repeat(np.arange(5, dtype=np.uint8), 100 * 100 * 3).reshape(5, 100, 100, 3)
    lessons = Lessons(
        pictures=grey,
        segments=grey[..., 0],
        points=np.stack(points),
        visible=np.ones((5, 200), np.bool_),
        rotation=np.stack([cv2.Rodrigues(np.array([0.0, row / 5, 0]))[0] for row in range(5)]),
        face=np.arange(20, 25, dtype=np.int32),
        styling=np.zeros(5, np.int32),
    )
    kept = ActorPictures(RENDERS, lessons, 0)
    assert everything(kept, 8)[:, 4, 4, 0].tolist() == [0, 1, 3]
    yaw = kept.attributes(np.arange(3)).values[:, 3]
    assert np.abs(yaw) == pytest.approx([0, 0.2, 0.6], abs=1e-5)


def test_actors_as_in_a_film_are_other_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Renders] = []

    def rendered(renders: Renders, cache: Path, **_: object) -> None:
        asked.append(renders)
        raise UserError("asked")

    monkeypatch.setattr("changeling.faces.datasets.learnt_and_kept", rendered)
    for source in ("actors", "actors-film"):
        with pytest.raises(UserError, match="asked"):
            open_pictures(source)
        with pytest.raises(UserError, match="asked"):
            open_pictures(source, renders=Renders(faces=9))
    films = [Renders(varied=False), Renders(faces=9, varied=False)]
    assert asked == [Renders(), Renders(faces=9), *films]


def test_actors_are_opened_again_by_the_name_that_a_run_keeps(cache: Path) -> None:
    for renders in (Renders(), Renders(7, 20, 3, 40, 5, 96, varied=False, zoom=1.9)):
        assert Renders.from_name(renders.name) == renders
    first = parts("actors-film", renders=RENDERS, cache=cache)[1]
    again = open_actors(first.name, part="test", cache=cache)
    assert again.name == first.name
    assert np.array_equal(everything(again, 24), everything(first, 24))
    with pytest.raises(UserError, match="fashion-mnist are no rendered actors: give a run"):
        open_actors("fashion-mnist", part="test", cache=cache)


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sets of two people, with something else beside."""
    folder = tmp_path_factory.mktemp("sets")
    made(folder / "bo", count=10, seed=50)
    made(folder / "ada", count=20)
    (folder / "notes").mkdir()
    return folder


def test_face_sets_are_classes_and_show_unit_crops(sets: Path) -> None:
    train, test = parts(sets)
    assert (train.name, train.kinds) == (sets.name, ("ada", "bo"))
    assert train.labels(np.arange(27)).tolist() == [0] * 18 + [1] * 9
    assert test.labels(np.arange(3)).tolist() == [0, 0, 1]
    stored = [read_image(sets / "ada" / f"{k:06d}.png")[6:38, 6:38] for k in (18, 19)]
    assert np.array_equal(test.read(np.array([1, 0]), 32), stored[::-1])
    small = train.read(np.array([20]), 16)[0]
    bo = read_image(sets / "bo" / "000002.png")[6:38, 6:38]
    assert np.array_equal(small, cv2.resize(bo, (16, 16), interpolation=cv2.INTER_AREA))


def test_one_face_set_has_no_classes(sets: Path) -> None:
    train, test = parts(sets / "bo")
    assert (len(train), len(test), train.kinds) == (9, 1, ())
    assert train.labels(np.arange(9)).tolist() == [0] * 9
    assert train.consent.people == ("Ada",)


def test_face_sets_that_are_too_small_are_named(sets: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ada holds faces of 32 pixels .* --size 33"):
        parts(sets)[0].read(np.array([0]), 33)
    made(tmp_path / "few", count=3)
    with pytest.raises(UserError, match="few hold too few faces to test with"):
        parts(tmp_path / "few")


def test_the_consent_of_several_sets_allows_what_all_allow(sets: Path) -> None:
    ada = made(sets.parent / "x" / "ada", count=2)
    actor = replace(ada, consent=Consent("actor", people=("rendered",)))
    other = replace(
        ada,
        consent=Consent(
            "footage", ("Bo",), "Bo", "a film", until=date(2026, 3, 1), revoked=True, evidence="y"
        ),
    )
    late = replace(ada, consent=replace(other.consent, until=date(2027, 1, 1), revoked=False))
    assert joined([actor, actor]).kind == "actor"
    assert joined([actor, ada]) == ada.consent
    both = joined([late, ada, actor, other])
    assert (both.people, both.given_by) == (("Bo", "Ada"), "Bo; Ada")
    assert (both.until, both.revoked, both.evidence) == (date(2026, 3, 1), True, "")
    silent = replace(ada, consent=replace(ada.consent, given_by=""))
    assert joined([ada, silent]).given_by == "", "what one leaves open stays open"
    with pytest.raises(UserError, match=r"is footage and .* is dataset"):
        joined([ada, replace(ada, consent=GIVEN)])


def test_under_footage_each_picture_shows_an_enrolled_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "eve"):
        write_image(tmp_path / "set" / f"{name}.png", np.zeros((8, 8, 3), np.uint8))
    seen = {"ada": np.eye(1, 128, 0, dtype=np.float32), "eve": np.eye(1, 128, 1, dtype=np.float32)}
    looks = Enrolment("Ada", "net", ("0" * 64, "1" * 64), (tuple(seen["ada"][0].tolist()),) * 2)
    given = Consent("footage", ("Ada",), "Ada", "a test", evidence="here", enrolled=(looks,))
    write_consent(tmp_path / "ada.toml", given)
    knows = SimpleNamespace(name="net", same=0.5)
    monkeypatch.setattr(Identifier, "load", lambda: knows)
    monkeypatch.setattr(
        datasets, "portrait", lambda name, paths, _: Known(name, seen[paths[0].stem])
    )
    with pytest.raises(UserError, match=r"eve\.png: the face is not that of a person"):
        opened(tmp_path / "set", consent=tmp_path / "ada.toml")
    (tmp_path / "set" / "eve.png").unlink()
    assert opened(tmp_path / "set", consent=tmp_path / "ada.toml").consent == given
    write_consent(tmp_path / "none.toml", replace(given, enrolled=()))
    with pytest.raises(UserError, match="does not hold what its people look like"):
        opened(tmp_path / "set", consent=tmp_path / "none.toml")


def test_single_files_are_square_or_faces(tmp_path: Path) -> None:
    write_consent(tmp_path / "c.toml", GIVEN)
    grain = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    write_image(tmp_path / "square.png", grain)
    write_image(tmp_path / "wide.png", drawn_face((320, 180), LEFT))
    files = [tmp_path / "square.png", tmp_path / "wide.png"]
    with pytest.raises(UserError, match=r"square.png may show real people and comes without"):
        open_files(files, consent=None)
    with pytest.raises(UserError, match=r"wide.png is 320×180 pixels large and not square"):
        open_files(files, consent=tmp_path / "c.toml")
    one = open_files(files[:1], consent=tmp_path / "c.toml")
    assert (one.consent, len(one), one.name) == (GIVEN, 1, str(files[0]))
    assert np.array_equal(everything(one, 20)[0], grain)
    with pytest.raises(UserError, match=r"square.png shows no face that can be found"):
        everything(open_files(files, consent=tmp_path / "c.toml", faces=True), 32)


def test_the_largest_face_is_cut_out_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_consent(tmp_path / "c.toml", GIVEN)
    write_image(tmp_path / "wide.png", drawn_face((320, 180), LEFT))
    face = Face.from_landmarks(LEFT.astype(np.float32), 0.9)
    monkeypatch.setattr(Tracker, "find", lambda self, pixels: (face,))
    shown = open_files([tmp_path / "wide.png"], consent=tmp_path / "c.toml", faces=True)
    assert np.array_equal(
        everything(shown, 32)[0], crop(read_image(tmp_path / "wide.png"), align(LEFT), 32)
    )
