"""Consent bound to a person: is a face that of somebody whom the consent enrols?

A likeness to a network taught by rendered actors guards against mistakes. It proves nobody's
identity: see docs/consent.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from changeling.errors import UserError
from changeling.faces.alignment import crop
from changeling.faces.identity import LENGTH, SIZE, Embeddings, Identifier
from changeling.faces.tracker import Tracker
from changeling.media import Pixels, read_image
from changeling.provenance import Consent, Enrolment, sha256

_DIGITS = 6
"""Decimal places of an embedding's numbers in a consent: far finer than two pictures agree."""


@dataclass(frozen=True, eq=False)
class Known:
    """A person with whom faces are compared."""

    name: str
    embeddings: Embeddings
    """(n, 128), one for each picture of the person."""


def portrait(name: str, pictures: Sequence[Path], identifier: Identifier) -> Known:
    """The person whom pictures show alone.

    Raises UserError for a picture that cannot be read or shows no face or several.
    """
    crops = np.array([_only_face(picture) for picture in pictures], np.uint8)
    return Known(name, identifier.embed(crops.reshape(-1, SIZE, SIZE, 3)))


def enrol(person: str, pictures: Sequence[Path], identifier: Identifier | None = None) -> Enrolment:
    """What a consent keeps of a person's pictures: embeddings and hashes, no picture.

    Raises UserError for a picture that cannot be read or shows no face or several.
    """
    identifier = identifier or Identifier.load()
    known = portrait(person, pictures, identifier)
    rounded = known.embeddings.astype(float).round(_DIGITS)
    return Enrolment(
        person,
        identifier.name,
        tuple(sha256(picture) for picture in pictures),
        tuple(tuple(row) for row in rounded.tolist()),
    )


def enrolled_people(
    consent: Consent, identifier: Identifier | None = None, *, where: str
) -> tuple[Known, ...]:
    """The people whose faces alone may be taken under a consent; empty: it binds to nobody.

    Rendered actors are nobody, and a licence speaks of all the people in a data set. Raises
    UserError for footage whose consent enrols nobody, or by another network, or by something other
    than embeddings; `where` names it.
    """
    if consent.kind == "footage" and not consent.enrolled:
        raise UserError(
            f"{where}: the consent does not hold what its people look like, so that another's face "
            "could be used under it; write a new record with `changeling consent new`."
        )
    if not consent.enrolled:
        return ()
    network = (identifier or Identifier.load()).name
    for enrolment in consent.enrolled:
        if enrolment.network != network:
            raise UserError(
                f"{where}: {enrolment.person} was enrolled with the identity network "
                f"{enrolment.network!r} and this is {network!r}, which see differently; write a "
                "new record from the same pictures with `changeling consent new`."
            )
        if {len(embedding) for embedding in enrolment.embeddings} != {LENGTH}:
            raise UserError(
                f"{where}: what the consent says of {enrolment.person}'s looks is damaged (it must "
                f"be {LENGTH} numbers a picture); write a new record with `changeling consent new`."
            )
    return tuple(
        Known(enrolment.person, np.array(enrolment.embeddings, np.float32))
        for enrolment in consent.enrolled
    )


def alike(faces: Embeddings, person: Known) -> float:
    """Cosine, −1…1, of embeddings (n, 128) of one face to a person's, n ≥ 1.

    The mean over the person's pictures, then the median over the faces: a few faces blurred or
    turned away do not matter, and it compares with `Identifier.same`, made for single pairs.
    """
    return float(np.median((faces @ person.embeddings.T).mean(1)))


def most_like(faces: Embeddings, people: Sequence[Known]) -> tuple[Known, float]:
    """The one of `people` to whom (n, 128) embeddings of one face are most alike, and how much."""
    return max(((person, alike(faces, person)) for person in people), key=lambda found: found[1])


def check_enrolled(people: Sequence[Known], faces: Embeddings, *, same: float, where: str) -> None:
    """Return when (n, 128) embeddings of one face are those of one of `people`.

    Returns also when there are no `people`, because then the consent binds to nobody. Raises
    UserError with the likeness when the face is somebody else's.
    """
    if not people:
        return
    person, found = most_like(faces, people)
    if found < same:
        raise UserError(
            f"{where}: the face is not that of a person of the consent (it is most like "
            f"{person.name}, similarity {found:.2f}, needed {same:.2f}); give footage of the "
            "people who agreed, or ask whom it shows and write a new record with "
            "`changeling consent new`."
        )


def _only_face(picture: Path) -> Pixels:
    """The unit crop of the one face in a picture."""
    pixels = read_image(picture)
    faces = Tracker().find(pixels)
    if len(faces) != 1:
        seen = f"shows {len(faces)} faces" if faces else "shows no face that can be found"
        raise UserError(
            f"{picture} {seen}; give a picture of one person alone, from the front, whose face is "
            "at least an eighth of the picture high."
        )
    return crop(pixels, faces[0].matrix, SIZE)
