"""Who agreed to what: the record without which no face of a real person is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import Enum
from typing import Literal, get_args

from changeling.errors import UserError
from changeling.provenance.enrolment import FEWEST_PICTURES, Enrolment

Kind = Literal["actor", "footage", "dataset"]
MEND = "write a new record with `changeling consent new`"


class Use(Enum):
    """What somebody wants to do with a face; the value reads after "may not be"."""

    EXTRACT = "extracted"
    TRAIN = "trained on"
    CONVERT = "converted onto somebody"
    DRAW = "drawn from"


QUESTIONS: Mapping[str, str] = {
    "kind": "Which pictures: footage (of people who consent) or dataset (public, with a licence)",
    "people": "Who is shown (all names)",
    "given_by": "Who gave consent (each person shown, or who may speak for them)",
    "purpose": "For what purpose",
    "until": "Until which day, that day included (2027-12-31; empty: until it is revoked)",
    "revoked": "Has it been revoked since (true or false)",
    "licence": "Under which licence (needed for a dataset)",
    "evidence": "Where the evidence lies (a file, a letter, an address)",
    "enrolled": "What each person looks like to the identity network (needed for footage)",
}
"""Asked by `changeling consent new` and written above each answer in the file."""
_ASKED: Mapping[str, tuple[str, ...]] = {
    "footage": ("people", "given_by", "purpose", "until", "evidence"),
    "dataset": ("licence", "purpose", "evidence"),
}


@dataclass(frozen=True)
class Consent:
    """What allows the use of faces.

    Kinds: "actor", rendered actors, free to use; "footage" of real people, who consent for a
    purpose until a day (that day included) or, without a day, until they revoke it; "dataset",
    public pictures under a licence, which may be extracted, trained on and drawn from, but not
    converted onto somebody.
    """

    kind: Kind
    people: tuple[str, ...] = ()
    given_by: str = ""
    purpose: str = ""
    until: date | None = None
    revoked: bool = False
    licence: str = ""
    evidence: str = ""
    enrolled: tuple[Enrolment, ...] = ()
    """What the people look like, so that nobody else's face is used under their consent."""

    def check(self, use: Use, *, where: str, today: date) -> None:
        """Return when `use` is allowed on the day `today`.

        `where` names the file or face set in the message. Raises UserError when it is not.
        """
        if self.kind == "actor":
            return
        refused = f"{where} may not be {use.value}"
        if missing := self._missing():
            raise UserError(f"{refused}: its consent does not say {missing}; {MEND}.")
        if self.revoked:
            raise UserError(
                f"{refused}: the consent was revoked; ask again and, if it is given, {MEND}."
            )
        if self.until is not None and today > self.until:
            raise UserError(
                f"{refused}: the consent ended on {self.until}; ask again and, if it is given, "
                f"{MEND}."
            )
        if self.kind == "dataset" and use is Use.CONVERT:
            raise UserError(
                f"{refused}: a licence is not the consent of the people shown; use footage of "
                f"people who consent and {MEND}."
            )

    def _missing(self) -> str:
        """What is left open that the kind needs, in words; "" when nothing."""
        if self.kind == "dataset":
            needed = {"under which licence it stands": self.licence}
        else:
            needed = {
                "who is shown": "".join(self.people),
                "who gave it": self.given_by,
                "for what purpose": self.purpose,
            }
        return ", ".join(words for words, value in needed.items() if not value.strip())

    def to_json(self) -> dict[str, object]:
        """Plain JSON values; `from_json` gives the same record back."""
        until = None if self.until is None else self.until.isoformat()
        enrolled = [enrolment.to_json() for enrolment in self.enrolled]
        return asdict(self) | {"people": list(self.people), "until": until, "enrolled": enrolled}

    @classmethod
    def from_json(cls, data: object, *, where: str) -> Consent:
        """The record that `to_json` wrote. Raises UserError that names `where` and the key."""
        if not isinstance(data, Mapping):
            raise UserError(f"{where}: the consent is not a table of keys; {MEND}.")
        # A key misspelt, such as "revokd", must not pass for one left out.
        if unknown := sorted(set(data) - set(QUESTIONS)):
            raise UserError(
                f"{where}: a consent has no key {unknown[0]!r}; the keys are "
                f"{', '.join(QUESTIONS)}."
            )
        texts = {
            key: _text(data.get(key, ""), key, where)
            for key in ("given_by", "purpose", "licence", "evidence")
        }
        return cls(
            kind=_kind(data.get("kind"), where),
            people=_people(data.get("people", []), where),
            until=_until(data.get("until"), where),
            revoked=_revoked(data.get("revoked", False), where),
            enrolled=_enrolled(data.get("enrolled", []), where),
            **texts,
        )


