"""What the figures of a clip say of the truth itself, of a blurred one, and of a trembling one."""

from collections.abc import Iterator
from dataclasses import astuple, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from changeling.errors import UserError
from changeling.faces import Face
from changeling.generators.protocols import Swapped
from changeling.measuring import (
    ClipFiles,
    Eyes,
    HeldOut,
    Learnt,
    Sample,
    clip_figures,
    progress_of,
    read_samples,
)
from changeling.measuring.clip_instants import SIDE, cut_out, instants_of
from changeling.media import Frame, FrameWriter, Pixels, read_frames


class Mirror:
    """A generator that gives faces back as they are, or darker."""

    people = ("a", "b")
    size = 64

    def __init__(self, light: float = 1.0) -> None:
        self._light = light

    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        """The same faces."""
        return Swapped(self._light * faces, torch.ones_like(faces[:, :1]))


def written(path: Path, frames: list[Pixels]) -> Path:
    """A film of these frames."""
    height, width = frames[0].shape[:2]
    with FrameWriter(path, size=(width, height), rate=Fraction(25)) as writer:
        for index, pixels in enumerate(frames):
            writer.write(Frame(pixels, index, Fraction(index, 25)))
    return path


def frames_of(film: Path) -> list[Pixels]:
    """All frames."""
    return [frame.pixels for frame in read_frames(film)]


def test_the_truth_itself(film: Path) -> None:
    """Every figure is the one of a perfect swap."""
    figures = clip_figures(ClipFiles(film, film, film), Mirror(), to="b")
    assert figures.bare is not None
    assert astuple(figures.bare) == pytest.approx((0, 100, 1, 1, 1), abs=1e-4)
    # The performance is the truth here, so that there is no way between them to be left.
    placed = replace(figures.placed, gap=0.0)
    assert astuple(placed) == pytest.approx((0, 100, 1, 1, 0, 0, 0, 0, 1, 1), abs=1e-5)
    assert astuple(figures.unaided)[:6] == pytest.approx((0, 0, 1, 0, 1, 1), abs=0.05)
    assert (figures.unaided.to_target, figures.unaided.to_source) == (None, None)


def test_who_it_is_can_be_told_by_faces_learnt(film: Path) -> None:
    """Without a truth: the face in the film is like itself, and not like itself upside down."""
    files = ClipFiles(film, film, film)
    faces = np.stack([cut_out(one.performance, one.source) for one in instants_of(files, 1)])
    learnt = Learnt(target=faces, source=np.ascontiguousarray(faces[:, ::-1]))
    unaided = clip_figures(files, None, to="b", learnt=learnt).unaided
    assert unaided.to_target == pytest.approx(1, abs=0.05)
    assert unaided.to_source is not None
    assert unaided.to_source < 0.7


