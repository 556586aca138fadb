"""Laws of the faceswap-GAN's networks: sizes, capacities, norms and self-attention."""

from typing import get_args

import pytest
import torch
from torch import nn

from changeling.generators.faceswapgan_networks import (
    Attention,
    Capacity,
    Generator,
    Hybrid,
    Norm,
    Style,
    judge,
    smooth,
)

NORMS: dict[Norm, type[nn.Module]] = {
    "instance": nn.InstanceNorm2d, "batch": nn.BatchNorm2d, "layer": nn.GroupNorm,
    "group": nn.GroupNorm, "hybrid": Hybrid,
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("one_thread")


def generator(size: int = 64, capacity: Capacity = "lite", norm: Norm = "none") -> Generator:
    style = Style.choose(norm, size, attention=True)
    return Generator(size, 8, 6, people=2, capacity=capacity, style=style)


@pytest.mark.parametrize("capacity", get_args(Capacity))
@pytest.mark.parametrize("size", [16, 48, 64, 128, 256])
def test_faces_of_every_size_come_back_in_their_size(size: int, capacity: Capacity) -> None:
    made = generator(size, capacity)
    codes = made.encode(torch.zeros(2, 3, size, size))
    assert codes.shape == (2, 6)
    assert made.decode(codes, (1, 0)).shape == (2, 4, size, size)
    style = Style.choose("none", size, attention=True)
    patches = judge(size, 8, capacity=capacity, style=style)(torch.zeros(2, 6, size, size))
    assert patches.shape[:2] == (2, 1) and patches.shape[2] <= 8


def test_each_part_of_the_codes_goes_to_its_persons_decoder() -> None:
    made, codes = generator(16), torch.randn(4, 6)
    there, back = made.decode(codes, (0, 1)), made.decode(codes, (1, 0))
    assert torch.allclose(there[:2], made.decode(codes[:2], (0,)), atol=1e-6)
    assert torch.allclose(back[2:], made.decode(codes[2:], (0,)), atol=1e-6)
    assert (there - back).abs().mean() > 0.01


@pytest.mark.parametrize("norm", get_args(Norm))
def test_every_norm_is_the_one_asked_for(norm: Norm) -> None:
    kinds = {type(layer) for layer in generator(norm=norm).modules()}
    assert kinds & set(NORMS.values()) >= {NORMS[norm]} if norm in NORMS else kinds
    others = set(NORMS.values()) - ({NORMS[norm]} if norm in NORMS else set())
    others -= {nn.InstanceNorm2d} if norm == "hybrid" else set()
    assert kinds & others == set()


def test_layer_and_group_norm_have_one_and_several_groups() -> None:
    groups = {
        norm: {m.num_groups for m in generator(norm=norm).modules() if isinstance(m, nn.GroupNorm)}
        for norm in ("layer", "group")
    }
    assert groups == {"layer": {1}, "group": {8}}


def test_hybrid_evens_one_half_only() -> None:
    x = 5 + 3 * torch.randn(2, 8, 6, 6)
    means = Hybrid(8)(x).mean((2, 3))
    assert means[:, 4:].abs().max() < 1e-5 < 0.1 < means[:, :4].abs().max()


def test_lite_is_smaller_by_more_than_half() -> None:
    standard, lite = (
        sum(p.numel() for p in generator(64, capacity).parameters())
        for capacity in ("standard", "lite")
    )
    assert lite < 0.5 * standard


@pytest.mark.parametrize("attention", [True, False])
def test_attention_can_be_left_out_of_all_networks(attention: bool) -> None:
    style = Style.choose("none", 64, attention=attention)
    made = Generator(64, 8, 6, people=2, capacity="standard", style=style)
    judges = judge(64, 8, capacity="standard", style=style)
    parts = (made.encoder, *made.decoders, judges)
    found = [any(isinstance(m, Attention) for m in part.modules()) for part in parts]
    assert len(found) == 4 and set(found) == {attention}


def test_attention_without_queries_adds_the_mean_of_the_values() -> None:
    layer, x = Attention(8), torch.randn(2, 8, 4, 4)
    with torch.no_grad():
        layer.seek.weight.zero_()
        layer.seek.weight[2:] = torch.eye(8)[:, :, None, None]
        layer.seek.bias.fill_(0)  # type: ignore[union-attr]
        layer.share.fill_(0.5)
    assert torch.allclose(layer(x), x + 0.5 * x.mean((2, 3), keepdim=True), atol=1e-6)


def test_a_place_finds_the_place_whose_key_is_its_query() -> None:
    """Queries are far longer than the rest; each place's key is the query of the place before."""
    layer, x = Attention(8), torch.eye(8)[None, :, :, None]
    with torch.no_grad():
        layer.narrow = 8
        layer.seek = nn.Conv2d(8, 24, 1, bias=False)
        parts = (100 * torch.eye(8), torch.eye(8).roll(-1, 0), torch.eye(8))
        layer.seek.weight.copy_(torch.cat(parts)[:, :, None, None])
        layer.share.fill_(1.0)
        assert torch.allclose(layer(x), x + x.roll(-1, 2), atol=1e-5)


def test_upscaling_begins_without_a_checkerboard() -> None:
    wide = nn.Conv2d(3, 16, 3, padding=1)
    smooth(wide)
    shuffled = nn.PixelShuffle(2)(wide(torch.rand(4, 3, 16, 16)))
    assert torch.equal(shuffled[..., ::2, ::2], shuffled[..., 1::2, 1::2])
    assert shuffled[..., ::2, ::2].std() > 0.01


def test_an_even_code_has_mean_0_and_deviation_1() -> None:
    style, far = Style.choose("none", 16, attention=False), []
    for even in (False, True):
        made = Generator(16, 8, 64, people=2, capacity="lite", style=style, even=even)
        codes = made.encode(2 * torch.rand(5, 3, 16, 16) - 1).detach()
        far.append(float((codes.std(1, correction=0) - 1).abs().max() + codes.mean(1).abs().max()))
    assert far[1] < 0.05 < 0.5 < far[0]
