"""Files appear whole or not at all, and pictures come back upright."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from recordings import (
    BLUE,
    GREEN,
    GREY,
    RATE,
    RED,
    close,
    corners,
    full_disk,
    quarters,
    sentence,
    smooth,
)

from changeling.errors import UserError
from changeling.media import FrameWriter, is_image, read_image, silent, write_image, writing


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, UserError])
def test_whatever_is_raised_the_old_file_stays(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"old")
    with (
        pytest.raises(error),
        writing(target, overwrite=True) as path,
        FrameWriter(path, size=(64, 48), rate=RATE) as writer,
    ):
        for frame in smooth(80):
            writer.write(frame)
        raise error
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == b"old"


def test_writing_makes_folders_and_keeps_the_suffix(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "a.JSON"
    with writing(target) as path:
        assert (path.parent, path.suffix) == (target.parent, ".JSON")
        path.write_text("{}")
        assert not target.exists()
    assert target.read_text() == "{}"
    assert list(target.parent.iterdir()) == [target]
    with writing(target, overwrite=True) as path:
        path.write_text("[]")
    assert target.read_text() == "[]"


def test_writing_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "old.txt"
    old.write_text("old")
    for path, parts in {
        old: ("exists", "--overwrite"),
        tmp_path: ("is a folder",),
        old / "a.txt": ("cannot be written",),
    }.items():
        with pytest.raises(UserError) as caught, writing(path):
            raise AssertionError
        sentence(caught, str(path), *parts)

    def denied(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", denied)
    with pytest.raises(UserError) as caught, writing(tmp_path / "a.txt"):
        raise AssertionError
    sentence(caught, str(tmp_path / "a.txt"), "Permission denied")
    assert old.read_text() == "old"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with pytest.raises(UserError) as caught, writing(target) as path:
        path.write_text("ours")
        target.write_text("theirs")
    sentence(caught, str(target), "exists")
    assert target.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(UserError) as caught, writing(tmp_path / "a.bin") as path:
        path.write_bytes(bytes(9_000))
    sentence(caught, str(tmp_path / "a.bin"), "disk is full")
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)
    with full_disk(), pytest.raises(UserError) as caught:
        write_image(tmp_path / "a.png", noise)
    sentence(caught, str(tmp_path / "a.png"), "disk is full")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "psnr"), [("a.PNG", 361), ("a.jpg", 36), ("a.webp", 34)])
def test_pictures_survive(tmp_path: Path, name: str, psnr: float) -> None:
    pixels = next(smooth(1)).pixels
    write_image(tmp_path / name, pixels)
    back = read_image(tmp_path / name)
    assert is_image(tmp_path / name)
    assert back.shape == pixels.shape
    assert cv2.PSNR(pixels, back) >= psnr
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def with_orientation(suffix: str, orientation: int) -> bytes:
    """The four quarters as a picture whose EXIF data say how to hold it."""
    exif = b"II*\0" + struct.pack("<IHHHIHxxI", 8, 1, 0x0112, 3, 1, orientation, 0)
    bgr = cv2.cvtColor(quarters(), cv2.COLOR_RGB2BGR)
    quality = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    data = cv2.imencode(suffix, bgr, quality)[1].tobytes()
    if suffix == ".jpg":
        part = b"Exif\0\0" + exif
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part + data[2:]
    if suffix == ".png":
        part = b"eXIf" + exif
        chunk = struct.pack(">I", len(exif)) + part + struct.pack(">I", zlib.crc32(part))
        return data[:33] + chunk + data[33:]
    size = struct.pack("<I", 63)[:3] + struct.pack("<I", 47)[:3]
    header = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([8, 0, 0, 0]) + size
    body = header + data[12:] + b"EXIF" + struct.pack("<I", len(exif)) + exif
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize(
    ("orientation", "wanted"),
    [
        (1, [RED, GREEN, BLUE, GREY]),
        (2, [GREEN, RED, GREY, BLUE]),
        (3, [GREY, BLUE, GREEN, RED]),
        (5, [RED, BLUE, GREEN, GREY]),
        (6, [BLUE, RED, GREY, GREEN]),
        (8, [GREEN, GREY, RED, BLUE]),
    ],
)
def test_pictures_are_upright(
    tmp_path: Path, suffix: str, orientation: int, wanted: list[tuple[int, ...]]
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(with_orientation(suffix, orientation))
    pixels = read_image(path)
    assert pixels.shape == ((64, 48, 3) if orientation > 4 else (48, 64, 3))
    assert close(corners(pixels), wanted)


def test_grey_deep_and_transparent_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    cv2.imwrite(str(path), ramp)
    assert np.array_equal(read_image(path), np.stack([ramp] * 3, -1))
    cv2.imwrite(str(path), ramp.astype(np.uint16) * 257)
    assert np.array_equal(read_image(path), np.stack([ramp] * 3, -1))
    for suffix in (".png", ".webp"):
        path = tmp_path / f"a{suffix}"
        bgra = np.dstack([quarters()[..., ::-1], np.full((48, 64), 100, np.uint8)])
        path.write_bytes(cv2.imencode(suffix, bgra, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes())
        assert np.array_equal(read_image(path), quarters())


def test_bad_pictures(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.jpg").touch()
    names = ["text.png", "empty.jpg"]
    for suffix in (".png", ".jpg", ".webp"):
        write_image(tmp_path / f"whole{suffix}", pixels)
        data = (tmp_path / f"whole{suffix}").read_bytes()
        (tmp_path / f"cut{suffix}").write_bytes(data[: len(data) * 3 // 4])
        names.append(f"cut{suffix}")
    for name in names:
        with pytest.raises(UserError) as caught:
            read_image(tmp_path / name)
        sentence(caught, str(tmp_path / name), "not a picture")
    for path in (tmp_path / "missing.png", tmp_path):
        with pytest.raises(UserError) as caught:
            read_image(path)
        sentence(caught, str(path), "cannot be read")
    with pytest.raises(UserError) as caught:
        write_image(tmp_path / "a.tiff", pixels)
    sentence(caught, "a.tiff", ".png")
    assert not (tmp_path / "a.tiff").exists()
    assert not is_image(tmp_path / "a.mp4")
    silent(1, None)
