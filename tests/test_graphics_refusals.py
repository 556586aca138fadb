"""What swap, reenact and edit refuse: one sentence, exit code 2, and nothing is written."""

import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from samples import Refuse

from changeling.cli import main
from changeling.cli.values import _change
from changeling.media import Frame, FrameWriter, read_frames, write_image

LOST = "one eye is hidden"


@pytest.fixture(scope="module")
def fitted(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film and its record."""
    folder = tmp_path_factory.mktemp("fitted")
    shutil.copy(film, folder / "a.mp4")
    assert main(["fit", str(folder / "a.mp4"), "-o", str(folder / "a.json")]) == 0
    return folder


@pytest.fixture
def kit(fitted: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt."""
    return Path(shutil.copytree(fitted, tmp_path / "kit"))


def spoil(record: Path, name: str, **changes: object) -> Path:
    """Another record beside, with changes."""
    data = json.loads(record.read_text(encoding="utf-8"))
    out = record.with_name(name)
    out.write_text(json.dumps(data | changes), encoding="utf-8")
    return out


def given(kind: str = "footage", **changes: object) -> dict[str, object]:
    person = {
        "person": "Ada", "network": "none", "pictures": ["0" * 64],
        "embeddings": [[1.0] + [0.0] * 127],
    }  # fmt: skip
    agreed = {"kind": kind, "people": ["Ada"], "given_by": "Ada", "purpose": "a test"}
    return agreed | {"enrolled": [person]} | changes


def test_a_donor_whose_film_is_gone_or_changed(refuse: Refuse, kit: Path, film: Path) -> None:
    record, out = kit / "a.json", kit / "swap.mp4"
    lonely = kit / "lonely"
    lonely.mkdir()
    shutil.copy(record, lonely / "a.json")
    said = refuse("swap", film, "--face", lonely / "a.json", "-o", out)
    assert f"made of a.mp4, which is not beside it: put the film into {lonely} again" in said
    with (kit / "a.mp4").open("ab") as changed:
        changed.write(b"more")
    said = refuse("swap", film, "--face", record, "-o", out)
    assert f"{record} was not made of {kit / 'a.mp4'} as it is now" in said
    assert f"`changeling fit {kit / 'a.mp4'} -o {record} --overwrite`" in said


def test_the_record_of_another_film(refuse: Refuse, kit: Path, film: Path) -> None:
    other = kit / "other.mp4"
    with FrameWriter(other, size=(160, 120), rate=Fraction(25)) as writer:
        for frame in read_frames(film):
            writer.write(Frame(frame.pixels[:, ::-1].copy(), frame.index, frame.time))
    record, out = kit / "a.json", kit / "out.mp4"
    asked = ["--fit", record, "-o", out]
    for line in (
        ["swap", other, "--face", record],
        ["reenact", other, "--by", record],
        ["edit", other, "--change", "smile=1"],
    ):
        assert f"{record} was not made of {other} as it is now" in refuse(*line, *asked)


def test_a_donor_whose_consent_ended(refuse: Refuse, kit: Path) -> None:
    film, out = kit / "a.mp4", kit / "out.mp4"
    ended = spoil(kit / "a.json", "ended.json", consent=given(until="2020-01-01"))
    revoked = spoil(kit / "a.json", "revoked.json", consent=given(revoked=True))
    licence = spoil(kit / "a.json", "set.json", consent=given("dataset", licence="research"))
    for record, why in ((ended, "ended on 2020-01-01"), (revoked, "revoked"), (licence, "licence")):
        for line in (["swap", film, "--face", record], ["reenact", film, "--by", record]):
            said = refuse(*line, "-o", out)
            assert record.name in said and why in said


def test_what_exists_is_kept(refuse: Refuse, kit: Path) -> None:
    film, record, out = kit / "a.mp4", kit / "a.json", kit / "out.mp4"
    out.write_bytes(b"kept")
    for line in (
        ["swap", film, "--face", record],
        ["reenact", film, "--by", record],
        ["edit", film, "--change", "smile=1"],
    ):
        assert "out.mp4: this file exists already" in refuse(*line, "-o", out)


def test_pictures_and_videos_that_do_not_fit(refuse: Refuse, kit: Path, consent: Path) -> None:
    film, record, still = kit / "a.mp4", kit / "a.json", kit / "still.png"
    write_image(still, next(iter(read_frames(film))).pixels)
    shown = ["--consent", consent, "-o"]
    assert "name a picture" in refuse("swap", still, "--face", record, *shown, kit / "b.mp4")
    assert "name a video" in refuse("swap", film, "--face", record, "-o", kit / "b.png")
    assert "name a video" in refuse("reenact", film, "--by", record, "-o", kit / "b.png")
    change = ["--change", "smile=1"]
    seconds = [*change, "--seconds", 1]
    for source, out, flags in (
        (film, "b.mp4", seconds), (still, "b.png", seconds), (still, "b.mp4", change),
    ):  # fmt: skip
        said = refuse("edit", source, *flags, *shown, kit / out)
        assert "give --seconds to make a video of a picture, and for nothing else" in said
    assert "name a video" in refuse("edit", film, *change, "-o", kit / "b.png")


def test_changes_that_are_none(refuse: Refuse, kit: Path) -> None:
    edit = ["edit", kit / "a.mp4", "-o", kit / "b.mp4"]
    assert "nothing is to be changed: give --change" in refuse(*edit)
    for text in ("smile", "smile=", "=1", "smile=2:1,1:0", "smile=0:0,0:1", "smile=0.5,2:1", "a=x"):
        said = refuse(*edit, "--change", text)
        assert f"{text!r} is no change; give a name and a strength" in said, text
    said = refuse(*edit, "--change", "grin=1")
    assert "a face has no 'grin' to change: give one of age, gender, weight, smile" in said


def test_changes_are_read() -> None:
    assert _change("smile=0.8") == ("smile", ((0.0, 0.8),))
    assert _change("age=-1") == ("age", ((0.0, -1.0),))
    assert _change("jawOpen=0:0,1.5:1,2:-.5") == ("jawOpen", ((0, 0), (1.5, 1), (2, -0.5)))


def test_a_record_without_any_fitted_frame(refuse: Refuse, kit: Path) -> None:
    film, out = kit / "a.mp4", kit / "b.mp4"
    light = [0.0] * 12
    lost = [
        {"frame": k, "time": f"{k}/25", "reason": LOST, "light": light} for k in range(6)
    ]  # fmt: skip
    record = spoil(kit / "a.json", "lost.json", frames=lost)
    assert "lost.json has no frame that could be fitted" in refuse(
        "reenact", film, "--by", record, "-o", out
    )
    assert "no frame that could be fitted" in refuse("swap", film, "--face", record, "-o", out)
    own = ["--fit", record, "-o", out]
    assert "no frame that could be fitted" in refuse("swap", film, "--face", kit / "a.json", *own)
    assert "No face" in refuse("edit", film, "--change", "smile=1", *own)


def test_what_is_no_record_and_who_does_not_consent(refuse: Refuse, kit: Path) -> None:
    film, out, wall = kit / "a.mp4", kit / "b.mp4", kit / "wall.png"
    assert "is no fit record" in refuse("swap", film, "--face", film, "-o", out)
    assert "is no fit record" in refuse("reenact", film, "--by", kit / "gone.json", "-o", out)
    write_image(wall, np.full((96, 128, 3), 90, np.uint8))
    flags = ["--change", "smile=1", "-o", kit / "b.png"]
    assert "changeling consent new" in refuse("edit", wall, *flags)
