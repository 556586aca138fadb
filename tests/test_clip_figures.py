"""What the figures of a clip say of the truth itself, of a blurred one, and of a trembling one."""

from dataclasses import astuple, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from changeling.errors import UserError
from changeling.generators.protocols import Swapped
from changeling.measuring import ClipFiles, Eyes, HeldOut, clip_figures, progress_of
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
    assert astuple(placed) == pytest.approx((0, 100, 1, 0, 0, 0, 0, 1, 1), abs=1e-5)
    assert astuple(figures.unaided) == pytest.approx((0, 0, 1, 0, 1, 1), abs=0.05)


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
    assert figures.bare.psnr < 20
    assert figures.placed.psnr < 40
    assert figures.unaided.detail < 0.85
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
    assert clip_figures(ClipFiles(film, swap, film), None, to="b").unaided.flicker > 1.5


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
