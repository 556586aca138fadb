"""Verifying: whatever happens to a signed file is found out, and told in one sentence."""

from fractions import Fraction
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from samples import KINDS, PIXELS, SWAP, publish_one, write

from changeling.errors import UserError
from changeling.media import read_frames, read_image, write_image
from changeling.provenance import State, Verification, verify
from changeling.provenance.signer import own_signer
from changeling.provenance.verifying import _found


@pytest.fixture(scope="session")
def authority(published: Path) -> bytes:
    """The certificate to give to those who shall trust what is in `published`."""
    return (own_signer().folder / "authority.pem").read_bytes()


def changed(source: Path, target: Path, at: int) -> Path:
    data = bytearray(source.read_bytes())
    data[at] ^= 0x55
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("name", KINDS)
def test_what_is_published_is_intact_and_says_what_was_signed(published: Path, name: str) -> None:
    found = verify(published / name)
    assert (found.state, found.state.exit_code) == (State.TRUSTED, 0)
    assert found.credential == SWAP
    assert found.signer == own_signer().name
    assert found.sentence.startswith(f"{published / name} is intact since {found.signer}")
    assert found.path == published / name


def test_signing_leaves_the_pictures_as_they_were(published: Path, tmp_path: Path) -> None:
    assert np.array_equal(read_image(published / "a.png"), PIXELS)
    write(tmp_path / "plain.mp4")
    plain, signed = (list(read_frames(p)) for p in (tmp_path / "plain.mp4", published / "a.mp4"))
    assert [frame.time for frame in signed] == [0, Fraction(1, 10), Fraction(2, 10)]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(plain, signed, strict=True))


@pytest.mark.parametrize("name", KINDS)
def test_a_changed_picture_is_altered(published: Path, name: str, tmp_path: Path) -> None:
    data = (published / name).read_bytes()
    # In the middle of the compressed picture: WebP has its manifest last, the others first.
    at = data.rindex(b"mdat") + 900 if name == "a.mp4" else 300 if name == "a.webp" else -300
    found = verify(changed(published / name, tmp_path / name, at))
    assert (found.state, found.state.exit_code) == (State.ALTERED, 4)
    assert found.credential is None
    assert found.sentence == f"{tmp_path / name} has been altered or damaged since it was signed."


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("part", [b"autoencoder", b"c2pa.actions.v2", b"c2pa\x00\x11\x00\x10"])
def test_a_changed_manifest_is_altered(
    published: Path, name: str, part: bytes, tmp_path: Path
) -> None:
    at = (published / name).read_bytes().index(part)
    assert verify(changed(published / name, tmp_path / name, at)).state is State.ALTERED


@pytest.mark.parametrize("name", KINDS)
def test_a_file_cut_short_is_altered_or_unreadable(
    published: Path, name: str, tmp_path: Path
) -> None:
    data = (published / name).read_bytes()
    for length in range(0, len(data) - 1, len(data) // 40):
        (tmp_path / name).write_bytes(data[:length])
        try:
            assert verify(tmp_path / name).state is State.ALTERED, length
        except UserError as error:
            assert "is damaged or of a kind" in str(error)


def test_no_byte_of_a_picture_changes_unseen(published: Path, tmp_path: Path) -> None:
    """All that may change is what the C2PA leaves unsigned in its own chunk, such as padding."""
    data = (published / "a.png").read_bytes()
    start = data.index(b"caBX") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4])
    for at in range(0, len(data), 37):
        found = verify(changed(published / "a.png", tmp_path / "a.png", at))
        unsigned = start <= at < end and found.credential == SWAP
        assert found.state is State.ALTERED or unsigned, at


@pytest.mark.parametrize("name", KINDS)
def test_arbitrary_bytes_never_pass_for_signed(published: Path, name: str, tmp_path: Path) -> None:
    """Noise, alone and behind a true beginning, is a mistake or, if it looks like MP3, unsigned."""
    beginning = (published / name).read_bytes()[:16]
    for seed in range(40):
        noise = np.random.default_rng(seed).bytes(seed * 30)
        (tmp_path / name).write_bytes(beginning * (seed % 2) + noise)
        try:
            assert verify(tmp_path / name).state is State.NONE
        except UserError as error:
            assert "is damaged or of a kind that carries no content credential" in str(error)


def test_a_signed_picture_in_an_archive_does_not_make_the_archive_altered(
    published: Path, tmp_path: Path
) -> None:
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(published / "a.png")
    with pytest.raises(UserError, match=r"a\.zip is damaged or of a kind"):
        verify(tmp_path / "a.zip")


def test_missing_files_folders_and_other_kinds_are_users_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.png cannot be read \(No such file"):
        verify(tmp_path / "none.png")
    with pytest.raises(UserError, match="cannot be read"):
        verify(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UserError, match=r"notes\.txt is damaged or of a kind"):
        verify(tmp_path / "notes.txt")


@pytest.mark.parametrize("name", KINDS)
def test_encoding_again_drops_the_credential(published: Path, name: str, tmp_path: Path) -> None:
    if name == "a.mp4":
        write(tmp_path / name)
    else:
        write_image(tmp_path / name, read_image(published / name))
    found = verify(tmp_path / name)
    assert (found.state, found.state.exit_code) == (State.NONE, 5)
    assert (found.signer, found.credential) == ("", None)
    assert found.sentence == f"{tmp_path / name} carries no content credential."


def test_a_foreign_signer_is_unknown_until_trusted(
    published: Path, authority: bytes, foreign: Path
) -> None:
    found = verify(published / "a.jpg")
    assert (found.state, found.state.exit_code) == (State.UNKNOWN_SIGNER, 3)
    assert found.credential == SWAP
    assert f"put their authority.pem into {foreign / 'trusted'}" in found.sentence
    assert not foreign.exists(), "verifying makes no key"
    publish_one(foreign.parent / "mine.png")
    assert verify(published / "a.jpg").state is State.UNKNOWN_SIGNER, "another key of our own"

    (foreign / "trusted").mkdir()
    (foreign / "trusted" / "friend.pem").write_bytes(authority)
    assert verify(published / "a.jpg").state is State.TRUSTED
    assert verify(foreign.parent / "mine.png").state is State.TRUSTED


def test_a_broken_trusted_authority_is_named(published: Path, foreign: Path) -> None:
    (foreign / "trusted").mkdir(parents=True)
    (foreign / "trusted" / "friend.pem").write_text("no certificate")
    with pytest.raises(UserError, match=r"friend\.pem is not a certificate in PEM form"):
        verify(published / "a.png")


def test_an_expired_certificate_says_nothing_about_the_bytes() -> None:
    def found(*codes: str) -> Verification:
        results = {"activeManifest": {"failure": [{"code": code} for code in codes]}}
        mine = {"signature_info": {"common_name": "A\nb"}, "assertions": []}
        store = {"active_manifest": "m", "manifests": {"m": mine}, "validation_results": results}
        return _found(Path("a.png"), "Invalid", store)

    late = found("signingCredential.untrusted", "signingCredential.expired")
    assert (late.state, late.signer) == (State.UNKNOWN_SIGNER, "A?b")
    assert found("signingCredential.untrusted", "assertion.dataHash.mismatch").state is (
        State.ALTERED
    )
    assert found().state is State.ALTERED
