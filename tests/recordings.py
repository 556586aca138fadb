"""Small videos for the tests of media, what is in them, and a disk that is full."""

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
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
    read_frames,
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
    layout: str = "mono",
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
            audio = cast(AudioStream, container.add_stream(sound, rate=SAMPLES, layout=layout))
        for i in range(count):
            picture = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(
                format=pix_fmt, dst_colorspace=matrix, dst_color_range=full
            )
            picture.pts, picture.time_base = i + int(starts * RATE), 1 / RATE
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        if audio:
            tone = (9000 * np.sin(np.arange(SAMPLES * count // 25) / 20)).astype(np.int16)
            # Each loudspeaker half as loud as the one before.
            tones = np.stack([tone >> k for k in range(audio.layout.nb_channels)], 1)
            samples = av.AudioFrame.from_ndarray(tones.reshape(1, -1), "s16", layout)
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


def sentence(caught: pytest.ExceptionInfo[UserError], *parts: str) -> None:
    """An error is one sentence that names these things."""
    text = str(caught.value)
    assert text.count("\n") == 0
    assert text.endswith(".")
    for part in parts:
        assert part in text


@contextmanager
def full_disk(room: int = 8_000) -> Iterator[None]:
    """No file may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
