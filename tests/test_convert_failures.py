"""A conversion that fails half way: nothing is left behind, no thread goes on."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from colours import ByColour
from test_convert_video import AGREED, DONOR, TODAY, Counting, Painted, clip, left
from torch import Tensor

from changeling.converting import convert
from changeling.errors import UserError
from changeling.faces import Identifier
from changeling.generators import Swapped
from changeling.provenance import write_consent


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeling.converting.video.Tracker", Counting)
    monkeypatch.setattr(Identifier, "load", classmethod(lambda cls: ByColour()))


@pytest.fixture
def consent(tmp_path: Path) -> Path:
    path = tmp_path / "consent.toml"
    write_consent(path, AGREED)
    return path


@dataclass(frozen=True)
class Breaking(Painted):
    """A generator that fails at its second batch."""

    error: BaseException = field(kw_only=True)

    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        if self.batches:
            raise self.error
        return super().swap(faces, to=to)


@pytest.mark.parametrize("error", [ValueError("broken"), MemoryError("full")])
def test_a_failure_half_way_leaves_nothing_behind(
    tmp_path: Path, consent: Path, error: Exception
) -> None:
    source = clip(tmp_path / "a.mp4", [1] * 40)
    before = threading.active_count()
    with pytest.raises(type(error), match=str(error)):
        convert(
            source, tmp_path / "b.mp4", Breaking([], error=error), to="b", donor=DONOR,
            today=TODAY, consent=consent,
        )  # fmt: skip
    assert left(tmp_path) == {"a.mp4", "consent.toml"}
    assert threading.active_count() == before


def test_ctrl_c_ends_cleanly(tmp_path: Path, consent: Path) -> None:
    source = clip(tmp_path / "a.mp4", [1] * 40)

    def interrupted(done: int, total: int | None) -> None:
        if done == 5:
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        convert(
            source, tmp_path / "b.mp4", Painted([]), to="b", donor=DONOR, today=TODAY,
            consent=consent, tick=interrupted,
        )  # fmt: skip
    assert left(tmp_path) == {"a.mp4", "consent.toml"}
    assert threading.active_count() == before


def test_a_truncated_video_is_refused_whole(tmp_path: Path, consent: Path) -> None:
    source = clip(tmp_path / "a.mp4", [1] * 40)
    source.write_bytes(source.read_bytes()[:-2000])
    with pytest.raises(UserError, match=r"a\.mp4"):
        convert(
            source, tmp_path / "b.mp4", Painted([]), to="b", donor=DONOR, today=TODAY,
            consent=consent,
        )  # fmt: skip
    assert left(tmp_path) == {"a.mp4", "consent.toml"}
