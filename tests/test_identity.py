"""Who it is: the network, how it learns, and the embeddings at work."""

import sys
from pathlib import Path
from subprocess import run

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from changeling.errors import UserError
from changeling.faces.identity import (
    LENGTH,
    SIZE,
    WEIGHTS,
    Identifier,
    IdentityBatch,
    IdentityLearner,
    IdentityNet,
    centre,
    likeness,
    margin_loss,
    oval,
)
from changeling.faces.weights import write_weights
from changeling.training import load_state, save_state

RNG = np.random.default_rng(4)

pytestmark = pytest.mark.usefixtures("one_thread")


def batch(n: int = 8, people: int = 5, seed: int = 0) -> IdentityBatch:
    rng = torch.Generator().manual_seed(seed)
    crops = torch.rand(n, 3, SIZE, SIZE, generator=rng)
    return IdentityBatch(crops, torch.arange(n) % people)


def learner(seed: int = 0) -> IdentityLearner:
    torch.manual_seed(seed)
    return IdentityLearner(torch.eye(5), warm_up=2)


def flat(state: object) -> list[torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return [state.detach().clone()]
    items = state.values() if isinstance(state, dict) else ()
    return [tensor for item in items for tensor in flat(item)]


def test_an_embedding_has_length_one() -> None:
    net = IdentityNet().eval()
    found = net(batch().crops).detach()
    assert found.shape == (8, LENGTH)
    assert float((found.square().sum(1) - 1).abs().max()) < 1e-5


def test_the_network_is_small() -> None:
    assert sum(p.numel() for p in IdentityNet().parameters()) <= 2_000_000
    assert WEIGHTS.stat().st_size <= 4_000_000


def test_every_parameter_gets_a_gradient() -> None:
    subject = learner()
    subject.step(batch())
    for parameter in (*subject.averaged.network.parameters(), *subject.directions.parameters()):
        assert parameter.grad is not None
        assert float(parameter.grad.abs().max()) > 0


def test_what_lies_outside_the_oval_says_nothing() -> None:
    net, crops = IdentityNet().eval(), batch().crops
    outside = oval(SIZE) == 0
    assert 0.25 < float(outside.float().mean()) < 0.45
    other = torch.where(outside, torch.rand_like(crops), crops)
    assert torch.equal(net(crops), net(other))
    within = torch.where(outside, crops, torch.rand_like(crops))
    assert not torch.allclose(net(crops), net(within))


def test_brightness_and_contrast_are_evened_and_colour_is_left() -> None:
    net, crops = IdentityNet(), batch().crops
    seen = net.seen(crops)
    assert float((net.seen(crops * 0.5 + 0.2) - seen).abs().max()) < 0.3
    assert float(seen.mean(1).sum((1, 2)).abs().max()) < 0.01
    redder = crops * torch.tensor([1, 0.7, 0.7])[:, None, None]
    change = (net.seen(redder) - seen).mean((0, 2, 3))
    assert float(change[0]) > 0.2 > -0.05 > float(change[1])


def test_without_margin_the_loss_is_cross_entropy() -> None:
    cosines, who = torch.rand(6, 5) * 2 - 1, torch.tensor([0, 1, 2, 3, 4, 0])
    loss = margin_loss(cosines, who, scale=20, margin=0)
    assert torch.allclose(loss, F.cross_entropy(20 * cosines, who))


def test_the_margin_is_taken_from_the_right_cosine() -> None:
    cosines = torch.tensor([[0.6, 0.1]])
    loss = margin_loss(cosines, torch.tensor([0]), scale=10, margin=0.2)
    assert float(loss) == pytest.approx(np.log1p(np.exp(10 * (0.1 - (0.6 - 0.2)))), rel=1e-5)


def test_the_margin_grows_to_its_full_size() -> None:
    torch.manual_seed(0)
    subject = IdentityLearner(torch.eye(5), warm_up=2, rate=0.0)
    # At rate 0 nothing else changes. The right cosine loses the whole margin after two steps.
    losses = [float(subject.step(batch())["margin"]) for _ in range(4)]
    assert losses[0] < losses[1] < losses[2] == pytest.approx(losses[3], abs=1e-5)


def test_teaching_learns_to_tell_apart() -> None:
    torch.manual_seed(0)
    subject = IdentityLearner(torch.eye(5), rate=3e-3, warm_up=10)
    said = [subject.step(batch(n=20)) for _ in range(15)]
    assert float(said[0]["mistaken"]) > 0.5
    assert float(said[-1]["mistaken"]) == 0


def test_a_run_taken_up_again_goes_on_bit_for_bit(tmp_path: Path) -> None:
    through, first, second = learner(), learner(), learner(seed=9)
    for step in range(4):
        through.step(batch(seed=step))
    for step in range(2):
        first.step(batch(seed=step))
    save_state(tmp_path / "state", first.state_dict())
    second.load_state_dict(load_state(tmp_path / "state", mend=""))
    for step in range(2, 4):
        second.step(batch(seed=step))
    pairs = zip(flat(through.state_dict()), flat(second.state_dict()), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_a_preview_trains_nothing() -> None:
    subject = learner()
    subject.step(batch())
    before = flat(subject.state_dict())
    grid = subject.preview(batch())
    assert grid.shape == (8, 4, 3, SIZE, SIZE)
    assert torch.equal(grid[:, 0], batch().crops)
    assert all(map(torch.equal, before, flat(subject.state_dict())))


def test_the_average_weighs_steps_by_a_power_of_their_index() -> None:
    subject, steps = learner(), 6
    weights = []
    for step in range(steps):
        subject.step(batch(seed=step))
        weights.append(subject.averaged.network.state_dict()["head.1.weight"].clone())
    shares = [((k + 1) / steps) ** 11 - (k / steps) ** 11 for k in range(steps)]
    wanted = torch.stack([s * w for s, w in zip(shares, weights, strict=True)]).sum(0)
    assert torch.allclose(subject.averaged.average.state_dict()["head.1.weight"], wanted, atol=1e-6)


def crops(n: int, size: int = SIZE) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, size, size, 3)).astype(np.uint8)


