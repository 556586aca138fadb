"""Who an actor is: a face and a styling, each drawn from a seed of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from changeling.actors.hair import STYLES
from changeling.actors.model import model

ADULT_AGE = 0.70
"""The smallest `age` phenotype of an actor; anny calls 1/3 a child and 2/3 young."""

FACE_WORDS = ("cheek", "chin", "eye", "forehead", "mouth", "nose")
STYLING_WORDS = ("head-", "neck", "ear-")

HAIR_COLOURS = (
    (0.018, 0.013, 0.010),
    (0.055, 0.030, 0.018),
    (0.115, 0.062, 0.032),
    (0.300, 0.180, 0.080),
    (0.220, 0.065, 0.022),
    (0.330, 0.320, 0.310),
    (0.480, 0.340, 0.170),
)
IRIS_COLOURS = (
    (0.16, 0.28, 0.42),
    (0.20, 0.30, 0.16),
    (0.24, 0.13, 0.05),
    (0.10, 0.05, 0.025),
    (0.30, 0.32, 0.33),
)

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Actor:
    """An actor: the seed of the face and the seed of the styling (hair, neck, shirt, glasses)."""

    face: int
    styling: int


@dataclass(frozen=True)
class FaceTraits:
    """What the seed of a face decides; colours are linear RGB."""

    seed: int
    phenotypes: tuple[tuple[str, float], ...]
    changes: tuple[tuple[str, float], ...]
    melanin: float
    haemoglobin: float
    freckles: float
    redness: float
    iris: Colour
    brow_colour: Colour
    brow_thickness: float
    brow_arch: float
    stubble: float
    lip_colour: float
    gloss: float


@dataclass(frozen=True)
class StylingTraits:
    """What the seed of a styling decides; colours are linear RGB."""

    seed: int
    phenotypes: tuple[tuple[str, float], ...]
    """Of neck and shoulders, and of the skull that the face is fitted to."""
    changes: tuple[tuple[str, float], ...]
    style: str
    hair_colour: Colour
    shirt_colour: Colour
    shirt_second: Colour
    shirt_pattern: int
    collar: float
    glasses: bool
    frame_colour: Colour
    frame_round: float


def face_traits(seed: int) -> FaceTraits:
    """The face of a seed: always an adult, nearly symmetric, with a skin from two pigments."""
    r = np.random.default_rng([seed, 1])
    gender = float(r.beta(0.4, 0.4))  # of the body model: 0 is male, 1 female
    phenotypes = {
        "gender": gender,
        "age": float(r.uniform(ADULT_AGE, 0.92)),
        "muscle": float(r.uniform(0.35, 0.65)),
        "weight": float(r.uniform(0.38, 0.70)),
        "height": 0.5,
        "proportions": 0.5,
    }
    melanin = float(r.beta(1.1, 1.5))
    dark = melanin > 0.45
    colour = HAIR_COLOURS[int(r.integers(2 if dark else len(HAIR_COLOURS)))]
    return FaceTraits(
        seed=seed,
        phenotypes=tuple(phenotypes.items()),
        changes=_changes(r, FACE_WORDS, 0.27),
        melanin=melanin,
        haemoglobin=float(r.uniform(0.35, 0.8)),
        freckles=float(r.random() ** 3 * (1 - melanin)),
        redness=float(r.uniform(0.3, 1.0)),
        iris=IRIS_COLOURS[int(r.choice((2, 3)) if dark else r.integers(len(IRIS_COLOURS)))],
        brow_colour=_scaled(colour, float(r.uniform(0.5, 0.8))),
        brow_thickness=float(r.uniform(0.8, 1.25) * (1.3 - 0.4 * gender)),
        brow_arch=float(r.uniform(0.0, 1.0)),
        stubble=float(r.random() ** 1.5 * (gender < 0.4)),
        lip_colour=float(r.uniform(0.3, 1.0)),
        gloss=float(r.uniform(0.6, 1.2)),
    )


def styling_traits(seed: int) -> StylingTraits:
    """The styling of a seed: hair, neck and head size, shirt, and glasses on one in five."""
    r = np.random.default_rng([seed, 2])
    colour = HAIR_COLOURS[int(r.integers(len(HAIR_COLOURS)))]
    return StylingTraits(
        seed=seed,
        phenotypes=_build(np.random.default_rng([seed, 7])),
        changes=_changes(r, STYLING_WORDS, 0.15),
        style=tuple(STYLES)[int(r.integers(len(STYLES)))],
        hair_colour=_scaled(colour, float(r.uniform(0.8, 1.25))),
        shirt_colour=_colour(r),
        shirt_second=_colour(r),
        shirt_pattern=int(r.integers(4)),
        collar=float(r.uniform(0.0, 1.0)),
        glasses=bool(r.random() < 0.2),
        frame_colour=_scaled(_colour(r), 0.25),
        frame_round=float(r.uniform(0.0, 1.0)),
    )


def _build(r: np.random.Generator) -> tuple[tuple[str, float], ...]:
    """Phenotypes of the body below the face."""
    build = {name: 0.5 for name in ("height", "proportions")}
    build |= {"age": 0.8, "gender": float(r.uniform(0.2, 0.8))}
    build |= {"muscle": float(r.uniform(0.35, 0.65)), "weight": float(r.uniform(0.4, 0.65))}
    return tuple(build.items())


def _changes(
    r: np.random.Generator, words: tuple[str, ...], spread: float
) -> tuple[tuple[str, float], ...]:
    """Random local changes, the same on both sides but for a small asymmetry."""
    both: dict[str, float] = {}
    out = []
    for label in _labels(words):
        root = label[2:] if label[:2] in ("l-", "r-") else label
        if root not in both:
            lopsided = "trans-out" in root or "angle-out" in root
            both[root] = min(max(r.normal() * spread, -0.8), 0.8) * (0.12 if lopsided else 1)
        out.append((label, min(max(both[root] + 0.03 * r.normal(), -1.0), 1.0)))
    return tuple(out)


@lru_cache(maxsize=2)
def _labels(words: tuple[str, ...]) -> tuple[str, ...]:
    ours = tuple(n for n in model().local_changes if any(word in n for word in words))
    if words == STYLING_WORDS:
        return tuple(n for n in ours if "forehead" not in n and "head-age" not in n)
    return tuple(n for n in ours if "eyebrows-trans-forward" not in n)


def _colour(r: np.random.Generator) -> Colour:
    value, grey = r.uniform(0.03, 0.5), r.uniform(0.2, 0.9)
    rgb = value * (grey + (1 - grey) * r.random(3) * 2)
    return (float(rgb[0]), float(rgb[1]), float(rgb[2]))


def _scaled(colour: Colour, factor: float) -> Colour:
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)
