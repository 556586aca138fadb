"""The commands swap, reenact and edit: from a short film to a signed one that says how."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from changeling.cli import main
from changeling.media import Pixels, probe, read_frames, read_image, write_image
from changeling.provenance import Credential, Ingredient, State, sha256, verify


@pytest.fixture(scope="module")
def kit(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the film, its fit record, and one of its frames as a picture."""
    folder = tmp_path_factory.mktemp("kit")
    shutil.copy(film, folder / "a.mp4")
    write_image(folder / "still.png", frames(film)[2])
    assert main(["fit", str(folder / "a.mp4"), "-o", str(folder / "a.json")]) == 0
    return folder


def frames(path: Path) -> list[Pixels]:
    return [frame.pixels for frame in read_frames(path)]


def times(path: Path) -> list[object]:
    return [frame.time for frame in read_frames(path)]


def told(path: Path) -> Credential:
    found = verify(path)
    assert found.state is State.TRUSTED and found.credential is not None
    return found.credential


def psnr(one: list[Pixels], other: list[Pixels]) -> float:
    away = np.stack(one).astype(float) - np.stack(other)
    return float(10 * np.log10(255**2 / (away**2).mean()))


@pytest.mark.parametrize("method", ["shape", "faceforensics"])
def test_a_film_gets_the_face_of_a_record(
    method: str, kit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, record, out = kit / "a.mp4", kit / "a.json", tmp_path / "swap.mp4"
    line = ["swap", film, "--face", record, "--fit", record, "--method", method, "-o", out]
    assert main([str(word) for word in line]) == 0
    assert f"{out}: 6 frames, 6 of them with a changed face" in capsys.readouterr().out
    before, after = probe(film), probe(out)
    assert (after.width, after.height, after.rate) == (before.width, before.height, before.rate)
    assert times(out) == times(film)
    credential = told(out)
    assert credential.model == "faceswap-graphics" and credential.run == "a.json"
    assert credential.facts == (("method", method),)
    assert credential.ingredients == (
        Ingredient("a.mp4", sha256(film), "parentOf"),
        Ingredient("a.mp4", sha256(film), "inputTo"),
        Ingredient("a.json", sha256(record), "inputTo"),
    )
    assert psnr(frames(out), frames(film)) > 30, "with its own face it is as it was"
    assert list(tmp_path.iterdir()) == [out]


def test_without_a_record_the_film_is_fitted_first(kit: Path, tmp_path: Path) -> None:
    film, out = kit / "a.mp4", tmp_path / "edit.mp4"
    line = ["edit", str(film), "--change", "smile=0:0,0.2:1", "--change", "age=-0.5"]
    assert main([*line, "-o", str(out)]) == 0
    assert main([*line, "--fit", str(kit / "a.json"), "-o", str(tmp_path / "same.mp4")]) == 0
    credential = told(out)
    assert credential.model == "edit" and credential.run == ""
    assert credential.facts == (("smile", "0:0,0.2:1"), ("age", "-0.5"))
    assert credential.ingredients == (Ingredient("a.mp4", sha256(film), "parentOf"),)
    assert times(out) == times(film)
    # A record keeps six digits, so that a level may be another.
    both = [np.stack(frames(path)).astype(int) for path in (out, tmp_path / "same.mp4")]
    assert np.abs(both[0] - both[1]).mean() < 0.05


def test_a_curve_changes_the_face_over_time(kit: Path, tmp_path: Path) -> None:
    film, out = kit / "a.mp4", tmp_path / "edit.mp4"
    line = ["edit", str(film), "--fit", str(kit / "a.json"), "-o", str(out)]
    assert main([*line, "--change", "jawOpen=0:0,0.2:1"]) == 0
    changes = [
        float(np.abs(one.astype(int) - other).mean())
        for one, other in zip(frames(out), frames(film), strict=True)
    ]
    assert changes[5] > 1.2 * max(changes[:3])


def test_one_still_is_driven_by_a_film(kit: Path, tmp_path: Path, consent: Path) -> None:
    out = tmp_path / "driven.mp4"
    line = ["reenact", str(kit / "still.png"), "--by", str(kit / "a.json"), "-o", str(out)]
    assert main([*line, "--consent", str(consent), "--strength", "1.5"]) == 0
    assert (probe(out).width, probe(out).height) == (160, 120) and probe(out).rate == 25
    assert times(out) == times(kit / "a.mp4")
    credential = told(out)
    assert (credential.model, credential.run) == ("reenact", "a.json")
    assert credential.facts == (("strength", "1.5"),)
    assert [one.title for one in credential.ingredients] == ["still.png", "a.mp4", "a.json"]
    assert psnr(frames(out)[2:3], [read_image(kit / "still.png")]) > 32, "its own expression"


def test_a_film_is_driven_by_its_own_record(kit: Path, tmp_path: Path) -> None:
    film, record, out = kit / "a.mp4", kit / "a.json", tmp_path / "driven.mp4"
    assert main(f"reenact {film} --by {record} --fit {record} -o {out}".split()) == 0
    assert psnr(frames(out), frames(film)) > 36, "nothing but the codec"


def test_a_still_becomes_a_video_of_so_many_seconds(
    kit: Path, tmp_path: Path, consent: Path
) -> None:
    picture, out = kit / "still.png", tmp_path / "edit.mp4"
    line = ["edit", str(picture), "--change", "smile=0:0,0.1:1", "--consent", str(consent)]
    assert main([*line, "--seconds", "0.2", "-o", str(out)]) == 0
    assert len(frames(out)) == 5 and probe(out).rate == 25
    assert main([*line, "-o", str(tmp_path / "edit.png")]) == 0
    assert np.array_equal(read_image(tmp_path / "edit.png"), read_image(picture)), "at 0 seconds"
    assert told(tmp_path / "edit.png").model == "edit"
