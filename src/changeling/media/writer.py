"""Videos out: H.264 in MP4, with exact time stamps and the sound of another file."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    Interpolation,
    VideoReformatter,
)
from av.video.stream import VideoStream

from changeling.errors import UserError
from changeling.media.audio import Sound
from changeling.media.frame import Frame, Pixels

# Chroma samples lie where swscale puts them; a stream that does not say so shifts by half a pixel.
_CHROMA = {"chroma_sample_location": "center"}
_ENCODER = {"crf": "16", "preset": "veryfast", "bf": "0", **_CHROMA}
_THREADS = 2  # fixed, because the bytes may depend on it
_COMMON_TICKS = 5_760_000  # a multiple of 1000, 12800, 15360, 24000, 30000, 48000 and 90000
_MOST_TICKS = 100_000_000  # with more, a pause of 21 s between two frames would not fit an MP4
_ACCURATE = Interpolation.AREA | Interpolation.ACCURATE_RND


class FrameWriter:
    """Context manager that encodes frames as H.264 (yuv420p, BT.709) in an MP4 with faststart.

    path: ends in .mp4; what is there is overwritten, so give a path from `writing` or `publish`.
    size: (width, height) of the frames; an odd side is padded by one repeated row or column.
    rate: frames a second, nominal. audio_from: a file whose sound is carried over, in step with
    that file's pictures, copied where MP4 allows its codec and else as AAC. comment: written as
    the container's comment tag.

    Time stamps are exact if they are multiples of 1/`rate`, of the time base of the pictures of
    `audio_from`, or of 1/5,760,000 s; others are rounded to the nearest tick. The same frames
    give the same bytes. Raises UserError if the name is not an MP4's, if `audio_from` cannot be
    read, and if encoding or writing fails.
    """

    def __init__(
        self,
        path: Path,
        *,
        size: tuple[int, int],
        rate: Fraction,
        audio_from: Path | None = None,
        comment: str = "",
    ) -> None:
        if path.suffix.lower() != ".mp4":
            raise UserError(f"{path}: videos are written as MP4; give a name that ends in .mp4.")
        self._path, self._size, self._rate = path, size, rate
        self._output = av.open(
            str(path.absolute()), "w", format="mp4", container_options={"movflags": "faststart"}
        )
        self._output.metadata["comment"] = comment
        self._stream = _h264(self._output, size, rate)
        try:
            self._sound = Sound(audio_from, self._output) if audio_from else None
        except BaseException:
            self._output.close()
            raise
        self._delay = self._sound.delay if self._sound else Fraction(0)
        base = self._sound.picture_base if self._sound else Fraction(1)
        self._ticks_a_second = _ticks_a_second(base.denominator, rate.numerator)
        self._stream.time_base = Fraction(1, self._ticks_a_second)
        self._reformatter = VideoReformatter()
        self._written = 0
        self._last_tick = -1
        self._encoding: deque[int] = deque()

    def __enter__(self) -> Self:
        return self

    def write(self, frame: Frame) -> None:
        """Encode one frame, of the writer's size and later than the one before."""
        width, height = self._size
        assert frame.pixels.shape == (height, width, 3), (frame.pixels.shape, self._size)
        # MP4 has no two pictures at one instant, damaged sources may.
        tick = round((frame.time + self._delay) * self._ticks_a_second)
        self._last_tick = max(tick, self._last_tick + 1)
        self._encoding.append(self._last_tick)
        picture = self._yuv(frame.pixels)
        picture.pts, picture.time_base = self._written, 1 / self._rate
        with self._failing():
            self._mux(self._stream.encode(picture))
        self._written += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            with suppress(FFmpegError):
                self._output.close()
            if self._sound:
                self._sound.close()

    def _finish(self) -> None:
        if not self._written:
            raise UserError(f"{self._path}: there is no frame to write; give at least one.")
        with self._failing():
            self._mux(self._stream.encode(None))
            self._mux_sound(None)
            self._output.close()

    def _mux(self, packets: Iterable[Packet[VideoStream]]) -> None:
        """Write packets at their frames' true times, after the sound that precedes them."""
        for packet in packets:
            tick = self._encoding.popleft()
            self._mux_sound(Fraction(tick, self._ticks_a_second))
            packet.time_base = Fraction(1, self._ticks_a_second)
            packet.pts = packet.dts = tick
            packet.duration = round(self._ticks_a_second / self._rate)
            self._output.mux(packet)

    def _mux_sound(self, until: Fraction | None) -> None:
        for packet in self._sound.until(until) if self._sound else ():
            self._output.mux(packet)

    def _yuv(self, pixels: Pixels) -> VideoFrame:
        height, width, _ = pixels.shape
        if width % 2 or height % 2:
            odd = (0, height % 2, 0, width % 2)
            pixels = cast(Pixels, cv2.copyMakeBorder(pixels, *odd, cv2.BORDER_REPLICATE))
        return self._reformatter.reformat(
            VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=_ACCURATE,
            threads=1,
        )

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except (FFmpegError, OSError) as error:
            raise UserError(
                f"{self._path}: writing the video failed after {self._written} frames "
                f"({error.strerror}); make sure that the disk has room and run it again."
            ) from error


def _h264(output: OutputContainer, size: tuple[int, int], rate: Fraction) -> VideoStream:
    """A stream whose encoder counts frames; true times are given to its packets."""
    width, height = size
    stream = output.add_stream("libx264", rate=rate, options=_ENCODER)
    encoder = stream.codec_context
    encoder.width, encoder.height = width + width % 2, height + height % 2
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = 1 / rate
    encoder.thread_count = _THREADS
    encoder.thread_type = "FRAME"
    encoder.color_range = ColorRange.MPEG
    encoder.colorspace = Colorspace.ITU709
    encoder.color_primaries = ColorPrimaries.BT709
    encoder.color_trc = ColorTrc.BT709
    return stream


def _ticks_a_second(*wanted: int) -> int:
    """The time scale that holds as many of the wanted ones exactly as it can, the first first."""
    ticks = 1
    for scale in (*wanted, _COMMON_TICKS):
        if math.lcm(ticks, scale) <= _MOST_TICKS:
            ticks = math.lcm(ticks, scale)
    return ticks
