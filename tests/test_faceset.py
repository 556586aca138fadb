"""Face sets on disk, and extraction with consent, on films of drawn faces."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from test_faces import LEFT, RIGHT, drawn_face, face_points, placed

from changeling.actors import Film
from changeling.errors import UserError
from changeling.faces import extracting
from changeling.faces.alignment import TEMPLATE, Face, align, apply, inner_mask
from changeling.faces.extracting import consent_for, extract
from changeling.faces.faceset import INDEX, FaceSet, Stored, open_set, stored_size
from changeling.media import Frame, FrameWriter, Pixels, read_image, write_image
from changeling.provenance import Consent, Use, sha256, write_consent

TODAY = date(2026, 6, 1)
GIVEN = Consent(kind="footage", people=("Ada",), given_by="Ada", purpose="tests")


@pytest.fixture
def consent(tmp_path: Path) -> Path:
    """A consent file that allows everything."""
    path = tmp_path / "consent.toml"
    write_consent(path, GIVEN)
    return path


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six frames; the faces at LEFT and, from the third on, the larger RIGHT."""
    path = tmp_path_factory.mktemp("film") / "two.mp4"
    with FrameWriter(path, size=(320, 180), rate=Fraction(25)) as writer:
        for index in range(6):
            picture = drawn_face((320, 180), RIGHT if index > 1 else LEFT)
            writer.write(Frame(picture, index, Fraction(index, 25)))
    return path


class Knowing:
    """A tracker that is told where the faces are: one, then two, the larger first."""

    def __init__(self) -> None:
        self.frame = -1

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        self.frame += 1
        both = (Face.from_landmarks(RIGHT, 0.9), Face.from_landmarks(LEFT, 0.8))
        return both if self.frame > 1 else both[1:]


class Blind:
    """A tracker that sees nobody."""

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        return ()


@pytest.fixture
def knowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extracting, "Tracker", Knowing)


def made(folder: Path, count: int = 4, size: int = 32, seed: int = 0) -> FaceSet:
    """A set of drawn faces, without a film."""
    folder.mkdir(parents=True)
    rng, stored = np.random.default_rng(seed), []
    for index in range(count):
        side = stored_size(size)
        points = apply(placed(size, rng.normal(0, 0.05), (side * 0.14, side * 0.14)), face_points())
        write_image(folder / f"{index:06d}.png", drawn_face((side, side), points, seed + index))
        start = 0.5 - (side - size) / 2
        unit = np.array([[1, 0, start], [0, 1, start]]) / size
        face = Face.from_landmarks(points)
        stored.append(
            Stored(
                f"{index:06d}.png", index, Fraction(index, 25), face.box, unit, face.landmarks, 1.0
            )
        )
    made = FaceSet(folder, size, "drawn.mp4", "0" * 64, GIVEN, count, 1, tuple(stored))
    made.save()
    return made


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.usefixtures("knowing")
def test_extract_writes_a_set_that_opens_as_it_was(
    tmp_path: Path, film: Path, consent: Path
) -> None:
    ticks: list[tuple[int, int | None]] = []
    faces = extract(
        film, tmp_path / "a", today=TODAY, consent=consent, tick=lambda *at: ticks.append(at)
    )
    assert files(tmp_path / "a") == [f"{i:06d}.png" for i in range(6)] + [INDEX]
    assert (faces.size, faces.source, faces.sha256) == (64, "two.mp4", sha256(film))
    assert (faces.frames, faces.people, faces.consent) == (6, 2, GIVEN)
    assert [face.time for face in faces.faces] == [Fraction(i, 25) for i in range(6)]
    assert [index for index, _ in ticks] == [1, 2, 3, 4, 5, 6]
    for face, points in zip(faces.faces, [LEFT, LEFT, *[RIGHT] * 4], strict=True):
        assert np.abs(face.landmarks - points).max() < 0.01
        assert np.abs(face.matrix - align(points)).max() < 1e-7
        assert read_image(faces.folder / face.file).shape == (88, 88, 3)


