"""What can be told of a generator while it learns: against the truth, and without one."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from changeling.faces import Face, Identifier, Landmarker, centre
from changeling.faces.identity import Embeddings
from changeling.generators import Swaps
from changeling.measuring.flicker import Pasted, flicker
from changeling.measuring.mse import mse
from changeling.measuring.performance_error import performance_error
from changeling.measuring.psnr import psnr
from changeling.measuring.sharpness import sharpness
from changeling.measuring.spectrum import spectral_distance, spectrum
from changeling.measuring.ssim import ssim

Crops = NDArray[np.uint8]
"""(n, s, s, 3), RGB, aligned."""
Masks = NDArray[np.bool_]
"""(n, s, s)."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Consecutive aligned faces of one performance, and their true answer."""

    to: str
    """Whose face is put in, as the generator calls them."""
    own: str
    """Who performs, likewise."""
    faces: Crops
    answers: Crops
    inner: Masks
    """The inner face in the answers."""
    shown: Masks
    """The inner face in the faces."""
    learnt: Crops
    """Faces of `to` from which it was learnt."""


@dataclass(frozen=True)
class Truth:
    """Against the true answer; means over frames."""

    psnr: float
    ssim: float
    to_target: float
    """Cosine to the true face, by the identity network."""


@dataclass(frozen=True)
class Guess:
    """Without a true answer."""

    reconstruction: float
    """PSNR of the performer's own faces given back as themselves."""
    likeness: float
    """Cosine to the centre of the faces learnt, by the identity network."""
    leftover: float
    """Cosine to the performer's faces."""
    expression: float
    """Error of the expression (see `performance_error`)."""
    pose: float
    """Error of the pose in degrees."""
    detail: float
    """Sharpness as a share of the performance's."""
    flicker: float
    """Change that motion does not explain, as a multiple of the performance's own."""
    spectral: float
    """Decibels between the average spectra of what is drawn and of the faces learnt."""


def progress_of(swaps: Swaps, held_out: HeldOut, eyes: "Eyes") -> tuple[Truth, Guess]:
    """Ask a generator about a held-out performance. Its faces are consecutive frames."""
    given, back = (_swapped(swaps, held_out, to=person) for person in (held_out.to, held_out.own))
    seen, source, target, learnt = (
        eyes.identifier.embed(crops)
        for crops in (given, held_out.faces, held_out.answers, held_out.learnt)
    )
    true = [
        (psnr(mse(*three)), ssim(*three))
        for three in zip(given, held_out.answers, held_out.inner, strict=True)
    ]
    own = [psnr(mse(*three)) for three in zip(back, held_out.faces, held_out.shown, strict=True)]
    sharp = [sharpness(*three) for three in zip(given, held_out.faces, held_out.shown, strict=True)]
    errors = performance_error(eyes.faces(given), eyes.faces(held_out.faces))
    near = np.mean(true, axis=0)
    truth = Truth(float(near[0]), float(near[1]), _alike(seen, target))
    guess = Guess(
        reconstruction=float(np.mean(own)),
        likeness=_alike(seen, centre(learnt)[None]),
        leftover=_alike(seen, source),
        expression=errors.expression,
        pose=errors.pose,
        detail=float(np.mean(sharp)),
        flicker=flicker(map(Pasted, held_out.faces, given, held_out.shown)),
        spectral=spectral_distance(spectrum(given), spectrum(held_out.learnt)),
    )
    return truth, guess


@dataclass(frozen=True, eq=False)
class Eyes:
    """The networks that look."""

    identifier: Identifier
    landmarker: Landmarker

    @classmethod
    def load(cls) -> Self:
        """Those that ship."""
        return cls(Identifier.load(), Landmarker.load())

    def faces(self, crops: Crops) -> list[Face]:
        """What the landmark network sees in aligned crops."""
        step = 1 / crops.shape[1]
        matrix = np.array([[step, 0, step / 2], [0, step, step / 2]])
        return [self.landmarker.find(crop, matrix) for crop in crops]


def _swapped(swaps: Swaps, held_out: HeldOut, to: str) -> Crops:
    given = torch.from_numpy(held_out.faces).permute(0, 3, 1, 2).float().div(255)
    with torch.inference_mode():
        drawn = swaps.swap(given, to=to, of=held_out.own).faces.permute(0, 2, 3, 1)
    return drawn.clamp(0, 1).mul(255).round().byte().cpu().numpy()


def _alike(one: Embeddings, other: Embeddings) -> float:
    return float((one * other).sum(1).mean())
