"""Actors are adults drawn from two independent seeds, and the same seeds give the same bytes."""

import os
from dataclasses import fields
from statistics import mean

import cast
import cv2
import numpy as np
import pytest
import warp as wp
from cast import ACTOR, OTHER, performance, shots
from numpy.typing import NDArray

from changeling.actors import Actor, Segment, Shot, device, render
from changeling.actors.actor import ADULT_AGE, FaceTraits, face_traits, styling_traits
from changeling.actors.background import paint
from changeling.actors.body import Body, build, resting
from changeling.actors.camera import srgb_curve
from changeling.actors.landmarks import landmark_vertices
from changeling.actors.model import Floats
from changeling.errors import UserError

SWAP = Actor(OTHER.face, ACTOR.styling)
"""The true answer of a swap: the other's face, the actor's styling."""
RESTYLED = Actor(ACTOR.face, OTHER.styling)


@pytest.fixture(scope="module")
def faces() -> list[FaceTraits]:
    return [face_traits(seed) for seed in range(2000)]


def test_every_face_is_an_adult(faces: list[FaceTraits]) -> None:
    assert ADULT_AGE == 0.70
    assert min(dict(face.phenotypes)["age"] for face in faces) >= 0.70


def test_faces_are_symmetric_but_for_a_little(faces: list[FaceTraits]) -> None:
    differences = []
    for face in faces[:300]:
        changes = dict(face.changes)
        pairs = [(name, "r-" + name[2:]) for name in changes if name.startswith("l-")]
        assert len(pairs) >= 20
        differences += [abs(changes[left] - changes[right]) for left, right in pairs]
    assert 0.01 < mean(differences) < 0.05
    assert max(differences) < 0.25


def test_face_and_styling_do_not_know_each_other() -> None:
    """The same face under two stylings is the same face: what differs is head, neck and ears."""
    one, two = build(ACTOR), build(RESTYLED)
    assert one.face == two.face
    assert one.styling == build(SWAP).styling != two.styling
    assert {name for name, _ in one.face.changes}.isdisjoint(
        name for name, _ in two.styling.changes
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_styling_moves_the_face_less_than_another_face_does(seed: int) -> None:
    here = features(3, seed)
    by_styling = np.linalg.norm(features(3, seed + 7) - here, axis=1).mean()
    by_face = np.linalg.norm(features(20 + seed, seed) - here, axis=1).mean()
    assert by_styling < 0.003
    assert by_face > 1.5 * by_styling


def features(face: int, styling: int) -> Floats:
    """The 51 landmarks of brows, eyes, nose and mouth in rest, metres from between the eyes."""
    rest = resting(face_traits(face), styling_traits(styling))
    return np.asarray(rest[landmark_vertices()[17:68]])


def test_stylings_are_many() -> None:
    stylings = [styling_traits(seed) for seed in range(200)]
    assert len({styling.style for styling in stylings}) >= 6
    tints = {tuple(np.round(np.divide(s.hair_colour, sum(s.hair_colour)), 3)) for s in stylings}
    assert len(tints) >= 6
    assert 0.1 < mean(styling.glasses for styling in stylings) < 0.3
    assert {styling.shirt_pattern for styling in stylings} == {0, 1, 2, 3}


def test_the_same_seeds_give_the_same_body() -> None:
    bodies = build(ACTOR), build.__wrapped__(ACTOR)
    assert bodies[0] is not bodies[1]
    for field in fields(Body):
        one, two = (getattr(body, field.name) for body in bodies)
        one, two = (x if isinstance(x, tuple) else (x,) for x in (one, two))
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True)), field.name


def test_the_same_seeds_give_the_same_bytes_in_any_order() -> None:
    backwards = render(ACTOR, performance(), size=(160, 120), frames=cast.FRAMES[::-1])
    for one, two in zip(shots(), reversed(list(backwards)), strict=True):
        assert one.frame.index == two.frame.index
        assert one.frame.time == two.frame.time == one.frame.index / performance().rate
        assert one.frame.pixels.tobytes() == two.frame.pixels.tobytes()
        for field in fields(one.truth):
            a, b = getattr(one.truth, field.name), getattr(two.truth, field.name)
            assert a.dtype == b.dtype and a.tobytes() == b.tobytes(), field.name


def test_a_swap_keeps_hair_shirt_and_all_that_is_not_the_actor() -> None:
    for a, swap, restyled in zip(shots(), shots(SWAP), shots(RESTYLED), strict=True):
        for name in ("rotation", "actions", "camera"):
            assert np.array_equal(getattr(a.truth, name), getattr(swap.truth, name))
        behind = np.isinf(a.truth.depth) & np.isinf(swap.truth.depth)
        assert behind.mean() > 0.3
        assert np.array_equal(a.frame.pixels[behind], swap.frame.pixels[behind])
        for segment in (Segment.HAIR, Segment.CLOTHES):
            kept = np.abs(colour(a, segment) - colour(swap, segment)).max()
            changed = np.abs(colour(a, segment) - colour(restyled, segment)).max()
            assert kept < 8 < 16 < changed, segment
        assert np.abs(colour(a, Segment.FACE) - colour(swap, Segment.FACE)).max() > 8


def colour(shot: Shot, segment: Segment) -> NDArray[np.float64]:
    """Mean RGB of a segment."""
    return np.asarray(shot.frame.pixels[shot.truth.segmentation == segment].mean(0))


def test_edges_are_antialiased() -> None:
    """A pixel half in front of the background has neither its colour nor the actor's."""
    for shot in shots():
        p, index = performance(), shot.frame.index
        linear = paint(p.seed, int(p.take[index]), (160, 120))
        background = srgb_curve()[(np.sqrt(linear) * 4095 + 0.5).astype(int)].astype(int)
        far = np.isinf(shot.truth.depth)
        assert np.array_equal(shot.frame.pixels[far], background[far])
        half = ~far & (shot.truth.segmentation == Segment.BACKGROUND)
        assert half.sum() > 40
        assert (np.abs(shot.frame.pixels - background)[half].max(1) > 0).mean() > 0.9


def test_a_larger_picture_shows_the_same() -> None:
    small, large = (shots(ACTOR, (edge, edge), (40,))[0] for edge in (128, 256))
    shrunk = cv2.resize(large.frame.pixels, (128, 128), interpolation=cv2.INTER_AREA)
    error = np.mean((shrunk.astype(float) - small.frame.pixels) ** 2)
    assert 10 * np.log10(255**2 / error) > 30
    assert large.truth.landmarks == pytest.approx(2 * small.truth.landmarks + 0.5, abs=0.01)


def test_a_picture_can_be_too_small() -> None:
    with pytest.raises(UserError, match="15x120 is too small: give --size at least 16x16"):
        next(render(ACTOR, performance(), size=(15, 120)))


def test_warp_starts_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    complaint = b"Warp CUDA warning: " + device.NO_DRIVER + b". No GPU.\n"
    monkeypatch.setattr(wp, "init", lambda: os.write(2, complaint + b"bad news\n"))
    device.start.__wrapped__()
    assert wp.config.log_level == wp.LOG_ERROR
    assert capfd.readouterr() == ("", "bad news\n")
