"""A whole picture or video converted: nothing lost, everything counted, consent asked, signed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from colours import ByColour, enrolled
from torch import Tensor

from changeling.converting import Conversion, Donor, How, convert, convert_frame, video
from changeling.errors import UserError
from changeling.faces import Face, Identifier
from changeling.generators import Swapped
from changeling.media import (
    Frame,
    FrameWriter,
    Pixels,
    probe,
    read_frames,
    read_image,
    write_image,
)
from changeling.provenance import (
    Consent,
    Ingredient,
    Source,
    State,
    sha256,
    verify,
    write_consent,
)

TODAY = date(2026, 11, 21)
GREY = (100, 100, 100)
AGREED = Consent(
    "footage", ("Somebody",), "Somebody", "a test", until=date(2027, 1, 1),
    enrolled=(enrolled("Somebody", GREY, GREY),),
)  # fmt: skip
DONOR = Donor(AGREED, "family", "runs/ab", (Ingredient("faces/b", "2" * 64, "inputTo"),))


@dataclass(frozen=True)
class Painted:
    """A generator that paints every face in one colour and notes the size of its batches."""

    batches: list[int]
    people: tuple[str, ...] = ("a", "b")
    size: int = 24

    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        self.batches.append(len(faces))
        painted = torch.tensor([0.9, 0.1, 0.1])[:, None, None].expand_as(faces).clone()
        return Swapped(painted, torch.ones_like(faces[:, :1]))


class Counting:
    """A tracker for the frames of `clip`: the blue level of the corner says how many faces."""

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        count = round(int(pixels[2, 2, 2]) / 60)
        places = [(40, 32, 32), (68, 16, 16)][:count]
        return tuple(replace(face_at(*place), track=track) for track, place in enumerate(places))


def face_at(x: float, y: float, side: float) -> Face:
    matrix = np.array([[1 / side, 0, 0.5 - x / side], [0, 1 / side, 0.5 - y / side]])
    box = (x - side / 2, y - side / 2, side, side)
    return Face(box, np.zeros((68, 2), np.float32), matrix, 1.0)


def frame(faces: int, grey: int = 120) -> Pixels:
    pixels = np.full((64, 80, 3), grey, np.uint8)
    pixels[:6, :6, 2] = 60 * faces
    return pixels


def clip(path: Path, faces: list[int], times: list[Fraction] | None = None) -> Path:
    """A video with that many faces in each frame."""
    with FrameWriter(path, size=(80, 64), rate=Fraction(25)) as writer:
        for index, count in enumerate(faces):
            time = times[index] if times else Fraction(index, 25)
            writer.write(Frame(frame(count, 60 + 5 * index), index, time))
    return path


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeling.converting.video.Tracker", Counting)
    monkeypatch.setattr(Identifier, "load", classmethod(lambda cls: ByColour()))


@pytest.fixture
def consent(tmp_path: Path) -> Path:
    path = tmp_path / "consent.toml"
    write_consent(path, AGREED)
    return path


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_video_is_converted_frame_by_frame(tmp_path: Path, consent: Path) -> None:
    source = clip(tmp_path / "a.mp4", [1] * 19)
    batches: list[int] = []
    ticks: list[tuple[int, int | None]] = []
    done = convert(
        source, tmp_path / "b.mp4", Painted(batches), to="b", donor=DONOR, today=TODAY,
        consent=consent, tick=lambda *tick: ticks.append(tick),
    )  # fmt: skip
    assert done == Conversion(frames=19, swapped=19, crowded=0, most_faces=1)
    assert batches == [8, 8, 3]
    assert ticks == [(number, 19) for number in range(1, 20)]
    frames = zip(read_frames(source), read_frames(tmp_path / "b.mp4"), strict=True)
    for before, after in frames:
        assert (before.index, before.time) == (after.index, after.time)
        wanted = convert_frame(
            before.pixels, [face_at(40, 32, 32)], Painted([]), to="b", how=How()
        ).pixels
        assert np.abs(after.pixels.astype(int) - wanted).mean() < 2
        assert after.pixels[32, 40, 0] > 200 > 60 > after.pixels[32, 40, 1]


def test_large_frames_wait_in_smaller_numbers(
    tmp_path: Path, consent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than 2²⁸ bytes of frames are held, if ten of them are so many."""
    sizes = [(640, 360), (1920, 1080), (2560, 1440), (3840, 2160), (7680, 4320)]
    assert [video._depth(3 * w * h) for w, h in sizes] == [4, 4, 3, 1, 1]
    for width, height in sizes[:-1]:
        assert (6 * video._depth(3 * width * height) + 4) * 3 * width * height <= 2**28
    source = clip(tmp_path / "a.mp4", [1] * 40)
    read, written = [0], [0]
    waiting: dict[int, int] = {}

    def reading(path: Path) -> Iterator[Frame]:
        for one in read_frames(path):
            read[0] += 1
            yield one

    class Slow(FrameWriter):
        def write(self, frame: Frame) -> None:
            time.sleep(0.02)
            waiting[room] = max(waiting.get(room, 0), read[0] - written[0])
            written[0] += 1
            super().write(frame)

    monkeypatch.setattr(video, "read_frames", reading)
    monkeypatch.setattr(video, "FrameWriter", Slow)
    for room in (10, 28):
        read[0] = written[0] = 0
        monkeypatch.setattr(video, "_MOST_BYTES", room * 3 * 80 * 64)
        given = {"to": "b", "donor": DONOR, "today": TODAY, "consent": consent}
        convert(source, tmp_path / f"{room}.mp4", Painted([]), **given)  # type: ignore[arg-type]
    assert waiting[10] <= 10 < waiting[28] <= 28