def test_what_cannot_be_measured_is_none(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A face without a border, without neighbours inside it, or whose true part is elsewhere."""
    grey = np.full((SIDE, SIDE), 0.6, np.float32)  # neither inside nor outside: all blended
    monkeypatch.setattr(Face, "mask", lambda self, size: grey)
    assert clip_figures(ClipFiles(film, film, film), None, to="b").unaided.border is None
    monkeypatch.setattr(Face, "mask", lambda self, size: np.zeros_like(grey))
    nowhere = np.zeros((120, 160), np.bool_)
    nowhere[0, 0] = True

    def elsewhere(*paths: Path) -> Iterator[Sample]:
        for index, one in enumerate(read_samples(*paths)):
            yield replace(one, inner=nowhere if index < 4 else nowhere & False)

    monkeypatch.setattr("changeling.measuring.clip_instants.read_samples", elsewhere)
    figures = clip_figures(ClipFiles(film, film, film), Mirror(), to="b")
    assert figures.unaided.detail is None
    assert figures.bare is not None
    assert set(astuple(figures.bare)) == {None}
    assert (figures.placed.mse, figures.placed.msssim, figures.placed.gap) == (0, None, None)


@pytest.mark.parametrize(("hidden", "steady"), [(3, 1.0), (5, None)])
def test_flicker_begins_where_the_face_does(
    film: Path, monkeypatch: pytest.MonkeyPatch, hidden: int, steady: float | None
) -> None:
    """And one frame with a face has none."""

    def late(*paths: Path) -> Iterator[Sample]:
        for index, one in enumerate(read_samples(*paths)):
            yield replace(one, inner=one.inner & (index >= hidden))

    monkeypatch.setattr("changeling.measuring.clip.read_samples", late)
    monkeypatch.setattr("changeling.measuring.clip._STEADY", 3)
    assert clip_figures(ClipFiles(film, film, film), None, to="b").unaided.flicker == steady


def test_a_swap_without_a_network_has_no_bare_face(film: Path) -> None:
    """The finished film is measured all the same."""
    figures = clip_figures(ClipFiles(film, film, film), None, to="b")
    assert figures.bare is None
    assert figures.placed.psnr == 100


def test_what_is_blurred_is_further_away_and_less_sharp(film: Path, tmp_path: Path) -> None:
    """And it still is the same face with the same expression."""
    blurred = [cv2.GaussianBlur(pixels, (0, 0), 1.2) for pixels in frames_of(film)]
    swap = written(tmp_path / "blurred.mp4", blurred)
    figures = clip_figures(ClipFiles(film, swap, film), Mirror(0.5), to="b")
    assert figures.bare is not None
    assert figures.bare.psnr and figures.bare.psnr < 20
    assert figures.placed.psnr < 40
    assert figures.unaided.detail and figures.unaided.detail < 0.85
    assert figures.unaided.found == 1
    assert figures.placed.to_target is not None
    assert 0.3 < figures.placed.to_target < 1


def test_what_trembles_flickers(film: Path, tmp_path: Path) -> None:
    """Noise of each frame's own is change that motion does not explain."""
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(pixels + rng.normal(0, 12, pixels.shape), 0, 255).astype(np.uint8)
        for pixels in frames_of(film)
    ]
    swap = written(tmp_path / "noisy.mp4", noisy)
    flicker = clip_figures(ClipFiles(film, swap, film), None, to="b").unaided.flicker
    assert flicker and flicker > 1.5


def test_films_that_do_not_fit_are_named(film: Path, tmp_path: Path) -> None:
    """A swap that ends early, and films without a face."""
    short = written(tmp_path / "short.mp4", frames_of(film)[:4])
    with pytest.raises(UserError, match=r"short\.mp4 is not as long as .*a\.mp4: swap it again"):
        clip_figures(ClipFiles(film, short, film), None, to="b")
    black = written(tmp_path / "black.mp4", [np.zeros((120, 160, 3), np.uint8)] * 6)
    with pytest.raises(UserError, match=r"no frame of .*black\.mp4 and .*shows a face in both"):
        clip_figures(ClipFiles(black, film, film), None, to="b")


def test_a_perfect_generator_while_it_learns(film: Path) -> None:
    """Truth and guess of a generator that gives the true faces."""
    frames = np.stack([pixels[20:84, 48:112] for pixels in frames_of(film)])
    whole = np.ones(frames.shape[:3], np.bool_)
    held_out = HeldOut("b", "a", frames, frames, whole, whole, frames)
    truth, guess = progress_of(Mirror(), held_out, Eyes.load())
    assert astuple(truth) == pytest.approx((100, 1, 1), abs=1e-5)
    assert guess.reconstruction == 100
    assert (guess.leftover, guess.expression, guess.pose) == pytest.approx((1, 0, 0), abs=0.05)
    assert (guess.detail, guess.flicker, guess.spectral) == pytest.approx((1, 1, 0), abs=1e-5)
    darker = progress_of(Mirror(0.7), held_out, Eyes.load())
    assert darker[0].psnr < 30
    assert darker[1].reconstruction == darker[0].psnr
