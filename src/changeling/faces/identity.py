"""Who it is, as 128 numbers of a small colour crop: a network taught by rendered actors only."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.faces.networks import Residual, channels_last, conv, fuse
from changeling.faces.weights import read_weights
from changeling.training.averaged import Averaged

SIZE = 64
"""Pixels of the unit crop that the network reads."""
LENGTH = 128
"""Numbers of an embedding."""
WEIGHTS = Path(__file__).parent / "identity.safetensors"
"""The weights that ship; identity.json beside them has their SHA-256 and how they were taught."""

_MIDDLE, _REACH = (0.5, 0.55), (0.42, 0.44)
"""Centre and half axes of the oval of the inner face in the unit crop: from brows to chin."""
_AT_ONCE = 64
"""Crops that go through the network together: bounds the memory."""

Embeddings = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class IdentityBatch:
    """Crops of faces whose owners are known."""

    crops: Tensor
    """float32 (n, 3, 64, 64), RGB, 0…1."""
    who: Tensor
    """int64 (n,): 0…people-1."""

    def __len__(self) -> int:
        return len(self.crops)


class IdentityNet(nn.Module):
    """Unit crops (n, 3, 64, 64), 0…1 → embeddings (n, 128) of length 1."""

    oval: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("oval", oval(SIZE), persistent=False)
        self.features = nn.Sequential(
            conv(3, 24, 2), conv(24, 48, 2), Residual(48), conv(48, 96, 2), Residual(96),
            conv(96, 128, 2), Residual(128),
        )  # fmt: skip
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(128 * 16, LENGTH, bias=False), nn.BatchNorm1d(LENGTH)
        )

    def forward(self, crops: Tensor) -> Tensor:
        return F.normalize(self.head(self.features(self.seen(crops))))

    def maps(self, crops: Tensor, *, active: bool = True) -> list[Tensor]:
        """What the four stages show of (n, 3, s, s) crops, the finest first.

        float32 of 24, 48, 96 and 128 channels, 32², 16², 8² and 4²; `active`: after the rectifier
        that ends the stage, else before it. Differentiable, for losses that compare features.
        """
        shown = F.interpolate(crops, (SIZE, SIZE), mode="bilinear", antialias=True)
        x, found = self.seen(shown), []
        for i, layer in enumerate(self.features):
            assert isinstance(layer, Residual | nn.Sequential)
            before = x + layer.inner(x) if isinstance(layer, Residual) else layer[:2](x)
            x = F.relu(before)
            if i % 2 == 0:
                found.append(x if active else before)
        return found

    def seen(self, crops: Tensor) -> Tensor:
        """The crops as the features get them: brightness and contrast even, grey around the oval.

        The three channels share one mean and one spread, so the colour of the skin is left.
        """
        share = self.oval / self.oval.sum()
        grey = crops.mean(1, keepdim=True)
        mean = (grey * share).sum((2, 3), keepdim=True)
        spread = ((grey - mean).square() * share).sum((2, 3), keepdim=True).sqrt()
        return (crops - mean) / (spread + 0.02) * self.oval


class IdentityLearner:
    """Teaches an `IdentityNet`; keeps an average of its weights, which is what ships.

    Each person's direction is a learnt linear function of the traits that the actor was made from,
    so that what is learnt of one face serves for all, also for those that are not in the lessons.
    """

    def __init__(
        self,
        traits: Tensor,
        *,
        rate: float = 2e-3,
        scale: float = 24.0,
        margin: float = 0.3,
        warm_up: int = 300,
        averaging: float = 10.0,
    ) -> None:
        """traits: float32 (people, t), each with mean 0 and spread 1 over the people."""
        net = IdentityNet()
        channels_last(net)
        self.directions = nn.Linear(traits.shape[1], LENGTH, bias=False)
        self._traits = traits
        self._scale, self._margin, self._warm_up = scale, margin, warm_up
        parameters = [*net.parameters(), *self.directions.parameters()]
        adam = torch.optim.AdamW(parameters, lr=rate, weight_decay=5e-4)
        self.averaged = Averaged(net, adam, power=averaging)
        """The network; what ships are its averaged weights."""

    def step(self, batch: IdentityBatch, /) -> dict[str, Tensor]:
        """One step; losses: `margin`, and `mistaken`, the share of faces nearest to another's."""
        crops = batch.crops.contiguous(memory_format=torch.channels_last)
        cosines = self.averaged.network(crops) @ F.normalize(self.directions(self._traits)).T
        margin = self._margin * min(1.0, self.averaged.steps / self._warm_up)
        loss = margin_loss(cosines, batch.who, scale=self._scale, margin=margin)
        self.averaged.move(loss)
        mistaken = (cosines.argmax(1) != batch.who).float().mean()
        return {"margin": loss.detach(), "mistaken": mistaken}

    def preview(self, batch: IdentityBatch, /) -> Tensor:
        """(rows, 4, 3, 64, 64), 0…1: up to 8 crops, each with the three nearest of the batch."""
        with torch.no_grad():
            embeddings = self.averaged.average(batch.crops)
        likeness = embeddings[:8] @ embeddings.T
        nearest = likeness.topk(min(4, len(batch)), dim=1).indices
        return batch.crops[nearest]

    def state_dict(self) -> dict[str, Any]:
        """Network, average, optimizer, the number of steps, and directions."""
        return {**self.averaged.state_dict(), "directions": self.directions.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Goes on where `state_dict` was taken."""
        self.averaged.load_state_dict(state)
        self.directions.load_state_dict(state["directions"])


class Identifier:
    """The taught network at work.

    An embedding says how alike two faces look to a network that saw rendered actors only: enough
    to sort one's own footage, no proof of who somebody is.
    """

    def __init__(self, net: IdentityNet, same: float, name: str = "") -> None:
        self._net = deepcopy(net).eval()
        fuse(self._net)
        channels_last(self._net)
        self.name = name
        """Names the weights: embeddings of two networks do not compare."""
        self.same = same
        """The cosine at and above which two embeddings are taken for one person."""

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "Identifier":
        """Reads weights and checks them against the SHA-256 in the JSON beside them.

        Raises UserError when they are missing or not those that were written.
        """
        net, about = read_network(path)
        name = str(about["sha256"])[:16]
        channels_last(net)
        return cls(net, float(about["same"]), name)

    def embed(self, crops: NDArray[np.uint8]) -> Embeddings:
        """(n, 128) float32 of length 1 from (n, s, s, 3) RGB unit crops of any size.

        A crop and its mirror image have the same embedding.
        """
        assert crops.ndim == 4 and crops.shape[1] == crops.shape[2] and crops.shape[3] == 3
        found = [np.empty((0, LENGTH), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(crops), _AT_ONCE):
                small = np.stack([_sized(crop) for crop in crops[start : start + _AT_ONCE]])
                shown = pictures(small)
                both = self._net(shown) + self._net(shown.flip(3))
                found.append(F.normalize(both).numpy())
        return np.concatenate(found)


def read_network(path: Path = WEIGHTS) -> tuple[IdentityNet, dict[str, Any]]:
    """The taught network and the JSON beside its weights. Raises UserError as `Identifier.load`."""
    tensors, about = read_weights(path, network="identity")
    net = IdentityNet()
    net.load_state_dict(tensors)
    return net, about


def margin_loss(cosines: Tensor, who: Tensor, *, scale: float, margin: float) -> Tensor:
    """Mean cross entropy of cosines (n, people), the right one made harder by `margin`.

    Wang et al., "CosFace: large margin cosine loss for deep face recognition", CVPR 2018,
    equation 4.
    """
    harder = cosines - margin * F.one_hot(who, cosines.shape[1])
    return F.cross_entropy(scale * harder, who)


def likeness(one: Embeddings, other: Embeddings) -> float:
    """The cosine of two embeddings (128,), −1…1; 1: the same direction."""
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    assert lengths > 0, "an embedding without a direction"
    return float(np.clip(np.dot(one, other) / lengths, -1, 1))


def centre(embeddings: Embeddings) -> Embeddings:
    """(128,) of length 1: the direction between embeddings (n, 128) of one person, n ≥ 1."""
    mean = embeddings.astype(np.float64).mean(0)
    length = np.linalg.norm(mean)
    assert length > 0, "embeddings that point nowhere together"
    return np.asarray(mean / length, np.float32)


def oval(size: int) -> Tensor:
    """(size, size) 0…1, softly edged: where the inner face is in every unit crop."""
    places = (torch.arange(size) + 0.5) / size
    x, y = ((places - m) / r for m, r in zip(_MIDDLE, _REACH, strict=True))
    # Powers above 2 make the oval fuller at the jaw than an ellipse.
    far = (x.abs() ** 2.5 + y.abs()[:, None] ** 2.5) ** 0.4
    return ((1 - far) / 0.1 + 0.5).clamp(0, 1)


def pictures(crops: NDArray[np.uint8]) -> Tensor:
    """(n, s, s, 3) bytes → float32 (n, 3, s, s), 0…1, the channels innermost in memory."""
    return torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255


def _sized(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    how = cv2.INTER_AREA if len(crop) > SIZE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (SIZE, SIZE), interpolation=how), np.uint8)
