"""What is written comes back: pixels, colours, times and sound; the same bytes every time."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.container import OutputContainer
from recordings import (
    BLUE,
    GREEN,
    GREY,
    RATE,
    RED,
    SAMPLES,
    close,
    corners,
    foreign,
    full_disk,
    quarters,
    sentence,
    smooth,
    sound_of,
    times,
    wave,
    write,
)

from changeling.errors import UserError
from changeling.media import Frame, FrameWriter, probe, read_frames, writing
from changeling.media.audio import Sound


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


@pytest.mark.parametrize(
    ("layout", "taken"), [("stereo", "stereo"), ("quad", "4.0"), ("5.1", "5.1")]
)
@pytest.mark.parametrize(("codec", "becomes"), [("pcm_s16le", "pcm_s16le"), ("pcm_u8", "aac")])
def test_sound_whose_file_does_not_say_its_layout_is_carried(
    tmp_path: Path, layout: str, taken: str, codec: str, becomes: str
) -> None:
    """As that of PCM in Matroska, which says only how many channels there are."""
    source = foreign(tmp_path / "s.mkv", sound=codec, layout=layout, count=30)
    copy = write(tmp_path / "a.mp4", read_frames(source), audio_from=source)
    assert sound_of(copy)[0] == becomes
    if codec == becomes:
        before, after = (b"".join(data for _, data in sound_of(of)[1]) for of in (source, copy))
        assert after == before and len(after) > 2 * SAMPLES
    with av.open(str(copy)) as container:
        assert container.streams.audio[0].layout.name == taken
        heard = [frame.to_ndarray() for frame in container.decode(audio=0)]
    if codec != becomes:
        left, right = np.abs(np.concatenate(heard, 1)[:2]).mean(1)
        assert left == pytest.approx(2 * right, rel=0.1)


def test_sound_keeps_step_with_moving_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with a cover or a text that comes before them."""
    source = tmp_path / "s.mp4"
    with av.open(str(source), "w") as container:
        cover = container.add_stream("mpeg4", rate=30)
        moving = container.add_stream("libx264", rate=25)
        for stream in (cover, moving):
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for stream, rate, start in ((cover, 30, 0), (moving, 25, 10)):
            picture = av.VideoFrame.from_ndarray(quarters(), "rgb24")
            picture.pts, picture.time_base = start, Fraction(1, rate)
            container.mux([*stream.encode(picture), *stream.encode(None)])
    monkeypatch.setattr("changeling.media.video._TEXT_AS_PICTURE", {"mpeg4"})
    with av.open(str(tmp_path / "a.mp4"), "w") as output:
        sound = Sound(source, output)
    sound.close()
    assert (sound.picture_base, sound.delay) == (Fraction(1, 12800), Fraction(0))


def test_a_writer_whose_sound_fails_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = []

    class Broken:
        def __init__(self, path: Path, output: OutputContainer) -> None:
            output.start_encoding()
            outputs.append((output, len(list(Path("/dev/fd").iterdir()))))
            raise UserError("no sound.")

    monkeypatch.setattr("changeling.media.writer.Sound", Broken)
    with pytest.raises(UserError, match=r"no sound\."):
        FrameWriter(tmp_path / "a.mp4", size=(64, 48), rate=RATE, audio_from=tmp_path / "s.mp4")
    assert len(list(Path("/dev/fd").iterdir())) == outputs[0][1] - 1


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


def test_a_full_disk_while_encoding_leaves_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    with (
        full_disk(),
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
