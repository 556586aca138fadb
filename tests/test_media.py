"""What goes into a file comes out of it: pixels, colours, times, sound; and files are whole."""

import resource
import struct
import weakref
import zlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from changeling.errors import UserError
from changeling.media import (
    Frame,
    FrameWriter,
    Pixels,
    is_image,
    probe,
    read_frames,
    read_image,
    silent,
    write_image,
    writing,
)

RATE = Fraction(25)
RED, GREEN, BLUE, GREY = (220, 30, 40), (40, 180, 60), (30, 60, 200), (128, 128, 128)
SAMPLES = 48_000


def quarters(size: tuple[int, int] = (64, 48)) -> Pixels:
    """Red, green over blue, grey."""
    width, height = size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2], pixels[: height // 2, width // 2 :] = RED, GREEN
    pixels[height // 2 :, : width // 2], pixels[height // 2 :, width // 2 :] = BLUE, GREY
    return pixels


def corners(pixels: Pixels) -> list[tuple[int, ...]]:
    """The colours near the corners in reading order."""
    return [tuple(int(v) for v in pixels[y, x]) for y in (6, -7) for x in (6, -7)]


def close(found: Sequence[tuple[int, ...]], wanted: Sequence[tuple[int, ...]]) -> bool:
    return int(np.abs(np.subtract(found, wanted)).max()) <= 3


def smooth(count: int, size: tuple[int, int] = (64, 48)) -> Iterator[Frame]:
    """A moving picture that a video codec can keep."""
    y, x = np.mgrid[: size[1], : size[0]]
    for i in range(count):
        waves = [np.sin(x / 9 + i / 5), np.cos(y / 8 - i / 7), np.sin((x + y) / 12)]
        yield Frame((128 + 80 * np.stack(waves, -1)).astype(np.uint8), i, i / RATE)


def write(path: Path, frames: Iterator[Frame] | Sequence[Frame], **options: object) -> Path:
    frames = list(frames)
    height, width, _ = frames[0].pixels.shape
    settings = {"rate": RATE} | options
    with FrameWriter(path, size=(width, height), **settings) as writer:  # type: ignore[arg-type]
        for frame in frames:
            writer.write(frame)
    return path


def times(path: Path) -> list[Fraction]:
    return [frame.time for frame in read_frames(path)]


def foreign(
    path: Path,
    *,
    pixels: Pixels | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    matrix: Colorspace = Colorspace.ITU601,
    tagged: bool = True,
    display: Sequence[int] | None = None,
    shape: Fraction = Fraction(1),
    starts: Fraction = Fraction(0),
    sound: str = "",
    count: int = 10,
    movflags: str = "faststart",
) -> Path:
    """A video as somebody else's program would write it, straight from PyAV."""
    pixels = quarters() if pixels is None else pixels
    full = ColorRange.JPEG if pix_fmt.startswith("yuvj") else ColorRange.MPEG
    with av.open(str(path), "w", container_options={"movflags": movflags}) as container:
        video = cast(
            VideoStream, container.add_stream(codec, rate=RATE, options={"crf": "4", "g": "10"})
        )
        context = video.codec_context
        context.height, context.width, _ = pixels.shape
        context.pix_fmt, context.sample_aspect_ratio = pix_fmt, shape
        if tagged:
            context.color_range, context.colorspace = full, 6 if matrix == 5 else matrix
        video.set_display_matrix(display)
        audio = None
        if sound:
            audio = cast(AudioStream, container.add_stream(sound, rate=SAMPLES, layout="mono"))
        for i in range(count):
            picture = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(
                format=pix_fmt, dst_colorspace=matrix, dst_color_range=full
            )
            picture.pts, picture.time_base = i + int(starts * RATE), 1 / RATE
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if audio:
            tone = (9000 * np.sin(np.arange(SAMPLES * count // 25) / 20)).astype(np.int16)
            samples = av.AudioFrame.from_ndarray(tone[None], "s16", "mono")
            samples.sample_rate, samples.pts = SAMPLES, 0
            container.mux(audio.encode(samples))
            container.mux(audio.encode(None))
    return path


def wave(path: Path, *, seconds: int) -> Path:
    """Silence, as WAV."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for _ in range(seconds * 10):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
            samples.sample_rate = 8000
            container.mux(stream.encode(samples))
    return path


def sound_of(path: Path) -> tuple[str, list[tuple[int | None, bytes]]]:
    """Codec and packets of the first sound track."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        packets = [(p.pts, bytes(p)) for p in container.demux(stream) if p.size]
        return stream.codec_context.name, packets


# --- videos: what comes back ---


@pytest.mark.parametrize("rate", ["25", "30000/1001", "24000/1001", "2997/100", "60", "1/2"])
def test_constant_rates_and_times_are_exact(tmp_path: Path, rate: str) -> None:
    exact = [Frame(f.pixels, f.index, f.index / Fraction(rate)) for f in smooth(9)]
    path = write(tmp_path / "a.mp4", exact, rate=Fraction(rate), comment='{"seed": "é7"}')
    video = probe(path)
    assert times(path) == [frame.time for frame in exact]
    assert (video.width, video.height, video.frames) == (64, 48, 9)
    assert video.rate == Fraction(rate)
    assert video.duration == 9 / Fraction(rate)
    assert (video.audio, video.comment) == (False, '{"seed": "é7"}')


def test_variable_times_are_exact(tmp_path: Path) -> None:
    steps = ["0", "1/90000", "1/10", "48007/48000", "3", "40", "40001/1000", "629761/15360"]
    exact = [Frame(f.pixels, f.index, Fraction(s)) for f, s in zip(smooth(8), steps, strict=True)]
    assert times(write(tmp_path / "a.mp4", exact)) == [Fraction(step) for step in steps]


def test_times_of_a_source_are_kept_in_its_own_time_base(tmp_path: Path) -> None:
    scale = 1_000_003  # a prime: in no common time scale
    source = tmp_path / "source.mp4"
    with av.open(str(source), "w") as container:
        video = container.add_stream("libx264", rate=RATE, width=64, height=48)
        video.codec_context.time_base = Fraction(1, scale)
        for i in range(6):
            picture = av.VideoFrame.from_ndarray(quarters(), "rgb24")
            picture.pts, picture.time_base = i * i * 50_021, Fraction(1, scale)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    copy = write(tmp_path / "a.mp4", read_frames(source), audio_from=source)
    assert times(copy) == [Fraction(i * i * 50_021, scale) for i in range(6)]


def test_two_frames_at_one_instant_are_both_written(tmp_path: Path) -> None:
    frames = [Frame(f.pixels, f.index, Fraction(f.index // 2)) for f in smooth(4)]
    tick = Fraction(1, 5_760_000)
    assert times(write(tmp_path / "a.mp4", frames)) == [0, tick, 1, 1 + tick]


def test_pixels_survive(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", smooth(12, (128, 96)))
    for before, after in zip(smooth(12, (128, 96)), read_frames(path), strict=True):
        assert after.index == before.index
        assert after.pixels.dtype == np.uint8
        assert after.pixels.flags.c_contiguous
        assert cv2.PSNR(before.pixels, after.pixels) > (37 if after.index else 40)
        assert abs(float(np.mean(after.pixels - before.pixels.astype(float)))) < 0.3


def test_odd_sides_are_padded_by_repetition(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [Frame(quarters((63, 47)), 0, Fraction(0))])
    assert (probe(path).width, probe(path).height) == (64, 48)
    pixels = next(read_frames(path)).pixels
    assert close(corners(pixels), [RED, GREEN, BLUE, GREY])
    assert close([tuple(pixels[-1, -1])], [GREY])


def test_what_is_written_is_tagged_and_coloured_as_bt709(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [Frame(quarters(), 0, Fraction(0))])
    assert close(corners(next(read_frames(path)).pixels), [RED, GREEN, BLUE, GREY])
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        tags = context.colorspace, context.color_primaries, context.color_trc, context.color_range
        assert tags == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("matrix", "pix_fmt", "tagged", "lines"),
    [
        (Colorspace.ITU601, "yuv420p", True, 48),
        (Colorspace.ITU709, "yuv420p", True, 48),
        (Colorspace.ITU601, "yuvj420p", True, 48),
        (Colorspace.ITU709, "yuv444p10le", True, 48),
        (Colorspace.ITU601, "yuv420p", False, 576),
        (Colorspace.ITU709, "yuv420p", False, 578),
    ],
)
def test_colours_follow_matrix_and_range(
    tmp_path: Path, matrix: Colorspace, pix_fmt: str, tagged: bool, lines: int
) -> None:
    path = foreign(
        tmp_path / "a.mp4",
        pixels=quarters((64, lines)),
        matrix=matrix,
        pix_fmt=pix_fmt,
        tagged=tagged,
        count=1,
    )
    assert close(corners(next(read_frames(path)).pixels), [RED, GREEN, BLUE, GREY])


ONE = 1 << 16
UPRIGHT = {  # a, b, c, d of x' = ax + cy, y' = bx + dy, and the corners that a player shows
    (ONE, 0, 0, ONE): [RED, GREEN, BLUE, GREY],
    (0, ONE, -ONE, 0): [BLUE, RED, GREY, GREEN],  # a quarter clockwise, as phones write
    (-ONE, 0, 0, -ONE): [GREY, BLUE, GREEN, RED],
    (0, -ONE, ONE, 0): [GREEN, GREY, RED, BLUE],
    (-ONE, 0, 0, ONE): [GREEN, RED, GREY, BLUE],
    (0, ONE, ONE, 0): [RED, BLUE, GREEN, GREY],
}


@pytest.mark.parametrize(("turn", "wanted"), UPRIGHT.items())
def test_frames_are_upright(
    tmp_path: Path, turn: tuple[int, int, int, int], wanted: list[tuple[int, ...]]
) -> None:
    a, b, c, d = turn
    path = foreign(tmp_path / "a.mp4", display=(a, b, 0, c, d, 0, 0, 0, 1 << 30), count=3)
    frames, video = list(read_frames(path)), probe(path)
    size = (48, 64) if b else (64, 48)
    assert len(frames) == 3
    assert (video.width, video.height) == size
    assert frames[2].pixels.shape == (size[1], size[0], 3)
    assert frames[2].pixels.flags.c_contiguous
    assert close(corners(frames[2].pixels), wanted)


def test_pixels_are_made_square(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.mp4", shape=Fraction(4, 3))
    assert (probe(path).width, probe(path).height) == (85, 48)
    assert close(corners(next(read_frames(path)).pixels), [RED, GREEN, BLUE, GREY])


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "libx264"), ("a.ts", "libx264"), ("a.webm", "libvpx"), ("a.h264", "libx264")],
)
def test_other_containers(tmp_path: Path, name: str, codec: str) -> None:
    path = foreign(tmp_path / name, codec=codec)
    assert times(path) == [i / RATE for i in range(10)]
    assert probe(path).rate == RATE


def test_a_recording_may_start_amid_a_group_of_pictures(tmp_path: Path) -> None:
    data = foreign(tmp_path / "a.ts", count=40).read_bytes()
    path = tmp_path / "late.ts"
    path.write_bytes(data[len(data) // 188 // 3 * 188 :])
    found = times(path)
    assert 10 <= len(found) < 30
    assert found == [found[0] + i / RATE for i in range(len(found))]


def test_a_name_with_a_colon_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(times(write(Path("12:30.mp4"), smooth(2)))) == 2


def test_frames_are_not_kept(tmp_path: Path) -> None:
    frames = read_frames(write(tmp_path / "a.mp4", smooth(5)))
    first = weakref.ref(next(frames))
    next(frames)
    assert first() is None
    frames.close()  # type: ignore[attr-defined]


# --- videos: the file ---


def test_same_frames_give_same_bytes(tmp_path: Path) -> None:
    source = foreign(tmp_path / "s.mp4", sound="aac")
    one = write(tmp_path / "a.mp4", smooth(30), audio_from=source, comment="7")
    two = write(tmp_path / "b.mp4", smooth(30), audio_from=source, comment="7")
    assert one.read_bytes() == two.read_bytes()


def test_the_index_comes_first(tmp_path: Path) -> None:
    data = write(tmp_path / "a.mp4", smooth(5)).read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(("name", "codec"), [("s.mp4", "aac"), ("s.mkv", "libmp3lame")])
def test_sound_is_copied_unchanged(tmp_path: Path, name: str, codec: str) -> None:
    source = foreign(tmp_path / name, sound=codec, count=30)
    copy = write(tmp_path / "a.mp4", read_frames(source), audio_from=source)
    before, after = sound_of(source), sound_of(copy)
    assert probe(copy).audio
    assert after[0] == before[0]
    assert len(after[1]) > 40
    assert [data for _, data in after[1]] == [data for _, data in before[1]]
    if name == "s.mp4":  # Matroska rounds its times to milliseconds
        assert [pts for pts, _ in after[1]] == [pts for pts, _ in before[1]]


def test_sound_that_mp4_does_not_hold_becomes_aac(tmp_path: Path) -> None:
    source = foreign(tmp_path / "s.mov", sound="pcm_mulaw", count=30)
    copy = write(tmp_path / "a.mp4", read_frames(source), audio_from=source)
    assert sound_of(copy)[0] == "aac"
    with av.open(str(copy)) as container:
        heard = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    samples = np.concatenate(heard)[: SAMPLES * 30 // 25]
    tone = 9000 / 32768 * np.sin(np.arange(len(samples)) / 20)
    middle = slice(4000, -4000)
    assert len(samples) == SAMPLES * 30 // 25
    assert np.corrcoef(samples[middle], tone[middle])[0, 1] > 0.99


def test_sound_and_picture_stay_in_step(tmp_path: Path) -> None:
    source = foreign(tmp_path / "s.mp4", sound="aac", starts=Fraction(12, 25), count=40)
    copy = write(tmp_path / "a.mp4", read_frames(source), audio_from=source)
    assert times(copy) == times(source) == [i / RATE for i in range(40)]
    with av.open(str(copy)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.start_time is not None
        assert video.time_base is not None
        assert video.start_time * video.time_base == Fraction(12, 25)
        assert audio.start_time == 0


def test_sound_and_picture_lie_side_by_side(tmp_path: Path) -> None:
    sound = wave(tmp_path / "a.wav", seconds=60)
    frames = [Frame(f.pixels, f.index, Fraction(f.index)) for f in smooth(60)]
    path = write(tmp_path / "a.mp4", frames, rate=Fraction(1), audio_from=sound)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
    clock = {0: 0.0, 1: 0.0}
    for packet in sorted(packets, key=lambda packet: packet.pos or 0):
        clock[packet.stream_index] = float((packet.dts or 0) * packet.time_base)
        assert abs(clock[0] - clock[1]) < 3
    assert clock == {0: 59, 1: pytest.approx(60, abs=0.5)}


# --- videos: bad input ---


def sentence(caught: pytest.ExceptionInfo[UserError], *parts: str) -> None:
    """An error is one sentence that names these things."""
    text = str(caught.value)
    assert text.count("\n") == 0
    assert text.endswith(".")
    for part in parts:
        assert part in text


def test_what_is_not_a_video(tmp_path: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "notes.txt").write_text("a text, which FFmpeg would draw\n" * 40)
    cases = {
        "noise.mp4": "not a video",
        "empty.mp4": "not a video",
        "notes.txt": "no pictures",
        "missing.mp4": "cannot be read",
        ".": "cannot be read",
    }
    for name, reason in cases.items():
        for use in (probe, lambda path: list(read_frames(path))):
            with pytest.raises(UserError) as caught:
                use(tmp_path / name)
            sentence(caught, str(tmp_path / name), reason)


def test_sound_alone_is_not_a_video(tmp_path: Path) -> None:
    path = wave(tmp_path / "a.wav", seconds=1)
    with pytest.raises(UserError) as caught:
        probe(path)
    sentence(caught, str(path), "no pictures")


@pytest.mark.parametrize("beyond", [0, 200])
def test_a_video_without_its_index(tmp_path: Path, beyond: int) -> None:
    data = write(tmp_path / "a.mp4", smooth(5)).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: data.index(b"moov") + beyond])
    with pytest.raises(UserError) as caught:
        next(read_frames(path))
    sentence(caught, str(path), "cut off")


def test_a_video_whose_pictures_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "header.mp4"
    data = foreign(path, movflags="empty_moov+frag_keyframe").read_bytes()
    path.write_bytes(data[: data.index(b"moof") - 4])
    for use in (probe, lambda path: list(read_frames(path))):
        with pytest.raises(UserError) as caught:
            use(path)
        sentence(caught, str(path), "first 0 frames")


@pytest.mark.parametrize("kept", [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99])
def test_a_cut_video_tells_how_much_could_be_read(tmp_path: Path, kept: float) -> None:
    data = write(tmp_path / "a.mp4", smooth(40, (128, 96))).read_bytes()
    path, start = tmp_path / "cut.mp4", data.index(b"mdat")
    path.write_bytes(data[: start + int((len(data) - start) * kept)])
    read = []
    with pytest.raises(UserError) as caught:
        for frame in read_frames(path):
            read.append(frame)
    sentence(caught, str(path), f"only its first {len(read)} frames")
    assert 0 < len(read) < 40


def test_writer_refuses_other_names_and_no_frames(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        FrameWriter(tmp_path / "a.avi", size=(64, 48), rate=RATE)
    sentence(caught, "a.avi", ".mp4")
    with pytest.raises(UserError) as caught, writing(tmp_path / "a.mp4") as path:
        write_nothing = FrameWriter(path, size=(64, 48), rate=RATE)
        with write_nothing:
            pass
    sentence(caught, str(tmp_path / "a.mp4"), "no frame")
    with pytest.raises(UserError) as caught:
        FrameWriter(tmp_path / "a.mp4", size=(64, 48), rate=RATE, audio_from=tmp_path / "no.mp4")
    sentence(caught, "no.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file may grow beyond 8,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_while_encoding_leaves_nothing(tmp_path: Path, full_disk: None) -> None:
    noise = np.random.default_rng(0)
    with (
        pytest.raises(UserError) as caught,
        writing(tmp_path / "a.mp4") as path,
        FrameWriter(path, size=(64, 48), rate=RATE) as writer,
    ):
        for i in range(60):
            writer.write(Frame(noise.integers(0, 256, (48, 64, 3), np.uint8), i, i / RATE))
    sentence(caught, str(tmp_path / "a.mp4"), "disk")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_encoder_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError) as caught,
        writing(tmp_path / "a.mp4") as path,
        FrameWriter(path, size=(40_000, 2), rate=RATE) as writer,
    ):
        writer.write(Frame(np.zeros((2, 40_000, 3), np.uint8), 0, Fraction(0)))
    sentence(caught, str(tmp_path / "a.mp4"), "after 0 frames")
    assert list(tmp_path.iterdir()) == []


# --- files ---


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, UserError])
def test_whatever_is_raised_the_old_file_stays(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"old")
    with (
        pytest.raises(error),
        writing(target, overwrite=True) as path,
        FrameWriter(path, size=(64, 48), rate=RATE) as writer,
    ):
        for frame in smooth(80):
            writer.write(frame)
        raise error
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == b"old"


def test_writing_makes_folders_and_keeps_the_suffix(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "a.JSON"
    with writing(target) as path:
        assert (path.parent, path.suffix) == (target.parent, ".JSON")
        path.write_text("{}")
        assert not target.exists()
    assert target.read_text() == "{}"
    assert list(target.parent.iterdir()) == [target]
    with writing(target, overwrite=True) as path:
        path.write_text("[]")
    assert target.read_text() == "[]"


def test_writing_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "old.txt"
    old.write_text("old")
    for path, parts in {
        old: ("exists", "--overwrite"),
        tmp_path: ("is a folder",),
        old / "a.txt": ("cannot be written",),
    }.items():
        with pytest.raises(UserError) as caught, writing(path):
            raise AssertionError
        sentence(caught, str(path), *parts)

    def denied(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", denied)
    with pytest.raises(UserError) as caught, writing(tmp_path / "a.txt"):
        raise AssertionError
    sentence(caught, str(tmp_path / "a.txt"), "Permission denied")
    assert old.read_text() == "old"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with pytest.raises(UserError) as caught, writing(target) as path:
        path.write_text("ours")
        target.write_text("theirs")
    sentence(caught, str(target), "exists")
    assert target.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_leaves_nothing(tmp_path: Path, full_disk: None) -> None:
    with pytest.raises(UserError) as caught, writing(tmp_path / "a.bin") as path:
        path.write_bytes(bytes(9_000))
    sentence(caught, str(tmp_path / "a.bin"), "disk is full")
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)
    with pytest.raises(UserError) as caught:
        write_image(tmp_path / "a.png", noise)
    sentence(caught, str(tmp_path / "a.png"), "disk is full")
    assert list(tmp_path.iterdir()) == []


# --- pictures ---


@pytest.mark.parametrize(("name", "psnr"), [("a.PNG", 361), ("a.jpg", 36), ("a.webp", 34)])
def test_pictures_survive(tmp_path: Path, name: str, psnr: float) -> None:
    pixels = next(smooth(1)).pixels
    write_image(tmp_path / name, pixels)
    back = read_image(tmp_path / name)
    assert is_image(tmp_path / name)
    assert back.shape == pixels.shape
    assert cv2.PSNR(pixels, back) >= psnr
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def with_orientation(suffix: str, orientation: int) -> bytes:
    """The four quarters as a picture whose EXIF data say how to hold it."""
    exif = b"II*\0" + struct.pack("<IHHHIHxxI", 8, 1, 0x0112, 3, 1, orientation, 0)
    bgr = cv2.cvtColor(quarters(), cv2.COLOR_RGB2BGR)
    quality = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    data = cv2.imencode(suffix, bgr, quality)[1].tobytes()
    if suffix == ".jpg":
        part = b"Exif\0\0" + exif
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part + data[2:]
    if suffix == ".png":
        part = b"eXIf" + exif
        chunk = struct.pack(">I", len(exif)) + part + struct.pack(">I", zlib.crc32(part))
        return data[:33] + chunk + data[33:]
    size = struct.pack("<I", 63)[:3] + struct.pack("<I", 47)[:3]
    header = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([8, 0, 0, 0]) + size
    body = header + data[12:] + b"EXIF" + struct.pack("<I", len(exif)) + exif
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize(
    ("orientation", "wanted"),
    [
        (1, [RED, GREEN, BLUE, GREY]),
        (2, [GREEN, RED, GREY, BLUE]),
        (3, [GREY, BLUE, GREEN, RED]),
        (5, [RED, BLUE, GREEN, GREY]),
        (6, [BLUE, RED, GREY, GREEN]),
        (8, [GREEN, GREY, RED, BLUE]),
    ],
)
def test_pictures_are_upright(
    tmp_path: Path, suffix: str, orientation: int, wanted: list[tuple[int, ...]]
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(with_orientation(suffix, orientation))
    pixels = read_image(path)
    assert pixels.shape == ((64, 48, 3) if orientation > 4 else (48, 64, 3))
    assert close(corners(pixels), wanted)


def test_grey_deep_and_transparent_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    cv2.imwrite(str(path), ramp)
    assert np.array_equal(read_image(path), np.stack([ramp] * 3, -1))
    cv2.imwrite(str(path), ramp.astype(np.uint16) * 257)
    assert np.array_equal(read_image(path), np.stack([ramp] * 3, -1))
    for suffix in (".png", ".webp"):
        path = tmp_path / f"a{suffix}"
        bgra = np.dstack([quarters()[..., ::-1], np.full((48, 64), 100, np.uint8)])
        path.write_bytes(cv2.imencode(suffix, bgra, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes())
        assert np.array_equal(read_image(path), quarters())


def test_bad_pictures(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.jpg").touch()
    names = ["text.png", "empty.jpg"]
    for suffix in (".png", ".jpg", ".webp"):
        write_image(tmp_path / f"whole{suffix}", pixels)
        data = (tmp_path / f"whole{suffix}").read_bytes()
        (tmp_path / f"cut{suffix}").write_bytes(data[: len(data) * 3 // 4])
        names.append(f"cut{suffix}")
    for name in names:
        with pytest.raises(UserError) as caught:
            read_image(tmp_path / name)
        sentence(caught, str(tmp_path / name), "not a picture")
    for path in (tmp_path / "missing.png", tmp_path):
        with pytest.raises(UserError) as caught:
            read_image(path)
        sentence(caught, str(path), "cannot be read")
    with pytest.raises(UserError) as caught:
        write_image(tmp_path / "a.tiff", pixels)
    sentence(caught, "a.tiff", ".png")
    assert not (tmp_path / "a.tiff").exists()
    assert not is_image(tmp_path / "a.mp4")
    silent(1, None)
