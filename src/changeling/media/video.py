"""Videos in: any file that FFmpeg reads, as upright RGB frames with exact time stamps."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self, cast

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from changeling.errors import UserError
from changeling.media.frame import Frame, Pixels

_TEXT_AS_PICTURE = {"ansi", "bintext", "idf", "xbin"}
_UNTAGGED = 2  # AVCOL_SPC_UNSPECIFIED
_STANDARD_DEFINITION = 576
_ACCURATE = Interpolation.BILINEAR | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND


@dataclass(frozen=True)
class Video:
    """What a video file says of itself.

    width, height: pixels of the upright frames. rate: frames a second, the mean if it varies.
    frames, duration (seconds): None if the file does not tell. audio: whether it has sound.
    comment: the comment tag of the container, "" if there is none.
    """

    path: Path
    width: int
    height: int
    rate: Fraction
    frames: int | None
    duration: Fraction | None
    audio: bool
    comment: str


def probe(path: Path) -> Video:
    """Read a video's header and its first picture; raises UserError like `read_frames`."""
    with open_media(path) as container:
        stream = picture_stream(container, path)
        display = _Display.of(stream, next(_pictures(container, stream, path)))
        width, height = display.upright_size
        return Video(
            path=path,
            width=width,
            height=height,
            rate=_rate(stream),
            frames=stream.frames or None,
            duration=_duration(container, stream),
            audio=bool(container.streams.audio),
            comment=container.metadata.get("comment", ""),
        )


def read_frames(path: Path, wanted: Collection[int] | None = None) -> Iterator[Frame]:
    """Decode a video frame by frame, in constant memory.

    Frames are upright (display matrix applied), have square pixels and the size of the first one.
    Colours follow the matrix and range that the file states; a file that states none is read as
    BT.709 above 576 lines and as BT.601 below, as players do. `time` is the time stamp in the
    file, relative to the stream's start; a raw stream without time stamps counts by its rate.

    wanted: indices of the frames to yield, None for all; reading ends with the last of them.

    Raises UserError when the file is missing, is not a video, has no pictures, or, after the last
    frame that could be read, when it is cut off or damaged.
    """
    with open_media(path) as container:
        stream = picture_stream(container, path)
        stream.thread_type = "AUTO"
        start, rate = start_time(stream), _rate(stream)
        reformatter = VideoReformatter()
        display: _Display | None = None
        for index, picture in enumerate(_pictures(container, stream, path)):
            display = display or _Display.of(stream, picture)
            if wanted is not None and index not in wanted:
                continue
            time = index / rate
            if picture.pts is not None and picture.time_base is not None:
                time = picture.pts * picture.time_base - start
            yield Frame(display.pixels(picture, reformatter), index, time)
            if wanted is not None and index >= max(wanted):
                return


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open a file that FFmpeg can read; raises UserError if it cannot."""
    try:
        # An absolute path, because FFmpeg takes what precedes a colon for a protocol.
        container = av.open(str(path.absolute()), "r", metadata_errors="replace")
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the name.") from error
    except FFmpegError as error:
        raise UserError(
            f"{path}: not a video, or one that was cut off before it was complete; "
            "give a file that a player can open."
        ) from error
    with container:
        yield container


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The first stream of moving pictures; raises UserError if there is none."""
    stream = moving_pictures(container)
    if stream is None:
        raise UserError(
            f"{path}: has no pictures, because it holds only sound or text or was cut off; "
            "give a video."
        )
    return stream


def moving_pictures(container: InputContainer) -> VideoStream | None:
    """The first stream of moving pictures, which a cover or text is not; None without any."""
    for stream in container.streams.video:
        cover = stream.disposition & Disposition.attached_pic
        if not cover and stream.codec_context.name not in _TEXT_AS_PICTURE:
            return stream
    return None


def start_time(stream: Stream) -> Fraction:
    """When a stream starts, in seconds on its file's clock; 0 if the file does not tell."""
    if stream.start_time is None or stream.time_base is None:
        return Fraction(0)
    return stream.start_time * stream.time_base


@dataclass(frozen=True)
class _Display:
    """How stored pictures become upright ones with square pixels."""

    width: int
    height: int
    transposed: bool
    mirrored: bool
    flipped: bool

    @classmethod
    def of(cls, stream: VideoStream, picture: VideoFrame) -> Self:
        """Read pixel shape and display matrix (x' = ax + cy, y' = bx + dy) of a first picture."""
        side_data = cast(Mapping[str, bytes], picture.side_data)
        matrix = side_data.get("DISPLAYMATRIX")
        a, b, _, c, d = struct.unpack_from("=5i", matrix) if matrix is not None else (1, 0, 0, 0, 1)
        transposed = abs(b) > abs(a)
        return cls(
            width=round(picture.width * (stream.sample_aspect_ratio or 1)),
            height=picture.height,
            transposed=transposed,
            mirrored=(c if transposed else a) < 0,
            flipped=(b if transposed else d) < 0,
        )

    @property
    def upright_size(self) -> tuple[int, int]:
        return (self.height, self.width) if self.transposed else (self.width, self.height)

    def pixels(self, picture: VideoFrame, reformatter: VideoReformatter) -> Pixels:
        untagged = Colorspace.ITU709 if self.height > _STANDARD_DEFINITION else Colorspace.ITU601
        rgb = reformatter.reformat(
            picture,
            width=self.width,
            height=self.height,
            format="rgb24",
            src_colorspace=untagged if picture.colorspace == _UNTAGGED else None,
            interpolation=_ACCURATE,
            threads=1,
        )
        pixels = cast(Pixels, rgb.to_ndarray())
        if self.transposed:
            pixels = pixels.transpose(1, 0, 2)
        if self.mirrored:
            pixels = pixels[:, ::-1]
        if self.flipped:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


def _pictures(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[VideoFrame]:
    """Every picture that can be decoded, then UserError if something is missing."""
    count = 0
    try:
        for packet in container.demux(stream):
            for picture in packet.decode():
                yield picture
                count += 1
        complete = count > 0 and not _cut(stream, path)
    except FFmpegError:
        complete = False
    if not complete:
        raise UserError(
            f"{path}: cut off or damaged, only its first {count} frames could be read; "
            "give a complete file."
        )


def _cut(stream: VideoStream, path: Path) -> bool:
    """Whether the file ends before the last picture that its index lists."""
    size = path.stat().st_size
    return any(entry.pos + entry.size > size for entry in stream.index_entries)


def _rate(stream: VideoStream) -> Fraction:
    return stream.average_rate or stream.guessed_rate or Fraction(25)


def _duration(container: InputContainer, stream: VideoStream) -> Fraction | None:
    if stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    return None if container.duration is None else Fraction(container.duration, av.time_base)
