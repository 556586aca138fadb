"""Small pictures and videos to sign, and a credential that says something in every field."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from changeling.media import Frame, FrameWriter, Pixels, write_image
from changeling.provenance import Credential, Ingredient, Source, publish

Refuse = Callable[..., str]
"""Runs a command line that must be refused; its sentence comes back."""
KINDS = ["a.png", "a.jpg", "a.webp", "a.mp4"]
PIXELS: Pixels = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
SWAP = Credential(
    title="swap – Ünï ✓.mp4",
    source=Source.COMPOSITE,
    model="autoencoder",
    run="runs/ab",
    ingredients=(
        Ingredient("a.mp4", "1" * 64, "parentOf"),
        Ingredient("faces/b", "2" * 64, "inputTo"),
        Ingredient("logo.png", "3" * 64, "componentOf"),
    ),
    facts=(
        ("film", '{"face": 7, "note": "a \\"quote\\" and a line\\n"}'),
        ("film", "again"),
        ("", ""),
    ),
)


def write(path: Path) -> None:
    if path.suffix != ".mp4":
        return write_image(path, PIXELS)
    with FrameWriter(path, size=(48, 32), rate=Fraction(10)) as writer:
        for index in range(3):
            writer.write(Frame(PIXELS, index, Fraction(index, 10)))


def publish_one(path: Path, credential: Credential = SWAP, *, overwrite: bool = False) -> Path:
    with publish(path, credential, overwrite=overwrite) as draft:
        write(draft)
    return path


def training(faces: Path, run: Path, *flags: object) -> list[str]:
    """A command line that trains, at the least expense, two people who have the same faces."""
    least = ["--size", 16, "--batch", 2]
    sets = ["--a", faces, "--b", faces, "-o", run]
    return [str(word) for word in ("train", "autoencoder", *sets, *least, *flags)]


def tree(folder: Path) -> dict[str, bytes]:
    """What lies in a folder; what batches keep hidden in a face set may come and go."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in files if not path.name.startswith(".faces-")}
