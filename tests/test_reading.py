"""Attributes are read off crops whose truth is known, and edits move what is read."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from golden import PLAIN
from numpy.typing import NDArray

from changeling.faces import Attributes, Identifier
from changeling.generators.edits import StyleEditor
from changeling.generators.stylegan import Config, StyleGAN
from changeling.provenance import Consent
from changeling.study.reading import Reader, as_crops, find_directions, teach_reader


@dataclass(frozen=True)
class Lamps:
    """Grey pictures, the left half as bright as the first attribute says."""

    first: int
    name: str = "lamps"
    channels: int = 3
    kinds: tuple[str, ...] = ()
    consent = Consent(kind="actor", people=("lamps",), purpose="a test", evidence="drawn")

    def __len__(self) -> int:
        return 80

    def read(self, rows: NDArray[np.integer], size: int) -> NDArray[np.uint8]:
        grain = np.random.default_rng(0).integers(0, 20, (len(rows), size, size, 3))
        grain[:, :, : size // 2] += (200 * self._light(rows)).astype(int)[:, None, None, None]
        return grain.astype(np.uint8)

    def labels(self, rows: NDArray[np.integer]) -> NDArray[np.int64]:
        return np.zeros(len(rows), np.int64)

    def attributes(self, rows: NDArray[np.integer]) -> Attributes:
        chance = np.random.default_rng(self.first).random(len(rows))
        values = np.stack([self._light(rows), chance], axis=1)
        return Attributes(("light", "luck"), values.astype(np.float32))

    def _light(self, rows: NDArray[np.integer]) -> NDArray[np.float64]:
        return np.random.default_rng(7).random(1000)[self.first + rows]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """Taught by 80 pictures on one thread."""
    PLAIN.apply()
    yield teach_reader(Lamps(0), Lamps(100), Identifier.load(), count=80)


def test_what_is_visible_is_read_and_luck_is_not(reader: Reader) -> None:
    assert reader.attributes == ("light", "luck")
    assert reader.explained[0] > 0.9 and reader.explained[1] < 0.1
    rows = np.arange(20)
    read = reader.read(Lamps(200).read(rows, 64))[:, 0]
    assert np.abs(read - Lamps(200).attributes(rows).values[:, 0]).mean() < 0.1


def test_edits_move_what_is_read(reader: Reader) -> None:
    torch.manual_seed(0)
    generator = StyleGAN(Config.tiny(), runtime=PLAIN)
    found = find_directions(generator, reader, count=40)
    editor, readings = StyleEditor(generator, found), []
    for amount in (-1.0, 0.0, 1.0):
        drawn = editor.edit(4, seed=1, attribute="light", amount=amount)
        readings.append(reader.read(as_crops(drawn))[:, 0].mean())
    assert readings[0] < readings[1] < readings[2]
