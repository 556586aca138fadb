"""Which point of a fitted face each pixel shows, and numbers of its vertices spread over pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import warp as wp
from numpy.typing import NDArray

from changeling.actors.device import start
from changeling.actors.raster import EMPTY, SOLID, rasterise
from changeling.faces.morphable import Floats, Ints

wp.set_module_options({"enable_backward": False})


@wp.kernel
def _spread(
    keys: wp.array2d[wp.uint64],
    screen: wp.array[wp.vec3],
    triangles: wp.array[wp.vec3i],
    values: wp.array2d[float],
    shown: wp.array2d[int],
    out: wp.array3d[float],
) -> None:
    """The triangle of each pixel, and the values of its corners weighted by how near they are."""
    row, column = wp.tid()
    key = keys[row, column]
    if key == EMPTY:
        shown[row, column] = -1
        return
    index = int(key & wp.uint64(0xFFFFFFFF))
    shown[row, column] = index
    t = triangles[index]
    a = screen[t[0]]
    b = screen[t[1]] - a
    c = screen[t[2]] - a
    area = b[0] * c[1] - c[0] * b[1]
    x = float(column) + 0.5 - a[0]
    y = float(row) + 0.5 - a[1]
    second = (x * c[1] - y * c[0]) / area
    third = (y * b[0] - x * b[1]) / area
    first = 1.0 - second - third
    for k in range(values.shape[1]):
        out[row, column, k] = (
            first * values[t[0], k] + second * values[t[1], k] + third * values[t[2], k]
        )


@dataclass(frozen=True, eq=False)
class Surface:
    """A mesh as pixels show it."""

    triangle: NDArray[np.int32]
    """(h, w) the triangle in front; −1 where there is none."""
    values: NDArray[np.float32]
    """(h, w, k) the numbers of its vertices; 0 where there is none."""

    def planes(self, *which: int) -> NDArray[np.float32]:
        """(m, h, w): some of the numbers, each by itself."""
        return np.stack([self.values[..., k] for k in which])


def surface(
    triangles: Ints, points: Floats, depths: Floats, values: Floats, size: tuple[int, int]
) -> Surface:
    """Draw a mesh whose vertices are at `points` (n, 2) pixels, `depths` (n,) away, above 0.

    triangles: (t, 3), seen from outside only. values: (n, k). size: width and height in pixels.
    The centre of the top left pixel is (0, 0).
    """
    start()
    width, height = size
    screen = _up(np.column_stack([points + 0.5, depths]), wp.vec3)
    corners, kinds, strands = _constant(triangles.tobytes(), len(points))
    keys = wp.full((height, width), value=EMPTY, dtype=wp.uint64, device="cpu")
    wp.launch(rasterise, len(triangles), [screen, corners, kinds, strands, 1.0, keys], device="cpu")
    shown = wp.empty((height, width), dtype=int, device="cpu")
    out = wp.zeros((height, width, values.shape[1]), dtype=float, device="cpu")
    given = wp.array(np.ascontiguousarray(values, np.float32), dtype=float, device="cpu")
    wp.launch(_spread, (height, width), [keys, screen, corners, given, shown, out], device="cpu")
    return Surface(shown.numpy(), out.numpy())


@lru_cache(maxsize=4)
def _constant(triangles: bytes, vertices: int) -> tuple[wp.array, wp.array, wp.array]:
    """What of a mesh does not move: its triangles, all of them solid."""
    corners = np.frombuffer(triangles, np.int32).reshape(-1, 3)
    solid = np.full(len(corners), int(SOLID), np.int32)
    return (
        _up(corners, wp.vec3i),
        _up(solid, int),
        _up(np.zeros((vertices, 4)), wp.vec4),
    )


def _up(array: NDArray[np.generic], kind: type) -> wp.array:
    wide = np.int32 if kind in (int, wp.vec3i) else np.float32
    return wp.array(np.ascontiguousarray(array, wide), dtype=kind, device="cpu")
