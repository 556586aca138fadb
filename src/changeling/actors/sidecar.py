"""The truth of a film beside it: an .npz with landmarks, pose, labels and depth of every frame."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from changeling.actors.model import Floats
from changeling.actors.truth import Truth
from changeling.errors import UserError

Kind = TypeVar("Kind", bound=np.generic)

DEPTH_STEP = 0.0005
"""Metres per count of a stored depth; 0 stands for no actor."""
SERIES = ("landmarks", "dense", "visible", "dense_visible", "rotation", "actions", "camera")


def sidecar_path(film: Path) -> Path:
    """Where the truth of a film lies: a.mp4 → a.truth.npz."""
    return film.with_suffix(".truth.npz")


class SidecarWriter:
    """Collects the truth of a film, frame by frame, compressed; `write` puts it beside the film."""

    def __init__(self) -> None:
        self.series: dict[str, list[NDArray[np.generic]]] = {name: [] for name in SERIES}
        self.labels: list[NDArray[np.uint8]] = []
        self.depths: list[NDArray[np.uint8]] = []
        self.size = np.zeros(2, np.int64)

    def add(self, truth: Truth) -> None:
        """Keep one frame's truth."""
        for name in SERIES:
            self.series[name].append(getattr(truth, name))
        self.size = np.array(truth.segmentation.shape)
        self.labels.append(_packed(truth.segmentation))
        counts = np.where(np.isfinite(truth.depth), truth.depth / DEPTH_STEP, 0)
        self.depths.append(_packed(counts.astype(np.uint16)))

    def write(self, path: Path) -> None:
        """Write the .npz."""
        packed = {f"label_{k:06d}": data for k, data in enumerate(self.labels)}
        packed |= {f"depth_{k:06d}": data for k, data in enumerate(self.depths)}
        stacked = {name: np.stack(rows) for name, rows in self.series.items()}
        with path.open("wb") as file:
            # The stub takes every name for its flag allow_pickle, which none of these is.
            np.savez(file, size=self.size, **stacked, **packed)  # type: ignore[arg-type]


def read_truth(film: Path) -> Iterator[Truth]:
    """The truth of a film, frame by frame. Raises UserError when it is missing or broken."""
    path = sidecar_path(film)
    try:
        with path.open("rb") as file, np.load(file) as data:
            series = {name: data[name] for name in SERIES}
            height, width = (int(n) for n in data["size"])
            size = (height, width)
            for k in range(len(series["landmarks"])):
                yield Truth(
                    segmentation=_unpacked(data[f"label_{k:06d}"], size, np.uint8),
                    depth=_metres(_unpacked(data[f"depth_{k:06d}"], size, np.uint16)),
                    **{name: rows[k] for name, rows in series.items()},
                )
    except FileNotFoundError as error:
        raise UserError(f"{film} has no truth beside it ({path.name}): film it again.") from error
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, OSError) as error:
        raise UserError(f"{path} is broken: film {film.name} again with --overwrite.") from error


def _packed(image: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.uint8]:
    # The fastest level: a film is encoded in less time than a PNG of its depth would take.
    return np.frombuffer(zlib.compress(image.tobytes(), 1), np.uint8)


def _unpacked(data: NDArray[np.uint8], size: tuple[int, int], kind: type[Kind]) -> NDArray[Kind]:
    return np.frombuffer(zlib.decompress(data.tobytes()), kind).reshape(size)


def _metres(counts: NDArray[np.generic]) -> Floats:
    metres = counts.astype(np.float32) * DEPTH_STEP
    return np.where(metres > 0, metres, np.inf).astype(np.float32)
