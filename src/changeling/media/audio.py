"""Sound carried from one file into another, packet by packet, as it is where that can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from pathlib import Path

from av.audio.stream import AudioStream
from av.codec import Codec
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet

from changeling.errors import UserError
from changeling.media.video import moving_pictures, open_media, start_time

_AAC_BITS_A_SECOND = 160_000
_LAYOUTS = {
    f"{count} channels": layout
    for count, layout in enumerate(
        ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1"), start=1
    )
}
"""Where FFmpeg takes the loudspeakers to stand when a file says only how many there are."""

_Carry = Callable[["Packet[AudioStream]"], Iterator["Packet[AudioStream]"]]


class Sound:
    """The sound tracks of one file, on their way into another.

    Codecs that the output's container allows are copied unchanged; others become AAC.
    delay: seconds from the start of the file to the start of its pictures.
    picture_base: the time base of its pictures, 1 if it has none.

    Raises UserError if the file cannot be read.
    """

    def __init__(self, path: Path, output: OutputContainer) -> None:
        self._path = path
        with ExitStack() as opened:
            source = opened.enter_context(open_media(path))
            pictures = moving_pictures(source)
            streams = [*([pictures] if pictures else []), *source.streams.audio]
            starts = [start_time(stream) for stream in streams]
            origin = min(starts, default=Fraction(0))
            self.delay = starts[0] - origin if pictures else Fraction(0)
            self.picture_base = (pictures.time_base if pictures else None) or Fraction(1)
            self._packets = self._carried(source, _carriers(source, output), origin)
            self._waiting = next(self._packets, None)
            self._opened = opened.pop_all()

    def until(self, time: Fraction | None) -> Iterator[Packet[AudioStream]]:
        """The packets, not yet given, that are due before `time`, in seconds; None: all."""
        while self._waiting is not None:
            due = (self._waiting.dts or 0) * self._waiting.time_base
            if time is not None and due >= time:
                return
            yield self._waiting
            self._waiting = next(self._packets, None)

    def close(self) -> None:
        """Close the file that the sound comes from."""
        self._opened.close()

    def _carried(
        self, source: InputContainer, carriers: dict[int, _Carry], origin: Fraction
    ) -> Iterator[Packet[AudioStream]]:
        if not carriers:
            return
        try:
            for packet in source.demux(source.streams.audio):
                for carried in carriers[packet.stream.index](packet):
                    shift = round(origin / carried.time_base)
                    carried.pts = None if carried.pts is None else carried.pts - shift
                    carried.dts = None if carried.dts is None else carried.dts - shift
                    yield carried
        except FFmpegError as error:
            raise UserError(
                f"{self._path}: its sound is damaged ({error.strerror}); give a complete file."
            ) from error


def _carriers(source: InputContainer, output: OutputContainer) -> dict[int, _Carry]:
    allowed = output.supported_codecs
    carriers: dict[int, _Carry] = {}
    for stream in source.streams.audio:
        # PCM in Matroska says no layout, and MP4 takes no PCM and AAC nothing at all without one.
        if layout := _LAYOUTS.get(stream.layout.name):
            stream.codec_context.layout = layout
        if stream.codec_context.name in allowed:
            track = output.add_stream_from_template(stream)
            if layout:
                track.codec_context.layout = layout
            carriers[stream.index] = partial(_copied, track)
        else:
            carriers[stream.index] = partial(_encoded, _aac_track(stream, output))
    return carriers


def _copied(track: AudioStream, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
    if packet.size:  # an empty packet announces the end of the stream
        packet.stream = track
        yield packet


def _encoded(track: AudioStream, packet: Packet[AudioStream]) -> Iterator[Packet[AudioStream]]:
    for frame in packet.decode():
        yield from track.encode(frame)
    if not packet.size:
        yield from track.encode(None)


def _aac_track(stream: AudioStream, output: OutputContainer) -> AudioStream:
    rates = Codec("aac", "w").audio_rates or []
    rate = stream.rate if stream.rate in rates else 48_000
    track = output.add_stream("aac", rate=rate, layout=stream.layout)
    track.bit_rate = _AAC_BITS_A_SECOND
    return track