@pytest.mark.usefixtures("knowing")
def test_stored_faces_show_the_template_with_its_margin(
    tmp_path: Path, film: Path, consent: Path
) -> None:
    faces = extract(film, tmp_path / "a", today=TODAY, consent=consent, size=128)
    picture = read_image(faces.folder / "000003.png").astype(float)
    for x, y in TEMPLATE[:2] * 128 + 24:
        patch = picture[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3]
        assert patch.min() > 200, "the eyes of the drawn face are white"


@pytest.mark.usefixtures("knowing")
def test_every_nth_frame_is_taken(tmp_path: Path, film: Path, consent: Path) -> None:
    faces = extract(film, tmp_path / "a", today=TODAY, consent=consent, every=4)
    assert [face.frame for face in faces.faces] == [0, 4]
    assert faces.frames == 6


@pytest.mark.usefixtures("knowing")
def test_extraction_repeats_to_the_byte(tmp_path: Path, film: Path, consent: Path) -> None:
    for name in "ab":
        extract(film, tmp_path / name, today=TODAY, consent=consent)
    for file in files(tmp_path / "a"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.usefixtures("knowing")
def test_a_picture_gives_a_set_of_one(tmp_path: Path, consent: Path) -> None:
    write_image(tmp_path / "p.png", drawn_face((320, 180), LEFT))
    faces = extract(tmp_path / "p.png", tmp_path / "a", today=TODAY, consent=consent)
    assert (len(faces), faces.frames, faces.faces[0].time) == (1, 1, Fraction(0))


def test_no_face_is_said_and_leaves_nothing(
    tmp_path: Path, film: Path, consent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extracting, "Tracker", Blind)
    with pytest.raises(UserError, match=r"no face was found in .*two\.mp4"):
        extract(film, tmp_path / "out" / "a", today=TODAY, consent=consent)
    assert files(tmp_path / "out") == []


@pytest.mark.usefixtures("knowing")
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_failure_half_way_leaves_the_old_set(
    tmp_path: Path, film: Path, consent: Path, error: BaseException | type[BaseException]
) -> None:
    made(tmp_path / "out" / "a")
    before = {file: (tmp_path / "out/a" / file).read_bytes() for file in files(tmp_path / "out/a")}

    def stop(done: int, total: int | None) -> None:
        if done == 3:
            raise error

    wanted = KeyboardInterrupt if error is KeyboardInterrupt else UserError
    with pytest.raises(wanted):
        extract(film, tmp_path / "out/a", today=TODAY, consent=consent, overwrite=True, tick=stop)
    assert files(tmp_path / "out") == ["a"]
    assert before == {f: (tmp_path / "out/a" / f).read_bytes() for f in files(tmp_path / "out/a")}


@pytest.mark.usefixtures("knowing")
def test_a_set_is_replaced_only_on_request_and_other_folders_never(
    tmp_path: Path, film: Path, consent: Path
) -> None:
    made(tmp_path / "out/a", count=9)
    with pytest.raises(UserError, match="--overwrite"):
        extract(film, tmp_path / "out/a", today=TODAY, consent=consent)
    assert len(open_set(tmp_path / "out/a")) == 9
    extract(film, tmp_path / "out/a", today=TODAY, consent=consent, overwrite=True)
    assert len(open_set(tmp_path / "out/a")) == 6
    assert files(tmp_path / "out") == ["a"]
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="no face set"):
        extract(film, tmp_path / "other", today=TODAY, consent=consent, overwrite=True)


def test_footage_without_consent_is_refused(tmp_path: Path, film: Path) -> None:
    with pytest.raises(UserError, match="changeling consent new"):
        extract(film, tmp_path / "a", today=TODAY)
    write_image(tmp_path / "p.png", drawn_face((64, 64), LEFT / 4))
    with pytest.raises(UserError, match="changeling consent new"):
        extract(tmp_path / "p.png", tmp_path / "a", today=TODAY)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "bad", [replace(GIVEN, until=date(2026, 5, 31)), replace(GIVEN, revoked=True)]
)
def test_ended_consent_is_refused(tmp_path: Path, film: Path, bad: Consent) -> None:
    write_consent(tmp_path / "c.toml", bad)
    with pytest.raises(UserError, match=r"c\.toml"):
        extract(film, tmp_path / "a", today=TODAY, consent=tmp_path / "c.toml")
    assert not (tmp_path / "a").exists()


