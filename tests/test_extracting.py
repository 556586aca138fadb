"""Extraction with consent, on films of drawn faces."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn import LEFT, RIGHT, drawn_face
from test_faceset import TODAY, files, made

from changeling.actors import Film
from changeling.errors import UserError
from changeling.faces import extracting
from changeling.faces.alignment import TEMPLATE, Face, Seen, align
from changeling.faces.extracting import consent_for, extract
from changeling.faces.faceset import INDEX, MASKS, open_set
from changeling.media import Frame, FrameWriter, Pixels, read_image, write_image
from changeling.provenance import Consent, Use, sha256, write_consent

GIVEN = Consent(kind="dataset", licence="research only", purpose="tests")
"""A licence, because footage needs an identity network: see test_enrolment.py."""


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


class Turned:
    """A tracker that sees one face, turned by 0.3 radians."""

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        cos, sin = np.cos(0.3), np.sin(0.3)
        turn = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]], np.float32)
        parts = np.zeros((7, 8, 8), np.uint8)
        parts[1, 2:6, 2:6] = 255
        nothing = np.zeros((200, 2), np.float32)
        seen = Seen(nothing, nothing[:, 0], nothing[:, 0] > 0, turn, align(LEFT), parts)
        return (Face.from_landmarks(LEFT, 0.9, seen),)


class Blind:
    """A tracker that sees nobody."""

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        return ()


@pytest.fixture
def knowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extracting, "Tracker", Knowing)


@pytest.mark.usefixtures("knowing")
def test_extract_writes_a_set_that_opens_as_it_was(
    tmp_path: Path, film: Path, consent: Path
) -> None:
    ticks: list[tuple[int, int | None]] = []
    faces = extract(
        film, tmp_path / "a", today=TODAY, consent=consent, tick=lambda *at: ticks.append(at)
    )
    assert files(tmp_path / "a") == [f"{i:06d}.png" for i in range(6)] + [INDEX, MASKS]
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
def test_each_face_has_its_mask_in_the_centre_of_its_picture(
    tmp_path: Path, film: Path, consent: Path
) -> None:
    faces = extract(film, tmp_path / "a", today=TODAY, consent=consent, size=32)
    assert files(tmp_path / "a" / MASKS) == [face.file for face in faces.faces]
    for face, points in zip(faces.faces, [LEFT, LEFT, *[RIGHT] * 4], strict=True):
        mask = cv2.imread(str(faces.folder / MASKS / face.file), cv2.IMREAD_UNCHANGED)
        assert (mask.shape, mask.dtype) == ((44, 44), np.uint8)
        wanted = np.rint(Face.from_landmarks(points).mask(32) * 255)
        assert np.array_equal(mask[6:38, 6:38], wanted)
        assert mask[6:38, 6:38].sum() == mask.sum() > 0
    assert np.array_equal(
        faces.masks()[0],
        read_image(tmp_path / "a/masks/000000.png")[6:38, 6:38, 0].astype(np.float32) / 255,
    )


def test_the_recipe_of_a_proven_film_and_the_pose_are_kept(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proved = Film(7, 9, 3, 2.0, 320, 180, "25")
    turned = Turned()
    monkeypatch.setattr(extracting, "prove", lambda path: proved)
    monkeypatch.setattr(extracting, "Tracker", lambda: turned)
    faces = extract(film, tmp_path / "a", today=TODAY)
    assert faces.film == proved
    assert {face.pose for face in faces.faces} == {(0.3, 0.0, 0.0)}


@pytest.mark.usefixtures("knowing")
def test_every_nth_frame_is_taken(tmp_path: Path, film: Path, consent: Path) -> None:
    faces = extract(film, tmp_path / "a", today=TODAY, consent=consent, every=4)
    assert [face.frame for face in faces.faces] == [0, 4]
    assert faces.frames == 6


@pytest.mark.usefixtures("knowing")
def test_extraction_repeats_to_the_byte(tmp_path: Path, film: Path, consent: Path) -> None:
    for name in "ab":
        extract(film, tmp_path / name, today=TODAY, consent=consent)
    written = [path for path in sorted((tmp_path / "a").rglob("*")) if path.is_file()]
    assert len(written) == 13
    for path in written:
        again = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert path.read_bytes() == again.read_bytes()


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


@pytest.mark.usefixtures("knowing")
@pytest.mark.parametrize(
    "own",
    ["notes.txt", "ada.png", "removed/blurred/000001.png", "masks/ada.png", "more/000000.png"],
)
def test_what_a_set_did_not_make_is_never_deleted(
    tmp_path: Path, film: Path, consent: Path, own: str
) -> None:
    faces = made(tmp_path / "out/a", count=9)
    faces.pixels()
    path = tmp_path / "out/a" / own
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"precious")
    given = {"today": TODAY, "consent": consent, "overwrite": True}
    with pytest.raises(UserError, match=rf"^{path} is no part of the face set .*; move it else"):
        extract(film, tmp_path / "out/a", **given)  # type: ignore[arg-type]
    assert path.read_bytes() == b"precious" and len(open_set(tmp_path / "out/a")) == 9
    path.unlink()

    def late(done: int, total: int | None) -> None:
        path.write_bytes(b"late")

    with pytest.raises(UserError, match=rf"^{path} is no part of the face set"):
        extract(film, tmp_path / "out/a", tick=late, **given)  # type: ignore[arg-type]
    assert path.read_bytes() == b"late" and files(tmp_path / "out") == ["a"]


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
