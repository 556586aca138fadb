"""Any video is read upright, in true colours, at its true times, and whole or not at all."""

import weakref
from fractions import Fraction
from pathlib import Path

import pytest
from av.video.reformatter import Colorspace
from recordings import (
    BLUE,
    GREEN,
    GREY,
    RATE,
    RED,
    close,
    corners,
    foreign,
    quarters,
    sentence,
    smooth,
    times,
    wave,
    write,
)

from changeling.errors import UserError
from changeling.media import probe, read_frames


@pytest.mark.parametrize(
    ("matrix", "pix_fmt", "tagged", "lines"),
    [
        (Colorspace.ITU601, "yuv420p", True, 48),
        (Colorspace.ITU709, "yuv420p", True, 48),
        (Colorspace.ITU601, "yuvj420p", True, 48),
        (Colorspace.ITU709, "yuv444p10le", True, 48),
        (Colorspace.ITU601, "yuv420p", False, 576),
        (Colorspace.ITU709, "yuv420p", False, 578),
    ],
)
def test_colours_follow_matrix_and_range(
    tmp_path: Path, matrix: Colorspace, pix_fmt: str, tagged: bool, lines: int
) -> None:
    path = foreign(
        tmp_path / "a.mp4",
        pixels=quarters((64, lines)),
        matrix=matrix,
        pix_fmt=pix_fmt,
        tagged=tagged,
        count=1,
    )
    assert close(corners(next(read_frames(path)).pixels), [RED, GREEN, BLUE, GREY])


ONE = 1 << 16
UPRIGHT = {  # a, b, c, d of x' = ax + cy, y' = bx + dy, and the corners that a player shows
    (ONE, 0, 0, ONE): [RED, GREEN, BLUE, GREY],
    (0, ONE, -ONE, 0): [BLUE, RED, GREY, GREEN],  # a quarter clockwise, as phones write
    (-ONE, 0, 0, -ONE): [GREY, BLUE, GREEN, RED],
    (0, -ONE, ONE, 0): [GREEN, GREY, RED, BLUE],
    (-ONE, 0, 0, ONE): [GREEN, RED, GREY, BLUE],
    (0, ONE, ONE, 0): [RED, BLUE, GREEN, GREY],
}


@pytest.mark.parametrize(("turn", "wanted"), UPRIGHT.items())
def test_frames_are_upright(
    tmp_path: Path, turn: tuple[int, int, int, int], wanted: list[tuple[int, ...]]
) -> None:
    a, b, c, d = turn
    path = foreign(tmp_path / "a.mp4", display=(a, b, 0, c, d, 0, 0, 0, 1 << 30), count=3)
    frames, video = list(read_frames(path)), probe(path)
    size = (48, 64) if b else (64, 48)
    assert len(frames) == 3
    assert (video.width, video.height) == size
    assert frames[2].pixels.shape == (size[1], size[0], 3)
    assert frames[2].pixels.flags.c_contiguous
    assert close(corners(frames[2].pixels), wanted)


def test_pixels_are_made_square(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.mp4", shape=Fraction(4, 3))
    assert (probe(path).width, probe(path).height) == (85, 48)
    assert close(corners(next(read_frames(path)).pixels), [RED, GREEN, BLUE, GREY])


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "libx264"), ("a.ts", "libx264"), ("a.webm", "libvpx"), ("a.h264", "libx264")],
)
def test_other_containers(tmp_path: Path, name: str, codec: str) -> None:
    path = foreign(tmp_path / name, codec=codec)
    assert times(path) == [i / RATE for i in range(10)]
    assert probe(path).rate == RATE


def test_a_recording_may_start_amid_a_group_of_pictures(tmp_path: Path) -> None:
    data = foreign(tmp_path / "a.ts", count=40).read_bytes()
    path = tmp_path / "late.ts"
    path.write_bytes(data[len(data) // 188 // 3 * 188 :])
    found = times(path)
    assert 10 <= len(found) < 30
    assert found == [found[0] + i / RATE for i in range(len(found))]


def test_a_name_with_a_colon_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(times(write(Path("12:30.mp4"), smooth(2)))) == 2


def test_frames_are_not_kept(tmp_path: Path) -> None:
    frames = read_frames(write(tmp_path / "a.mp4", smooth(5)))
    first = weakref.ref(next(frames))
    next(frames)
    assert first() is None
    frames.close()  # type: ignore[attr-defined]


def test_only_the_wanted_frames_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", smooth(6))
    every = list(read_frames(path))
    for wanted in ({1, 4}, [3], range(2)):
        some = list(read_frames(path, wanted))
        assert [frame.index for frame in some] == sorted(wanted)
        for frame in some:
            assert (frame.pixels == every[frame.index].pixels).all()
            assert frame.time == every[frame.index].time
    assert list(read_frames(path, {9})) == []


def test_what_is_not_a_video(tmp_path: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "notes.txt").write_text("a text, which FFmpeg would draw\n" * 40)
    cases = {
        "noise.mp4": "not a video",
        "empty.mp4": "not a video",
        "notes.txt": "no pictures",
        "missing.mp4": "cannot be read",
        ".": "cannot be read",
    }
    for name, reason in cases.items():
        for use in (probe, lambda path: list(read_frames(path))):
            with pytest.raises(UserError) as caught:
                use(tmp_path / name)
            sentence(caught, str(tmp_path / name), reason)


def test_sound_alone_is_not_a_video(tmp_path: Path) -> None:
    path = wave(tmp_path / "a.wav", seconds=1)
    with pytest.raises(UserError) as caught:
        probe(path)
    sentence(caught, str(path), "no pictures")


@pytest.mark.parametrize("beyond", [0, 200])
def test_a_video_without_its_index(tmp_path: Path, beyond: int) -> None:
    data = write(tmp_path / "a.mp4", smooth(5)).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: data.index(b"moov") + beyond])
    with pytest.raises(UserError) as caught:
        next(read_frames(path))
    sentence(caught, str(path), "cut off")


def test_a_video_whose_pictures_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "header.mp4"
    data = foreign(path, movflags="empty_moov+frag_keyframe").read_bytes()
    path.write_bytes(data[: data.index(b"moof") - 4])
    for use in (probe, lambda path: list(read_frames(path))):
        with pytest.raises(UserError) as caught:
            use(path)
        sentence(caught, str(path), "first 0 frames")


@pytest.mark.parametrize("kept", [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99])
def test_a_cut_video_tells_how_much_could_be_read(tmp_path: Path, kept: float) -> None:
    data = write(tmp_path / "a.mp4", smooth(40, (128, 96))).read_bytes()
    path, start = tmp_path / "cut.mp4", data.index(b"mdat")
    path.write_bytes(data[: start + int((len(data) - start) * kept)])
    read = []
    with pytest.raises(UserError) as caught:
        for frame in read_frames(path):
            read.append(frame)
    sentence(caught, str(path), f"only its first {len(read)} frames")
    assert 0 < len(read) < 40
