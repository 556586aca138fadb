"""`changeling doctor`: what it looks at, and what it says is to be mended."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import copyfile

import pytest

import changeling.faces
from changeling.cli import main
from changeling.provenance import make_signer

ROOT = Path(__file__).parents[1]


def test_the_doctor_looks_at_every_package_and_all_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(package: str) -> str:
        if package in ("jinja2", "opencv-python-headless"):
            raise PackageNotFoundError
        return version(package)

    monkeypatch.setattr("changeling.cli.doctor.version", gone)
    package = Path(changeling.__file__).parent
    for name in ("faces/identity", "measuring/fashion"):
        (tmp_path / name).parent.mkdir()
        for kind in (".safetensors", ".json"):
            copyfile(package / f"{name}{kind}", tmp_path / f"{name}{kind}")
    damaged = bytearray((tmp_path / "faces/identity.safetensors").read_bytes())
    damaged[-1] ^= 1
    (tmp_path / "faces/identity.safetensors").write_bytes(damaged)
    (tmp_path / "measuring/fashion.safetensors").unlink()
    monkeypatch.setattr(changeling, "__file__", str(tmp_path / "__init__.py"))
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "To mend (jinja2): pip install 'jinja2>=3.1'.\n" in said
    assert "To mend (opencv-python-headless): pip install 'opencv-python-headless<5,>=4.14'" in said
    assert (
        "To mend (identity): " in said and "identity.safetensors is not the file that was" in said
    )
    assert "To mend (fashion): " in said and "with `changeling teach fashion`." in said


def test_the_doctor_finds_what_to_mend(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signer = make_signer("Ada")
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert said.endswith("Nothing to mend.\n")
    for words in ("precision ", "threads ", "libx264 encoder", "aac encoder"):
        assert words in said
    written = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for package in written:
        assert f"\n{package.partition('>')[0]} " in said
    weights = sorted(path.stem for path in (ROOT / "src").rglob("*.safetensors"))
    assert len(weights) == 7
    for name in weights:
        assert re.search(rf"\n{name} +weights are as installed\n", said), name
    assert f"'Ada' in {signer.folder}" in said
    assert f"0 other signers in {foreign / 'trusted'}" in said
    (signer.folder / "key.pem").chmod(0o644)
    assert main(["doctor"]) == 1
    assert f"To mend (permissions of key.pem): chmod go= {signer.folder}" in capsys.readouterr().out
    (signer.folder / "chain.pem").write_text("no certificate")
    assert main(["doctor"]) == 1
    assert "To mend (key): The signing key" in capsys.readouterr().out
