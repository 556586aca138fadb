"""Face sets as a data set: the people of any number of them are the classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.datasets_images import scaled, split
from changeling.faces.datasets_protocol import Attributes, Rows, none_known
from changeling.faces.faceset import INDEX, FaceSet, open_set
from changeling.provenance import Consent


class SetPictures:
    """The unit crops of face sets, memory-mapped."""

    channels = 3

    def __init__(self, name: str, sets: Sequence[FaceSet], part: str) -> None:
        """Takes a part of each set, "train" or "test": the last tenth of its frames is the test.

        Raises UserError when the part is empty, when consents of the sets do not go together, and
        for a broken PNG.
        """
        self.name = name
        self.kinds = tuple(one.name for one in sets) if len(sets) > 1 else ()
        self.consent = joined(sets)
        self._sets = sets
        self._crops = [one.crops() for one in sets]
        parts = [split(list(range(len(one))), part) for one in sets]
        self._set = np.repeat(np.arange(len(sets)), [len(rows) for rows in parts])
        self._face = np.array([row for rows in parts for row in rows], np.int64)
        if not len(self._face):
            raise UserError(
                f"the face sets of {name} hold too few faces to {part} with; extract longer films."
            )

    def __len__(self) -> int:
        return len(self._face)

    def read(self, rows: Rows, size: int) -> NDArray[np.uint8]:
        """(n, size, size, 3). Raises UserError for sets of smaller faces."""
        for one in self._sets:
            if one.size < size:
                raise UserError(
                    f"{one.folder} holds faces of {one.size} pixels and the network wants {size}; "
                    f"extract it again with --size {size}."
                )
        chosen = zip(self._set[rows], self._face[rows], strict=True)
        shown = [scaled(np.asarray(self._crops[one][face]), size) for one, face in chosen]
        return np.array(shown, np.uint8).reshape(-1, size, size, 3)

    def labels(self, rows: Rows) -> NDArray[np.int64]:
        return self._set[rows].astype(np.int64)

    def attributes(self, rows: Rows) -> Attributes:
        return none_known(rows)


def find_sets(folder: Path) -> tuple[FaceSet, ...]:
    """The face set in a folder, or those in its sub-folders in the order of names; else none."""
    if (folder / INDEX).is_file():
        return (open_set(folder),)
    return tuple(open_set(index.parent) for index in sorted(folder.glob(f"*/{INDEX}")))


def joined(sets: Sequence[FaceSet]) -> Consent:
    """The consent that allows what all the sets' consents allow.

    Rendered actors are free, so only the others count. Raises UserError when some are footage and
    some a data set.
    """
    asked = [one for one in sets if one.consent.kind != "actor"] or list(sets)
    given = [one.consent for one in asked]
    for one in asked:
        if one.consent.kind != given[0].kind:
            raise UserError(
                f"{asked[0].folder} is {given[0].kind} and {one.folder} is {one.consent.kind}, "
                "whose consents do not go together; keep them in two folders."
            )
    return Consent(
        kind=given[0].kind,
        people=tuple(dict.fromkeys(name for consent in given for name in consent.people)),
        given_by=_all([consent.given_by for consent in given]),
        purpose=_all([consent.purpose for consent in given]),
        until=min((consent.until for consent in given if consent.until), default=None),
        revoked=any(consent.revoked for consent in given),
        licence=_all([consent.licence for consent in given]),
        evidence=_all([consent.evidence for consent in given]),
        enrolled=tuple(dict.fromkeys(looks for consent in given for looks in consent.enrolled)),
    )


def _all(words: Sequence[str]) -> str:
    """All of them; nothing where one says nothing, so that what it leaves open stays open."""
    return "; ".join(dict.fromkeys(words)) if all(words) else ""
