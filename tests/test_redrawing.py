"""Fitted faces drawn anew in files: which frames, whose consent, what is kept, how it is signed."""

from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from colours import ByColour, enrolled
from painted import BACKGROUND, EVEN, FOCAL, SIZE, held, portrait, somebody, within

from changeling.converting import Conversion, Donor, How, Manipulation, paste, redraw, redraw_still
from changeling.converting.frame import Patched
from changeling.errors import UserError
from changeling.faces import Face, FitRecord, Fitted, Identifier, face_model
from changeling.faces.fitted import project
from changeling.faces.view import View
from changeling.generators import Redrawn
from changeling.media import Frame, FrameWriter, Pixels, probe, read_frames, read_image, write_image
from changeling.provenance import Consent, Ingredient, Source, State, sha256, verify, write_consent

TODAY = date(2026, 11, 22)
WHO = somebody(1)
POSE = held()
GREY = (100, 100, 100)
AGREED = Consent(
    "footage", ("Somebody",), "Somebody", "a test", until=date(2027, 1, 1),
    enrolled=(enrolled("Somebody", GREY, GREY),),
)  # fmt: skip
DONOR = Donor(AGREED, "face model", "b.json", (Ingredient("b.mp4", "2" * 64, "inputTo"),))
WHAT = Manipulation("red", (("how", "much"),), (DONOR,))
WHOLE = slice(0, SIZE[1]), slice(0, SIZE[0])


def picture(grey: int = 0) -> Pixels:
    """The whole frame with a face; the corner's level says where the tracker sees it."""
    pixels = within(portrait(POSE, WHO), WHOLE).copy()
    pixels[:8, :8] = grey
    return pixels


@dataclass
class Red:
    """Paints a block of each window red and notes what it was shown."""

    views: list[View] = field(default_factory=list)

    def redraw(self, view: View) -> Redrawn:
        self.views.append(view)
        mask = np.zeros(view.clear.shape, np.float32)
        mask[40:80, 40:80] = 1
        red = np.zeros(view.pixels.shape, np.float32)
        red[..., 0] = min(1.0, 0.5 + view.time)
        return Redrawn(red, mask)


class Knowing:
    """A tracker that knows where the face is; in a frame with a white corner it sees another's."""

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        model = face_model()
        shape = model.shape(WHO, POSE.actions)[model.landmarks[:68]]
        height, width = pixels.shape[:2]
        points = project(shape, POSE, FOCAL, (width, height))
        corner = pixels[2, 2].mean()
        away = np.array([60 if corner > 128 else 0, 0])
        return () if 90 < corner < 128 else (Face.from_landmarks(points + away),)


@pytest.fixture(autouse=True)
def knowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeling.converting.redrawing.Tracker", Knowing)
    monkeypatch.setattr(Identifier, "load", classmethod(lambda cls: ByColour()))


@pytest.fixture
def consent(tmp_path: Path) -> Path:
    write_consent(tmp_path / "consent.toml", AGREED)
    return tmp_path / "consent.toml"


def clip(path: Path, greys: list[int]) -> Path:
    with FrameWriter(path, size=SIZE, rate=Fraction(25)) as writer:
        for index, grey in enumerate(greys):
            writer.write(Frame(picture(grey), index, Fraction(index * index, 25)))
    return path


