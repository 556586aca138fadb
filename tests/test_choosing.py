"""Which face is replaced where several people are seen, and whose may be replaced at all."""

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
    Whitened,
    clip,
    enrolled,
    painted,
    picture,
)

from changeling.converting import Conversion, Donor, convert
from changeling.converting.choosing import Chooser
from changeling.errors import UserError
from changeling.faces import Identifier, Known
from changeling.media import Pixels, read_frames, read_image
from changeling.provenance import Consent, Enrolment, write_consent

TODAY = date(2026, 11, 21)
LARGE, SMALL = (26, 32, 36), (74, 32, 24)


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeling.converting.video.Tracker", Squares)
    monkeypatch.setattr("changeling.faces.enrolment.Tracker", Squares)


def known(name: str, colour: Sequence[int]) -> Known:
    return Known(name, np.array(enrolled(name, colour).embeddings, np.float32))


class Watching(Chooser):
    """A chooser with the tracker that follows its footage."""

    def __init__(
        self,
        allowed: Sequence[Known] = (),
        who: Known | None = None,
        identifier: Identifier | None = None,
    ) -> None:
        super().__init__(allowed, who, identifier)
        self.tracker = Squares()


def choice(chooser: Watching, *squares: Square) -> int | None:
    """Where the chosen face is in a frame: the x of its middle."""
    pixels = painted(*squares)
    face = chooser.choose(pixels, chooser.tracker.find(pixels))
    return None if face is None else round(face.box[0] + face.box[2] / 2)


def footage(*people: Enrolment) -> Consent:
    names = tuple(person.person for person in people)
    return Consent("footage", names, "all of them", "a test", enrolled=people)


ADA, BO = enrolled("Ada", RED, RED), enrolled("Bo", BLUE, BLUE)
DONOR = Donor(footage(ADA), "family", "runs/ab")


def swap(
    folder: Path, squares: Sequence[Sequence[Square]], consent: Consent, who: Path | None = None
) -> Conversion:
    """A clip (or, of one frame, a picture) converted into `out` beside it."""
    write_consent(folder / "c.toml", consent, overwrite=True)
    still = len(squares) == 1
    source = folder / ("a.png" if still else "a.mp4")
    _ = picture(source, *squares[0]) if still else clip(source, squares)
    return convert(
        source, folder / f"out{source.suffix}", Whitened(), to="b", donor=DONOR, today=TODAY,
        consent=folder / "c.toml", who=who, identifier=ByColour(), overwrite=True,
    )  # fmt: skip


def whitened(pixels: Pixels) -> tuple[bool, bool]:
    """Whether the large and the small face were replaced."""
    return tuple(bool(pixels[y, x].min() > 180) for x, y, _ in (LARGE, SMALL))  # type: ignore[return-value]


def test_without_anybody_named_it_is_the_largest_and_nobody_is_recognised() -> None:
    identifier = ByColour()
    chooser = Watching(identifier=identifier)
    assert choice(chooser, (*LARGE, RED), (*SMALL, GREEN)) == LARGE[0]
    assert choice(chooser) is None
    assert identifier.asked == 0


def test_only_the_people_of_the_consent_are_chosen() -> None:
    chooser = Watching([known("Ada", RED), known("Bo", BLUE)], identifier=ByColour())
    assert choice(chooser, (*LARGE, GREEN), (*SMALL, RED)) == SMALL[0]
    assert choice(chooser, (*LARGE, GREEN)) is None
    other = Watching([known("Ada", RED), known("Bo", BLUE)], identifier=ByColour())
    assert choice(other, (*LARGE, BLUE), (*SMALL, GREEN)) == LARGE[0]


def test_the_face_most_like_the_picture_is_chosen() -> None:
    allowed = [known("Ada", RED), known("Bo", BLUE)]
    for who, middle in ((RED, LARGE[0]), (BLUE, SMALL[0]), (GREEN, None)):
        chooser = Watching(allowed, known("who.png", who), ByColour())
        assert choice(chooser, (*LARGE, RED), (*SMALL, BLUE)) == middle
        free = Watching((), known("who.png", who), ByColour())
        assert choice(free, (*LARGE, RED), (*SMALL, BLUE)) == middle
    stranger = Watching([known("Bo", BLUE)], known("who.png", RED), ByColour())
    assert choice(stranger, (*LARGE, RED), (*SMALL, BLUE)) is None


