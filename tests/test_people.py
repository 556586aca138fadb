"""Faces sorted by person: followed from frame to frame, named or clustered, moved into sets."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from colours import (
    BLUE,
    BROWN,
    GREEN,
    RED,
    ByColour,
    Square,
    Squares,
    clip,
    enrolled,
    painted,
    picture,
)
from numpy.typing import NDArray

from changeling.cli import main
from changeling.errors import UserError
from changeling.faces import Identifier, People, Recogniser, extract_people, open_set
from changeling.faces.faceset import INDEX, MASKS
from changeling.faces.sorting import clustered
from changeling.media import read_image
from changeling.provenance import Consent, write_consent

TODAY = date(2026, 6, 1)
LICENSED = Consent("dataset", licence="CC0", purpose="a test")
LEFT, RIGHT = (24, 30), (70, 32)


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeling.faces.extracting.Tracker", Squares)
    monkeypatch.setattr("changeling.faces.enrolment.Tracker", Squares)
    monkeypatch.setattr(Identifier, "load", classmethod(lambda cls: ByColour()))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Red for 8 frames; green beside, smaller, for 6 and then larger in red's place; blue once."""
    frames: list[list[Square]] = [[(*LEFT, 30, RED), (*RIGHT, 22, GREEN)] for _ in range(6)]
    frames += [[(*LEFT, 30, RED)], [(*LEFT, 30, RED), (*RIGHT, 22, BLUE)], [(*RIGHT, 40, GREEN)]]
    (tmp_path / "in").mkdir()
    return clip(tmp_path / "in" / "a.mp4", frames)


def sort(source: Path, consent: Consent = LICENSED, **options: object) -> People:
    path = source.with_suffix(".toml")
    write_consent(path, consent, overwrite=True)
    given = {"today": TODAY, "size": 32, "consent": path, **options}
    return extract_people(source, source.parents[1] / "out", **given)  # type: ignore[arg-type]


def colour(faces: NDArray[np.uint8]) -> list[int]:
    """The strongest channel in the middle of each face."""
    return [int(channel) for channel in faces[:, 12:20, 12:20].mean((1, 2)).argmax(1)]


def unit(rows: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
    stacked = np.stack(rows)
    return (stacked / np.linalg.norm(stacked, axis=1, keepdims=True)).astype(np.float32)


def test_tracks_of_one_person_are_put_together() -> None:
    rng = np.random.default_rng(1)
    people = rng.normal(size=(3, 128))
    tracks, frames, truth = {}, {}, {}
    for number in range(12):
        who = number % 3
        noise = rng.normal(size=(5, 128)) * 0.4
        tracks[number] = unit(people[who] + noise)
        first = 100 * number
        frames[number] = frozenset(range(first, first + 10 + 7 * (who == 1) + 3 * (who == 2)))
        truth[number] = {1: "person-1", 2: "person-2", 0: "person-3"}[who]
    assert clustered(tracks, frames, 0.5) == truth
    assert set(clustered(tracks, frames, -1.1).values()) == {"person-1"}
    assert len(set(clustered(tracks, frames, 1.1).values())) == 12


def test_two_faces_of_one_frame_are_two_people() -> None:
    alike = unit([np.eye(128)[0] + 0.01 * np.eye(128)[k] for k in range(1, 4)])
    tracks = {number: alike[number : number + 1] for number in range(3)}
    apart = {0: frozenset({1, 2, 3}), 1: frozenset({3, 4}), 2: frozenset({5})}
    names = clustered(tracks, apart, 0.9)
    assert names[0] != names[1]
    assert names[2] in (names[0], names[1])


def test_average_linkage_decides() -> None:
    """1 is near 0 and 2; 0 and 2 are far apart: joined only where the mean of both is enough."""
    angles = np.deg2rad([0, 30, 65])
    tracks = {k: unit([np.array([np.cos(a), np.sin(a)])]) for k, a in enumerate(angles)}
    frames = {k: frozenset({k}) for k in tracks}
    mean = (np.cos(angles[2] - angles[1]) + np.cos(angles[2])) / 2
    assert len(set(clustered(tracks, frames, mean - 0.01).values())) == 1
    names = clustered(tracks, frames, mean + 0.01)
    assert names == {0: "person-1", 1: "person-1", 2: "person-2"}


def test_everybody_gets_a_set_of_all_their_faces(source: Path) -> None:
    found = sort(source)
    out = source.parents[1] / "out"
    assert sorted(path.name for path in out.iterdir()) == ["person-1", "person-2", "person-3"]
    assert [(one.name, len(one)) for one in found.sets] == [
        ("person-1", 8), ("person-2", 7), ("person-3", 1),
    ]  # fmt: skip
    assert found.strangers == 0
    for channel, name in enumerate(["person-1", "person-2", "person-3"]):
        faces = open_set(out / name)
        assert (faces.frames, faces.people, faces.consent) == (9, 2, LICENSED)
        assert set(colour(faces.crops())) == {channel}
        assert faces.masks().shape == (len(faces), 32, 32)
        names = {face.file for face in faces.faces}
        assert {path.name for path in (out / name).glob("0*.png")} == names
        assert {path.name for path in (out / name / MASKS).iterdir()} == names
    assert [face.frame for face in found.sets[1].faces] == [0, 1, 2, 3, 4, 5, 8]


def test_every_nth_frame_is_sorted(source: Path) -> None:
    found = sort(source, every=4)
    frames = [[face.frame for face in one.faces] for one in found.sets]
    assert frames == [[0, 4], [0, 4, 8]] or frames == [[0, 4, 8], [0, 4]]


def test_those_who_are_named_get_their_name_and_the_others_are_left_out(
    source: Path, tmp_path: Path
) -> None:
    pictures = [picture(tmp_path / f"{k}.png", (48, 32, 40, RED)) for k in range(2)]
    found = sort(source, enrol=[("Ada", pictures[0]), ("Ada", pictures[1])])
    assert [(one.name, len(one)) for one in found.sets] == [("Ada", 8)]
    assert found.strangers == 8
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Ada"]


def test_nobody_is_taken_whom_the_consent_does_not_enrol(source: Path, tmp_path: Path) -> None:
    people = (enrolled("Ada", RED, RED), enrolled("Bo", BLUE, BLUE))
    footage = Consent("footage", ("Ada", "Bo"), "both", "a test", enrolled=people)
    found = sort(source, footage)
    assert [(one.name, len(one)) for one in found.sets] == [("Ada", 8), ("Bo", 1)]
    assert found.strangers == 7
    green = picture(tmp_path / "green.png", (48, 32, 40, GREEN))
    red = picture(tmp_path / "red.png", (48, 32, 40, RED))
    with pytest.raises(UserError, match=r"no face in .* is that of Cy"):
        sort(source, footage, enrol=[("Cy", green)], overwrite=True)
    found = sort(source, footage, enrol=[("Cy", green), ("star", red)], overwrite=True)
    assert [(one.name, len(one)) for one in found.sets] == [("star", 8)]


def test_nobody_found_is_said_with_the_likeness(source: Path, tmp_path: Path) -> None:
    brown = picture(tmp_path / "brown.png", (48, 32, 40, BROWN))
    with pytest.raises(
        UserError, match=r"is that of Di \(the highest similarity is 0\.9\d, needed 0\.95\)"
    ):
        sort(source, enrol=[("Di", brown)])
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "a\nb"])
def test_a_name_that_is_no_folder_is_refused(source: Path, tmp_path: Path, name: str) -> None:
    red = picture(tmp_path / "red.png", (48, 32, 40, RED))
    with pytest.raises(UserError, match="cannot be the name of a folder"):
        sort(source, enrol=[(name, red)])
    assert not (tmp_path / "out").exists()


