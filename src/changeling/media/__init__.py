"""Pictures and videos, in and out: upright, with true time stamps, sound kept, written whole."""

from changeling.media.files import writing
from changeling.media.frame import Frame, Pixels, Tick, silent
from changeling.media.images import is_image, read_image, write_image
from changeling.media.video import Video, probe, read_frames
from changeling.media.writer import FrameWriter

__all__ = [
    "Frame",
    "FrameWriter",
    "Pixels",
    "Tick",
    "Video",
    "is_image",
    "probe",
    "read_frames",
    "read_image",
    "silent",
    "write_image",
    "writing",
]
