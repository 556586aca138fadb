"""Consent bound to a person: somebody else's face is refused, and the likeness is said."""

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from colours import BLUE, BROWN, GREEN, RED, ByColour, Squares, clip, enrolled, painted, picture

from changeling.cli import main
from changeling.errors import UserError
from changeling.faces import FaceSet, Identifier, check_enrolled, enrol, enrolled_people, extract
from changeling.faces.enrolment import Known, alike, most_like
from changeling.media import write_image
from changeling.provenance import Consent, read_consent, sha256, write_consent

TODAY = date(2026, 6, 1)
FACE = (48, 32, 40)


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeling.faces.extracting.Tracker", Squares)
    monkeypatch.setattr("changeling.faces.enrolment.Tracker", Squares)


def footage(**looks: tuple[tuple[int, int, int], ...]) -> Consent:
    """Consent of people who look like these colours."""
    enrolments = tuple(enrolled(name, *colours) for name, colours in looks.items())
    return Consent("footage", tuple(looks), "all of them", "a test", enrolled=enrolments)


def taken(source: Path, consent: Consent) -> FaceSet:
    """The faces of a source under a consent, by the identity network of colours."""
    path = source.with_suffix(".toml")
    write_consent(path, consent, overwrite=True)
    out = source.with_name("set")
    return extract(source, out, today=TODAY, size=32, consent=path, identifier=ByColour())


def refusal(source: Path, consent: Consent) -> str:
    with pytest.raises(UserError) as caught:
        taken(source, consent)
    assert not source.with_name("set").exists()
    assert [path for path in source.parent.iterdir() if path.name.startswith(".")] == []
    sentence = str(caught.value)
    assert sentence.endswith("`changeling consent new`.")
    assert "\n" not in sentence
    return sentence


def test_a_person_is_enrolled_by_embeddings_and_hashes_alone(tmp_path: Path) -> None:
    red = picture(tmp_path / "red.png", (*FACE, RED))
    brown = picture(tmp_path / "brown.png", (*FACE, BROWN))
    given = enrol("Ada", [red, brown], ByColour())
    assert (given.person, given.network) == ("Ada", "colours")
    assert given.pictures == (sha256(red), sha256(brown))
    assert [len(row) for row in given.embeddings] == [128, 128]
    lengths = np.linalg.norm(given.embeddings, axis=1)
    assert np.abs(lengths - 1).max() < 1e-5
    wanted = np.array(RED) / np.linalg.norm(RED)
    assert np.abs(np.array(given.embeddings)[0, :3] - wanted).max() < 0.01
    consent = Consent("footage", ("Ada",), "Ada", "a test", enrolled=(given,))
    write_consent(tmp_path / "c.toml", consent)
    assert read_consent(tmp_path / "c.toml") == consent
    assert (tmp_path / "c.toml").stat().st_size < 5000, "no picture is kept"


def test_a_picture_that_enrols_nobody_is_named(tmp_path: Path) -> None:
    good = picture(tmp_path / "good.png", (*FACE, RED))
    both = picture(tmp_path / "both.png", (24, 32, 30, RED), (70, 32, 30, GREEN))
    wall = picture(tmp_path / "wall.png")
    text = tmp_path / "text.png"
    text.write_text("Once upon a time")
    for path, words in (
        (both, "shows 2 faces; give a picture of one person alone"),
        (wall, "shows no face that can be found; give a picture"),
        (text, "not a picture"),
        (tmp_path / "gone.png", "cannot be read"),
    ):
        with pytest.raises(UserError, match=rf"{path.name}:? {words}"):
            enrol("Ada", [good, path], ByColour())
    assert enrol("Ada", [], ByColour()).pictures == ()