def record(source: Path, lost: tuple[int, ...] = (), count: int = 1) -> FitRecord:
    """The true fit of the source, with frames that could not be fitted."""
    frames = tuple(
        Fitted(k, Fraction(k * k, 25), None if k in lost else POSE, EVEN, "lost" * (k in lost))
        for k in range(count)
    )
    digest = sha256(source)
    return FitRecord(source.name, digest, SIZE, AGREED, None, WHO, FOCAL, 1.0, frames)


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_only_the_fitted_face_is_drawn_and_other_frames_pass_through_to_the_bit(
    tmp_path: Path, consent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Frame] = []

    class Kept(FrameWriter):
        def write(self, frame: Frame) -> None:
            written.append(frame)
            super().write(frame)

    source, out, red = clip(tmp_path / "a.mp4", [0, 0, 255, 0, 110, 0]), tmp_path / "b.mp4", Red()
    monkeypatch.setattr("changeling.converting.video.FrameWriter", Kept)
    ticks: list[int] = []
    done = redraw(
        source, out, red, record(source, lost=(1,), count=5), WHAT, today=TODAY,
        consent=consent, tick=lambda step, _: ticks.append(step),
    )  # fmt: skip
    assert done == Conversion(frames=6, swapped=2, crowded=0, most_faces=1)
    assert ticks == [1, 2, 3, 4, 5, 6]
    assert [view.time for view in red.views] == [0, 9 / 25]
    for before, after in zip(read_frames(source), written, strict=True):
        same = np.array_equal(before.pixels, after.pixels)
        assert same == (before.index not in (0, 3)), "not fitted, another's, no face, no record"
        assert (before.index, before.time) == (after.index, after.time)
    assert [one.time for one in read_frames(out)] == [Fraction(k * k, 25) for k in range(6)]
    assert (probe(out).width, probe(out).height) == SIZE


def test_a_picture_is_drawn_in_its_window_alone(tmp_path: Path, consent: Path) -> None:
    source, out, red = tmp_path / "a.png", tmp_path / "b.png", Red()
    write_image(source, picture())
    done = redraw(source, out, red, record(source), WHAT, today=TODAY, consent=consent)
    assert done == Conversion(frames=1, swapped=1, crowded=0, most_faces=1)
    (view,) = red.views
    assert np.array_equal(view.identity, WHO) and view.frame is POSE and view.size == SIZE
    rows, columns = view.window
    wanted = picture()
    wanted[rows.start + 40 : rows.start + 80, columns.start + 40 : columns.start + 80] = 128, 0, 0
    assert np.array_equal(read_image(out), wanted)


def test_the_credential_says_what_was_done_and_with_whose_help(
    tmp_path: Path, consent: Path
) -> None:
    source, out = tmp_path / "a.png", tmp_path / "b.png"
    write_image(source, picture())
    redraw(source, out, Red(), record(source), WHAT, today=TODAY, consent=consent)
    found = verify(out)
    assert found.state is State.TRUSTED and found.credential is not None
    told = found.credential
    assert (told.source, told.model, told.run) == (Source.COMPOSITE, "red", "b.json")
    assert told.facts == (("how", "much"),)
    assert told.ingredients == (Ingredient("a.png", sha256(source), "parentOf"), *DONOR.ingredients)


EXPIRED = replace(AGREED, until=date(2026, 11, 20))


@pytest.mark.parametrize("withheld", [EXPIRED, replace(AGREED, revoked=True)])
def test_everybody_must_agree(tmp_path: Path, withheld: Consent) -> None:
    source, path = tmp_path / "a.png", tmp_path / "consent.toml"
    write_image(source, picture())
    for shown, lent in ((withheld, AGREED), (AGREED, withheld)):
        write_consent(path, shown, overwrite=True)
        what = replace(WHAT, donors=(replace(DONOR, consent=lent),))
        for out in (tmp_path / "b.png", tmp_path / "b.mp4"):
            with pytest.raises(UserError, match=r"consent\.toml may not|b\.json may not"):
                if out.suffix == ".png":
                    redraw(source, out, Red(), record(source), what, today=TODAY, consent=path)
                else:
                    redraw_still(
                        source, out, Red(), record(source), what, times=[Fraction(0)],
                        today=TODAY, consent=path,
                    )  # fmt: skip
    with pytest.raises(UserError, match="changeling consent new"):
        redraw(source, tmp_path / "b.png", Red(), record(source), WHAT, today=TODAY)
    assert left(tmp_path) == {"a.png", "consent.toml"}


