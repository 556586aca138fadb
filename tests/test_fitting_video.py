"""A film becomes a fit record: key frames, cuts, refusals with their reasons, light, the CSV."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cast import performance, shots

from changeling.actors import ACTIONS
from changeling.actors.camera import AXES, turn_of, turned
from changeling.actors.recording import read_recording
from changeling.cli import main
from changeling.errors import UserError
from changeling.faces import FitRecord, face_model, fit_video, open_fit
from changeling.faces.alignment import Face, Seen, align
from changeling.faces.fitted import FrameFit, Marked, project
from changeling.faces.fitting import fit_frames
from changeling.faces.fitting_light import DARK, light_on
from changeling.faces.fitting_video import Look, followed, key_frames, look_at
from changeling.faces.morphable import Floats
from changeling.media import Frame, write_image

TODAY = date(2026, 11, 22)
STILL = FrameFit(np.eye(3), np.zeros(2), 900.0, np.zeros(50))
FOCAL = 500.0
PIXELS = np.full((256, 256, 3), 128, np.uint8)


def points(frame: FrameFit = STILL) -> Floats:
    model = face_model()
    shape = model.shape(np.zeros(60), frame.actions)
    return project(shape, frame, FOCAL, (256, 256))[model.landmarks]


def face(at: Floats, *, turn: float = 0.0, hidden: slice = slice(0)) -> Face:
    visible = np.ones(200, bool)
    visible[hidden] = False
    rotation = AXES @ turned(np.array([turn, 0, 0])) @ AXES.T
    seen = Seen(
        dense=at.astype(np.float32),
        confidence=np.ones(200, np.float32),
        visible=visible,
        rotation=rotation.astype(np.float32),
        view=align(at[:68]),
        parts=np.zeros((7, 8, 8), np.uint8),
    )
    return Face.from_landmarks(at[:68], seen=seen, track=3)


def look(index: int, at: Floats | None, *, turn: float = 0.0, track: int = 0) -> Look:
    marked = None if at is None else Marked(at, np.ones(200), (256, 256))
    reason = "" if marked else "no face was found"
    return Look(index, Fraction(index, 25), marked, (turn, 0.0), track, reason)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (None, "no face was found"),
        (face(128 + 0.1 * (points() - 128)), "too small, 8 pixels"),
        (face(points(), turn=1.1), "one eye is hidden"),
        (face(points(), hidden=slice(36, 41)), "one eye is hidden"),
        (face(points() + np.array([130, 0])), "cut off by the frame's edge"),
    ],
)
def test_what_cannot_be_fitted_is_kept_with_the_reason(seen: Face | None, reason: str) -> None:
    found = look_at(Frame(PIXELS, 4, Fraction(4, 25)), seen)
    assert found.marked is None and reason in found.reason
    assert (found.index, found.time) == (4, Fraction(4, 25))


def test_what_can_be_fitted_is_marked_by_how_sure_the_network_is() -> None:
    found = look_at(Frame(PIXELS, 0, Fraction(0)), face(points(), turn=0.4))
    assert found.marked is not None and found.reason == "" and found.track == 3
    assert found.turn[0] == pytest.approx(0.4, abs=1e-6)
    assert np.array_equal(found.marked.weights, np.full(200, found.marked.weights[0]))
    assert 0 < found.marked.weights[0] < 1


def test_key_frames_are_as_different_as_there_are() -> None:
    turns = [0.3, 0.31, 0.0, 0.02, -0.5, 0.01, 0.6]
    looks = [look(k, points(), turn=turn) for k, turn in enumerate(turns)]
    looks[1] = look(1, None)
    assert [one.index for one in key_frames(looks, 3)] == [2, 4, 6]
    assert [one.index for one in key_frames(looks, 4)] == [0, 2, 4, 6]
    assert len(key_frames(looks, 50)) == 6 and key_frames([look(0, None)]) == []


def test_after_a_cut_and_after_a_gap_the_fit_begins_anew() -> None:
    model = face_model()
    far = replace(STILL, rotation=AXES @ turned(np.array([0.7, 0, 0])) @ AXES.T)
    fit = fit_frames(model, [Marked(points(), np.ones(200), (256, 256))])

    def turn(track: int, gap: bool) -> float:
        looks = [look(0, points()), look(1, points(far), track=track)]
        if gap:
            looks.insert(1, look(9, None))
        last = list(followed(model, looks, fit))[-1].frame
        assert last is not None
        return float(turn_of(AXES.T @ last.rotation @ AXES)[0])

    assert turn(1, False) == turn(0, True) == pytest.approx(0.7, abs=0.01)
    assert turn(0, False) != turn(1, False), "within a take it is held near the last frame"


def test_what_is_no_face_does_not_fit() -> None:
    dice = np.random.default_rng(0)
    fit = fit_frames(face_model(), [Marked(points(), np.ones(200), (256, 256))])
    (one,) = followed(face_model(), [look(0, points() + 25 * dice.normal(size=(200, 2)))], fit)
    assert one.frame is None and one.reason == "the model does not fit what was found"


def test_the_turn_of_the_head_is_that_of_a_performance() -> None:
    for turn in ([0.4, -0.3, 0.2], [-0.7, 0.5, -0.4], [0, 0, 0]):
        assert turn_of(turned(np.array(turn))) == pytest.approx(turn, abs=1e-12)


def test_light_is_read_off_the_skin() -> None:
    model, shape = face_model(), face_model().mean
    even = light_on(PIXELS, model, shape, STILL, FOCAL)
    grey = (128 / 255) ** 2.2
    assert np.allclose(even, np.array([[grey, 0, 0, 0]] * 3), atol=1e-6)
    ramp = np.linspace(60, 200, 256).astype(np.uint8)[None, :, None].repeat(256, 0)
    coloured = np.concatenate([ramp, np.full((256, 256, 2), 90, np.uint8)], 2)
    light = light_on(coloured, model, shape, STILL, FOCAL)
    assert light[0, 1] > 0.05 and abs(light[0, 2]) < 0.02, "red comes from the right"
    assert np.abs(light[1:, 1:]).max() < 1e-6
    black = np.zeros_like(PIXELS)
    black[:, 140:] = 255
    hard = light_on(black, model, shape, STILL, FOCAL)
    assert (np.linalg.norm(hard[:, 1:], axis=1) <= hard[:, 0] + 1e-9).all()


def test_a_face_outside_the_picture_has_no_light() -> None:
    away = replace(STILL, place=np.array([4000.0, 0]))
    assert np.array_equal(light_on(PIXELS, face_model(), face_model().mean, away, FOCAL), DARK)


@pytest.fixture(scope="module")
def record(film: Path) -> FitRecord:
    return fit_video(film, today=TODAY)


def test_a_film_is_fitted_near_its_truth(record: FitRecord, film: Path) -> None:
    from changeling.actors import read_truth

    assert [one.index for one in record.frames] == list(range(6)) and not record.reasons
    assert record.film is not None and record.size == (160, 120)
    model = face_model()
    for one, truth in zip(record.frames, read_truth(film), strict=True):
        assert one.frame is not None
        shape = model.shape(record.identity, one.frame.actions)[model.landmarks]
        away = np.linalg.norm(
            project(shape, one.frame, record.focal, record.size) - truth.dense, axis=1
        )
        apart = np.linalg.norm(truth.landmarks[45] - truth.landmarks[36])
        assert away.mean() < 0.06 * apart
        turn = one.frame.rotation @ truth.rotation.T
        assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) < 6
        assert one.light[:, 0].min() > 0.02 and one.light[:, 0].max() < 1


def test_a_record_comes_back_as_it_was_written(record: FitRecord, tmp_path: Path) -> None:
    path, again = tmp_path / "a.json", tmp_path / "b.json"
    record.save(path)
    opened = open_fit(path)
    opened.save(again)
    assert path.read_bytes() == again.read_bytes()
    assert opened.consent == record.consent and opened.film == record.film
    assert np.allclose(opened.identity, record.identity, atol=1e-6)
    with pytest.raises(UserError, match="exists already"):
        record.save(path)
    path.write_text(path.read_text()[:900])
    with pytest.raises(UserError, match=r"a\.json is no fit record, or a damaged one"):
        open_fit(path)


def test_the_csv_is_performed_by_an_actor(record: FitRecord, tmp_path: Path) -> None:
    lost = replace(record.frames[2], frame=None, reason="no face was found")
    with_gap = replace(record, frames=(*record.frames[:2], lost, *record.frames[3:]))
    with_gap.save_csv(tmp_path / "a.csv", face_model())
    read = read_recording(tmp_path / "a.csv")
    assert read.rate == 25
    assert read.actions.shape == (6, 52) and np.array_equal(read.actions[2], read.actions[1])
    frame = record.frames[4].frame
    assert frame is not None
    places = [ACTIONS.index(name) for name in face_model().actions]
    assert np.allclose(read.actions[4][places], frame.actions, atol=1e-6)
    assert np.allclose(read.turn[4], turn_of(AXES.T @ frame.rotation @ AXES), atol=1e-6)


def test_the_command_fits_and_asks_for_consent(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.json"
    assert main(["fit", str(film), "-o", str(out)]) == 0
    assert f"{out}: 6 of 6 frames fitted" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.json"]
    assert main(["fit", str(film), "-o", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["fit", str(film), "-o", str(tmp_path / "a.csv"), "--overwrite"]) == 2
    assert "give one that ends in .json" in capsys.readouterr().err
    picture = tmp_path / "face.png"
    write_image(picture, shots()[0].frame.pixels)
    assert main(["fit", str(picture), "-o", str(tmp_path / "b.json")]) == 2
    assert "comes without consent" in capsys.readouterr().err


def test_a_film_without_a_face_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, consent: Path
) -> None:
    empty = tmp_path / "empty.png"
    write_image(empty, PIXELS)
    with pytest.raises(UserError, match=r"empty\.png cannot be fitted: no face was found"):
        fit_video(empty, today=TODAY, consent=consent)
    stranger = tmp_path / "stranger.png"
    write_image(stranger, shots(size=(320, 240))[0].frame.pixels)
    assert len(performance()) > 0
    with pytest.raises(UserError, match="not that of a person of the consent"):
        fit_video(stranger, today=TODAY, consent=consent)
