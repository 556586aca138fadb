"""Folders of videos as data sets: FaceForensics++ and VoxCeleb2, by their layouts.

Rössler et al., "FaceForensics++: learning to detect manipulated facial images", ICCV 2019; Chung,
Nagrani and Zisserman, "VoxCeleb2: deep speaker recognition", Interspeech 2018. Of every tenth frame
the largest face that a Haar cascade finds is cut out at 160×160 and kept as PNG, once.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np

from changeling.errors import UserError
from changeling.faces.alignment import crop
from changeling.faces.datasets_images import ImageFiles, split
from changeling.faces.detect import Detector
from changeling.media import Tick, read_frames, silent, write_image, writing
from changeling.provenance import Consent

EVERY = 10
"""Of so many frames one is looked at."""
SIDE = 160
"""Pixels of a face that is kept."""
COMPRESSIONS = ("c0", "raw", "c23", "c40")
"""FaceForensics++'s folders of one compression each; c0 and raw are both the lossless one."""
_ORIGINAL, _MANIPULATED = "original_sequences", "manipulated_sequences"
_WHOLE = ".whole"
"""Lies in the folder of a video that was looked at to its end."""

Videos = Mapping[str, list[Path]]
"""Videos of each class, in the order of names."""


def find_forensics(folder: Path, compression: str | None) -> Videos | None:
    """FaceForensics++'s videos by class, "original" and the methods; None for another layout.

    The layout is original_sequences/SOURCE/C/videos/*.mp4 and manipulated_sequences/METHOD/C/
    videos/*.mp4 with C one of `COMPRESSIONS`. Raises UserError when there are several of these and
    none is asked for, and when the one asked for is not there.
    """
    if not any((folder / name).is_dir() for name in (_ORIGINAL, _MANIPULATED)):
        if compression is not None:
            raise UserError(
                f"{folder} is not laid out as FaceForensics++; leave out :{compression}."
            )
        return None
    found = {path.parent.name for path in folder.glob("*_sequences/*/*/videos")}
    there = [one for one in COMPRESSIONS if one in found]
    if compression is None and len(there) > 1:
        raise UserError(
            f"{folder} holds {', '.join(there)}; give the data set as {folder}:{there[0]} or with "
            "another of them."
        )
    chosen = compression or (there[0] if there else "")
    if chosen not in there:
        raise UserError(
            f"{folder} holds no videos {f'at {chosen} ' if chosen else ''}as FaceForensics++ lays "
            f"them out (METHOD/c23/videos/*.mp4); it has {', '.join(there) or 'none'}."
        )
    return _forensics(folder, chosen)


def _forensics(folder: Path, compression: str) -> Videos:
    videos = {"original": sorted(folder.glob(f"{_ORIGINAL}/*/{compression}/videos/*.mp4"))}
    for method in sorted((folder / _MANIPULATED).glob(f"*/{compression}/videos")):
        videos[method.parent.parent.name] = sorted(method.glob("*.mp4"))
    return {kind: files for kind, files in videos.items() if files}


def find_voxceleb(folder: Path) -> Videos | None:
    """VoxCeleb2's videos, id/video/utterance.mp4, by id; None for another layout."""
    videos: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*/*/*.mp4")):
        videos.setdefault(path.relative_to(folder).parts[0], []).append(path)
    return videos or None


def open_videos(
    folder: Path, videos: Videos, part: str, consent: Consent, cache: Path, *, tick: Tick = silent
) -> ImageFiles:
    """Faces out of the part of the videos; the last tenth of each class's videos is the test.

    They are cut once into `cache`, video by video; an interrupted call goes on where it was.
    `tick` counts the videos. Raises UserError when a video is damaged, and when no face is found.
    """
    resolved = folder.resolve()
    place = cache / f"{resolved.name}-{sha256(str(resolved).encode()).hexdigest()[:12]}"
    chosen = [(kind, path) for kind, paths in videos.items() for path in split(paths, part)]
    detector, files, classes = Detector(), list[str](), list[int]()
    kinds = tuple(videos)
    for done, (kind, path) in enumerate(chosen, 1):
        inside = path.relative_to(folder)
        names = _cut(path, place / inside, detector)
        files += [(inside / name).as_posix() for name in names]
        classes += [kinds.index(kind)] * len(names)
        tick(done, len(chosen))
    if not files:
        raise UserError(
            f"no face was found in {len(chosen)} videos of {folder} to {part} with; a tenth of "
            "each class's videos is for the test, and a face must be seen from the front."
        )
    return ImageFiles(resolved.name, consent, kinds, place, files, np.array(classes, np.int64))


def _cut(video: Path, folder: Path, detector: Detector) -> list[str]:
    """Names of the faces of a video in `folder`, cut now unless they were before."""
    if not (folder / _WHOLE).exists():
        for frame in read_frames(video):
            if frame.index % EVERY == 0:
                grey = np.asarray(cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
                for x, y, wide, high in detector.boxes(grey)[:1]:
                    # Pixel x has its centre at x and its left edge half a pixel before.
                    unit = [[1 / wide, 0, (0.5 - x) / wide], [0, 1 / high, (0.5 - y) / high]]
                    shown = crop(frame.pixels, np.array(unit), SIDE)
                    write_image(folder / f"{frame.index:06d}.png", shown)
        with writing(folder / _WHOLE, overwrite=True):
            pass
    return sorted(path.name for path in folder.glob("*.png"))
