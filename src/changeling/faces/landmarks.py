"""What the network sees of a face in a small crop: landmarks, pose and parts; taught by actors."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.faces.alignment import Box, Face, Matrix, Seen, apply, crop, enlarged, invert
from changeling.faces.networks import Residual, channels_last, conv, fuse
from changeling.faces.weights import read_weights
from changeling.media import Pixels

SIZE = 128
"""Pixels of the crop that the network reads."""
MARGIN = 1.5
"""The network reads the unit crop enlarged so much: room for motion since the last frame."""
POINTS = 200
"""Landmarks, the 68 of 300-W first."""
PARTS = 7
"""Kinds of pixels, as `actors.Segment` names them, but clothes count as background."""
WEIGHTS = Path(__file__).parent / "landmarks.safetensors"
"""The weights that ship; landmarks.json beside them has their SHA-256 and how they were taught."""
LOOKS = 2
"""How often a new face is looked at again from the last answer: a cascade's guess is poor."""
FAR = 0.08
"""Errors above this share of the eyes' distance are failures; confidence is against them."""

_FINE, _NEAR = 12, 24
"""Channels at half the crop's size, and of the map at a quarter that points are moved by."""
_OWN, _ALL = 6, 64
"""Numbers that each point's surroundings become, and that all of these become."""
_EYES = (0.33, 0.39)
"""The eyes in a cascade's box: their distance over its width, their height over its height."""


Layer = TypeVar("Layer", bound=nn.Module)


@dataclass(frozen=True, eq=False)
class Marks:
    """What the network says of n crops."""

    points: Tensor
    """(n, 200, 2), x and y, 0…1 across the crop."""
    spread: Tensor
    """(n, 200): logarithm of the expected distance to the truth, in crops."""
    visible: Tensor
    """(n, 200): logits that a point is seen."""
    rotation: Tensor
    """(n, 3, 3) head → camera, OpenCV's axes."""
    present: Tensor
    """(n,): logits that there is a face."""
    parts: Tensor
    """(n, 7, 64, 64): logits of what each pixel shows."""


class LandmarkNet(nn.Module):
    """Crops (n, 3, 128, 128), RGB, 0…1 → `Marks`.

    A small residual encoder; points are read off its last map at once, and moved by what is seen
    where they are (Xiong and De la Torre, "Supervised descent method", CVPR 2013); the parts by a
    decoder with skip connections (Ronneberger et al., "U-Net", 2015).
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = conv(3, _FINE, 2, size=5)
        self.fold = nn.Sequential(
            nn.Conv2d(_FINE, 16, 3, 2, 1, bias=False), _silent(nn.BatchNorm2d(16))
        )
        self.stem = conv(3, 16, 2, size=5)
        self.quarter = nn.Sequential(conv(16, 32, 2), Residual(32))
        self.eighth = nn.Sequential(conv(32, 64, 2), Residual(64))
        self.last = nn.Sequential(conv(64, 96, 2), Residual(96), Residual(96))
        self.head = nn.Sequential(conv(96, 48, size=1), nn.Flatten())
        self.read = nn.Linear(48 * 16, POINTS * 4 + 6 + 1)
        self.up_eighth = _Up(96, 64, 48)
        self.up_quarter = _Up(48, 32, 32)
        self.sharpen = nn.Conv2d(32 // 4 + 16, PARTS, 3, padding=1)
        self.near = conv(32 // 4 + 16, _NEAR)
        self.move = _Move()
        self.detail = nn.Sequential(
            conv(_NEAR // 4 + _FINE, 16), _silent(nn.Conv2d(16, PARTS, 3, padding=1))
        )

    def forward(self, crops: Tensor) -> Marks:
        centred = crops - crops.mean((1, 2, 3), keepdim=True)
        plain = centred / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + 0.02)
        fine = self.fine(plain)
        half = self.stem(F.avg_pool2d(plain, 2)) + self.fold(fine)
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        last = self.last(eighth)
        out = self.read(self.head(last))
        up = self.up_quarter(self.up_eighth(last, eighth), quarter)
        seen = torch.cat([F.pixel_shuffle(up, 2), half], 1)
        near = self.near(seen)
        marks = out[:, : 4 * POINTS].unflatten(1, (POINTS, 4))
        marks = marks + self.move(near, 0.5 + 0.25 * marks[..., :2].detach())
        parts = F.interpolate(self.sharpen(seen), scale_factor=2, mode="bilinear")
        return Marks(
            points=0.5 + 0.25 * marks[..., :2],
            spread=marks[..., 2] - 3.5,
            visible=marks[..., 3],
            rotation=_rotation(out[:, -7:-1]),
            present=out[:, -1],
            parts=parts + self.detail(torch.cat([F.pixel_shuffle(near, 2), fine], 1)),
        )


class Landmarker:
    """The taught network at work on one face at a time.

    It takes the network over, whose layers are joined for speed: give a copy of one that learns.
    """

    def __init__(self, net: LandmarkNet) -> None:
        self._net = net.eval()
        fuse(self._net)
        channels_last(self._net)

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Landmarker":
        """Reads weights and checks them against the SHA-256 in the JSON beside them.

        Raises UserError when they are missing or not those that were written.
        """
        net = LandmarkNet()
        net.load_state_dict(read_weights(path, network="landmarks")[0])
        return cls(net)

    def find(self, pixels: Pixels, matrix: Matrix) -> Face:
        """The face in a frame (h, w, 3) about where `matrix` takes the frame to its unit crop.

        Its `score` says whether there is one at all.
        """
        view = enlarged(matrix, MARGIN)
        small = crop(pixels, view, SIZE)
        with torch.inference_mode():
            batch = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255
            marks = self._net(batch.contiguous(memory_format=torch.channels_last))
            parts = (marks.parts[0].softmax(0) * 255).round().byte().numpy()
        points = apply(invert(view), marks.points[0].numpy())
        far = FAR * _eyes_apart(marks.points[0])
        seen = Seen(
            dense=points.astype(np.float32),
            confidence=(1 - torch.exp(-far / marks.spread[0].exp())).numpy(),
            visible=(marks.visible[0] > 0).numpy(),
            rotation=_in_frame(marks.rotation[0].numpy(), view),
            view=view,
            parts=parts,
        )
        return Face.from_landmarks(points[:68], float(marks.present[0].sigmoid()), seen)


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


def _eyes_apart(points: Tensor) -> Tensor:
    """Distance of the outer corners of the eyes, the inter-ocular distance of 300-W."""
    return (points[..., 45, :] - points[..., 36, :]).norm(dim=-1, keepdim=True)


def _rotation(six: Tensor) -> Tensor:
    """Two vectors (n, 6) → rotation (n, 3, 3), by Gram and Schmidt.

    Zhou et al., "On the continuity of rotation representations", CVPR 2019, equation 15.
    """
    a, b = six[:, :3] + six.new_tensor([1.0, 0, 0]), six[:, 3:] + six.new_tensor([0, 1.0, 0])
    x = F.normalize(a, dim=1)
    y = F.normalize(b - (x * b).sum(1, keepdim=True) * x, dim=1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], 2)


def rolled(view: Matrix) -> NDArray[np.float64]:
    """(3, 3): what the turn of a crop does to the head's rotation as the crop shows it."""
    turn = view[:, :2] / np.sqrt(abs(np.linalg.det(view[:, :2])))
    out = np.eye(3)
    out[:2, :2] = turn
    return out


