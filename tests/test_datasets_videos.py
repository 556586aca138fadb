"""Data sets of videos: FaceForensics++ and VoxCeleb2 by their layouts, cut into faces once."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from changeling.errors import UserError
from changeling.faces import Pictures, datasets_videos, open_pictures
from changeling.faces.alignment import invert, to_pixels
from changeling.faces.detect import Detector
from changeling.media import read_frames
from changeling.provenance import Consent, write_consent

TODAY = date(2026, 6, 1)
GIVEN = Consent("dataset", licence="research only", purpose="a test", until=date(2026, 12, 31))


@pytest.fixture(scope="module")
def consent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("consent") / "dataset.toml"
    write_consent(file, GIVEN)
    return file


def opened(source: object, **given: Any) -> Pictures:  # noqa: ANN401
    return open_pictures(str(source), **given)


def everything(pictures: Pictures, size: int) -> Any:  # noqa: ANN401
    return pictures.read(np.arange(len(pictures)), size)


Lay = Callable[[list[str]], Path]


@pytest.fixture
def lay(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lay:
    """Copies of the film under these names; every second frame is looked at."""
    monkeypatch.setattr(datasets_videos, "EVERY", 2)

    def lay(names: list[str]) -> Path:
        for name in names:
            (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(film, tmp_path / "data" / name)
        return tmp_path / "data"

    return lay


def forensics(compression: str) -> list[str]:
    kinds = ["original_sequences/youtube", "original_sequences/actors"]
    kinds += [f"manipulated_sequences/{method}" for method in ("NeuralTextures", "Face2Face")]
    return [f"{kind}/{compression}/videos/{k:03d}.mp4" for kind in kinds for k in range(3)]


def test_faceforensics_is_labelled_by_method(lay: Lay, consent: Path, tmp_path: Path) -> None:
    folder = lay(forensics("c23"))
    given = {"consent": consent, "today": TODAY, "cache": tmp_path / "cache"}
    ticks: list[tuple[int, int | None]] = []
    train = opened(folder, tick=lambda *t: ticks.append(t), **given)
    assert train.kinds == ("original", "Face2Face", "NeuralTextures")
    # Of the six originals round(0.6) = 1 video is for the test, of three fakes none.
    assert np.bincount(train.labels(np.arange(len(train)))).tolist() == [15, 9, 9]
    assert ticks == [(k, 11) for k in range(1, 12)]
    test = opened(folder, part="test", **given)
    assert test.labels(np.arange(3)).tolist() == [0, 0, 0]
    assert len(test) == 3


def test_a_face_is_cut_where_haar_sees_it(
    lay: Lay, consent: Path, tmp_path: Path, film: Path
) -> None:
    folder = lay(["id1/video/00001.mp4", "id1/video/00002.mp4", "id2/other/00001.mp4"])
    given = {"consent": consent, "today": TODAY, "cache": tmp_path / "cache"}
    pictures = opened(folder, **given)
    assert pictures.kinds == ("id1", "id2")
    assert pictures.labels(np.arange(9)).tolist() == [0] * 6 + [1] * 3
    frame = list(read_frames(film))[2]
    grey = np.asarray(cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    x, y, side, _ = Detector().boxes(grey)[0]
    shown = pictures.read(np.array([1]), 160)[0]
    places = to_pixels(
        np.array([[1 / side, 0, (0.5 - x) / side], [0, 1 / side, (0.5 - y) / side]]), 160
    )
    back = cv2.warpAffine(shown, invert(places), (160, 120), flags=cv2.INTER_AREA)
    inside = (slice(int(y) + 4, int(y + side) - 4), slice(int(x) + 4, int(x + side) - 4))
    assert np.abs(back[inside].astype(int) - frame.pixels[inside]).mean() < 4


def test_videos_are_cut_once_and_go_on_where_they_stopped(
    lay: Lay, consent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay([f"id{k}/video/00001.mp4" for k in range(3)])
    given = {"consent": consent, "today": TODAY, "cache": tmp_path / "cache"}
    broken = folder / "id1/video/00001.mp4"
    whole = broken.read_bytes()
    broken.write_bytes(b"no video")
    with pytest.raises(UserError, match=r"id1/video/00001\.mp4"):
        opened(folder, **given)
    broken.write_bytes(whole)
    read: list[Path] = []

    def spied(path: Path) -> Any:  # noqa: ANN401
        read.append(path.relative_to(folder))
        return read_frames(path)

    monkeypatch.setattr(datasets_videos, "read_frames", spied)
    first = everything(opened(folder, **given), 160)
    assert read == [Path(f"id{k}/video/00001.mp4") for k in (1, 2)]
    assert np.array_equal(everything(opened(folder, **given), 160), first)
    assert len(read) == 2


def test_several_compressions_must_be_chosen_from(lay: Lay, consent: Path, tmp_path: Path) -> None:
    folder = lay([*forensics("c40")[6:8], *forensics("raw")[6:9]])
    given = {"consent": consent, "today": TODAY, "cache": tmp_path / "cache"}
    with pytest.raises(UserError, match=rf"raw, c40; give the data set as {folder}:raw or"):
        opened(folder, **given)
    assert len(opened(f"{folder}:c40", **given)) == 6
    assert len(opened(f"{folder}:raw", **given)) == 9
    with pytest.raises(UserError, match=r"holds no videos at c23 .* it has raw, c40\."):
        opened(f"{folder}:c23", **given)


def test_videos_without_consent_or_faces_are_refused(
    lay: Lay, consent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lay(["id0/video/00001.mp4"])
    given = {"cache": tmp_path / "cache"}
    with pytest.raises(UserError, match="comes without consent"):
        opened(folder, today=TODAY, **given)
    with pytest.raises(UserError, match="may not be extracted: the consent ended on 2026-12-31"):
        opened(folder, consent=consent, today=date(2027, 1, 1), **given)
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr(Detector, "boxes", lambda *_: ())
    with pytest.raises(UserError, match="no face was found in 1 videos"):
        opened(folder, consent=consent, today=TODAY, **given)


def test_footage_is_no_licence_for_a_public_set(lay: Lay, tmp_path: Path) -> None:
    write_consent(tmp_path / "ada.toml", Consent("footage", ("Ada",), "Ada", "a test"))
    for names in (["id0/video/00001.mp4"], ["original_sequences/youtube/c23/videos/0.mp4"]):
        folder = lay(names)
        with pytest.raises(UserError, match="needs a consent of kind dataset and got footage"):
            opened(folder, consent=tmp_path / "ada.toml", today=TODAY)
