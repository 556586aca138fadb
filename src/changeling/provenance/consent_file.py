"""A consent as a TOML file: each answer under its question, so that a person can read it."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from changeling.errors import UserError
from changeling.media import writing
from changeling.provenance.consent import MEND, QUESTIONS, Consent, check_pictures, refuse_actor
from changeling.provenance.enrolment import Enrolment


def read_consent(path: Path) -> Consent:
    """The record in a TOML file.

    Raises UserError when the file cannot be read, is not TOML, enrols only some of the people or
    somebody by a single picture, or says what only `extract` can find out: that somebody is a
    rendered actor. Footage that enrols nobody is read; whoever uses its faces refuses it.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{path}: the consent cannot be read ({error.strerror}); {MEND}."
        ) from error
    except ValueError as error:  # not UTF-8 or not TOML
        raise UserError(f"{path} is not a TOML file ({error}); {MEND}.") from error
    consent = Consent.from_json(data, where=str(path))
    refuse_actor(consent, str(path))
    if consent.enrolled:
        check_pictures(consent, str(path))
    return consent


def write_consent(path: Path, consent: Consent, *, overwrite: bool = False) -> None:
    """Write a record as TOML, each key under the question that it answers.

    Raises UserError when `path` exists and not `overwrite`, or cannot be written.
    """
    refuse_actor(consent, str(path))
    lines = []
    for key, question in QUESTIONS.items():
        lines += [f"# {question}", *_lines(consent, key), ""]
    with writing(path, overwrite=overwrite) as draft:
        draft.write_text("\n".join(lines), encoding="utf-8")


def _lines(consent: Consent, key: str) -> list[str]:
    """The lines that give a key its value; without a day, one that shows how to give it."""
    if key == "until" and consent.until is None:
        return ["# until = 2027-12-31"]
    if key == "enrolled" and consent.enrolled:
        return [line for enrolment in consent.enrolled for line in _table(enrolment)]
    return [f"{key} = {_toml(getattr(consent, key))}"]


def _table(enrolment: Enrolment) -> list[str]:
    answers = [f"{key} = {_toml(getattr(enrolment, key))}" for key in enrolment.to_json()]
    return ["[[enrolled]]", *answers]


def _toml(value: str | bool | float | date | tuple[Any, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    # TOML's basic string is JSON's, but for the one control character that JSON leaves alone.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
