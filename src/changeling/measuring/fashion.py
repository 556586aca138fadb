"""What a picture of clothing shows, and features of it: a network taught by FashionMNIST only."""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.faces.networks import Residual, channels_last, conv, fuse
from changeling.faces.weights import read_weights

SIZE = 28
"""Side of the pictures that the network reads."""
KINDS = 10
"""Classes of FashionMNIST (Xiao, Rasul & Vollgraf, arXiv 1708.07747)."""
FEATURES = 128
"""Numbers of a picture's features."""
WEIGHTS = Path(__file__).parent / "fashion.safetensors"
"""The weights that ship; fashion.json beside them has their SHA-256 and how they were taught."""

_AT_ONCE = 250
"""Pictures that go through the network together: bounds the memory."""


class FashionNet(nn.Module):
    """Grey pictures (n, 1, 28, 28), 0…1 → features (n, 128); `head` turns them into classes."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2), conv(4, 32), Residual(32), conv(32, 64, 2), Residual(64),
            conv(64, FEATURES, 2), Residual(FEATURES), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, KINDS)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.body(2 * pictures - 1)


@dataclass(frozen=True, eq=False)
class Classified:
    """What the classifier saw in n pictures."""

    probabilities: NDArray[np.float32]
    """(n, 10), each row sums to 1: the classes in FashionMNIST's order."""
    features: NDArray[np.float32]
    """(n, 128): what Fréchet and kernel distances compare."""

    @property
    def confidence(self) -> float:
        """The mean over the pictures of the probability of the likeliest class, 0.1…1."""
        return float(self.probabilities.max(1).mean())

    @property
    def kinds(self) -> NDArray[np.int64]:
        """(n,): the likeliest class of each picture."""
        return self.probabilities.argmax(1)

    @property
    def shares(self) -> NDArray[np.float64]:
        """(10,), sums to 1: the share of the pictures whose likeliest class is each."""
        counts = np.bincount(self.kinds, minlength=KINDS)
        return np.asarray(counts / counts.sum(), np.float64)

    def accuracy(self, labels: Tensor) -> float:
        """The share of the pictures whose likeliest class is that of `labels` (n,), 0…1."""
        return float((self.kinds == labels.numpy()).mean())


class FashionClassifier:
    """The taught network at work.

    Its features are the project's own: distances on them do not compare with published FID or KID.
    """

    def __init__(self, net: FashionNet, name: str = "") -> None:
        self._net = deepcopy(net).eval()
        fuse(self._net)
        channels_last(self._net)
        self.name = name
        """Names the weights: features of two networks do not compare."""

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> "FashionClassifier":
        """Reads weights and checks them against the SHA-256 in the JSON beside them.

        Raises UserError when they are missing or not those that were written.
        """
        tensors, about = read_weights(path, network="fashion")
        net = FashionNet()
        net.load_state_dict(tensors)
        return cls(net, str(about["sha256"])[:16])

    def classify(self, pictures: Tensor) -> Classified:
        """Looks at pictures (n, 1 or 3, s, s), 0…1, n ≥ 1; other sides than 28 are resized."""
        assert pictures.ndim == 4 and len(pictures), "no pictures"
        seen = [self._see(part) for part in pictures.split(_AT_ONCE)]
        probabilities, features = (torch.cat(parts).numpy() for parts in zip(*seen, strict=True))
        return Classified(probabilities, features)

    @torch.inference_mode()
    def _see(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        grey = pictures.float().mean(1, keepdim=True)
        if grey.shape[2:] != (SIZE, SIZE):
            grey = F.interpolate(grey, (SIZE, SIZE), mode="bilinear", antialias=True)
        features = self._net(grey.contiguous(memory_format=torch.channels_last))
        return self._net.head(features).softmax(1), features
