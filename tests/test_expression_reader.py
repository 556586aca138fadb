"""What a face does is read off its landmarks: linear maps, taught by actors, kept by the fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import changeling.faces.expression_teaching as teaching_module
from changeling.actors import ACTIONS, Actor, Performance, render
from changeling.cli import main
from changeling.errors import UserError
from changeling.faces import Renders, Tracker, face_model
from changeling.faces.expression import (
    MANY,
    WEIGHTS,
    ExpressionReader,
    aligned,
    features,
    read_by,
)
from changeling.faces.expression_teaching import (
    ExpressionTaught,
    ExpressionTeaching,
    Seen,
    examined,
    ridge,
    taught_by,
    teach_expression,
)
from changeling.faces.fitted import Marked, project
from changeling.faces.fitting import fit_frames, track_frame
from changeling.faces.fitting_video import Look, look_at, read_off
from changeling.faces.morphable import Floats

RENDERS = Renders(faces=4, first=97_000, stylings=1, frames=2, size=96, varied=False)
dice = np.random.default_rng(5)


@pytest.fixture(scope="module")
def filmed() -> tuple[Floats, list[Look]]:
    """The true actions (n, a) of an actor's frames, and how the landmark network sees them."""
    performance = Performance.from_seed(96_001, seconds=24)
    indices = list(range(0, len(performance), 40))
    shots = render(Actor(96, 96), performance, size=(128, 128), frames=indices, coarse=True)
    tracker = Tracker()
    looks = [
        look_at(shot.frame, next(iter(tracker.find(shot.frame.pixels)), None)) for shot in shots
    ]
    places = [ACTIONS.index(name) for name in face_model().actions]
    true = performance.actions[indices][:, places].astype(np.float64)
    good = [k for k, look in enumerate(looks) if look.marked is not None]
    return true[good], [looks[k] for k in good]


@pytest.mark.parametrize(("times", "share"), [(1, 0.7), (5, 0.6)])
def test_a_film_is_read_nearer_than_rest(
    filmed: tuple[Floats, list[Look]], times: int, share: float
) -> None:
    """Each frame by itself; then, as there are more than fifty, with their mean."""
    true, looks = filmed
    read = np.stack([_actions(look) for look in read_off(times * looks)])
    assert read.shape == (times * len(true), len(face_model().moves))
    assert read.min() >= 0 and read.max() <= 1
    true = np.tile(true, (times, 1))
    moves = face_model().moves[:, face_model().inner > 0]

    def apart(one: Floats, other: Floats) -> float:
        return float(np.sqrt((np.tensordot(one - other, moves, 1) ** 2).sum(2).mean()))

    assert apart(read, true) < share * apart(0 * read, true)
    blink = face_model().actions.index("eyeBlinkLeft")
    assert np.corrcoef(read[:, blink], true[:, blink])[0, 1] > 0.8


def _actions(look: Look) -> Floats:
    assert look.marked is not None and look.marked.actions is not None
    return look.marked.actions


def test_the_fit_keeps_what_was_read(filmed: tuple[Floats, list[Look]]) -> None:
    looks = read_off(filmed[1])
    marked = [look.marked for look in looks if look.marked is not None]
    fit = fit_frames(face_model(), marked[:-1])
    followed = track_frame(face_model(), marked[-1], fit, fit.frames[-1])
    for look, frame in zip(looks, fit.frames + followed.frames, strict=True):
        assert np.abs(frame.actions - _actions(look)).max() < 0.02


def test_a_pose_is_found_under_known_actions() -> None:
    model = face_model()
    actions = np.zeros(len(model.moves))
    actions[model.actions.index("jawOpen")] = 0.8
    free = fit_frames(model, [Marked(_points(actions), np.ones(200), (256, 256))]).frames[0]
    known = Marked(_points(actions), np.ones(200), (256, 256), actions)
    fit = fit_frames(model, [known])
    frame = fit.frames[0]
    assert np.abs(frame.actions - actions).max() < 1e-3
    shape = model.shape(fit.identity, frame.actions)[model.landmarks]
    away = project(shape, frame, fit.focal, (256, 256)) - known.points
    assert np.linalg.norm(away, axis=1).mean() < 0.3
    assert abs(free.actions[model.actions.index("jawOpen")] - 0.8) > 1e-3, "it would be held back"


def _points(actions: Floats) -> Floats:
    model = face_model()
    start = fit_frames(model, [Marked(_flat(model.mean), np.ones(200), (256, 256))])
    shape = model.shape(np.zeros(60), actions)[model.landmarks]
    return project(shape, start.frames[0], start.focal, (256, 256))


def _flat(shape: Floats) -> Floats:
    return 128 + 800 * shape[face_model().landmarks, :2]


def test_where_and_how_large_a_face_is_says_nothing() -> None:
    points = _flat(face_model().mean) + dice.normal(size=(200, 2))
    angle, reader = 0.4, ExpressionReader.load()
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = 1.7 * points @ turn.T + [40, -9]
    assert np.allclose(aligned(moved), aligned(points), atol=1e-9)
    assert np.allclose(reader.read([moved]), reader.read([points]), atol=1e-9)


