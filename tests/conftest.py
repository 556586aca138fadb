"""What every test shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from samples import KINDS, publish_one


@pytest.fixture(scope="session", autouse=True)
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keys and trust of the tests lie in a folder of their own, never in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHANGELING_HOME", str(tmp_path_factory.mktemp("configuration")))
        yield


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory, configuration: None) -> Path:
    """A folder with one signed file of each kind."""
    folder = tmp_path_factory.mktemp("published")
    for name in KINDS:
        publish_one(folder / name)
    return folder


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another machine: an empty configuration folder in place of the tests' own."""
    monkeypatch.setenv("CHANGELING_HOME", str(tmp_path / "foreign"))
    return tmp_path / "foreign"
