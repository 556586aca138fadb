"""Performances are smooth, within bounds, and can be read from a phone's recording."""

from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from changeling.actors import ACTIONS, Performance
from changeling.errors import UserError

SEEDS = (0, 1, 2)
TURNS = ("HeadYaw", "HeadPitch", "HeadRoll")
LOOKS = [k for k, name in enumerate(ACTIONS) if name.startswith(("eyeLook", "eyeBlink"))]


@pytest.fixture(scope="module", params=SEEDS)
def performance(request: pytest.FixtureRequest) -> Performance:
    return Performance.from_seed(request.param)


def test_the_actions_are_arkit_s() -> None:
    assert len(ACTIONS) == len(set(ACTIONS)) == 52
    assert list(ACTIONS) == sorted(ACTIONS)


def test_a_row_a_frame(performance: Performance) -> None:
    assert len(performance) == 500
    assert performance.actions.shape == (500, 52)
    for field in fields(performance):
        value = getattr(performance, field.name)
        if isinstance(value, np.ndarray):
            assert len(value) == 500 and np.isfinite(value).all(), field.name
    assert len(Performance.from_seed(0, seconds=0.5, rate=Fraction(30000, 1001))) == 15


def test_values_are_within_bounds(performance: Performance) -> None:
    assert performance.actions.min() >= 0 and performance.actions.max() <= 1
    assert np.abs(performance.turn).max(0) == pytest.approx([0.45, 0.2, 0.12], abs=0.15)
    assert (np.abs(performance.gaze) <= [0.5, 0.3]).all()
    assert performance.gaze.std(0).min() > 0.02
    for light in (performance.key, performance.fill):
        assert np.linalg.norm(light, axis=1) == pytest.approx(np.ones(500), abs=1e-5)
    assert (performance.position[:, 1] > 0.9).all() and (performance.position[:, 1] < 1.4).all()


def test_movements_are_smooth(performance: Performance) -> None:
    """Only eyes jump; the head's acceleration stays below 6 rad/s²."""
    slow = np.delete(performance.actions, LOOKS, axis=1)
    assert np.abs(np.diff(slow, 2, axis=0)).max() < 0.2
    assert np.abs(np.diff(performance.turn, 2, axis=0)).max() < 6 / 25**2


def test_eyes_blink_and_lids_follow_the_gaze(performance: Performance) -> None:
    left, right = (performance.actions[:, ACTIONS.index(f"eyeBlink{s}")] for s in ("Left", "Right"))
    assert np.array_equal(left, right)
    assert 4 <= (np.diff((left > 0.8).astype(int)) == 1).sum() <= 20, "blinks in 20 seconds"
    out = performance.actions[:, ACTIONS.index("eyeLookOutLeft")]
    assert out == pytest.approx(np.clip(performance.gaze[:, 0] / 0.5, 0, 1), abs=1e-6)


def test_takes_change_light_and_place(performance: Performance) -> None:
    cuts = np.flatnonzero(np.diff(performance.take)) + 1
    assert performance.take[0] == 0 and np.array_equal(
        np.diff(performance.take)[cuts - 1], 1 + 0 * cuts
    )
    assert len(cuts) == 4, "five takes of about four seconds"
    for name in ("key", "key_colour", "fill_colour", "sky", "position"):
        steps = np.abs(np.diff(getattr(performance, name), axis=0)).max(1)
        within = np.delete(steps, cuts - 1)
        assert steps[cuts - 1].min() > 5 * within.max() or name == "position", name
        assert within.max() < 0.01, name


def test_the_same_seed_gives_the_same_bytes(performance: Performance) -> None:
    again = Performance.from_seed(performance.seed)
    other = Performance.from_seed(performance.seed + 10)
    assert again.actions.tobytes() == performance.actions.tobytes()
    assert again.key.tobytes() == performance.key.tobytes()
    assert not np.array_equal(other.actions, performance.actions)


def test_a_performance_has_a_frame() -> None:
    with pytest.raises(UserError, match=r"0\.01 seconds has no frame: give --seconds a larger"):
        Performance.from_seed(0, seconds=0.01)


# Live Link Face writes its names in capitals, with the time first.
HEADER = ["Timecode", "BlendShapeCount", *(n[0].upper() + n[1:] for n in ACTIONS), *TURNS]


