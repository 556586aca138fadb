"""What a person looks like to the identity network: numbers in a consent, never a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from changeling.errors import UserError

FEWEST_PICTURES = 2
"""Pictures that enrol a person: one may be a bad likeness without anybody noticing."""


@dataclass(frozen=True)
class Enrolment:
    """One person's embeddings, one for each enrolment picture.

    They compare faces and cannot be turned back into a picture, but they are data of a person:
    a consent that holds them is kept as carefully as a photograph.
    """

    person: str
    """One of the consent's people."""
    network: str
    """The identity network that made the embeddings; those of another one do not compare."""
    pictures: tuple[str, ...]
    """SHA-256 of each picture."""
    embeddings: tuple[tuple[float, ...], ...]
    """As many numbers for each picture as the network gives, of length 1."""

    def to_json(self) -> dict[str, object]:
        """Plain JSON values; `from_json` gives the same enrolment back."""
        return {
            "person": self.person,
            "network": self.network,
            "pictures": list(self.pictures),
            "embeddings": [list(embedding) for embedding in self.embeddings],
        }

    @classmethod
    def from_json(cls, data: object, *, where: str) -> Enrolment:
        """The enrolment from plain JSON or TOML values. Raises UserError that names `where`."""
        if not isinstance(data, Mapping) or set(data) != set(cls.__dataclass_fields__):
            raise _damaged(where)
        words = (data["person"], data["network"])
        pictures, embeddings = data["pictures"], data["embeddings"]
        if not all(isinstance(word, str) for word in words) or not (
            isinstance(pictures, list) and isinstance(embeddings, list)
        ):
            raise _damaged(where)
        whole = all(isinstance(picture, str) for picture in pictures)
        if not whole or len(pictures) != len(embeddings):
            raise _damaged(where)
        numbers = tuple(_numbers(embedding, where) for embedding in embeddings)
        if len({len(embedding) for embedding in numbers}) > 1:
            raise _damaged(where)
        return cls(*words, tuple(pictures), numbers)


def _numbers(data: object, where: str) -> tuple[float, ...]:
    if not isinstance(data, list) or not data:
        raise _damaged(where)
    if not all(isinstance(value, float | int) and isfinite(value) for value in data):
        raise _damaged(where)
    return tuple(float(value) for value in data)


def _damaged(where: str) -> UserError:
    return UserError(
        f"{where}: what the consent says of a person's looks is damaged; write a new record with "
        "`changeling consent new`."
    )