def test_the_face_of_the_person_who_agreed_is_taken(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", [[(*FACE, RED)]] * 4)
    faces = taken(source, footage(Ada=(RED, RED)))
    assert len(faces) == 4
    assert faces.consent == footage(Ada=(RED, RED))
    (tmp_path / "b").mkdir()
    still = picture(tmp_path / "b" / "b.png", (*FACE, BLUE))
    assert len(taken(still, footage(Ada=(RED, RED), Bo=(BLUE, BLUE)))) == 1


def test_somebody_elses_face_is_refused_with_the_likeness(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", [[(*FACE, BROWN)]] * 4)
    sentence = refusal(source, footage(Bo=(BLUE, BLUE), Ada=(RED, RED)))
    assert "a.mp4, 0.00 s to 0.12 s: the face is not that of a person of the consent" in sentence
    cosine = np.dot(BROWN, RED) / np.linalg.norm(BROWN) / np.linalg.norm(RED)
    assert f"most like Ada, similarity {cosine:.2f}, needed 0.95" in sentence
    still = picture(tmp_path / "b.png", (*FACE, BROWN))
    assert "most like Ada" in refusal(still, footage(Ada=(RED, RED)))


def test_somebody_else_in_a_part_of_the_footage_is_refused(tmp_path: Path) -> None:
    own, other = [(*FACE, RED)], [(20, 30, 30, BLUE)]
    source = clip(tmp_path / "a.mp4", [*[own] * 40, *[other] * 5, *[own] * 5])
    sentence = refusal(source, footage(Ada=(RED, RED)))
    assert "a.mp4, 1.60 s to 1.76 s: the face is not" in sentence


def test_one_strange_frame_of_a_face_does_not_matter(tmp_path: Path) -> None:
    own, spoilt = [(*FACE, RED)], [(*FACE, BLUE)]
    frames = [own, own, spoilt, *[own] * 6]
    assert len(taken(clip(tmp_path / "a.mp4", frames), footage(Ada=(RED, RED)))) == 9


def test_footage_without_enrolment_is_refused_and_nothing_else(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", [[(*FACE, RED)]])
    assert "does not hold what its people look like" in refusal(
        source, replace(footage(Ada=()), enrolled=())
    )
    (tmp_path / "a.toml").unlink()
    dataset = Consent("dataset", licence="CC0", purpose="a test")
    assert len(taken(source, dataset)) == 1
    assert enrolled_people(dataset, ByColour(), where="here") == ()
    assert enrolled_people(Consent("actor"), ByColour(), where="here") == ()


def test_embeddings_of_another_network_are_not_compared(tmp_path: Path) -> None:
    consent = footage(Ada=(RED, RED))
    words = "c.toml: Ada was enrolled with the identity network 'colours' and this is 'newer'"
    with pytest.raises(UserError, match=words):
        enrolled_people(consent, ByColour("newer"), where="c.toml")


def test_likeness_is_the_median_over_faces_of_the_mean_over_pictures() -> None:
    rng = np.random.default_rng(1)
    faces, pictures = (rng.normal(size=(n, 128)).astype(np.float32) for n in (5, 3))
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    pictures /= np.linalg.norm(pictures, axis=1, keepdims=True)
    each = sorted(sum(float(face @ one) for one in pictures) / 3 for face in faces)
    person = Known("Ada", pictures)
    assert abs(alike(faces, person) - each[2]) < 1e-6
    own = Known("Bo", faces)
    assert most_like(faces, [person, own])[0] is own
    check_enrolled([person, own], faces, same=alike(faces, own), where="here")
    check_enrolled([], faces, same=1.0, where="here")
    with pytest.raises(UserError, match=r"here: .* most like Bo, similarity 0\.\d\d, needed 1\.00"):
        check_enrolled([person, own], faces, same=1.0, where="here")


def test_a_new_record_asks_for_pictures_and_binds_extraction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Identifier, "load", classmethod(lambda cls: ByColour()))
    one = picture(tmp_path / "1.png", (*FACE, RED))
    write_image(tmp_path / "2.png", painted((40, 30, 36, RED)))
    answers = ["footage", "Ada", "Ada", "a test", "", "", f"{one}, {tmp_path / '2.png'}"]
    record = tmp_path / "c.toml"
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    assert main(["consent", "new", "-o", str(record)]) == 0
    assert "Pictures of Ada (2 or more files" in capsys.readouterr().err
    (enrolment,) = read_consent(record).enrolled
    assert enrolment.pictures == (sha256(one), sha256(tmp_path / "2.png"))
    own = clip(tmp_path / "own.mp4", [[(*FACE, RED)]])
    other = clip(tmp_path / "other.mp4", [[(*FACE, BLUE)]])
    flags = ["--consent", str(record), "-o"]
    assert main(["extract", str(own), *flags, str(tmp_path / "own")]) == 0
    assert main(["extract", str(other), *flags, str(tmp_path / "other")]) == 2
    assert "similarity 0." in capsys.readouterr().err
    answers[-1] = f"{one}, {one}"
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    assert main(["consent", "new", "-o", str(tmp_path / "d.toml")]) == 2
    assert "holds 1 different pictures of Ada" in capsys.readouterr().err
    assert not (tmp_path / "d.toml").exists()


@pytest.mark.parametrize("embeddings", [(), ((1.0, 0.0), (0.6, 0.8)), ((), ())])
def test_looks_that_are_no_embeddings_are_refused(
    embeddings: tuple[tuple[float, ...], ...],
) -> None:
    looks = replace(enrolled("Ada", RED, RED), embeddings=embeddings)
    given = Consent("footage", ("Ada",), "Ada", "a test", enrolled=(looks,))
    with pytest.raises(UserError) as caught:
        enrolled_people(given, ByColour(), where="faces/ada")
    assert str(caught.value) == (
        "faces/ada: what the consent says of Ada's looks is damaged (it must be 128 numbers a "
        "picture); write a new record with `changeling consent new`."
    )