def test_a_film_that_proves_itself_needs_no_file(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proved = Film(7, 9, 3, 2.0, 320, 180, "25")
    monkeypatch.setattr(extracting, "prove", lambda path: proved if path == film else None)
    given = consent_for(film, None)
    assert given.kind == "actor"
    assert given.people == ("rendered actor, face 7, styling 9",)
    assert "performance=3" in given.evidence
    given.check(Use.CONVERT, where="here", today=TODAY)


def test_a_file_cannot_claim_to_show_an_actor(tmp_path: Path, film: Path) -> None:
    (tmp_path / "c.toml").write_text('kind = "actor"\n')
    with pytest.raises(UserError, match=r"c\.toml"):
        consent_for(film, tmp_path / "c.toml")


def test_a_set_is_checked_before_each_use(tmp_path: Path) -> None:
    dataset = Consent(kind="dataset", licence="research only", purpose="tests", evidence="here")
    faces = replace(made(tmp_path / "a"), consent=dataset)
    faces.check(Use.TRAIN, today=TODAY)
    with pytest.raises(UserError, match=str(tmp_path / "a")):
        faces.check(Use.CONVERT, today=TODAY)


def test_a_deleted_png_removes_that_face_only(tmp_path: Path) -> None:
    whole = made(tmp_path / "a")
    rows = np.array(whole.pixels())
    (tmp_path / "a/000001.png").unlink()
    fewer = open_set(tmp_path / "a")
    assert [face.file for face in fewer.faces] == ["000000.png", "000002.png", "000003.png"]
    assert np.array_equal(fewer.pixels(), rows[[0, 2, 3]])
    assert len(list((tmp_path / "a").glob(".faces-*"))) == 1, "the old cache is gone"


def test_pixels_are_those_of_the_pngs_and_follow_a_change(tmp_path: Path) -> None:
    faces = made(tmp_path / "a")
    rows = faces.pixels()
    assert isinstance(rows, np.memmap)
    assert np.array_equal(faces.crops(), rows[:, 6:38, 6:38])
    wanted = inner_mask(faces.faces[1].landmarks, faces.faces[1].matrix, 32)
    assert np.array_equal(faces.masks()[1], wanted)
    for row, face in zip(rows, faces.faces, strict=True):
        assert np.array_equal(row, read_image(faces.folder / face.file))
    painted = np.full_like(rows[2], 200)
    write_image(faces.folder / "000002.png", painted)
    os.utime(faces.folder / "000002.png", ns=(1, 1))
    assert np.array_equal(faces.pixels()[2], painted)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:300])


def _shrink(path: Path) -> None:
    write_image(path, np.zeros((7, 9, 3), np.uint8))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [_cut, _shrink, _empty])
def test_a_broken_png_is_named_with_the_mend(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    faces = made(tmp_path / "a")
    spoil(tmp_path / "a/000002.png")
    with pytest.raises(UserError, match=r"000002\.png .*delete it"):
        faces.pixels()
    assert not list((tmp_path / "a").glob(".*"))


@pytest.mark.parametrize("text", ["{", "[]", '{"size": 64}', '{"size": 64, "picture": 99}'])
def test_a_damaged_index_is_named(tmp_path: Path, text: str) -> None:
    made(tmp_path / "a")
    (tmp_path / "a" / INDEX).write_text(text)
    with pytest.raises(UserError, match=r"faceset\.json is damaged"):
        open_set(tmp_path / "a")


def test_a_folder_without_index_is_no_set(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="changeling extract"):
        open_set(tmp_path)


def test_a_file_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    made(tmp_path / "a")
    write_image(tmp_path / "000001.png", np.zeros((44, 44, 3), np.uint8))
    index = tmp_path / "a" / INDEX
    index.write_text(index.read_text().replace('"000001.png"', '"../000001.png"'))
    assert open_set(tmp_path / "a").faces[1].file == "000001.png"
