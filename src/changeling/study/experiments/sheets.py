"""Pictures of a study of drawn pictures: sheets, strips and spectra, signed in a cell's folder."""

import numpy as np
from torch import Tensor

from changeling.measuring import spectrum, spectrum_pictures
from changeling.media import Pixels, write_image
from changeling.provenance import Credential, Source, publish
from changeling.study.experiments.experiment import Place
from changeling.study.results import Shown

_SIDE = 5
"""Pictures along the side of a sheet."""
_LARGER = 3
"""Each pixel of a sheet is so many wide."""
_HEIGHT = 280
"""Of the spectra in pixels."""


class Sheets:
    """What a cell shows."""

    def __init__(self, place: Place, cell: str, model: str) -> None:
        self._folder, self._root, self._model = place.cell(cell), place.folder, model
        self._shown: list[Shown] = []

    def add(self, name: str, pixels: Pixels, words: str) -> None:
        """Publish a picture in the cell's folder."""
        path = self._folder / f"{name}.png"
        credential = Credential(path.name, Source.SYNTHETIC, model=self._model)
        with publish(path, credential, overwrite=True) as beside:
            write_image(beside, pixels)
        at = path.relative_to(self._root).as_posix()
        self._shown.append(Shown("picture", name, at, words))

    @property
    def shown(self) -> tuple[Shown, ...]:
        """All that was added."""
        return tuple(self._shown)


def strip(shown: Tensor) -> Pixels:
    """(columns, rows, 1, s, s), 0…1, as one picture."""
    columns, rows, channels, size, _ = shown.shape
    flat = shown.permute(1, 3, 0, 4, 2).reshape(rows * size, columns * size, channels)
    pixels = (flat.expand(-1, -1, 3) * 255).round().byte().numpy()
    larger = max(1, _LARGER * 28 // size)
    return np.asarray(pixels.repeat(larger, 0).repeat(larger, 1), np.uint8)


def real_and_drawn(real: Tensor, drawn: Tensor) -> Pixels:
    """25 real pictures beside 25 drawn ones, or as many whole rows as were drawn."""
    rows = min(_SIDE, max(1, len(drawn) // _SIDE))
    one, other = (
        shown[: rows * _SIDE].unflatten(0, (rows, -1)).transpose(0, 1) for shown in (real, drawn)
    )
    return _beside(strip(one), strip(other))


def spectra(real: Tensor, drawn: Tensor) -> Pixels:
    """The average spectrum of real and of drawn pictures."""
    both = [spectrum(shown.permute(0, 2, 3, 1).numpy()) for shown in (real, drawn)]
    return _beside(*spectrum_pictures(both, side=_HEIGHT))


def _beside(one: Pixels, other: Pixels) -> Pixels:
    gap = np.full((one.shape[0], one.shape[0] // 16, 3), 255, np.uint8)
    return np.hstack([one, gap, other])