def test_the_mean_counts_from_many_frames_on() -> None:
    still, axes = np.zeros((1, 403)), np.eye(2, 400)
    alone, among = np.hstack([still, [[0.25]]]), np.hstack([still, still[:, :400], [[0.75]]])
    reader = ExpressionReader(np.zeros(400), axes, alone, among)
    points = [_flat(face_model().mean)] * MANY
    assert reader.read(points).tolist() == [[0.75]] * MANY
    assert reader.read(points[1:]).tolist() == [[0.25]] * (MANY - 1)
    assert reader.read(points[:1]).shape == (1, 1)
    bright = replace(reader, alone=np.hstack([still, [[3.0]]]))
    assert bright.read(points[:1]).tolist() == [[1.0]], "strengths end at 1"


def test_features_are_landmarks_means_and_products() -> None:
    shown, axes = dice.normal(size=(3, 400)), dice.normal(size=(2, 400))
    x, y = (shown @ axis for axis in axes)
    products = np.column_stack([x * x, x * y, y * y])
    assert np.allclose(features(shown, axes), np.hstack([shown, products]))
    mean = shown.mean(0, keepdims=True)
    both = features(shown, axes, mean)
    assert np.allclose(both, np.hstack([shown, np.repeat(mean, 3, 0), products]))
    plain = features(shown, np.zeros((2, 400)))
    assert read_by(np.eye(1, plain.shape[1] + 1, plain.shape[1]), plain).tolist() == [[1.0]] * 3


def test_ridge_finds_a_linear_map_and_holds_it_back() -> None:
    shown, ways = dice.normal(size=(300, 7)) * np.arange(1, 8), dice.normal(size=(3, 7))
    wanted = shown @ ways.T + [1, 2, 3]
    found = ridge(shown, wanted, 0.0)
    assert np.allclose(found, np.column_stack([ways, [1, 2, 3]]), atol=1e-8)
    half = ridge(shown[:, :1], shown[:, :1], 1.0)
    assert half[0, 0] == pytest.approx(0.5), "as much held back as there is variance"
    assert np.isfinite(ridge(np.column_stack([shown, np.ones(300)]), wanted, 1e-3)).all()


def test_the_mean_tells_an_expression_from_a_face() -> None:
    """Faces differ tenfold more than expressions do: only the mean of a face's frames helps."""
    faces, frames = 150, 8
    person = 10 * np.repeat(dice.normal(size=(faces, 1)), frames, 0) * np.ones((1, 400))
    action = dice.random((faces * frames, len(face_model().moves)))
    shown = person + action[:, :1] + 0.01 * dice.normal(size=person.shape)
    seen = Seen(shown, action)
    reader = taught_by(seen, frames, np.random.default_rng(0))
    apart = shown - reader.centre
    means = np.repeat(apart.reshape(faces, frames, -1).mean(1), frames, 0)
    among = read_by(reader.among, features(apart, reader.axes, means))[:, 0]
    alone = read_by(reader.alone, features(apart, reader.axes))[:, 0]
    assert np.corrcoef(among, action[:, 0])[0, 1] > 0.9
    assert np.corrcoef(alone, action[:, 0])[0, 1] < 0.5
    said = examined(reader, seen, frames, 7)
    assert said.frames == 7 and said.among < said.alone < said.resting


def test_the_same_seed_teaches_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.safetensors" for name in "ab"]
    taught = [
        teach_expression(ExpressionTeaching(RENDERS), cache=tmp_path / "cache", out=out)
        for out in files
    ]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert taught[0] == taught[1] and taught[0].frames == 4
    assert ExpressionReader.load(files[0]).axes.shape == (4, 400), "no more than frames"
    with pytest.raises(UserError, match="3 faces are too few"):
        teach_expression(
            ExpressionTeaching(replace(RENDERS, faces=3)), cache=tmp_path, out=files[0]
        )


def test_the_command_teaches_by_other_faces_than_the_landmarks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[tuple[object, ...]] = []

    def teach(teaching: ExpressionTeaching, *, cache: Path, out: Path, **_: object) -> object:
        calls.append((teaching, cache, out))
        return ExpressionTaught(64, 2.5, 1.25, 1.0)

    monkeypatch.setattr(teaching_module, "teach_expression", teach)
    out = tmp_path / "e.safetensors"
    line = f"teach expression --actors 9 --seed 3 --cache {tmp_path} --out {out}"
    assert main(line.split()) == 0
    renders = replace(ExpressionTeaching().renders, faces=9)
    assert calls == [(ExpressionTeaching(renders, seed=3), tmp_path, out)]
    assert renders.first >= Renders().first + Renders().faces
    assert "64 frames, 1.00 mm from the true expression" in capsys.readouterr().out
    assert main(["teach", "expression"]) == 2, "what ships is not replaced unasked"
    assert f"{WEIGHTS}: this file exists already" in capsys.readouterr().err
