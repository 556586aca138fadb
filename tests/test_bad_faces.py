"""Pictures that are hard on the eyes: each gives a clear result or one clear sentence.

What is asked holds for any landmark network that finds the actor of the film at all.
"""

import tracemalloc
from datetime import date
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from colours import Whitened
from drawn import face_points

from changeling.converting import How, convert_frame
from changeling.errors import UserError
from changeling.faces import Face, FaceSet, Tracker, crop, extract
from changeling.faces.extracting import take_faces
from changeling.media import Frame, FrameWriter, Pixels, read_frames, read_image, write_image
from changeling.provenance import Consent, write_consent

TODAY = date(2026, 6, 1)
NOBODY = (
    r"no face was found in .*\.(png|mp4) \(\d+ frames looked at\); give a source that shows one"
)


@pytest.fixture(scope="module")
def portrait(film: Path) -> Pixels:
    """A rendered actor, 320×240, and the face is found."""
    first = next(read_frames(film)).pixels
    return np.asarray(cv2.resize(first, (320, 240), interpolation=cv2.INTER_CUBIC))


@pytest.fixture(scope="module")
def face(portrait: Pixels) -> Face:
    (found,) = Tracker().find(portrait)
    return found


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def taken(source: Path) -> FaceSet:
    consent = source.with_suffix(".toml")
    write_consent(consent, Consent("dataset", licence="CC0", purpose="a test"), overwrite=True)
    out = source.with_name(f"{source.stem} set")
    return extract(source, out, today=TODAY, size=32, consent=consent)


def of_picture(folder: Path, pixels: Pixels) -> FaceSet:
    write_image(folder / "a.png", pixels)
    return taken(folder / "a.png")


def middle(face: Face) -> tuple[float, float]:
    x, y, width, height = face.box
    return x + width / 2, y + height / 2


