"""From a film or a picture to face sets: found, tracked, aligned, and only with consent."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np

from changeling.actors import Film, prove
from changeling.errors import UserError
from changeling.faces.alignment import Face, crop, enlarged
from changeling.faces.enrolment import Known, check_enrolled, enrolled_people
from changeling.faces.faceset import MASKS, FaceSet, Stored, open_set, stored_size
from changeling.faces.following import SAMPLES
from changeling.faces.identity import Embeddings, Identifier
from changeling.faces.replacing import check_free, replacing
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
    identifier: Identifier | None = None,
    tracker: Tracker | None = None,
    tick: Tick = silent,
) -> FaceSet:
    """Cuts the largest face of every `every`-th frame of `source` into a new set in `folder`.

    A film of rendered actors proves itself by rendering three of its frames again; anything else
    needs a consent file, and footage shows nobody whom the consent does not enrol. The folder
    appears when it is complete, or not at all. Never reads a film's truth. Raises UserError: no
    consent, no face, somebody else's face, not a film, a folder that exists (unless `overwrite`
    and it is a face set) or cannot be written.
    """
    check_free(folder, overwrite=overwrite)
    empty = empty_set(folder, source, size, every, consent, today)
    people = enrolled_people(empty.consent, identifier, where=str(consent or source))
    with replacing(folder) as beside:
        found = take_faces(
            replace(empty, folder=beside), source, every, tick, tracker=tracker, most=1
        )
        if people:
            _check_tracks(found, people, identifier or Identifier.load(), source)
        found.faces.save()
    return open_set(folder)


def consent_for(source: Path, consent: Path | None) -> Consent:
    """The consent file's record, or for a film of rendered actors the proof that it is one.

    Raises UserError when there is neither.
    """
    return allowed(source, consent)[0]


@dataclass(frozen=True, eq=False)
class Taken:
    """Faces cut out of a source, and which of them are one face through successive frames."""

    faces: FaceSet
    tracks: tuple[tuple[Stored, ...], ...]
    """Every face is in one of them; in the order of their first frames."""

    def embeddings(self, track: Sequence[Stored], identifier: Identifier) -> Embeddings:
        """(n, 128) of up to 16 of a track's faces, spread evenly over it."""
        chosen = np.linspace(0, len(track) - 1, min(SAMPLES, len(track))).round().astype(int)
        return identifier.embed(np.stack([self.faces.crop(track[k]) for k in chosen]))


def empty_set(
    folder: Path, source: Path, size: int, every: int, consent: Path | None, today: date
) -> FaceSet:
    """A set without faces, after it was asked whether faces may be extracted from `source`."""
    if size < 16 or every < 1:
        raise UserError("a face set needs --size 16 or more and --every 1 or more; give others.")
    given, film = allowed(source, consent)
    given.check(Use.EXTRACT, where=str(consent or source), today=today)
    return FaceSet(folder, size, source.name, sha256(source), given, film, 0, 0, ())


def take_faces(
    faces: FaceSet,
    source: Path,
    every: int,
    tick: Tick,
    *,
    tracker: Tracker | None = None,
    most: int | None = None,
) -> Taken:
    """Writes the PNGs of the `most` largest faces (None: all) of a frame into the set's folder.

    Streams the frames. Raises UserError when no face is found.
    """
    total = 1 if is_image(source) else probe(source).frames
    tracker = tracker or Tracker()
    tracks: dict[int, list[Stored]] = {}
    people = frames = 0
    for frame in frames_of(source):
        found = tracker.find(frame.pixels)
        frames += 1
        people = max(people, len(found))
        if frame.index % every == 0:
            for rank, face in enumerate(found[:most]):
                tracks.setdefault(face.track, []).append(_store(faces, frame, face, rank))
        tick(frames, total)
    if not tracks:
        raise UserError(
            f"no face was found in {source} ({frames} frames looked at); give a source "
            "that shows one, seen from the front and at least an eighth of the picture high."
        )
    stored = sorted((face for track in tracks.values() for face in track), key=_place)
    taken = replace(faces, frames=frames, people=people, faces=tuple(stored))
    return Taken(taken, tuple(tuple(track) for track in tracks.values()))


def _check_tracks(
    taken: Taken, people: Sequence[Known], identifier: Identifier, source: Path
) -> None:
    """Raises UserError when one of the faces is that of nobody of `people`."""
    for track in taken.tracks:
        seconds = " to ".join(f"{float(face.time):.2f} s" for face in (track[0], track[-1]))
        embeddings = taken.embeddings(track, identifier)
        check_enrolled(people, embeddings, same=identifier.same, where=f"{source}, {seconds}")


def allowed(source: Path, consent: Path | None) -> tuple[Consent, Film | None]:
    """As `consent_for`, and the recipe of a film of rendered actors."""
    if consent is not None:
        return read_consent(consent), None
    film = None if is_image(source) else prove(source)
    if film is None:
        raise UserError(
            f"{source} is no film of rendered actors and comes without consent; write one with "
            "`changeling consent new` and give it with --consent FILE."
        )
    given = Consent(
        kind="actor",
        people=(f"rendered actor, face {film.face}, styling {film.styling}",),
        purpose="a rendered actor is nobody",
        evidence=f"three frames rendered again alike: {film}",
    )
    return given, film


def frames_of(source: Path, wanted: Collection[int] | None = None) -> Iterator[Frame]:
    """The frames of a film, or those of the `wanted` indices; or a picture as the only one."""
    if is_image(source):
        return iter([Frame(read_image(source), 0, Fraction(0))])
    return read_frames(source, wanted)


def _store(faces: FaceSet, frame: Frame, face: Face, rank: int) -> Stored:
    """The face cut out; `rank`: 0 for the largest of the frame."""
    name = f"{frame.index:06d}-{rank}.png" if rank else f"{frame.index:06d}.png"
    side = stored_size(faces.size)
    around = enlarged(face.matrix, side / faces.size)
    write_image(faces.folder / name, crop(frame.pixels, around, side))
    mask = np.zeros((side, side), np.uint8)
    mask[faces.inside, faces.inside] = np.rint(face.mask(faces.size) * 255)
    write_image(faces.folder / MASKS / name, mask)
    return Stored(
        name, frame.index, frame.time, face.box, face.matrix, face.landmarks, face.score, face.pose
    )


def _place(face: Stored) -> tuple[int, str]:
    return face.frame, face.file