def test_embeddings_depend_on_nothing_but_the_crop() -> None:
    subject = Identifier(IdentityNet(), same=0.5)
    many = subject.embed(crops(70))
    assert many.shape == (70, LENGTH) and many.dtype == np.float32
    assert np.abs(np.linalg.norm(many, axis=1) - 1).max() < 1e-5
    assert np.array_equal(many, subject.embed(crops(70)))
    assert np.abs(subject.embed(crops(70)[66:67]) - many[66]).max() < 1e-5
    assert subject.embed(crops(0)).shape == (0, LENGTH)


def test_a_mirror_image_has_the_same_embedding() -> None:
    subject, shown = Identifier(IdentityNet(), same=0.5), crops(3)
    found, mirrored = subject.embed(shown), subject.embed(shown[:, :, ::-1])
    assert np.abs(found - mirrored).max() < 1e-6


@pytest.mark.parametrize("size", [96, 144, 48])
def test_a_crop_of_any_size_has_about_the_same_embedding(size: int) -> None:
    subject = Identifier(IdentityNet(), same=0.5)
    smooth = cv2.GaussianBlur(crops(1, 288)[0], (0, 0), 24)
    smooth = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX)
    one, other = (
        subject.embed(cv2.resize(smooth, (s, s), interpolation=cv2.INTER_AREA)[None])[0]
        for s in (SIZE, size)
    )
    assert likeness(one, other) > 0.99


def test_likeness_is_the_cosine() -> None:
    one, other = RNG.normal(size=(2, LENGTH)).astype(np.float32)
    assert likeness(one, one) == pytest.approx(1)
    assert likeness(one, -one) == pytest.approx(-1)
    assert (
        likeness(one, other)
        == likeness(other, one)
        == pytest.approx(likeness(3 * one, 0.1 * other), abs=1e-6)
    )
    assert likeness(np.eye(LENGTH)[0], np.eye(LENGTH)[1]) == 0


def test_the_centre_lies_between() -> None:
    all_ = RNG.normal(size=(5, LENGTH)).astype(np.float32)
    all_ /= np.linalg.norm(all_, axis=1, keepdims=True)
    assert np.allclose(centre(all_[:1]), all_[0], atol=1e-6)
    assert np.linalg.norm(centre(all_)) == pytest.approx(1)
    assert np.allclose(centre(all_), centre(all_[::-1]), atol=1e-6)
    assert likeness(centre(all_[:2]), all_[0]) == pytest.approx(
        likeness(centre(all_[:2]), all_[1]), abs=1e-5
    )


def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    net = IdentityNet().eval()
    write_weights(net, tmp_path / "a.safetensors", {"same": 0.25})
    subject = Identifier.load(tmp_path / "a.safetensors")
    assert subject.same == 0.25
    found = subject.embed(crops(2))
    assert np.abs(found - Identifier(net, 0).embed(crops(2))).max() < 2e-3


def test_planted_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_weights(IdentityNet(), path, {"same": 0.25})
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match=r"a\.safetensors is not the file that was installed"):
        Identifier.load(path)


def test_missing_weights_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="changeling teach identity"):
        Identifier.load(tmp_path / "none.safetensors")


def test_the_weights_that_ship_are_whole() -> None:
    subject = Identifier.load()
    assert 0 < subject.same < 1
    assert np.abs(np.linalg.norm(subject.embed(crops(2)), axis=1) - 1).max() < 1e-5


def test_the_last_map_is_what_the_head_reads() -> None:
    net, crops = IdentityNet().eval(), batch().crops
    maps, before = net.maps(crops), net.maps(crops, active=False)
    assert [tuple(x.shape[1:]) for x in maps] == [
        (24, 32, 32), (48, 16, 16), (96, 8, 8), (128, 4, 4)
    ]  # fmt: skip
    assert torch.allclose(F.normalize(net.head(maps[-1])), net(crops), atol=1e-5)
    for after, raw in zip(maps, before, strict=True):
        assert raw.min() < 0 and torch.equal(after, raw.relu())


def test_maps_need_no_heavy_package() -> None:
    heavy = ("av", "c2pa", "anny", "warp", "tyro")
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({heavy}));"
        "from changeling.faces.identity import read_network; read_network()"
    )
    run([sys.executable, "-c", script], check=True)
