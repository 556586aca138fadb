"""How large a face is on another's head: laws of the model's size, and how it was learnt."""

import numpy as np
import pytest
from painted import MEAN, somebody

from changeling.faces import face_model
from changeling.faces.morphable import Floats

STILL = np.zeros(50)


def size_of(identity: Floats) -> float:
    """Logarithm of how large a face of this shape is beside the mean face, as it is drawn."""
    model = face_model()
    inner = model.inner > 0
    own, mean = model.shape(identity, STILL)[inner].ravel(), model.mean[inner].ravel()
    return float(np.log(own @ own / (own @ mean))) + model.largeness(identity)


def test_the_mean_face_is_as_large_as_it_is() -> None:
    model = face_model()
    factor, components = model.normalised(model.mean)
    assert factor == pytest.approx(0, abs=1e-12) and np.abs(components).max() < 1e-9
    assert model.largeness(MEAN) == pytest.approx(0, abs=1e-12)


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


def test_largeness_is_what_the_shape_tells_beside_what_the_model_makes_it() -> None:
    model = face_model()
    for seed in range(4):
        _, components = model.normalised(model.shape(somebody(seed), STILL))
        assert size_of(somebody(seed)) == pytest.approx(float(model.sizes @ components))


def test_a_woman_s_mean_face_is_smaller_than_a_man_s() -> None:
    model = face_model()
    step = model.trait_steps[model.traits.index("gender")] / 2
    man, woman = sorted((step, -step), key=size_of, reverse=True)
    assert 0.04 < size_of(man) - size_of(woman) < 0.09
    jaws = [np.ptp(model.shape(one, STILL)[model.inner > 0, 1]) for one in (man, woman)]
    assert jaws[0] > 1.03 * jaws[1], "and shorter"
    assert np.array_equal(man, -step), "1 is a woman"


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
