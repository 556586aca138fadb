"""From a film or a picture to a face set: found, tracked, aligned, and only with consent."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

from changeling.actors import prove
from changeling.errors import UserError
from changeling.faces.alignment import Face, crop, enlarged
from changeling.faces.faceset import INDEX, FaceSet, Stored, open_set, stored_size
from changeling.faces.tracker import Tracker
from changeling.media import (
    Frame,
    Tick,
    is_image,
    probe,
    read_frames,
    read_image,
    silent,
    write_image,
)
from changeling.provenance import Consent, Use, read_consent, sha256


def extract(
    source: Path,
    folder: Path,
    *,
    today: date,
    size: int = 64,
    every: int = 1,
    consent: Path | None = None,
    overwrite: bool = False,
    tick: Tick = silent,
) -> FaceSet:
    """Cuts the largest face of every `every`-th frame of `source` into a new set in `folder`.

    A film of rendered actors proves itself by rendering three of its frames again; anything else
    needs a consent file. The folder appears when it is complete, or not at all. Never reads a
    film's truth. Raises UserError: no consent, no face, not a film, a folder that exists (unless
    `overwrite` and it is a face set) or cannot be written.
    """
    _check_free(folder, overwrite)
    if size < 16 or every < 1:
        raise UserError("a face set needs --size 16 or more and --every 1 or more; give others.")
    allowed = consent_for(source, consent)
    allowed.check(Use.EXTRACT, where=str(consent or source), today=today)
    with _replacing(folder) as beside:
        empty = FaceSet(beside, size, source.name, sha256(source), allowed, 0, 0, ())
        found = _fill(empty, source, every, tick)
        if not found.faces:
            raise UserError(
                f"no face was found in {source} ({found.frames} frames looked at); give a source "
                "that shows one, seen from the front and at least an eighth of the picture high."
            )
        found.save()
    return open_set(folder)


def consent_for(source: Path, consent: Path | None) -> Consent:
    """The consent file's record, or for a film of rendered actors the proof that it is one.

    Raises UserError when there is neither.
    """
    if consent is not None:
        return read_consent(consent)
    film = None if is_image(source) else prove(source)
    if film is None:
        raise UserError(
            f"{source} is no film of rendered actors and comes without consent; write one with "
            "`changeling consent new` and give it with --consent FILE."
        )
    return Consent(
        kind="actor",
        people=(f"rendered actor, face {film.face}, styling {film.styling}",),
        given_by="",
        purpose="a rendered actor is nobody",
        until=None,
        revoked=False,
        licence="",
        evidence=f"three frames rendered again alike: {film}",
    )


def _frames(source: Path) -> Iterator[Frame]:
    if is_image(source):
        return iter([Frame(read_image(source), 0, Fraction(0))])
    return read_frames(source)


def _fill(faces: FaceSet, source: Path, every: int, tick: Tick) -> FaceSet:
    """Streams the frames; writes the PNGs into the set's folder."""
    total = 1 if is_image(source) else probe(source).frames
    tracker, stored, people, frames = Tracker(), [], 0, 0
    for frame in _frames(source):
        found = tracker.find(frame.pixels)
        frames += 1
        people = max(people, len(found))
        if found and frame.index % every == 0:
            stored.append(_store(faces, frame, found[0]))
        tick(frames, total)
    return replace(faces, frames=frames, people=people, faces=tuple(stored))


def _store(faces: FaceSet, frame: Frame, face: Face) -> Stored:
    name = f"{frame.index:06d}.png"
    side = stored_size(faces.size)
    around = enlarged(face.matrix, side / faces.size)
    write_image(faces.folder / name, crop(frame.pixels, around, side))
    return Stored(name, frame.index, frame.time, face.box, face.matrix, face.landmarks, face.score)


def _check_free(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not overwrite:
        raise UserError(
            f"{folder} exists; give another folder with -o, or --overwrite to replace it."
        )
    if not (folder / INDEX).is_file():
        raise UserError(
            f"{folder} is no face set and is not overwritten; give another folder with -o."
        )


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A folder beside that takes the place of `folder` on success and goes away otherwise."""
    beside = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        beside.mkdir(parents=True)
        try:
            yield beside
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        if folder.exists():
            folder.rename(beside / ".replaced")
        beside.rename(folder)
        shutil.rmtree(folder / ".replaced", ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"{folder}: the face set cannot be written ({error.strerror}); make room or choose "
            "another folder with -o."
        ) from error
