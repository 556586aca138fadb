"""What a published file says of itself, and how a C2PA claim says it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args

from changeling import __version__
from changeling.errors import UserError

ASSERTION = "org.changeling.provenance"
Relationship = Literal["parentOf", "componentOf", "inputTo"]


class Source(Enum):
    """How the file came to be; the value is the URI of the IPTC digital source type.

    Terms: https://cv.iptc.org/newscodes/digitalsourcetype
    """

    COMPOSITE = (
        "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    )
    """Footage of which a trained model changed a part: a swap."""
    SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    """Drawn by a trained model alone."""
    RENDERED = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"
    """Drawn by a program without a trained model: a film of an actor, a chart."""


@dataclass(frozen=True)
class Ingredient:
    """One file that went into the published one.

    `relationship` is C2PA's: `parentOf` the file that was edited (at most one), `componentOf`
    a file that is seen in it, `inputTo` a file that a model read (footage, face set, checkpoint).
    """

    title: str
    sha256: str
    relationship: Relationship


@dataclass(frozen=True)
class Credential:
    """What is signed: title, kind of source, model, run, ingredients, and facts (name, text)."""

    title: str
    source: Source
    model: str = ""
    run: str = ""
    ingredients: tuple[Ingredient, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes. Raises UserError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from error


def claim(credential: Credential) -> str:
    """The C2PA manifest definition (JSON) of a credential.

    Raises UserError when a text of it is not Unicode (a file name in another encoding).
    """
    definition = {
        "title": credential.title,
        "claim_generator_info": [{"name": "changeling", "version": __version__}],
        "ingredients": [
            {
                "label": str(index),
                "title": ingredient.title,
                "relationship": ingredient.relationship,
                "instance_id": f"sha256:{ingredient.sha256}",
            }
            for index, ingredient in enumerate(credential.ingredients)
        ],
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "created": True,
                "data": {"actions": _actions(credential)},
            },
            {
                "label": ASSERTION,
                "created": True,
                "data": asdict(credential) | {"source": credential.source.value},
            },
        ],
    }
    text = json.dumps(definition, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"{credential.title!r} cannot be signed because a file name in it is not Unicode; "
            "rename the file."
        ) from error
    return text


def _actions(credential: Credential) -> list[dict[str, object]]:
    """C2PA 2.x, section 18.15: a file is created, or its parent is opened and edited; what is
    seen in it is placed; what a model read belongs to the action that used it."""
    parents = _labels(credential, "parentOf")
    assert len(parents) <= 1, "a file has one parent at most; others are componentOf or inputTo"
    made: dict[str, object] = {
        "action": "c2pa.edited" if parents else "c2pa.created",
        "digitalSourceType": credential.source.value,
        "softwareAgent": {"name": "changeling", "version": __version__},
    }
    if inputs := _labels(credential, "inputTo"):
        made["parameters"] = {"ingredientIds": inputs}
    actions = [made]
    if parents:
        actions.insert(0, {"action": "c2pa.opened", "parameters": {"ingredientIds": parents}})
    if components := _labels(credential, "componentOf"):
        actions.append({"action": "c2pa.placed", "parameters": {"ingredientIds": components}})
    return actions


def _labels(credential: Credential, relationship: Relationship) -> list[str]:
    return [
        str(index)
        for index, ingredient in enumerate(credential.ingredients)
        if ingredient.relationship == relationship
    ]


def credential_of(manifest: Mapping[str, Any]) -> Credential | None:
    """The credential that a C2PA manifest carries; None when changeling did not write it."""
    for assertion in manifest.get("assertions", ()):
        if assertion.get("label") == ASSERTION:
            try:
                return _parse(assertion["data"])
            except (KeyError, TypeError, ValueError):
                return None  # somebody else's idea of our label
    return None


def _parse(data: Mapping[str, Any]) -> Credential:
    return Credential(
        title=_text(data["title"]),
        source=Source(data["source"]),
        model=_text(data["model"]),
        run=_text(data["run"]),
        ingredients=tuple(
            Ingredient(_text(i["title"]), _text(i["sha256"]), _relationship(i["relationship"]))
            for i in data["ingredients"]
        ),
        facts=tuple((_text(name), _text(value)) for name, value in data["facts"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _relationship(value: object) -> Relationship:
    for relationship in get_args(Relationship):
        if value == relationship:
            return relationship
    raise ValueError(value)
