"""A face put on another's head: laws of its size and of its components."""

import numpy as np
import pytest
from painted import MEAN, somebody

from changeling.faces import face_model

STILL = np.zeros(50)


def test_the_mean_face_is_as_large_as_it_is() -> None:
    model = face_model()
    factor, components = model.normalised(model.mean)
    assert factor == pytest.approx(0, abs=1e-12) and np.abs(components).max() < 1e-9
    identity, larger = model.put_on(MEAN, MEAN)
    assert np.abs(identity).max() < 1e-9 and larger == pytest.approx(1)


@pytest.mark.parametrize("scale", [0.5, 1.3, 20.0])
def test_a_larger_shape_is_the_same_face(scale: float) -> None:
    model = face_model()
    shape = model.shape(somebody(1), STILL)
    one, other = model.normalised(shape), model.normalised(scale * shape)
    assert one[0] - other[0] == pytest.approx(np.log(scale))
    assert np.allclose(one[1], other[1], atol=1e-9)


def test_the_factor_makes_a_face_as_large_as_the_mean() -> None:
    model = face_model()
    shape, inner = model.shape(somebody(2), STILL), model.inner > 0
    factor, components = model.normalised(shape)
    scaled, mean = np.exp(factor) * shape[inner].ravel(), model.mean[inner].ravel()
    assert scaled @ scaled == pytest.approx(scaled @ mean)
    left = np.exp(factor) * shape - model.mean - np.tensordot(components, model.components, 1)
    assert np.linalg.norm(left) < 0.05 * np.linalg.norm(shape - model.mean)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_face_on_its_own_head_is_as_it_was(seed: int) -> None:
    model = face_model()
    identity, larger = model.put_on(somebody(seed), somebody(seed))
    shape = model.shape(somebody(seed), STILL)
    away = np.linalg.norm(larger * model.shape(identity, STILL) - shape)
    assert away < 0.02 * np.linalg.norm(shape - model.mean)


def test_what_is_exchanged_adds_up() -> None:
    model, a, b = face_model(), somebody(1), somebody(2)
    (log, own), (_, given) = (model.normalised(model.shape(x, STILL)) for x in (a, b))
    identity, larger = model.put_on(a, b)
    assert np.allclose(identity - given, (own - given) @ model.kept)
    assert np.log(larger) == pytest.approx(float((given - own) @ model.sizes) - log)
    assert 0 < np.linalg.norm(identity - given) < np.linalg.norm(own - given), "the head stays"


def test_a_woman_s_face_on_a_man_s_head_is_smaller_than_his() -> None:
    model = face_model()
    step = model.trait_steps[model.traits.index("gender")] / 2
    assert 2 * step @ model.sizes == pytest.approx(-0.034, abs=0.01)
    smaller, larger = model.put_on(-step, step)[1], model.put_on(step, -step)[1]
    assert 0.94 < smaller < 0.98 and 1.02 < larger < 1.06
    tall = []
    for own, given in ((-step, step), (step, -step)):
        identity, factor = model.put_on(own, given)
        shapes = model.shape(own, STILL), factor * model.shape(identity, STILL)
        tall.append([np.ptp(shape[model.inner > 0, 1]) for shape in shapes])
    assert tall[0][1] < 0.97 * tall[0][0] and tall[1][1] > 1.03 * tall[1][0]


def test_traits_are_steps_in_the_components() -> None:
    model = face_model()
    assert model.traits == ("age", "gender", "weight")
    assert model.trait_steps.shape == (3, 60) and model.sizes.shape == (60,)
    lengths = np.linalg.norm(model.trait_steps, axis=1)
    assert ((lengths > 0.5) & (lengths < 6)).all()
    wide = [
        np.ptp((model.shape(x * model.trait_steps[2], STILL))[model.inner > 0, 0]) for x in (-1, 1)
    ]
    assert wide[1] > wide[0], "a heavier face is wider"
