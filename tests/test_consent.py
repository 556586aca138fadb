"""Consent: who may do what, said in one sentence, kept in a file that a person can read."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from changeling.errors import UserError
from changeling.provenance import (
    Consent,
    Enrolment,
    Use,
    ask_consent,
    new_consent,
    read_consent,
    write_consent,
)

TODAY = date(2026, 11, 21)
FOOTAGE = Consent(
    kind="footage",
    people=("Ada Ünlü", 'Bo "B" Ø'),
    given_by="both",
    purpose="a film about\ntwins \\ 双子 😀 \x00\x1f\x7f\t",
    until=date(2027, 1, 31),
    revoked=False,
    licence="",
    evidence="letters/ada.pdf",
)
DATASET = Consent(kind="dataset", licence="research only")
ENROLLED = (
    Enrolment("Ada Ünlü", "aaaa", ("1" * 64, "2" * 64), ((0.6, -0.8), (1.0, 1e-06))),
    Enrolment('Bo "B" Ø', "aaaa", ("3" * 64, "4" * 64), ((0.0, -1.0), (0.28, 0.96))),
)


def enrol(person: str) -> Enrolment:
    return Enrolment(person, "aaaa", ("1" * 64, "2" * 64), ((1.0, 0.0), (0.6, 0.8)))


def refusal(consent: Consent, use: Use = Use.TRAIN) -> str:
    with pytest.raises(UserError) as caught:
        consent.check(use, where="faces/a", today=TODAY)
    sentence = str(caught.value)
    assert sentence.startswith(f"faces/a may not be {use.value}: ")
    assert sentence.endswith("`changeling consent new`.")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("use", Use)
def test_what_is_allowed_passes(use: Use) -> None:
    Consent(kind="actor").check(use, where="faces/a", today=TODAY)
    FOOTAGE.check(use, where="faces/a", today=TODAY)
    replace(FOOTAGE, until=None).check(use, where="faces/a", today=TODAY)
    replace(FOOTAGE, until=TODAY).check(use, where="faces/a", today=TODAY)
    if use is not Use.CONVERT:
        DATASET.check(use, where="faces/a", today=TODAY)


@pytest.mark.parametrize("use", Use)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"revoked": True}, "the consent was revoked"),
        ({"until": date(2026, 11, 20)}, "the consent ended on 2026-11-20"),
        ({"people": ()}, "its consent does not say who is shown"),
        ({"people": (" ",)}, "its consent does not say who is shown"),
        ({"given_by": " "}, "its consent does not say who gave it"),
        (
            {"given_by": "", "purpose": ""},
            "its consent does not say who gave it, for what purpose",
        ),
    ],
)
def test_footage_is_refused_for_every_use(use: Use, change: dict[str, Any], words: str) -> None:
    assert words in refusal(replace(FOOTAGE, **change), use)


def test_a_dataset_is_never_put_onto_somebody() -> None:
    assert "a licence is not the consent of the people shown" in refusal(DATASET, Use.CONVERT)
    assert "does not say under which licence" in refusal(replace(DATASET, licence=""))
    assert "was revoked" in refusal(replace(DATASET, revoked=True))


@pytest.mark.parametrize(
    "consent",
    [
        FOOTAGE,
        DATASET,
        replace(FOOTAGE, until=None, revoked=True),
        replace(FOOTAGE, enrolled=ENROLLED),
    ],
)
def test_a_record_comes_back_as_it_was_written(consent: Consent, tmp_path: Path) -> None:
    path = tmp_path / "consent.toml"
    write_consent(path, consent)
    assert read_consent(path) == consent
    assert Consent.from_json(json.loads(json.dumps(consent.to_json())), where="x") == consent
    assert Consent.from_json(consent.to_json(), where="x") == consent
    assert [p.name for p in tmp_path.iterdir()] == ["consent.toml"]


def test_an_actors_record_lives_in_json_alone(tmp_path: Path) -> None:
    actor = Consent(kind="actor")
    assert Consent.from_json(actor.to_json(), where="faceset.json") == actor
    with pytest.raises(UserError, match="kind may not be actor"):
        write_consent(tmp_path / "consent.toml", actor)
    (tmp_path / "consent.toml").write_text('kind = "actor"')
    with pytest.raises(UserError, match=r"consent\.toml: kind may not be actor"):
        read_consent(tmp_path / "consent.toml")
    with pytest.raises(UserError, match="kind may not be actor"):
        new_consent(kind="actor", today=TODAY)


def test_the_file_asks_the_questions_that_it_answers(tmp_path: Path) -> None:
    write_consent(tmp_path / "consent.toml", replace(FOOTAGE, purpose="a film", until=None))
    assert (tmp_path / "consent.toml").read_text(encoding="utf-8").splitlines()[:15] == [
        "# Which pictures: footage (of people who consent) or dataset (public, with a licence)",
        'kind = "footage"',
        "",
        "# Who is shown (all names)",
        'people = ["Ada Ünlü", "Bo \\"B\\" Ø"]',
        "",
        "# Who gave consent (each person shown, or who may speak for them)",
        'given_by = "both"',
        "",
        "# For what purpose",
        'purpose = "a film"',
        "",
        "# Until which day, that day included (2027-12-31; empty: until it is revoked)",
        "# until = 2027-12-31",
        "",
    ]


def test_an_old_record_is_kept_unless_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "consent.toml"
    write_consent(path, FOOTAGE)
    with pytest.raises(UserError, match="exists"):
        write_consent(path, DATASET)
    assert read_consent(path) == FOOTAGE
    write_consent(path, DATASET, overwrite=True)
    assert read_consent(path) == DATASET


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"kind = ", "is not a TOML file"),
        (b"\xff\xfe", "is not a TOML file"),
        (b"", "kind is None; it must be footage or dataset"),
        (b'kind = "film"', "kind is 'film'; it must be footage or dataset"),
        (b'kind = "footage"\nrevokd = true', "has no key 'revokd'; the keys are kind, people"),
        (b'kind = "footage"\nrevoked = "no"', "revoked in the consent must be true or false"),
        (b'kind = "footage"\nrevoked = 0', "revoked in the consent must be true or false"),
        (b'kind = "footage"\npeople = "Ada"', "people in the consent must be a list"),
        (b'kind = "footage"\npeople = [1]', "people in the consent must be a Unicode text"),
        (b'kind = "footage"\npurpose = 1', "purpose in the consent must be a Unicode text"),
        (b'kind = "footage"\nuntil = "soon"', "until in the consent must be a day"),
        (b'kind = "footage"\nuntil = 2027', "until in the consent must be a day"),
        (b'kind = "footage"\nenrolled = "Ada"', "enrolled in the consent must be a list of tables"),
        (b'kind = "footage"\nenrolled = ["Ada"]', "says of a person's looks is damaged"),
        (b'kind = "footage"\nuntil = 2027-01-01T00:00:00', "until in the consent must be a day"),
    ],
)
def test_a_broken_record_is_one_sentence(text: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "consent.toml"
    path.write_bytes(text)
    with pytest.raises(UserError) as caught:
        read_consent(path)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


def test_a_missing_record_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.toml: the consent cannot be read .*consent new`"):
        read_consent(tmp_path / "none.toml")
    with pytest.raises(UserError, match=r"faceset\.json: the consent is not a table"):
        Consent.from_json(["footage"], where="faceset.json")


def typed(**answers: str) -> Callable[[str], str]:
    """Somebody who answers each question by the key that it stands for."""
    from changeling.provenance import QUESTIONS

    by_question = {question: answers.get(key, "") for key, question in QUESTIONS.items()}
    return lambda question: by_question[question]


def test_a_new_record_is_made_of_answers() -> None:
    ask = typed(
        kind="footage ", people="Ada, Bo ,", given_by="Ada, Bo", purpose="x", until="2026-11-21"
    )
    assert ask_consent(ask, enrol, today=TODAY) == Consent(
        kind="footage", people=("Ada", "Bo"), given_by="Ada, Bo", purpose="x", until=TODAY,
        enrolled=(enrol("Ada"), enrol("Bo")),
    )  # fmt: skip
    assert ask_consent(typed(kind="dataset", licence="CC0"), enrol, today=TODAY) == Consent(
        kind="dataset", licence="CC0"
    )


def test_a_new_record_of_footage_needs_two_pictures_of_everybody() -> None:
    answers = {"people": ["Ada", "Bo"], "given_by": "both", "purpose": "x"}
    once = replace(enrol("Bo"), pictures=("1" * 64, "1" * 64))
    for enrolled, words in (
        ([], "holds 0 different pictures of Ada; give at least 2, each of which shows Ada alone"),
        ([enrol("Ada")], "holds 0 different pictures of Bo"),
        ([enrol("Ada"), once], "holds 1 different pictures of Bo"),
    ):
        with pytest.raises(UserError, match=words):
            new_consent(**answers, enrolled=enrolled, today=TODAY)  # type: ignore[arg-type]


def test_a_record_written_by_hand_needs_two_pictures_of_everybody_too(tmp_path: Path) -> None:
    given = replace(FOOTAGE, people=("Ada", "Bo"))
    path = tmp_path / "a.toml"
    alone = replace(enrol("Bo"), pictures=("1" * 64,), embeddings=((1.0, 0.0),))
    nothing = replace(enrol("Bo"), pictures=(), embeddings=())
    for bo, count in (((), 0), ((nothing,), 0), ((alone,), 1)):
        write_consent(path, replace(given, enrolled=(enrol("Ada"), *bo)), overwrite=True)
        with pytest.raises(
            UserError, match=rf"a\.toml holds {count} different pictures of Bo; .*`\.$"
        ):
            read_consent(path)
    whole = replace(given, enrolled=(enrol("Ada"), enrol("Bo")))
    write_consent(path, whole, overwrite=True)
    assert read_consent(path) == whole


@pytest.mark.parametrize(
    "change",
    [
        {"person": 1},
        {"network": None},
        {"pictures": "1"},
        {"pictures": ["1"]},
        {"pictures": ["1", 2]},
        {"embeddings": [[1.0]]},
        {"embeddings": [[1.0], []]},
        {"embeddings": [[1.0], [0.5, 0.5]]},
        {"embeddings": [["1"], [1.0]]},
        {"embeddings": [[float("nan")], [1.0]]},
        {"surname": "Ünlü"},
    ],
)
def test_damaged_looks_are_one_sentence(change: dict[str, Any]) -> None:
    data = FOOTAGE.to_json() | {"enrolled": [enrol("Ada").to_json() | change]}
    with pytest.raises(UserError, match=r"^a\.toml: what the consent says of .* is damaged; "):
        Consent.from_json(data, where="a.toml")


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"kind": "actor"}, "is 'actor'; answer footage or dataset"),
        ({"kind": "footage"}, "does not say who is shown, who gave it, for what purpose"),
        ({"kind": "dataset"}, "does not say under which licence"),
        ({"until": "2026-11-20"}, "would have ended on 2026-11-20; give a day to come"),
        ({"until": "tomorrow"}, "until in the consent must be a day such as 2027-12-31"),
    ],
)
def test_a_new_record_that_allows_nothing_is_refused(answers: dict[str, str], words: str) -> None:
    complete = {"kind": "footage", "people": "Ada", "given_by": "Ada", "purpose": "x"}
    with pytest.raises(UserError, match=words):
        ask_consent(
            typed(**(complete | answers if "until" in answers else answers)), enrol, today=TODAY
        )
