"""Publishing: what leaves is signed whole, says the truth of itself, or does not leave."""

import json
import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import c2pa
import numpy as np
import pytest
from recordings import full_disk
from samples import KINDS, PIXELS, SWAP, publish_one, write

from changeling import __version__
from changeling.errors import UserError
from changeling.media import read_image
from changeling.provenance import (
    Credential,
    Ingredient,
    Source,
    State,
    make_signer,
    publish,
    sha256,
    signed_png,
    verify,
)


def manifest(path: Path) -> dict[str, Any]:
    with c2pa.Context() as context, c2pa.Reader(path, context=context) as reader:
        store = json.loads(reader.json())
    return store["manifests"][store["active_manifest"]]


def actions(path: Path) -> list[tuple[str, str, list[str]]]:
    """(action, digital source type, titles of its ingredients) of each action claimed."""
    found = manifest(path)
    titles = {i["label"]: i["title"] for i in found.get("ingredients", [])}
    listed = found["assertions"][0]["data"]["actions"]
    return [
        (
            a["action"],
            a.get("digitalSourceType", "").rpartition("/")[2],
            [
                titles[i["url"].rpartition("/")[2]]
                for i in a.get("parameters", {}).get("ingredients", [])
            ],
        )
        for a in listed
    ]


def test_the_claim_of_a_swap_is_an_edit_of_its_footage(published: Path) -> None:
    assert actions(published / "a.mp4") == [
        ("c2pa.opened", "", ["a.mp4"]),
        ("c2pa.edited", "compositeWithTrainedAlgorithmicMedia", ["faces/b"]),
        ("c2pa.placed", "", ["logo.png"]),
    ]
    claimed = manifest(published / "a.mp4")
    generator = claimed["claim_generator_info"][0]
    assert (generator["name"], generator["version"]) == ("changeling", __version__)
    assert claimed["title"] == SWAP.title
    hashes = [(i["instance_id"], i["relationship"]) for i in claimed["ingredients"]]
    assert hashes == [(f"sha256:{i.sha256}", i.relationship) for i in SWAP.ingredients]
    assert "thumbnail" not in json.dumps(claimed)


@pytest.mark.parametrize(
    ("source", "term"),
    [(Source.SYNTHETIC, "trainedAlgorithmicMedia"), (Source.RENDERED, "digitalCreation")],
)
def test_the_claim_without_a_parent_is_a_creation(
    source: Source, term: str, tmp_path: Path
) -> None:
    plain = publish_one(tmp_path / "plain.png", Credential("plain", source))
    assert actions(plain) == [("c2pa.created", term, [])]
    assert verify(plain).credential == Credential("plain", source)
    drawn = Credential("drawn", source, ingredients=(Ingredient("run", "4" * 64, "inputTo"),))
    assert actions(publish_one(tmp_path / "drawn.png", drawn)) == [("c2pa.created", term, ["run"])]


@pytest.mark.parametrize("old", [None, b"the old file"])
@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, UserError])
def test_a_failing_block_leaves_everything_as_it_was(
    old: bytes | None, failure: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(failure), publish(path, SWAP, overwrite=True) as draft:
        write(draft)
        raise failure
    assert list(tmp_path.iterdir()) == ([] if old is None else [path])
    assert old is None or path.read_bytes() == old


@pytest.mark.parametrize("name", KINDS)
def test_what_cannot_be_signed_is_not_written(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"the old file")
    with (
        pytest.raises(UserError, match=rf"{name} is not written: signing it failed"),
        publish(path, SWAP, overwrite=True) as draft,
    ):
        draft.write_bytes(b"neither picture nor video")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"the old file"


def test_a_signature_that_does_not_verify_does_not_leave(foreign: Path, tmp_path: Path) -> None:
    mine = make_signer("Ada").folder
    authority = (mine / "authority.pem").read_bytes()
    mine.rename(foreign / "old")
    (make_signer("Ada").folder / "authority.pem").write_bytes(authority)
    with pytest.raises(UserError, match=r"signing it failed .*the signed file does not verify"):
        publish_one(tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == [foreign]


def test_an_old_file_is_kept_unless_overwrite(tmp_path: Path) -> None:
    path = publish_one(tmp_path / "a.png")
    old = path.read_bytes()
    with pytest.raises(UserError, match="exists"):
        publish_one(path)
    assert path.read_bytes() == old
    assert verify(
        publish_one(path, Credential("new", Source.RENDERED), overwrite=True)
    ).credential == (Credential("new", Source.RENDERED))


def test_a_draft_that_is_signed_already_is_signed_anew(published: Path, tmp_path: Path) -> None:
    credential = Credential("copy", Source.RENDERED)
    with publish(tmp_path / "copy.jpg", credential) as draft:
        draft.write_bytes((published / "a.jpg").read_bytes())
    found = verify(tmp_path / "copy.jpg")
    assert (found.state, found.credential) == (State.TRUSTED, credential)


@pytest.mark.parametrize(
    ("name", "title", "sentence"),
    [
        ("a.gif", "a", r"a\.gif cannot be signed; its name must end in \.png, \.jpg"),
        ("a.png", "caf\udce9.png", "is not Unicode; rename the file"),
    ],
)
def test_what_cannot_be_signed_is_refused_before_the_work(
    name: str, title: str, sentence: str, tmp_path: Path
) -> None:
    with (
        pytest.raises(UserError, match=sentence),
        publish(tmp_path / name, Credential(title, Source.RENDERED)),
    ):
        pytest.fail("the work began")
    assert list(tmp_path.iterdir()) == []


def test_a_signed_png_holds_its_pixels(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(signed_png(PIXELS, SWAP))
    assert np.array_equal(read_image(tmp_path / "a.png"), PIXELS)
    found = verify(tmp_path / "a.png")
    assert (found.state, found.credential) == (State.TRUSTED, SWAP)


def test_sha256_is_that_of_the_standard(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-4, first example
    assert sha256(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    with pytest.raises(UserError, match="none cannot be read"):
        sha256(tmp_path / "none")


@pytest.mark.parametrize("name", KINDS)
def test_a_disk_too_full_for_the_signed_copy_is_one_clear_sentence(
    name: str, tmp_path: Path
) -> None:
    publish_one(tmp_path / name)
    before = (tmp_path / name).read_bytes()

    for room in (-500, 500):
        with (
            pytest.raises(UserError) as caught,
            ExitStack() as limit,
            publish(tmp_path / name, SWAP, overwrite=True) as draft,
        ):
            write(draft)
            limit.enter_context(full_disk(draft.stat().st_size + room))
        words = r"is not written: its signed copy does not fit on the disk \(.*\); make room and"
        assert re.fullmatch(rf".*{name} {words} run it again\.", str(caught.value))
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_bytes() == before