def new_consent(
    *,
    kind: str = "footage",
    people: Sequence[str] = (),
    given_by: str = "",
    purpose: str = "",
    until: str = "",
    licence: str = "",
    evidence: str = "",
    enrolled: Sequence[Enrolment] = (),
    today: date,
) -> Consent:
    """A complete record for real people, from what a user typed.

    `until` is a day as 2027-12-31 or ""; `enrolled` is needed of everybody shown in footage.
    Raises UserError when something needed is missing and when the consent would have ended before
    `today`.
    """
    where = "the new consent"
    data = {
        "kind": kind.strip(),
        "people": [name.strip() for name in people if name.strip()],
        "given_by": given_by.strip(),
        "purpose": purpose.strip(),
        "until": until.strip() or None,
        "licence": licence.strip(),
        "evidence": evidence.strip(),
        "enrolled": [enrolment.to_json() for enrolment in enrolled],
    }
    consent = Consent.from_json(data, where=where)
    refuse_actor(consent, where)
    if missing := consent._missing():
        raise UserError(f"{where} does not say {missing}; answer that too.")
    check_pictures(consent, where)
    if consent.until is not None and consent.until < today:
        raise UserError(f"{where} would have ended on {consent.until}; give a day to come.")
    return consent


def ask_consent(
    ask: Callable[[str], str], enrol: Callable[[str], Enrolment], *, today: date
) -> Consent:
    """`new_consent` from the answers that `ask` (such as `input`) gives to each question.

    `enrol` is asked for the looks of each person shown in footage, by name.
    """
    kind = ask(QUESTIONS["kind"]).strip()
    if kind not in _ASKED:
        raise UserError(f"The kind of pictures is {kind!r}; answer footage or dataset.")
    answers = {key: ask(QUESTIONS[key]) for key in _ASKED[kind]}
    names = (name.strip() for name in answers.pop("people", "").split(","))
    people = [name for name in names if name]
    enrolled = [enrol(name) for name in people]
    return new_consent(kind=kind, people=people, enrolled=enrolled, today=today, **answers)


def check_pictures(consent: Consent, where: str) -> None:
    """Raise UserError unless everybody shown in footage is enrolled by two pictures."""
    pictures = {one.person: len(set(one.pictures)) for one in consent.enrolled}
    for person in consent.people if consent.kind == "footage" else ():
        if pictures.get(person, 0) < FEWEST_PICTURES:
            raise UserError(
                f"{where} holds {pictures.get(person, 0)} different pictures of {person}; give "
                f"at least {FEWEST_PICTURES}, each of which shows {person} alone, to `changeling "
                "consent new`."
            )


def refuse_actor(consent: Consent, where: str) -> None:
    """Raise UserError for what nobody may write down and only `extract` can find out."""
    if consent.kind == "actor":
        raise UserError(
            f"{where}: kind may not be actor, because a film of a rendered actor proves itself; "
            "it must be footage or dataset."
        )


def _kind(value: object, where: str) -> Kind:
    for kind in get_args(Kind):
        if value == kind:
            return kind
    raise UserError(f"{where}: the consent's kind is {value!r}; it must be footage or dataset.")


def _text(value: object, key: str, where: str) -> str:
    # Half a surrogate pair cannot be written as UTF-8.
    if not isinstance(value, str) or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise UserError(f"{where}: {key} in the consent must be a Unicode text.")
    return value


def _people(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise UserError(f'{where}: people in the consent must be a list such as ["Ada", "Bo"].')
    return tuple(_text(name, "people", where) for name in value)


def _until(value: object, where: str) -> date | None:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            value = ...
    if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
        raise UserError(f"{where}: until in the consent must be a day such as 2027-12-31.")
    return value


def _revoked(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise UserError(f"{where}: revoked in the consent must be true or false.")
    return value


def _enrolled(value: object, where: str) -> tuple[Enrolment, ...]:
    if not isinstance(value, list):
        raise UserError(f"{where}: enrolled in the consent must be a list of tables; {MEND}.")
    return tuple(Enrolment.from_json(entry, where=where) for entry in value)