def test_sorted_sets_are_replaced_on_request_and_other_folders_never(
    source: Path, tmp_path: Path
) -> None:
    sort(source)
    with pytest.raises(UserError, match="--overwrite"):
        sort(source)
    sort(source, overwrite=True, every=8)
    assert [len(one) for one in map(open_set, sorted((tmp_path / "out").iterdir()))] == [2, 1]
    (tmp_path / "out" / "person-1" / "notes.txt").write_text("dear")
    with pytest.raises(UserError, match=r"person-1/notes\.txt is no part of the face set"):
        sort(source, overwrite=True)
    (tmp_path / "out" / "person-1" / "notes.txt").rename(tmp_path / "out" / "notes.txt")
    with pytest.raises(UserError, match="no face set"):
        sort(source, overwrite=True)
    assert (tmp_path / "out" / "person-1" / INDEX).is_file()


def test_ctrl_c_leaves_the_sets_as_they_were(source: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sort(source, tick=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_command_says_who_was_found(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_consent(tmp_path / "c.toml", LICENSED)
    red = picture(tmp_path / "red.png", (48, 32, 40, RED))
    out = tmp_path / "out"
    line = ["extract", str(source), "-o", str(out), "--consent", str(tmp_path / "c.toml")]
    assert main([*line, "--enrol", f"Ada={red}"]) == 2
    assert "give --people too" in capsys.readouterr().err
    assert main([*line, "--people", "--enrol", "Ada"]) == 2
    assert "give a name and a picture such as Ada=ada.jpg" in capsys.readouterr().err
    assert main([*line, "--people", "--enrol", f"Ada={red}"]) == 0
    first, *rest = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{out}: 1 person from 9 frames")
    assert rest == [
        f"{out / 'Ada'}: 8 faces of 64 pixels",
        "8 faces are of nobody who was looked for and were left out.",
    ]


def test_a_face_is_embedded_now_and_then_and_only_lately_counts() -> None:
    identifier = ByColour()
    recogniser = Recogniser(identifier)
    asked, kept = [], 0
    tracker = Squares()
    for index in range(200):
        pixels = painted((24, 30, 30, RED if index < 50 else GREEN))
        before = identifier.asked
        ((number, seen),) = recogniser.see(pixels, tracker.find(pixels)).items()
        assert number == 0
        asked += [index] * (identifier.asked - before)
        kept = max(kept, len(seen))
    assert asked == [0, 1, 2, 3, *range(10, 200, 10)]
    assert kept == len(seen) == 16
    assert seen[:, 1].argsort()[0] == 0
    assert int((seen[:, 1] > seen[:, 0]).sum()) == 15


def test_the_masks_of_the_sorted_are_those_of_their_faces(source: Path) -> None:
    (red, *_) = sort(source).sets
    for face, mask in zip(red.faces, red.masks(), strict=True):
        stored = read_image(red.folder / MASKS / face.file)[6:38, 6:38, 0]
        assert np.array_equal(mask, stored.astype(np.float32) / 255)
        assert mask.max() == 1