def test_a_choice_is_kept_while_another_is_hardly_more_alike() -> None:
    """The large face is a little more like Ada, but came second."""
    reddish = (210, 60, 40)
    chooser = Watching([known("Ada", RED)], identifier=ByColour())
    assert choice(chooser, (*SMALL, reddish)) == SMALL[0]
    for _ in range(30):
        assert choice(chooser, (*LARGE, RED), (*SMALL, reddish)) == SMALL[0]
    assert choice(chooser, (*LARGE, RED)) == LARGE[0]
    assert choice(chooser, (*LARGE, RED), (*SMALL, reddish)) == LARGE[0]


def test_a_spoilt_frame_changes_nothing() -> None:
    chooser = Watching([known("Ada", RED)], identifier=ByColour())
    shown = [RED, RED, BLUE, *[RED] * 7, BLUE, RED]
    assert [choice(chooser, (*LARGE, colour)) for colour in shown] == [LARGE[0]] * 12


def test_a_choice_costs_few_embeddings() -> None:
    identifier = ByColour()
    chooser = Watching([known("Ada", RED)], identifier=identifier)
    for _ in range(100):
        choice(chooser, (*LARGE, GREEN), (*SMALL, RED))
    assert identifier.asked == 2 * (4 + 9)


def test_in_a_video_the_enrolled_face_is_replaced_and_the_other_is_not(tmp_path: Path) -> None:
    frames = [[(*LARGE, GREEN), (*SMALL, RED)]] * 10 + [[(*LARGE, GREEN)]] * 2
    done = swap(tmp_path, frames, footage(ADA))
    assert done == Conversion(frames=12, swapped=10, crowded=10, most_faces=2)
    replaced = [whitened(frame.pixels) for frame in read_frames(tmp_path / "out.mp4")]
    assert replaced == [(False, True)] * 10 + [(False, False)] * 2


def test_who_chooses_among_those_who_agreed(tmp_path: Path) -> None:
    both: list[Square] = [(*LARGE, RED), (*SMALL, BLUE)]
    for colour, wanted in ((RED, (True, False)), (BLUE, (False, True))):
        who = picture(tmp_path / "who.png", (48, 32, 40, colour))
        done = swap(tmp_path, [both], footage(ADA, BO), who)
        assert done == Conversion(frames=1, swapped=1, crowded=1, most_faces=2)
        assert whitened(read_image(tmp_path / "out.png")) == wanted


def refused(
    folder: Path, squares: Sequence[Sequence[Square]], consent: Consent, who: Path | None = None
) -> str:
    with pytest.raises(UserError) as caught:
        swap(folder, squares, consent, who)
    assert not list(folder.glob("out*"))
    assert not list(folder.glob(".*"))
    return str(caught.value)


def test_somebody_elses_face_is_never_replaced(tmp_path: Path) -> None:
    frames = [[(*LARGE, BROWN)]] * 3
    cosine = np.dot(BROWN, RED) / np.linalg.norm(BROWN) / np.linalg.norm(RED)
    for shown in (frames, frames[:1]):
        sentence = refused(tmp_path, shown, footage(ADA, BO))
        assert "no face is that of Ada and Bo (the highest similarity is 0." in sentence
        assert abs(float(sentence.split("similarity is ")[1][:4]) - cosine) < 0.03
        assert "needed 0.95" in sentence
    assert "No face was found" in refused(tmp_path, [[]] * 3, footage(ADA))
    nobody = Consent("footage", ("Ada",), "Ada", "a test")
    assert "does not hold what its people look like" in refused(tmp_path, frames, nobody)


def test_who_must_have_agreed_and_be_one_person(tmp_path: Path) -> None:
    shown: list[list[Square]] = [[(*LARGE, RED), (*SMALL, GREEN)]]
    green = picture(tmp_path / "green.png", (48, 32, 40, GREEN))
    sentence = refused(tmp_path, shown, footage(ADA), green)
    assert "green.png: the face is not that of a person of the consent" in sentence
    wall = picture(tmp_path / "wall.png")
    assert "wall.png shows no face" in refused(tmp_path, shown, footage(ADA), wall)
    blue = picture(tmp_path / "blue.png", (48, 32, 40, BLUE))
    sentence = refused(tmp_path, shown, footage(ADA, BO), blue)
    assert "no face is that of Ada and Bo and blue.png" in sentence