def test_uneven_time_stamps_are_kept(tmp_path: Path, consent: Path) -> None:
    times = [Fraction(tick, 25) for tick in (0, 1, 4, 5, 11)]
    source = clip(tmp_path / "a.mp4", [1] * 5, times)
    out = tmp_path / "b.mp4"
    convert(source, out, Painted([]), to="b", donor=DONOR, today=TODAY, consent=consent)
    assert [one.time for one in read_frames(out)] == times


def test_faces_are_counted_and_only_one_is_replaced(tmp_path: Path, consent: Path) -> None:
    source = clip(tmp_path / "a.mp4", [0, 1, 2, 2, 0, 1])
    out = tmp_path / "b.mp4"
    done = convert(source, out, Painted([]), to="b", donor=DONOR, today=TODAY, consent=consent)
    assert done == Conversion(frames=6, swapped=4, crowded=2, most_faces=2)
    before, after = list(read_frames(source)), list(read_frames(out))
    for index in (0, 4):
        change = np.abs(before[index].pixels.astype(int) - after[index].pixels)
        assert change.mean() < 1.5
    assert after[2].pixels[32, 40, 0] > 200
    assert abs(int(after[2].pixels[16, 68, 0]) - int(before[2].pixels[16, 68, 0])) < 8


def test_the_output_is_signed_and_says_how_it_was_made(tmp_path: Path, consent: Path) -> None:
    source = clip(tmp_path / "a.mp4", [1])
    out = tmp_path / "b.mp4"
    how = How(colour="mean", blend="poisson")
    convert(source, out, Painted([]), to="b", donor=DONOR, today=TODAY, consent=consent, how=how)
    found = verify(out)
    assert found.state is State.TRUSTED
    assert found.credential is not None
    assert found.credential.source is Source.COMPOSITE
    assert (found.credential.model, found.credential.run) == ("family", "runs/ab")
    assert found.credential.ingredients == (
        Ingredient("a.mp4", sha256(source), "parentOf"),
        *DONOR.ingredients,
    )
    assert dict(found.credential.facts) == {"to": "b", "colour": "mean", "blend": "poisson"}


