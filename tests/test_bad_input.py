"""Every mistake ends in one sentence and exit code 2, and nothing is overwritten or left behind."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from recordings import RATE, full_disk, write
from samples import Refuse, training

from changeling.cli import main
from changeling.media import Frame, FrameWriter, Pixels, read_frames, write_image

YESTERDAY = date.today() - timedelta(days=1)


@pytest.fixture
def faces(taught: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the face set, to be spoilt."""
    return Path(shutil.copytree(taught[0], tmp_path / "faces"))


@pytest.fixture
def run(taught: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the run, to be spoilt."""
    return Path(shutil.copytree(taught[1], tmp_path / "run"))


def clip(path: Path, pictures: list[Pixels]) -> Path:
    """A video of somebody else's making."""
    return write(path, [Frame(pixels, i, i / RATE) for i, pixels in enumerate(pictures)])


def spoil_consent(path: Path, **changes: object) -> None:
    """Change the consent inside a JSON file."""
    data = json.loads(path.read_text(encoding="utf-8"))
    records = [data["consent"]] if "consent" in data else list(data.values())
    for record in records:
        record.update(changes)
    path.write_text(json.dumps(data), encoding="utf-8")


def test_a_file_that_is_not_a_video(refuse: Refuse, consent: Path, run: Path) -> None:
    text = run.parent / "a.mp4"
    text.write_text("Once upon a time")
    out = run.parent / "out"
    assert "a.mp4" in refuse("extract", text, "-o", out)
    assert "not a video" in refuse("extract", text, "-o", out, "--consent", consent)
    swap = ["--run", run, "--to", "b", "-o", run.parent / "swap.mp4", "--consent", consent]
    assert "not a video" in refuse("convert", text, *swap)
    assert "not a video" in refuse("judge", text, "--truth", text, "-o", run.parent / "r.html")
    assert "cannot be read" in refuse("extract", "gone.mp4", "-o", out, "--consent", consent)


def test_a_truncated_video(refuse: Refuse, film: Path, consent: Path, run: Path) -> None:
    half = run.parent / "half.mp4"
    half.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    out = run.parent / "out"
    assert "cut off" in refuse("extract", half, "-o", out, "--consent", consent)
    assert "consent" in refuse("extract", half, "-o", out)
    swap = run.parent / "swap.mp4"
    flags = ["--run", run, "--to", "b", "-o", swap, "--consent", consent]
    assert "cut off" in refuse("convert", half, *flags)
    assert "cut off" in refuse("judge", half, "--truth", film, "-o", run.parent / "r.html")


def test_a_video_without_a_face(refuse: Refuse, consent: Path, run: Path) -> None:
    wall = clip(run.parent / "wall.mp4", [np.full((96, 128, 3), 90, np.uint8)] * 5)
    out = run.parent / "out"
    assert "no face was found" in refuse("extract", wall, "-o", out, "--consent", consent)
    flags = ["--run", run, "--to", "b", "--consent", consent]
    assert "No face was found" in refuse("convert", wall, *flags, "-o", run.parent / "s.mp4")
    still = run.parent / "wall.png"
    write_image(still, np.full((96, 128, 3), 90, np.uint8))
    assert "No face was found" in refuse("convert", still, *flags, "-o", run.parent / "s.png")


def test_of_two_people_the_largest_is_taken_and_the_count_reported(
    film: Path, consent: Path, taught: tuple[Path, Path], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pictures = [frame.pixels for frame in read_frames(film)]
    small = [cv2.resize(pixels, (112, 84), interpolation=cv2.INTER_AREA) for pixels in pictures]
    rims = [cv2.copyMakeBorder(one, 18, 18, 0, 0, cv2.BORDER_REPLICATE) for one in small]
    both = [np.hstack(pair).astype(np.uint8) for pair in zip(rims, pictures, strict=True)]
    couple = clip(tmp_path / "couple.mp4", both)
    faces = tmp_path / "faces"
    assert main(["extract", str(couple), "-o", str(faces), "--consent", str(consent)]) == 0
    assert "Up to 2 people in one frame: the largest face" in capsys.readouterr().out
    stored = json.loads((faces / "faceset.json").read_text(encoding="utf-8"))
    assert stored["people"] == 2
    assert all(face["box"][0] >= 112 for face in stored["faces"])
    swap = ["--run", str(taught[1]), "--to", "b", "-o", str(tmp_path / "swap.mp4")]
    assert main(["convert", str(couple), *swap, "--consent", str(consent)]) == 0
    assert "with up to 2 faces, of which only one" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["a file in place of a folder", "a folder without permission"])
def test_no_write_permission(
    place: str, refuse: Refuse, film: Path, faces: Path, consent: Path, run: Path
) -> None:
    blocked = Path("/proc/nobody") if "permission" in place else faces / "faceset.json"
    assert "cannot" in refuse("film", "--actor", 1, "--seconds", 0.1, "-o", blocked / "a.mp4")
    assert "cannot" in refuse("extract", film, "-o", blocked / "faces", "--consent", consent)
    assert "cannot" in refuse(*training(faces, blocked / "run", "--steps", 2))
    swap = ["--run", run, "--to", "b", "-o", blocked / "swap.mp4"]
    assert "cannot" in refuse("convert", film, *swap)


def test_a_full_disk(refuse: Refuse, film: Path, consent: Path, run: Path) -> None:
    folder = run.parent
    size = ["--seconds", 0.2, "--size", "160x120", "--overwrite"]
    swap = shutil.copy(film, folder / "swap.mp4")
    with full_disk():
        assert "disk" in refuse("film", "--actor", 1, "-o", swap, *size)
        assert "room" in refuse("extract", film, "-o", folder / "b", "--consent", consent)
        to_b = ["--run", run, "--to", "b", "-o", swap, "--overwrite"]
        assert str(swap) in refuse("convert", film, *to_b)


def test_a_disk_that_is_full_when_training_saves(
    faces: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / "checkpoint.safetensors").read_bytes()
    with full_disk(len(before) // 2):
        assert main(training(faces, run, "--steps", "2")) == 2
    assert "free some space" in capsys.readouterr().err
    assert (run / "checkpoint.safetensors").read_bytes() == before
    assert main(training(faces, run, "--steps", "2")) == 0


def test_an_encoder_that_fails_half_way(
    refuse: Refuse, film: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FrameWriter.write

    def fail(writer: FrameWriter, frame: Frame) -> None:
        if frame.index == 3:
            with writer._failing():
                raise OSError(5, "Input/output error")
        real(writer, frame)

    monkeypatch.setattr(FrameWriter, "write", fail)
    out = run.parent / "new.mp4"
    size = ["--seconds", 0.2, "--size", "160x120"]
    assert "failed after 3 frames" in refuse("film", "--actor", 1, "-o", out, *size)
    swap = ["--run", run, "--to", "b", "-o", out]
    assert "failed after 3 frames" in refuse("convert", film, *swap)


def test_a_path_that_exists_is_kept(
    refuse: Refuse, film: Path, faces: Path, consent: Path, run: Path
) -> None:
    kept = run.parent / "kept.mp4"
    kept.write_text("dear to somebody")
    again = "add --overwrite"
    assert again in refuse("film", "--actor", 1, "--seconds", 0.1, "-o", kept)
    assert again in refuse("convert", film, "--run", run, "--to", "b", "-o", kept)
    assert again in refuse("judge", film, "--truth", film, "-o", kept)
    assert again in refuse("consent", "new", "-o", kept)
    assert again in refuse("teach", "landmarks", "--out", kept)
    assert "--overwrite" in refuse("extract", film, "-o", faces, "--consent", consent)
    foreign = ["--consent", consent, "--overwrite"]
    assert "no face set" in refuse("extract", film, "-o", run, *foreign)
    assert "no training run" in refuse(*training(faces, faces, "--steps", 2))
    assert "other settings" in refuse(*training(faces, run, "--steps", 2, "--seed", 5))


def test_a_face_set_with_one_face(refuse: Refuse, faces: Path) -> None:
    for picture in sorted(faces.glob("*.png"))[1:]:
        picture.unlink()
    out = faces.parent / "new"
    assert "holds 1 face" in refuse(*training(faces, out, "--steps", 2))
    assert not out.exists()


def test_a_face_set_with_a_broken_picture(refuse: Refuse, faces: Path) -> None:
    picture = sorted(faces.glob("*.png"))[3]
    picture.write_bytes(picture.read_bytes()[:200])
    out = faces.parent / "new"
    assert f"{picture} is not a whole PNG" in refuse(*training(faces, out, "--steps", 2))
    assert not out.exists()


def test_a_size_that_does_not_fit(refuse: Refuse, faces: Path) -> None:
    out = faces.parent / "new"
    assert "--size 16" in refuse(*training(faces, out, "--steps", 2, "--size", 20))
    assert "--size 64" in refuse(*training(faces, out, "--steps", 2, "--size", 64))
    assert not out.exists()


def test_a_truncated_checkpoint(refuse: Refuse, film: Path, faces: Path, run: Path) -> None:
    checkpoint = run / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    out = run.parent / "swap.mp4"
    swap = ["convert", film, "--run", run, "--to", "b", "-o", out]
    assert "truncated" in refuse(*swap)
    assert "truncated" in refuse(*training(faces, run, "--steps", 2))
    checkpoint.unlink()
    assert "no checkpoint" in refuse(*swap)
    assert "no training run" in refuse("convert", film, "--run", faces, "--to", "b", "-o", out)


def test_a_person_whom_nobody_knows(refuse: Refuse, film: Path, faces: Path, run: Path) -> None:
    out = run.parent / "swap.mp4"
    assert "one of a, b" in refuse("convert", film, "--run", run, "--to", "c", "-o", out)
    wrong = ["train", "fairy", "--a", faces, "--b", faces, "-o", run.parent / "new"]
    assert "autoencoder" in refuse(*wrong)


def test_without_consent(refuse: Refuse, film: Path, run: Path) -> None:
    stranger = clip(run.parent / "stranger.mp4", [f.pixels for f in read_frames(film)])
    mend = "changeling consent new"
    assert mend in refuse("extract", stranger, "-o", run.parent / "new")
    swap = ["--run", run, "--to", "b", "-o", run.parent / "swap.mp4"]
    assert mend in refuse("convert", stranger, *swap)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"revoked": True}, "the consent was revoked"),
        ({"until": YESTERDAY.isoformat()}, f"the consent ended on {YESTERDAY}"),
    ],
)
def test_consent_that_does_not_hold_any_more(
    change: dict[str, object], words: str, refuse: Refuse, film: Path, faces: Path, run: Path
) -> None:
    folder = run.parent
    old = folder / "old.toml"
    lines = {"kind": '"footage"', "people": '["Ada"]', "given_by": '"Ada"', "purpose": '"a test"'}
    lines |= {key: json.dumps(value).strip('"') for key, value in change.items()}
    old.write_text("".join(f"{key} = {value}\n" for key, value in lines.items()))
    assert words in refuse("extract", film, "-o", folder / "new", "--consent", old)
    swap = ["--run", run, "--to", "b", "-o", folder / "swap.mp4"]
    assert words in refuse("convert", film, *swap, "--consent", old)
    spoil_consent(run / "consents.json", **change)
    assert words in refuse("convert", film, *swap)
    spoil_consent(faces / "faceset.json", **change)
    assert words in refuse(*training(faces, folder / "new", "--steps", 2))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("film --actor seven -o a.mp4", "--actor: 'seven' is no seed; give a whole number"),
        ("film --actor -7 -o a.mp4", "--actor: '-7' is no seed"),
        ("film --actor 7 --styling x -o a.mp4", "--styling: 'x' is no seed"),
        ("film --actor 7 --size 640 -o a.mp4", "--size: '640' is no size; give one such as"),
        ("film --actor 7 --seconds nan -o a.mp4", "--seconds: 'nan' is no amount"),
        ("film --actor 7", "-o PATH, --out PATH; see `changeling film --help`"),
        ("film --actor 7 --out a.mp4 --colour red", "--colour"),
        ("extract a.mp4 -o a --every 0", "--every: '0' is no count; give a whole number above 0"),
        ("train autoencoder --a x --b y -o z --person w", "--person: 'w' names no person"),
        ("train autoencoder --a x --b y -o z", "x is no face set"),
        ("convert a.mp4 --run r --to b -o b.mp4 --blend x", "'x'"),
        ("consent old", "'old'"),
        ("fly", "fly; see `changeling --help`"),
    ],
)
def test_flags_that_do_not_fit(line: str, words: str, refuse: Refuse) -> None:
    assert words in refuse(*line.split())
