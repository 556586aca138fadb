"""The signer: one key pair a user, its owner's alone."""

import stat
import threading
from pathlib import Path

import pytest
from samples import publish_one

from changeling.errors import UserError
from changeling.provenance import configuration_folder, find_signer, make_signer, verify
from changeling.provenance.signer import own_signer


def test_the_key_belongs_to_its_owner_alone(foreign: Path) -> None:
    assert find_signer() is None
    signer = make_signer()
    assert signer == find_signer() == own_signer()
    assert signer.name.startswith("changeling user ")
    assert len(signer.name) == len("changeling user 3f9a12bc")

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert configuration_folder() == foreign
    assert [mode(foreign), mode(signer.folder), mode(signer.folder / "key.pem")] == [
        0o700,
        0o700,
        0o600,
    ]
    assert [path.name for path in foreign.iterdir()] == ["signer"]
    keys = [path.name for path in signer.folder.iterdir() if b"PRIVATE" in path.read_bytes()]
    assert keys == ["key.pem"]


def test_a_signer_may_have_a_name_but_only_one(foreign: Path, tmp_path: Path) -> None:
    assert make_signer(" Zoë Ångström ").name == "Zoë Ångström"
    assert verify(publish_one(tmp_path / "a.png")).signer == "Zoë Ångström"
    with pytest.raises(UserError, match=r"A signer exists already in .*move that folder away"):
        make_signer("Bo")
    assert own_signer().name == "Zoë Ångström"


@pytest.mark.parametrize("name", ["x" * 49, "two\nlines", "half \ud800"])
def test_a_name_that_fits_no_certificate_is_refused(name: str, foreign: Path) -> None:
    with pytest.raises(UserError, match="must be at most 48 printable characters"):
        make_signer(name)
    assert not foreign.exists()


def test_all_who_sign_first_at_once_share_one_key(foreign: Path) -> None:
    names: list[str] = []
    start = threading.Barrier(8)

    def sign() -> None:
        start.wait()
        names.append(own_signer().name)

    threads = [threading.Thread(target=sign) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 8
    assert len(set(names)) == 1
    assert [path.name for path in foreign.iterdir()] == ["signer"]


def test_a_damaged_key_is_named(foreign: Path, tmp_path: Path) -> None:
    chain = make_signer().folder / "chain.pem"
    chain.write_text("broken")
    with pytest.raises(UserError, match=r"The signing key in .*signer is damaged"):
        publish_one(tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


def test_a_configuration_folder_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CHANGELING_HOME", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"The signing key cannot be kept in .*file"):
        make_signer()


def test_the_configuration_folder_follows_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHANGELING_HOME")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x")
    assert configuration_folder() == Path("/x/changeling")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert configuration_folder() == Path("/home/ada/.config/changeling")
    monkeypatch.setattr("sys.platform", "darwin")
    assert configuration_folder() == Path("/home/ada/Library/Application Support/changeling")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("APPDATA", "/roaming")
    assert configuration_folder() == Path("/roaming/changeling")
