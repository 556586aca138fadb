"""What every test shares."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree, which
from typing import TYPE_CHECKING

import pytest
from samples import KINDS, Refuse, publish_one, training, tree

from changeling.provenance import Consent, write_consent

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1280,900",
)  # fmt: skip
"""Of Chromium."""
LEFT_OUT = pytest.StashKey[list[str]]()
"""What is said at the end of tests that did not run."""


@dataclass(frozen=True)
class Need:
    """Something that some tests need and pip does not bring."""

    name: str
    found: Callable[[], bool]
    packages: str
    """Debian's packages that bring it."""


def _fashion_mnist() -> bool:
    # Imported here because most tests need none of the torch behind it, which takes seconds.
    from changeling.faces.datasets_fashion import find_fashion

    return find_fashion() is not None


def _browser() -> bool:
    return all(which(program) for program in ("chromium", "chromedriver"))


NEEDS = {
    "fashion_mnist": Need("FashionMNIST", _fashion_mnist, "dataset-fashion-mnist"),
    "browser": Need("Chromium", _browser, "chromium chromium-driver"),
}
"""By the marker of the tests that need it."""


def pytest_configure(config: pytest.Config) -> None:
    for marker, need in NEEDS.items():
        config.addinivalue_line("markers", f"{marker}: needs {need.name}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that need what is not on this computer; with CI=true that fails."""
    said = config.stash.setdefault(LEFT_OUT, [])
    for marker, need in NEEDS.items():
        asking = [item for item in items if item.get_closest_marker(marker)]
        if not asking or need.found():
            continue
        if os.environ.get("CI", "") not in ("", "0", "false"):
            raise pytest.UsageError(
                f"{need.name} is missing, which {len(asking)} of the tests need: "
                f"apt-get install {need.packages}"
            )
        said.append(
            f"LEFT OUT: what needs {need.name}, which is not on this computer ({len(asking)} of "
            f"the tests); `sudo apt-get install {need.packages}` adds them."
        )
        config.hook.pytest_deselected(items=asking)
        items[:] = [item for item in items if item not in asking]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The last word of a test run says what was not tested."""
    for line in config.stash.get(LEFT_OUT, []):
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same random numbers for a test each time, whatever ran before it."""
    # A test without torch does not wait seconds for it.
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture(scope="module")
def one_thread() -> None:
    """Sums in one order; and more threads than free cores slow tiny networks tenfold."""
    # Imported here because most tests need none of the torch behind it, which takes seconds.
    from golden import PLAIN

    PLAIN.apply()


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


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory, configuration: None) -> Path:
    """A signed film of a rendered actor: 6 frames of 160×120, with its truth beside it."""
    # Imported here because most tests do not need the renderer, which takes seconds to load.
    from changeling.actors import Actor, Performance
    from changeling.actors import film as make_film

    path = tmp_path_factory.mktemp("film") / "a.mp4"
    make_film(Actor(1, 1), Performance.from_seed(1, seconds=0.24), path, size=(160, 120))
    return path


@pytest.fixture(scope="session")
def consent(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Consent to everything, without an end, of the person in the film, taken as footage."""
    from changeling.faces import enrol
    from changeling.media import read_frames, write_image

    folder = tmp_path_factory.mktemp("consent")
    for frame in read_frames(film):
        write_image(folder / f"{frame.index}.png", frame.pixels)
    looks = enrol("Somebody", [folder / "0.png", folder / "5.png"])
    given = Consent("footage", ("Somebody",), "Somebody", "a test", enrolled=(looks,))
    write_consent(folder / "consent.toml", given)
    return folder / "consent.toml"


@pytest.fixture(scope="session")
def taught(
    film: Path, consent: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A face set and a run trained on it for one step.

    Taken as footage, because for rendered actors training would render the truth curve.
    """
    from changeling.cli import main

    folder = tmp_path_factory.mktemp("taught")
    faces, run = folder / "faces", folder / "run"
    source = ["extract", str(film), "--consent", str(consent)]
    assert main([*source, "-o", str(faces), "--size", "32"]) == 0
    assert main(training(faces, run, "--steps", 1)) == 0
    return faces, run


@pytest.fixture
def refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Run a command line that must be refused; its sentence comes back."""

    # Imported here because most tests need none of the torch behind it, which takes seconds.
    from changeling.cli import main

    def run(*arguments: object) -> str:
        before = tree(tmp_path)
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        assert said.err.endswith(".\n")
        assert tree(tmp_path) == before
        return said.err

    return run


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Chrome"]:
    """Chromium without a window."""
    # Imported here because most tests need no browser.
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = which("chromium") or ""
    for switch in (*SWITCHES, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with Chrome(options, ChromeService(which("chromedriver"))) as browser:
        yield browser


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory, configuration: None) -> Path:
    """A study whose films can be rated; to be copied."""
    # Imported here because most tests need none of the torch behind it, which takes seconds.
    from rating import make_study

    return make_study(tmp_path_factory.mktemp("shown"))


@pytest.fixture
def study(shown: Path, tmp_path: Path) -> Path:
    """A copy of the study, to be rated and spoilt."""
    return Path(copytree(shown, tmp_path / "study"))