@pytest.mark.parametrize("kind", ["black", "white", "noise", "one pixel", "a line"])
def test_no_face_is_one_sentence(kind: str, tmp_path: Path) -> None:
    pixels = {
        "black": np.zeros((240, 320, 3), np.uint8),
        "white": np.full((240, 320, 3), 255, np.uint8),
        "noise": np.random.default_rng(1).integers(0, 256, (240, 320, 3), dtype=np.uint8),
        "one pixel": np.zeros((1, 1, 3), np.uint8),
        "a line": np.zeros((1, 4000, 3), np.uint8),
    }[kind]
    with pytest.raises(UserError, match=NOBODY):
        of_picture(tmp_path, pixels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.toml"]


def test_twenty_faces_are_all_taken(tmp_path: Path, portrait: Pixels, face: Face) -> None:
    x, y = (int(value) for value in middle(face))
    reach = int(face.box[2] * 0.8)
    head = resized(portrait[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach], 120, 120)
    write_image(tmp_path / "a.png", np.tile(head, (4, 5, 1)))
    empty = taken(tmp_path / "a.png")
    assert (len(empty), empty.people) == (1, 20)
    every = take_faces(empty, tmp_path / "a.png", 1, lambda done, total: None)
    assert len(every.tracks) == 20
    assert {
        (int(one.box[0] + one.box[2] / 2) // 120, int(one.box[1] + one.box[3] / 2) // 120)
        for one in every.faces.faces
    } == {(column, row) for column in range(5) for row in range(4)}
    assert every.faces.masks().shape == (20, 32, 32)


def test_a_face_that_leaves_the_frame_is_followed_or_lost(portrait: Pixels, face: Face) -> None:
    """It never jumps elsewhere, and what is cut out of the frame's edge has the crop's size."""
    tracker, wide = Tracker(), cv2.copyMakeBorder(portrait, 0, 0, 0, 320, cv2.BORDER_REPLICATE)
    seen = 0
    for shift in range(0, int(face.box[0] + face.box[2]), 10):
        pixels = np.ascontiguousarray(wide[:, shift : shift + 320])
        for found in tracker.find(pixels):
            seen += 1
            assert abs(middle(found)[0] - (middle(face)[0] - shift)) < face.box[2] / 2
            assert crop(pixels, found.matrix, 32).shape == (32, 32, 3)
            assert 0 <= found.mask(32).min() <= found.mask(32).max() <= 1
    assert seen >= 3


@pytest.mark.parametrize("place", [(-20, 100), (290, 100), (140, -25), (140, 215), (-500, -500)])
def test_a_face_cut_by_the_frame_is_cropped_and_pasted(
    portrait: Pixels, place: tuple[int, int]
) -> None:
    face = Face.from_landmarks(face_points() * 60 + place)
    assert crop(portrait, face.matrix, 64).shape == (64, 64, 3)
    done = convert_frame(portrait, [face], Whitened(), to="b", how=How(feather=0))
    assert done.faces == int(place[0] > -500)
    assert (done.area > 0).sum() < 60 * 60 * 0.75
    untouched = done.area == 0
    assert np.array_equal(done.pixels[untouched], portrait[untouched])
    assert (done.area.max() > 0.9) == (place[0] > -500)


def test_a_face_of_12_pixels_is_too_small_and_that_is_said(
    tmp_path: Path, portrait: Pixels, face: Face
) -> None:
    scale = 12 / face.box[2]
    canvas = np.full((240, 320, 3), 128, np.uint8)
    tiny = resized(portrait, round(320 * scale), round(240 * scale))
    canvas[90 : 90 + len(tiny), 120 : 120 + tiny.shape[1]] = tiny
    with pytest.raises(UserError, match=r"at least an eighth of the picture high\.$"):
        of_picture(tmp_path, canvas)
    with pytest.raises(UserError, match=NOBODY):
        of_picture(tmp_path, tiny)


def test_a_grey_and_a_transparent_picture_are_seen_as_the_coloured_one(
    tmp_path: Path, portrait: Pixels, face: Face
) -> None:
    bgr = cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR)
    grey = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)
    alpha = np.dstack([bgr, np.random.default_rng(1).integers(0, 256, grey.shape, np.uint8)])
    found = {}
    for name, stored in (("grey", grey), ("alpha", alpha), ("deep", grey.astype(np.uint16) * 257)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), stored)
        pixels = read_image(tmp_path / f"{name}.png")
        assert pixels.shape == portrait.shape
        (found[name],) = Tracker().find(pixels)
    assert np.array_equal(found["alpha"].landmarks, face.landmarks)
    assert np.array_equal(found["grey"].landmarks, found["deep"].landmarks)
    off = np.linalg.norm(found["grey"].landmarks - face.landmarks, axis=1).mean()
    assert off < 0.05 * face.box[2]


def test_a_video_of_one_frame_gives_one_face(tmp_path: Path, portrait: Pixels) -> None:
    for name, pixels in (("a.mp4", portrait), ("black.mp4", np.zeros_like(portrait))):
        with FrameWriter(tmp_path / name, size=(320, 240), rate=Fraction(25)) as writer:
            writer.write(Frame(pixels, 0, Fraction(0)))
    faces = taken(tmp_path / "a.mp4")
    assert (len(faces), faces.frames, faces.people) == (1, 1, 1)
    assert faces.pixels().shape == (1, 44, 44, 3)
    with pytest.raises(UserError, match=NOBODY):
        taken(tmp_path / "black.mp4")


def test_a_4k_frame_is_seen_in_little_memory(portrait: Pixels, face: Face) -> None:
    """One grey copy of the frame, and what does not grow with it."""
    wide = cv2.copyMakeBorder(portrait, 0, 0, 53, 53, cv2.BORDER_REPLICATE)
    frame = np.asarray(cv2.resize(wide, (3840, 2160), interpolation=cv2.INTER_LINEAR), np.uint8)
    tracker = Tracker()
    tracker.find(portrait)
    tracemalloc.start()
    try:
        for _ in range(3):
            (found,) = tracker.find(frame)
            crop(frame, found.matrix, 64)
            found.mask(64)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * 3840 * 2160
    scale = 2160 / 240
    assert abs(found.box[2] / scale - face.box[2]) < 0.15 * face.box[2]
    assert abs(middle(found)[0] / scale - 53 - middle(face)[0]) < 0.15 * face.box[2]
