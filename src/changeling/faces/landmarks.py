"""68 landmarks of a face from a small grey crop: a network taught by rendered actors only."""

import hashlib
import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from changeling.errors import UserError
from changeling.faces.alignment import Box, Matrix, apply, crop, enlarged, invert
from changeling.faces.detect import Grey
from changeling.training import load_optimizer, optimizer_state

SIZE = 64
"""Pixels of the crop that the network reads."""
MARGIN = 1.6
"""The network reads the unit crop enlarged so much: room for the jaw, and for motion."""
WEIGHTS = Path(__file__).parent / "landmarks.safetensors"
"""The weights that ship; landmarks.json beside them has their SHA-256 and how they were taught."""

_EYES = (0.33, 0.39)
"""The eyes in a cascade's box: their distance over its width, their height over its height."""


@dataclass(frozen=True, eq=False)
class LandmarkBatch:
    """Crops with their truth."""

    crops: Tensor
    """float32 (n, 1, 64, 64), grey, 0…1."""
    points: Tensor
    """float32 (n, 68, 2), x and y, 0…1 across the crop."""
    present: Tensor
    """float32 (n,): 1 a face, 0 none (its points mean nothing)."""

    def __len__(self) -> int:
        return len(self.crops)


class LandmarkNet(nn.Module):
    """Crops (n, 1, 64, 64), 0…1 → points (n, 68, 2), 0…1 across the crop, and logits (n,)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            _conv(1, 16, 2), _conv(16, 24, 2), _Residual(24), _conv(24, 48, 2),
            _Residual(48), _Residual(48), _conv(48, 64, 2), _Residual(64),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(64 * 16, 68 * 2 + 1))

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        mean = crops.mean((2, 3), keepdim=True)
        spread = crops.std((2, 3), keepdim=True) + 0.02
        out = self.head(self.features((crops - mean) / spread))
        return 0.5 + out[:, 1:].reshape(-1, 68, 2) * 0.25, out[:, 0]


class LandmarkLearner:
    """Teaches a `LandmarkNet`; keeps a running average of its weights, which is what ships."""

    def __init__(self, *, rate: float = 2e-3, averaging: float = 0.998) -> None:
        self.net = LandmarkNet()
        self.average = LandmarkNet().eval().requires_grad_(False)
        self.average.load_state_dict(self.net.state_dict())
        self._averaging = averaging
        self._steps = 0
        self._optimizer = torch.optim.AdamW(self.net.parameters(), lr=rate, weight_decay=1e-3)

    def step(self, batch: LandmarkBatch, /) -> dict[str, Tensor]:
        """One step; losses: `points` (Wing, in pixels of the crop) and `presence`."""
        self.net.train()
        points, logits = self.net(batch.crops)
        error = (points - batch.points) * SIZE
        near = (wing(error).mean((1, 2)) * batch.present).sum() / batch.present.sum().clamp(min=1)
        presence = F.binary_cross_entropy_with_logits(logits, batch.present)
        self._optimizer.zero_grad()
        (near + presence).backward()
        self._optimizer.step()
        self._follow()
        return {"points": near.detach(), "presence": presence.detach()}

    def preview(self, batch: LandmarkBatch, /) -> Tensor:
        """(rows, 2, 3, 64, 64), 0…1: up to 8 crops with the net's points and with the true ones."""
        with torch.no_grad():
            points, _ = self.average(batch.crops[:8])
        pairs = zip(batch.crops[:8], points, batch.points[:8], strict=True)
        return torch.stack([torch.stack([_dotted(c, p), _dotted(c, t)]) for c, p, t in pairs])

    def state_dict(self) -> dict[str, Any]:
        """Network, average and optimizer."""
        return {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": optimizer_state(self._optimizer),
            "steps": self._steps,
        }

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Goes on where `state_dict` was taken."""
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        load_optimizer(self._optimizer, state["optimizer"])
        self._steps = int(state["steps"])

    def _follow(self) -> None:
        # Short at first, or the untaught weights would weigh for a thousand steps.
        self._steps += 1
        share = max(1 - self._averaging, 1 / (1 + self._steps / 5))
        with torch.no_grad():
            new = self.net.state_dict()
            for name, kept in self.average.state_dict().items():
                if kept.is_floating_point():
                    kept.lerp_(new[name], share)


class Landmarker:
    """The taught network at work on one face at a time."""

    def __init__(self, net: LandmarkNet) -> None:
        self._net = _fused(deepcopy(net).eval())

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Landmarker":
        """Reads weights and checks them against the SHA-256 in the JSON beside them.

        Raises UserError when they are missing or not those that were written.
        """
        try:
            data = path.read_bytes()
            expected = json.loads(path.with_suffix(".json").read_text())["sha256"]
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{path}: {error}; write it with `changeling teach landmarks`."
            ) from None
        if hashlib.sha256(data).hexdigest() != expected:
            raise UserError(
                f"{path} is not the file that was installed (its SHA-256 differs); "
                "install changeling again."
            )
        net = LandmarkNet()
        net.load_state_dict({name: value.float() for name, value in load_tensors(data).items()})
        return cls(net)

    def find(self, grey: Grey, matrix: Matrix) -> tuple[NDArray[np.float64], float]:
        """(68, 2) landmarks in the pixels of `grey` (h, w) and the score 0…1 that it is a face.

        `matrix` takes the frame to about the face's unit crop: a guess, or the last frame's.
        """
        around = enlarged(matrix, MARGIN)
        small = crop(grey, around, SIZE)
        with torch.inference_mode():
            points, logit = self._net(torch.from_numpy(small)[None, None].float() / 255)
        unit = points[0].double().numpy()
        return apply(invert(around), unit), float(logit.sigmoid())


def guess(box: Box) -> Matrix:
    """(2, 3) frame → about the unit crop of a face in a cascade's box."""
    x, y, width, height = box
    scale = 0.36 / (_EYES[0] * width)
    return np.array(
        [
            [scale, 0, 0.5 - scale * (x + width / 2)],
            [0, scale, 0.33 - scale * (y + _EYES[1] * height)],
        ]
    )


def wing(error: Tensor, width: float = 4.0, bend: float = 0.5) -> Tensor:
    """Wing loss of errors in pixels: steep near zero, linear beyond `width`.

    Feng et al., "Wing loss for robust facial landmark localisation", CVPR 2018, equation 5.
    """
    size = error.abs()
    shift = width - width * float(np.log1p(width / bend))
    return torch.where(size < width, width * torch.log1p(size / bend), size - shift)


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            _conv(channels, channels), nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.inner(x))


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def _fused(net: LandmarkNet) -> LandmarkNet:
    """The same function with each normalisation folded into its convolution: a quarter faster."""
    for module in net.modules():
        if isinstance(module, nn.Sequential):
            for i in range(len(module) - 1):
                conv, norm = module[i], module[i + 1]
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    module[i], module[i + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return net


def _dotted(picture: Tensor, points: Tensor) -> Tensor:
    """(3, 64, 64): a crop (1, 64, 64) with the points painted in."""
    canvas = (picture[0].cpu().numpy()[..., None].repeat(3, 2) * 255).astype(np.uint8)
    for x, y in (points.cpu().numpy() * SIZE - 0.5).round().astype(int):
        cv2.circle(canvas, (int(x), int(y)), 0, (60, 255, 60), -1)
    return torch.from_numpy(canvas).permute(2, 0, 1) / 255
