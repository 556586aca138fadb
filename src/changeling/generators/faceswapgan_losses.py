"""What the faceswap-GAN compares, mixes, recolours and blurs, as functions of tensors."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Weights:
    """What the losses weigh; 0 leaves one out. Pictures are -1…1 in all of them."""

    discriminator: float = 0.1
    """The judges' opinion of what was drawn."""
    reconstruction: float = 1.0
    """Absolute difference from the true face."""
    edge: float = 0.1
    """Absolute difference of how much neighbouring pixels differ."""
    eyes: float = 30.0
    """What both differences weigh more within the eyes."""
    outside: float = 1.0
    """What both differences weigh outside the face, where one inside weighs 1."""
    perceptual: tuple[float, float, float, float] = (0.01, 0.1, 0.3, 0.1)
    """Difference of the features, from the coarsest map to the finest, as a share of their size."""
    hinge: float = 0.0
    """How far alpha is below the threshold, which keeps the whole square from being the input."""
    alpha: float = 0.0
    """Cross-entropy of alpha and the face's mask; without it alpha is what pleases the judges."""
    cyclic: float = 0.0
    """Difference between a face and itself swapped to the next person and back."""
    tie: float = 0.0
    """Difference between the people's codes (maximum mean discrepancy)."""

    def total(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of the losses that are given."""
        weights = {
            "adversarial": self.discriminator,
            "l1": self.reconstruction,
            "edge": self.edge,
            "perceptual": 1.0,
            "hinge": self.hinge,
            "alpha": self.alpha,
            "cyclic": self.cyclic,
            "tie": self.tie,
        }
        return torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()


@dataclass(frozen=True, eq=False)
class Views:
    """A batch as the networks see it: all people's faces in one row, (n, channels, s, s)."""

    inputs: Tensor
    """RGB, -1…1."""
    targets: Tensor
    """RGB, -1…1."""
    masks: Tensor
    """0…1: the inner face."""
    eyes: Tensor
    """0…1."""


def blend(drawn: Tensor, inputs: Tensor) -> Tensor:
    """Return alpha · face + (1 - alpha) · input, (n, 3, s, s) in -1…1.

    drawn: (n, 4, s, s), RGB before its tanh and alpha before its sigmoid; inputs: (n, 3, s, s).
    """
    drawn = drawn.float()
    return torch.lerp(inputs, drawn[:, :3].tanh(), drawn[:, 3:].sigmoid())


def paste(drawn: Tensor, views: Views) -> Tensor:
    """Return the drawn faces inside the masks and the targets outside, (n, 3, s, s) in -1…1."""
    return torch.lerp(views.targets, drawn[:, :3].float().tanh(), views.masks)


def edge_loss(faces: Tensor, targets: Tensor, shares: Tensor) -> Tensor:
    """Compare how much neighbouring pixels differ, down and across; 0 for equal pictures.

    Whichever of the two is brighter, as the listing has it. Each weighs what the left or upper of
    its pixels has in `shares` (n, 1, s, s).
    """
    down, across = (
        (faces.diff(dim=dim).abs() - targets.diff(dim=dim).abs()).abs() for dim in (2, 3)
    )
    return (shares[:, :, :-1] * down).mean() + (shares[..., :-1] * across).mean()


def hinge_loss(alphas: Tensor, threshold: float) -> Tensor:
    """Return how far alphas are below the threshold on average; 0 where none is."""
    return (threshold - alphas).clamp_min(0).mean()


def perceptual_loss(
    mine: Sequence[Tensor], true: Sequence[Tensor], shares: Sequence[float]
) -> Tensor:
    """Compare maps of features, given from the finest to the coarsest, weighted by `shares`.

    The shares are given from the coarsest to the finest. Each difference is a share of the true
    map's mean size, so that weights do not depend on how a network scales its features.
    """
    pairs = zip(mine, true, reversed(shares), strict=True)
    losses = [
        share * (x.float() - y.float()).abs().mean() / y.float().abs().mean().clamp_min(1e-6)
        for x, y, share in pairs
    ]
    return torch.stack(losses).sum()


def mixing_shares(n: int, both: float) -> Tensor:
    """Draw the true pictures' shares (n, 1, 1, 1) in n mixtures from Beta(both, both).

    0, its limit, gives 0 or 1 at even chances: nothing is mixed.
    """
    if both == 0:
        return torch.randint(2, (n, 1, 1, 1)).float()
    return torch.distributions.Beta(both, both).sample(torch.Size((n, 1, 1, 1)))


def squares(judged: Tensor, shares: Tensor) -> Tensor:
    """Return how far judgements (n, 1, h, w) are from the shares (n, 1, 1, 1) of true pictures.

    Least squares (Mao et al., ICCV 2017, equation 9 without its halves) of a mixture's share
    (Zhang et al., ICLR 2018, section 3).
    """
    return (judged - shares).square().mean()


def in_other_colours(views: Views, share: float) -> Views:
    """Give a `share` of the faces, input and target, the colours of any other of the targets."""
    n, device = len(views.inputs), views.inputs.device
    chosen = torch.rand(n, device=device) < share
    donors = torch.where(chosen, torch.randperm(n, device=device), -1)
    inputs, targets = (
        recoloured(faces, views.targets, views.masks, donors)
        for faces in (views.inputs, views.targets)
    )
    return replace(views, inputs=inputs, targets=targets)


def recoloured(faces: Tensor, targets: Tensor, masks: Tensor, donors: Tensor) -> Tensor:
    """Give faces (n, 3, s, s), -1…1, the colours of the targets `donors` (n,); -1: their own.

    Mean and spread of each channel inside the masks (n, 1, s, s), after Reinhard et al., "Color
    transfer between images", 2001.
    """
    mean, spread = _colours(faces, masks)
    wanted, wide = (colours[donors] for colours in _colours(targets, masks))
    matched = (faces - mean) * (wide / spread).clamp(0.4, 2.5) + wanted
    return torch.where(donors[:, None, None, None] < 0, faces, matched.clamp(-1, 1))


def _colours(faces: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    shares = masks / masks.sum((2, 3), keepdim=True).clamp_min(1)
    mean = (shares * faces).sum((2, 3), keepdim=True)
    spread = (shares * (faces - mean).square()).sum((2, 3), keepdim=True).sqrt()
    return mean, spread + 0.02


def in_motion(views: Views, share: float) -> Views:
    """Blur a `share` of the faces, input and target alike, along a line of any angle."""
    n, side = len(views.inputs), views.inputs.shape[-1]
    chosen = (torch.rand(n, device=views.inputs.device) < share)[:, None, None, None]
    angles = math.pi * torch.rand(n, device=views.inputs.device)
    lines = strokes(angles, max(3, 2 * (side // 32) + 1))
    inputs, targets = (
        torch.where(chosen, moved(faces, lines), faces) for faces in (views.inputs, views.targets)
    )
    return replace(views, inputs=inputs, targets=targets)


def strokes(angles: Tensor, length: int) -> Tensor:
    """Return what moving `length` pixels (odd) makes of a point: (n, length, length).

    Angles (n,) in radians from the x axis to the y axis, which points down. Each stroke sums to 1.
    """
    line = torch.arange(length, device=angles.device) - length // 2
    x, y = line[None, None], line[None, :, None]
    cos, sin = angles.cos()[:, None, None], angles.sin()[:, None, None]
    stroke = (1 - (y * cos - x * sin).abs()).clamp_min(0)
    stroke = stroke * ((x * cos + y * sin).abs() <= length / 2)
    return stroke / stroke.sum((1, 2), keepdim=True)


def moved(faces: Tensor, strokes: Tensor) -> Tensor:
    """Blur each of the faces (n, 3, s, s) by its stroke (n, length, length)."""
    n, channels, height, width = faces.shape
    rim = strokes.shape[-1] // 2
    padded = F.pad(faces, (rim, rim, rim, rim), mode="reflect")
    padded = padded.reshape(1, n * channels, height + 2 * rim, width + 2 * rim)
    kernels = strokes[:, None].repeat_interleave(channels, dim=0)
    return F.conv2d(padded, kernels, groups=n * channels).reshape(faces.shape)