def test_what_cannot_be_done_leaves_nothing_behind(tmp_path: Path, consent: Path) -> None:
    source, out = tmp_path / "a.png", tmp_path / "b.png"
    write_image(source, picture(110))
    with pytest.raises(UserError, match="No face was found"):
        redraw(source, out, Red(), record(source), WHAT, today=TODAY, consent=consent)
    write_image(source, picture(255))
    with pytest.raises(UserError, match="No face was found"):
        redraw_still(
            source, tmp_path / "b.mp4", Red(), record(source), WHAT, times=[Fraction(0)],
            today=TODAY, consent=consent,
        )  # fmt: skip
    with pytest.raises(UserError, match="name a picture"):
        redraw(source, tmp_path / "b.mp4", Red(), record(source), WHAT, today=TODAY)
    assert left(tmp_path) == {"a.png", "consent.toml"}


def still(source: Path, consent: Path, red: Red, times: list[Fraction]) -> tuple[Conversion, Path]:
    out = source.with_suffix(".mp4")
    fit = replace(record(source), size=(201, 199))
    return redraw_still(
        source, out, red, fit, WHAT, times=times, today=TODAY, consent=consent
    ), out  # fmt: skip


def test_a_still_becomes_a_video_whose_face_moves(tmp_path: Path, consent: Path) -> None:
    source, red = tmp_path / "a.png", Red()
    write_image(source, np.pad(picture(), ((0, 0), (0, 1), (0, 0)), mode="edge")[:199])
    times = [Fraction(k, 10) for k in (3, 4, 5, 8)]
    done, out = still(source, consent, red, times)
    assert done == Conversion(frames=4, swapped=4, crowded=0, most_faces=1)
    frames = list(read_frames(out))
    assert [one.time for one in frames] == [time - times[0] for time in times]
    assert (probe(out).width, probe(out).height) == (200, 198)
    assert [view.time for view in red.views[-4:]] == pytest.approx([0.3, 0.4, 0.5, 0.8])
    assert {view.size for view in red.views} == {(201, 199)}, "as large as it was fitted"
    rows, columns = red.views[0].window
    reds = [one.pixels[rows.start + 60, columns.start + 60, 0] for one in frames]
    assert reds == pytest.approx([204, 230, 255, 255], abs=4)
    assert verify(out).state is State.TRUSTED


def test_who_is_meant_is_asked_of_a_still_too(tmp_path: Path, consent: Path) -> None:
    source = tmp_path / "a.png"
    write_image(source, picture())
    with pytest.raises(UserError, match=r"gone\.png"):
        redraw_still(
            source, tmp_path / "b.mp4", Red(), record(source), WHAT, times=[Fraction(0)],
            today=TODAY, consent=consent, who=tmp_path / "gone.png",
        )  # fmt: skip
    assert left(tmp_path) == {"a.png", "consent.toml"}


def test_a_patch_lies_in_its_window_by_its_own_mask() -> None:
    drawn = Redrawn(np.ones((4, 6, 3), np.float32), np.zeros((4, 6), np.float32))
    patch = Patched((slice(10, 14), slice(20, 26)), drawn)
    nothing = paste(BACKGROUND, [patch], How())
    assert nothing.faces == 0 and np.array_equal(nothing.pixels, BACKGROUND)
    drawn.mask[1, 2], drawn.mask[2, 3] = 1, 0.5
    pasted = paste(BACKGROUND, [patch], How(blend="poisson", colour="covariance"))
    wanted = BACKGROUND.copy()
    wanted[11, 22] = 255
    wanted[12, 23] = np.rint((BACKGROUND[12, 23].astype(float) + 255) / 2)
    assert pasted.faces == 1 and np.abs(pasted.pixels.astype(int) - wanted).max() <= 1
    assert pasted.area.sum() == 1.5 and (pasted.pixels != BACKGROUND).any(2).sum() == 2