def with_sound(path: Path, silent_clip: Path) -> Path:
    """The clip with half a second of a tone."""
    with av.open(str(silent_clip)) as pictures, av.open(str(path), "w") as output:
        video = output.add_stream_from_template(pictures.streams.video[0])
        audio = output.add_stream("aac", rate=48000, layout="mono")
        for packet in pictures.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                output.mux(packet)
        tone = np.sin(np.arange(24000) * 0.06).astype(np.float32)[None] * 0.5
        sound = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        sound.sample_rate = 48000
        for packet in (*audio.encode(sound), *audio.encode(None)):
            output.mux(packet)
    return path


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_the_sound_is_kept_unchanged(tmp_path: Path, consent: Path) -> None:
    source = with_sound(tmp_path / "a.mp4", clip(tmp_path / "silent.mp4", [1] * 12))
    out = tmp_path / "b.mp4"
    convert(source, out, Painted([]), to="b", donor=DONOR, today=TODAY, consent=consent)
    assert probe(out).audio
    assert packets(out) == packets(source)
    assert len(packets(out)) > 20


def test_a_picture_is_converted_and_signed(tmp_path: Path, consent: Path) -> None:
    source, out = tmp_path / "a.png", tmp_path / "b.png"
    write_image(source, frame(2))
    done = convert(source, out, Painted([]), to="b", donor=DONOR, today=TODAY, consent=consent)
    assert done == Conversion(frames=1, swapped=1, crowded=1, most_faces=2)
    wanted = convert_frame(frame(2), [face_at(40, 32, 32)], Painted([]), to="b", how=How())
    assert np.array_equal(read_image(out), wanted.pixels)
    assert verify(out).state is State.TRUSTED


@pytest.mark.parametrize("name", ["a.mp4", "a.png"])
def test_without_any_face_nothing_is_written(tmp_path: Path, consent: Path, name: str) -> None:
    source = tmp_path / name
    if name == "a.png":
        write_image(source, frame(0))
    else:
        clip(source, [0] * 12)
    out = tmp_path / f"out{source.suffix}"
    with pytest.raises(UserError, match="No face was found"):
        convert(source, out, Painted([]), to="b", donor=DONOR, today=TODAY, consent=consent)
    assert left(tmp_path) == {name, "consent.toml"}


def test_what_cannot_be_asked_for_is_refused(tmp_path: Path, consent: Path) -> None:
    source = clip(tmp_path / "a.mp4", [1])
    (tmp_path / "kept.mp4").write_bytes(b"kept")

    def refused(out: str, match: str, to: str = "b") -> None:
        with pytest.raises(UserError, match=match):
            convert(
                source, tmp_path / out, Painted([]), to=to, donor=DONOR, today=TODAY,
                consent=consent,
            )  # fmt: skip

    refused("b.mp4", "Nobody called c is in run runs/ab.* a, b", to="c")
    refused("b.png", "name a video")
    refused("kept.mp4", "kept.mp4")
    assert left(tmp_path) == {"a.mp4", "kept.mp4", "consent.toml"}
    assert (tmp_path / "kept.mp4").read_bytes() == b"kept"
    convert(
        source, tmp_path / "kept.mp4", Painted([]), to="b", donor=DONOR, today=TODAY,
        consent=consent, overwrite=True,
    )  # fmt: skip
    assert probe(tmp_path / "kept.mp4").width == 80


EXPIRED = replace(AGREED, until=date(2026, 11, 20))
REVOKED = replace(AGREED, revoked=True)
DATASET = Consent("dataset", licence="research", purpose="research")


@pytest.mark.parametrize("withheld", [EXPIRED, REVOKED, DATASET])
def test_both_people_must_agree(tmp_path: Path, withheld: Consent) -> None:
    source = clip(tmp_path / "a.mp4", [1])
    out = tmp_path / "b.mp4"
    for shown, given in ((withheld, AGREED), (AGREED, withheld)):
        path = tmp_path / "consent.toml"
        write_consent(path, shown, overwrite=True)
        donor = replace(DONOR, consent=given)
        with pytest.raises(UserError, match=r"consent\.toml|run runs/ab"):
            convert(source, out, Painted([]), to="b", donor=donor, today=TODAY, consent=path)
    with pytest.raises(UserError, match="changeling consent new"):
        convert(source, out, Painted([]), to="b", donor=DONOR, today=TODAY)
    assert left(tmp_path) == {"a.mp4", "consent.toml"}
