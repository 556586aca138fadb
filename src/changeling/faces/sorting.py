"""Face sets of everybody in a film, one for each person: those who are named, or by likeness."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.enrolment import Known, enrolled_people, most_like, portrait
from changeling.faces.extracting import Taken, empty_set, take_faces
from changeling.faces.faceset import MASKS, FaceSet, open_set
from changeling.faces.identity import Embeddings, Identifier, centre
from changeling.faces.replacing import check_free, replacing
from changeling.faces.tracker import Tracker
from changeling.media import Tick, silent

_ALL = ".all"
"""Where the faces lie until they are sorted; no person's folder begins with a dot."""


@dataclass(frozen=True, eq=False)
class People:
    """The sets of one source, largest first."""

    sets: tuple[FaceSet, ...]
    strangers: int
    """Faces that are in no set: of nobody who was named, or whom the consent does not enrol."""


def extract_people(
    source: Path,
    folder: Path,
    *,
    today: date,
    enrol: Sequence[tuple[str, Path]] = (),
    size: int = 64,
    every: int = 1,
    consent: Path | None = None,
    overwrite: bool = False,
    identifier: Identifier | None = None,
    tracker: Tracker | None = None,
    tick: Tick = silent,
) -> People:
    """Cuts all faces of every `every`-th frame into one set for each person inside `folder`.

    The people are those of `enrol`, (name, picture) with any number of pictures a person, else
    those whom the consent enrols, else whoever is alike, as person-1 and so on. Faces of nobody
    whom the consent enrols are never taken. Raises UserError as `extract` does, for a name that
    cannot be a folder's, and when no face is that of one of the people.
    """
    check_free(folder, overwrite=overwrite)
    empty = empty_set(folder, source, size, every, consent, today)
    identifier = identifier or Identifier.load()
    allowed = enrolled_people(empty.consent, identifier, where=str(consent or source))
    wanted = _by_name(enrol, identifier) or allowed
    for person in wanted:
        _check_name(person.name)
    with replacing(folder) as beside:
        empty = replace(empty, folder=beside / _ALL)
        taken = take_faces(empty, source, every, tick, tracker=tracker)
        names = _names(taken, allowed, wanted, identifier, source)
        _move(taken, names, beside)
    sets = [open_set(folder / name) for name in sorted(set(names.values()))]
    sets.sort(key=lambda one: -len(one))
    return People(tuple(sets), len(taken.faces) - len(names))


def _by_name(enrol: Sequence[tuple[str, Path]], identifier: Identifier) -> tuple[Known, ...]:
    pictures: dict[str, list[Path]] = {}
    for name, picture in enrol:
        pictures.setdefault(name, []).append(picture)
    return tuple(portrait(name, files, identifier) for name, files in pictures.items())


def _check_name(name: str) -> None:
    if Path(name).name != name or name.startswith(".") or not name.isprintable():
        raise UserError(
            f"{name!r} cannot be the name of a folder; give the person another name with "
            "--enrol NAME=PICTURE."
        )


def _names(
    taken: Taken,
    allowed: Sequence[Known],
    wanted: Sequence[Known],
    identifier: Identifier,
    source: Path,
) -> dict[str, str]:
    """Who it is, for the file of each face that belongs to one of the people."""
    same = identifier.same
    tracks = {
        number: taken.embeddings(track, identifier) for number, track in enumerate(taken.tracks)
    }
    for people in (allowed, wanted):
        who = named(tracks, people, same)
        if people and not who:
            raise _nobody(tracks, people, same, source)
        tracks = {number: tracks[number] for number in who} if people else tracks
    if not wanted:
        frames = {k: frozenset(face.frame for face in taken.tracks[k]) for k in tracks}
        who = clustered(tracks, frames, same)
    return {face.file: name for number, name in who.items() for face in taken.tracks[number]}


def _nobody(
    tracks: Mapping[int, Embeddings], people: Sequence[Known], same: float, source: Path
) -> UserError:
    best = max(most_like(faces, people)[1] for faces in tracks.values())
    return UserError(
        f"no face in {source} is that of {' or '.join(person.name for person in people)} (the "
        f"highest similarity is {best:.2f}, needed {same:.2f}); give pictures that show them as "
        "they look there, or another source."
    )


def _move(taken: Taken, names: Mapping[str, str], beside: Path) -> None:
    """Moves each face and its mask into its person's set inside `beside`."""
    home = taken.faces.folder
    for name in sorted(set(names.values())):
        own = tuple(face for face in taken.faces.faces if names.get(face.file) == name)
        (beside / name / MASKS).mkdir(parents=True)
        for face in own:
            (home / face.file).rename(beside / name / face.file)
            (home / MASKS / face.file).rename(beside / name / MASKS / face.file)
        replace(taken.faces, folder=beside / name, faces=own).save()
    shutil.rmtree(home)


def named(tracks: Mapping[int, Embeddings], people: Sequence[Known], same: float) -> dict[int, str]:
    """For each track, embeddings (n, 128) of one face, who it is; nobody's are left out."""
    if not people:
        return {}
    found = {number: most_like(faces, people) for number, faces in tracks.items()}
    return {number: person.name for number, (person, how) in found.items() if how >= same}


def clustered(
    tracks: Mapping[int, Embeddings], frames: Mapping[int, frozenset[int]], same: float
) -> dict[int, str]:
    """For each track "person-1" and so on, person-1 with the most frames.

    Agglomerative clustering of the tracks' centres by average cosine, until none is `same` or
    more. Two tracks that share a frame show two people. `frames`: the frames of each track.
    """
    numbers = list(tracks)
    cosines = np.stack([centre(tracks[number]) for number in numbers])
    likeness: NDArray[np.float64] = (cosines @ cosines.T).astype(np.float64)
    for i, one in enumerate(numbers):
        for k, other in enumerate(numbers):
            if i == k or frames[one] & frames[other]:
                likeness[i, k] = -np.inf
    groups = [[numbers[i] for i in group] for group in _merged(likeness, same)]
    groups.sort(key=lambda group: (-sum(len(frames[number]) for number in group), group))
    return {number: f"person-{i}" for i, group in enumerate(groups, 1) for number in group}


def _merged(likeness: NDArray[np.float64], same: float) -> list[list[int]]:
    """The rows grouped: the two most alike groups are merged as long as they are `same`."""
    groups = [[row] for row in range(len(likeness))]
    while len(groups) > 1:
        i, k = sorted(np.unravel_index(int(likeness.argmax()), likeness.shape))
        if likeness[i, k] < same:
            break
        sizes = len(groups[i]), len(groups[k])
        mean = (sizes[0] * likeness[i] + sizes[1] * likeness[k]) / sum(sizes)
        likeness[i], likeness[:, i] = mean, mean
        likeness[i, i] = -np.inf
        likeness = np.delete(np.delete(likeness, k, 0), k, 1)
        groups[i] += groups.pop(k)
    return groups
