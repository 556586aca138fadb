"""What storing does to a picture: JPEG's quantised blocks and H.264's."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""JPEG's quantisation steps of brightness (ITU-T T.81, table K.1)."""
CHROMINANCE = ((17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99))
"""Of colour (table K.2); all others are 99."""
TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
TO_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def jpeg(pictures: Tensor, quality: Tensor) -> Tensor:
    """Quantise as baseline JPEG with 4:2:0 colour does, (n, 3, h, w) 0…1; quality (n,) 1…100."""
    h, w = pictures.shape[2:]
    padded = F.pad(pictures, (0, -w % 16, 0, -h % 16), mode="replicate")
    planes = _recolour(padded * 255, TO_YCC)
    brightness, colour = planes[:, :1] - 128, F.avg_pool2d(planes[:, 1:], 2)
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    tables = (
        ((_tables(pictures.device) * percent[:, None, None, None] + 50) / 100).floor().clamp(1, 255)
    )
    brightness = _quantised(brightness, tables[:, :1]) + 128
    colour = F.interpolate(_quantised(colour, tables[:, 1:]), scale_factor=2, mode="bilinear")
    rgb = _recolour(torch.cat([brightness, colour], 1), TO_RGB)
    return (rgb[:, :, :h, :w] / 255).clamp_(0, 1)


def _recolour(planes: Tensor, matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    n, _, h, w = planes.shape
    return (planes.new_tensor(matrix) @ planes.flatten(2)).view(n, 3, h, w)


def _quantised(planes: Tensor, tables: Tensor) -> Tensor:
    """Round the 8×8 cosine spectra of planes (n, c, h, w) to the steps of tables (n, 1, 8, 8)."""
    h, w = planes.shape[2:]
    down, across = _cosines(h, planes.device), _cosines(w, planes.device)
    steps = tables.repeat(1, 1, h // 8, w // 8)
    spectra = down @ planes @ across.T
    return down.T @ ((spectra / steps).round_() * steps) @ across


@lru_cache(maxsize=64)
def _cosines(size: int, device: torch.device) -> Tensor:
    """The cosine transforms of all blocks of a line as one matrix, (size, size)."""
    k = torch.arange(8, dtype=torch.float64)
    block = torch.cos((2 * k + 1) * k[:, None] * math.pi / 16) / 2
    block[0] /= math.sqrt(2)
    every = torch.kron(torch.eye(size // 8, dtype=torch.float64), block)
    return every.to(device, torch.float32)


@lru_cache(maxsize=8)
def _tables(device: torch.device) -> Tensor:
    """Steps of brightness and colour at quality 50, (2, 8, 8)."""
    colour = torch.full((8, 8), 99.0)
    colour[:4, :4] = torch.tensor(CHROMINANCE, dtype=torch.float32)
    return torch.stack([torch.tensor(LUMINANCE, dtype=torch.float32), colour]).to(device)


def h264(pictures: Tensor, quantiser: Tensor) -> Tensor:
    """Encode with x264 and decode, (n, 3, h, w) 0…1; quantiser (n,) 0…51, larger is worse.

    Each picture is predicted from a copy of itself moved by a pixel, as one in a film is from the
    last.
    """
    h, w = pictures.shape[2:]
    padded = F.pad(pictures, (0, -w % 2, 0, -h % 2), mode="replicate")
    pairs = torch.stack([F.pad(padded, (1, 0, 1, 0), mode="replicate")[..., :-1, :-1], padded], 1)
    frames = (pairs.flatten(0, 1) * 255).round_().byte().permute(0, 2, 3, 1).cpu().numpy()
    coded = _coded([_planes(frame) for frame in frames], quantiser.round().int().tolist())
    decoded = np.stack([cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_I420) for frame in coded[1::2]])
    answer = torch.from_numpy(decoded).to(pictures.device).permute(0, 3, 1, 2)
    return answer[:, :, :h, :w].float() / 255


def _planes(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB → planar 4:2:0, (h · 3 / 2, w)."""
    planes: NDArray[np.uint8] = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2YUV_I420)
    return planes


def _coded(frames: list[NDArray[np.uint8]], quantisers: list[int]) -> list[NDArray[np.uint8]]:
    """What is left of planar frames after one stream; each quantiser is for a pair of them."""
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.height, encoder.width = frames[0].shape[0] * 2 // 3, frames[0].shape[1]
    encoder.pix_fmt, encoder.time_base, encoder.thread_count = "yuv420p", Fraction(1, 25), 1
    zones = "/".join(f"{2 * k},{2 * k + 1},q={q}" for k, q in enumerate(quantisers))
    encoder.options = {"preset": "ultrafast", "x264-params": f"zones={zones}:log=-1"}
    decoder = av.VideoCodecContext.create("h264", "r")
    decoder.thread_count = 1
    packets = []
    for index, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(frame, format="yuv420p")
        picture.pts = index
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    decoded = [picture for packet in [*packets, None] for picture in decoder.decode(packet)]
    return [picture.to_ndarray(format="yuv420p").astype(np.uint8) for picture in decoded]