def _in_frame(rotation: NDArray[np.float32], view: Matrix) -> NDArray[np.float32]:
    return np.asarray(rolled(view).T @ rotation, np.float32)


def _silent(layer: Layer) -> Layer:
    """A branch that begins by adding nothing: Goyal et al., arXiv 1706.02677, section 5.1."""
    for value in layer.parameters():
        nn.init.zeros_(value)
    return layer


class _Up(nn.Module):
    """A small map doubled and added to the larger one beside it."""

    def __init__(self, small: int, large: int, out: int) -> None:
        super().__init__()
        self.small = nn.Conv2d(small, out, 1)
        self.large = nn.Conv2d(large, out, 1)
        self.mix = conv(out, out)

    def forward(self, small: Tensor, large: Tensor) -> Tensor:
        doubled = F.interpolate(self.small(small), scale_factor=2, mode="nearest")
        mixed: Tensor = self.mix(doubled + self.large(large))
        return mixed


class _Move(nn.Module):
    """What a map (n, c, h, w) shows at points (n, 200, 2), 0…1, and beside them → their changes.

    Each point has weights of its own for what is there, and all see what the others saw.
    """

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Parameter(torch.randn(POINTS, 5 * _NEAR, _OWN) * (2 / (5 * _NEAR)) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(POINTS, _OWN))
        self.all = nn.Sequential(nn.Linear(POINTS * _OWN, _ALL), nn.ReLU())
        self.change = _silent(nn.Linear(_ALL, POINTS * 4))
        self.nudge = nn.Parameter(torch.zeros(POINTS, _OWN, 4))

    def forward(self, shown: Tensor, points: Tensor) -> Tensor:
        """(n, 200, 4): what to add to what was read."""
        cell = 1 / shown.shape[-1]
        beside = points.new_tensor([[0, 0], [cell, 0], [-cell, 0], [0, cell], [0, -cell]])
        at = 2 * (points[:, :, None] + beside) - 1
        there = F.grid_sample(shown, at, padding_mode="border", align_corners=False)
        there = there.permute(2, 0, 3, 1).flatten(2)
        own = F.relu(torch.bmm(there, self.own) + self.bias[:, None])
        nudged = torch.bmm(own, self.nudge).transpose(0, 1)
        together = self.change(self.all(own.transpose(0, 1).flatten(1)))
        return nudged + together.unflatten(1, (POINTS, 4))
