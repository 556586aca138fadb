"""Twins: one encoder for everybody and a decoder per person, at random or as many actors taught."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.errors import UserError
from changeling.faces.weights import read_weights
from changeling.generators.blocks import Residual, doubling, halving

WEIGHTS = Path(__file__).parent / "weights" / "autoencoder.safetensors"
"""What `changeling teach autoencoder` wrote; autoencoder.json beside it says how."""
SIZE = 64
"""Side of the faces, in pixels, for which they were taught."""


class Twins(nn.Module):
    """One encoder for everybody, layers shared after the code, and a decoder per person."""

    def __init__(
        self, size: int, widths: tuple[int, ...], *, people: int, encoded: int, code: int
    ) -> None:
        """Build for faces of `size` pixels, halved for each of the `widths`.

        The encoder gives `encoded` numbers, the decoders take `code`.
        """
        super().__init__()
        last, grid = widths[-1], size // 2 ** len(widths)
        features = last * grid * grid
        self.encoder = nn.Sequential(*halving(widths), nn.Flatten(), nn.Linear(features, encoded))
        self.shared = nn.Sequential(
            nn.Linear(code, features), nn.Unflatten(1, (last, grid, grid)), Residual(last)
        )
        self.decoders = nn.ModuleList(doubling(widths) for _ in range(people))

    def encode(self, faces: Tensor) -> Tensor:
        """Return the encoder's numbers (n, encoded) for faces (n, 3, size, size) in 0…1.

        Grey is 0 to the encoder: else brightness would scale all it sees.
        """
        return cast(Tensor, self.encoder(2 * faces - 1))

    def decode(self, codes: tuple[Tensor, ...]) -> Tensor:
        """Draw each person's codes (n, code) by its decoder, as (people · n, 4, size, size)."""
        shared = self.shared(torch.cat(codes)).chunk(len(codes))
        drawn = [decoder(x) for decoder, x in zip(self.decoders, shared, strict=True)]
        return torch.cat(drawn)

    def draw(self, code: Tensor, person: int) -> Tensor:
        """Draw codes (n, code) by one person's decoder, as (n, 4, size, size)."""
        return cast(Tensor, self.decoders[person](self.shared(code)))


@dataclass(frozen=True)
class Layout:
    """What fixes the shapes of the weights of twins on a sphere."""

    size: int
    """Side of the faces in pixels, divisible by 2 to the number of widths."""
    widths: tuple[int, ...]
    """Channels at a half, a quarter, … of the size."""
    code: int
    """Numbers in the code."""


class Sphere(Twins):
    """Twins whose codes lie on a sphere."""

    def __init__(self, layout: Layout, people: int) -> None:
        """Build the encoder and a decoder for each of the people."""
        code = layout.code
        super().__init__(layout.size, layout.widths, people=people, encoded=code, code=code)

    def encode(self, faces: Tensor) -> Tensor:
        """Return the codes (n, code) of faces (n, 3, size, size) in 0…1, each of deviation 1."""
        codes = super().encode(faces)
        return F.layer_norm(codes, codes.shape[1:])


def taught(layout: Layout, people: int) -> Sphere:
    """Return twins with what many actors taught, everybody with the one decoder.

    Raises `UserError` where the layout is not the one that was taught.
    """
    state, about = read_weights(WEIGHTS, network=WEIGHTS.stem)
    config = about["config"]
    if layout != Layout(config["size"], tuple(config["widths"]), config["code"]):
        raise UserError(
            f"the weights that were taught are for faces of {config['size']} pixels, widths "
            f"{config['widths']} and a code of {config['code']}: give --size {config['size']}, or "
            "train from random weights with --preset scratch"
        )
    for person in range(1, people):
        copies = {name: x for name, x in state.items() if name.startswith("decoders.0.")}
        state |= {name.replace(".0.", f".{person}.", 1): x for name, x in copies.items()}
    network = Sphere(layout, people)
    network.load_state_dict(state)
    return network