def recorded(path: Path, rows: list[list[object]], header: list[str] = HEADER) -> Path:
    lines = [",".join(header), *(",".join(str(value) for value in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def row(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[object]:
    return ["10:31:07:16.123", 61, *values]


def test_a_recording_is_read_back(tmp_path: Path) -> None:
    r = np.random.default_rng(0)
    actions, turn = r.random((7, 52)).round(4), r.normal(size=(7, 3)).round(4)
    rows = [row(values) for values in np.concatenate([actions, turn], 1)]
    read = Performance.from_csv(recorded(tmp_path / "take.csv", rows), seed=3)
    assert read.rate == 60 and read.seed == 3
    assert read.actions == pytest.approx(actions, abs=1e-6)
    assert read.turn == pytest.approx(turn * [1, -1, 1], abs=1e-6)
    staged = Performance.from_seed(3, seconds=7 / 60, rate=Fraction(60))
    for name in ("key", "sky", "position", "focal", "take"):
        assert np.array_equal(getattr(read, name), getattr(staged, name))


def timed(path: Path, times: list[str]) -> Fraction:
    """The rate that is read from a recording with these times."""
    rows = [[time, 61, *np.zeros(55)] for time in times]
    return Performance.from_csv(recorded(path, rows)).rate


@pytest.mark.parametrize("counted", [30, 60])
@pytest.mark.parametrize("rate", [30, 60])
def test_the_rate_is_that_of_the_timecodes(tmp_path: Path, rate: int, counted: int) -> None:
    """Whatever a second is divided into, past midnight, and though a frame was dropped."""

    def code(frame: int) -> str:
        second, part = divmod(frame, rate)
        clock = ("23:59:59", "00:00:00", "00:00:01", "00:00:02")[second]
        return f"{clock}:{part * counted / rate:06.3f}"

    times = [code(frame) for frame in range(5, 4 * rate - 3) if frame != rate + 7]
    assert timed(tmp_path / "take.csv", [*times[: rate - 5], *times[2 * rate - 6 :]]) == rate
    assert timed(tmp_path / "dropped.csv", times) == pytest.approx(rate, abs=0.5)
    assert timed(tmp_path / "short.csv", times[: rate + 2]) == 60, "not one whole second"


@pytest.mark.parametrize("rate", ["24000/1001", "24", "25", "30000/1001", "60", "12", "15/2"])
def test_the_rate_is_that_of_times_in_seconds(tmp_path: Path, rate: str) -> None:
    """As `fit` writes them, also of a video's frames from which some are missing."""
    times = [f"{float(k / Fraction(rate)):.6f}" for k in range(40) if k not in (7, 20)]
    assert timed(tmp_path / "take.csv", times) == Fraction(rate)


@pytest.mark.parametrize("times", [["0"] * 9, ["soon", "later"], ["0.1"], ["nan", "1"], ["", ""]])
def test_times_that_tell_no_rate_leave_it_at_60(tmp_path: Path, times: list[str]) -> None:
    assert timed(tmp_path / "take.csv", times) == 60


def test_a_rate_that_is_given_counts(tmp_path: Path) -> None:
    rows = [[f"{k / 25:.6f}", 61, *np.zeros(55)] for k in range(9)]
    path = recorded(tmp_path / "take.csv", rows)
    assert Performance.from_csv(path).rate == 25
    assert Performance.from_csv(path, rate=Fraction("29.97")).rate == Fraction(2997, 100)


def test_gaze_follows_the_recorded_eyes(tmp_path: Path) -> None:
    def look(**values: float) -> list[object]:
        return row(np.array([values.get(name, 0.0) for name in (*ACTIONS, *TURNS)]))

    rows = [
        look(),
        look(eyeLookOutLeft=1, eyeLookInRight=1),
        look(eyeLookInLeft=1, eyeLookOutRight=1),
        look(eyeLookUpLeft=1, eyeLookUpRight=1),
        look(eyeLookDownLeft=1, eyeLookDownRight=1),
    ]
    gaze = Performance.from_csv(recorded(tmp_path / "take.csv", rows)).gaze
    expected = [[0, 0], [0.5, 0], [-0.5, 0], [0, 0.4], [0, -0.4]]
    assert gaze == pytest.approx(np.array(expected), abs=1e-6)


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 52)
    names = [n.lower() for n in ACTIONS]
    plain = Performance.from_csv(recorded(tmp_path / "a.csv", [list(values)], names))
    mixed = Performance.from_csv(recorded(tmp_path / "b.csv", [list(values[::-1])], names[::-1]))
    assert plain.actions == pytest.approx(values[None], abs=1e-6)
    assert np.array_equal(plain.actions, mixed.actions)
    assert not plain.turn.any()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no column 'browDownLeft': give a CSV with the 52 ARKit blend shapes"),
        ("hello", "has no column 'browDownLeft'"),
        ("\xff\xfe\x00", "has no column 'browDownLeft'"),
        (",".join(n for n in HEADER if n != "JawOpen"), "has no column 'jawOpen'"),
        (",".join(HEADER), "holds no frame: give a CSV with a row for each frame"),
        (",".join(HEADER) + "\n1,2,3", "line 2 has 3 fields instead of 57: mend or remove"),
        (",".join(HEADER) + "\n\n0,61," + ",".join(["x"] * 55), "line 3 is broken .*'x'"),
        (",".join(HEADER) + "\n0,61," + ",".join(["nan"] * 55), "line 2 holds a number that is"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "take.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=f"take.csv {sentence}"):
        Performance.from_csv(path)


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for name, data in (("missing", None), ("film", b"\x00\x01\xff\xfe" * 40)):
        path = tmp_path / f"{name}.csv"
        if data:
            path.write_bytes(data)
        with pytest.raises(UserError, match=f"{name}.csv cannot be read as a CSV of blend shapes"):
            Performance.from_csv(path)
