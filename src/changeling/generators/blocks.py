"""What two or more families share."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from changeling.errors import UserError
from changeling.faces.people import levelling, relit
from changeling.generators.protocols import Swapped, Swaps
from changeling.training import Runtime

PREVIEWED = 4
"""Faces of each person that a preview shows."""


def check_people(people: tuple[str, ...]) -> None:
    """Raise `UserError` unless there are two or more people with names of their own."""
    if len(people) < 2 or len(set(people)) < len(people):
        raise UserError(
            f"people are {', '.join(people) or 'missing'}: give face sets of two or more people, "
            "each with a name of its own"
        )


def check_size(size: int, divisor: int, *, least: int = 0) -> None:
    """Raise `UserError` unless the side of the faces is a multiple of `divisor`, not below `least`.

    Whatever `least` is, 0 does not fit.
    """
    least = max(least, divisor)
    if size < least or size % divisor:
        near = max(least, round(size / divisor) * divisor)
        raise UserError(
            f"size {size} does not fit the network, which needs a multiple of {divisor}, at least "
            f"{least}: give --size {near}"
        )


def check_batch(batch: int) -> None:
    """Raise `UserError` unless a step has two pictures, whose variety can be told."""
    if batch < 2:
        raise UserError(
            f"a step of {batch} picture(s) has no variety to learn: give --batch 2 or more"
        )


def find_person(people: tuple[str, ...], to: str) -> int:
    """Return the place of the person `to`; raises `UserError` when nobody has that name."""
    if to not in people:
        raise UserError(f"the run knows nobody called {to!r}: give --to one of {', '.join(people)}")
    return people.index(to)


def swap_grid(swaps: Swaps, targets: Tensor) -> Tensor:
    """Draw some `targets` (people, n, 3, s, s) as rows: the face, then it as each of the people.

    Returns float32 (rows, 1 + people, 3, s, s), 0…1, on the CPU.
    """
    faces = targets[:, :PREVIEWED].cpu()
    rows = [
        torch.stack([own, *(swaps.swap(own, to=to, of=of).faces.cpu() for to in swaps.people)], 1)
        for of, own in zip(swaps.people, faces, strict=True)
    ]
    return torch.cat(rows)


class Tones:
    """The average colours of people's faces, by which what an encoder sees is levelled."""

    def __init__(self, people: tuple[str, ...]) -> None:
        """Begin without a difference between the people."""
        self._people = people
        self.values = torch.ones(len(people), 3)
        """float32 (people, 3) linear, as `PeopleBatch.tones`; on the CPU."""

    def levelled(self, faces: Tensor, *, to: str, of: str | None) -> Tensor:
        """Give `faces` (n, 3, s, s) 0…1 the average colour that inputs have in training.

        They are those of the person `of`, or of anybody but `to` (see `Swaps`).
        """
        factors = levelling(self.values)
        others = [k for k, one in enumerate(self._people) if (one == of if of else one != to)]
        factor = factors[others].log().mean(0).exp()
        return faces if bool((factor == 1).all()) else relit(faces, factor)


def flattened(runtime: Runtime, *pictures: Tensor) -> tuple[Tensor, ...]:
    """Move several pictures (people, n, …) to where networks live, as (people · n, …)."""
    return tuple(runtime.pictures(x.flatten(0, 1)) for x in pictures)


def swapped(drawn: Tensor) -> Swapped:
    """Return drawings (n, 4, s, s), RGB and the mask's logits, as faces and masks."""
    drawn = drawn.float().contiguous()
    return Swapped(drawn[:, :3].clamp(0, 1), drawn[:, 3:].sigmoid())


def check_kind(kind: int | None, kinds: int) -> None:
    """Raise `UserError` unless `kind` is None (any) or one of the `kinds` that can be drawn."""
    if kind is not None and not 0 <= kind < kinds:
        known = f"give --kind 0…{kinds - 1}" if kinds else "it learnt none, leave --kind out"
        raise UserError(f"the run cannot be asked for kind {kind}: {known}")


def picture_grid(pictures: Tensor, columns: int = 8) -> Tensor:
    """Lay pictures (n, 1 or 3, s, s) in rows: (n / columns, columns, 3, s, s), grey as RGB."""
    return pictures.expand(-1, 3, -1, -1).unflatten(0, (-1, columns))


def with_noise(pictures: Tensor, noise: float, seed: int) -> Tensor:
    """Add normal noise of deviation `noise` to pictures 0…1, on the CPU, and clip."""
    dice = torch.Generator().manual_seed(seed)
    return (pictures + noise * torch.randn(pictures.shape, generator=dice)).clamp(0, 1)


def rising(step: int, steps: int) -> float:
    """Return the share of its final weight that a loss has at `step` (from 0).

    0 at first, 1 from `steps` on, linear in between (Bowman et al., arXiv 1511.06349, for the
    divergence of a variational autoencoder).
    """
    return min(1.0, step / steps)


def discrepancy(codes: Tensor) -> Tensor:
    """Return how much the codes (people, n, numbers) of the people differ; 0 expected if alike.

    The unbiased squared maximum mean discrepancy with a Gaussian kernel (Gretton et al., A Kernel
    Two-Sample Test, JMLR 2012, equation 4), the mean over all pairs of people. It compares no
    face with that of the same row, so rows may share their light.
    """
    people, n, numbers = codes.shape
    flat = codes.flatten(0, 1)
    similar = torch.exp(-torch.cdist(flat, flat).square() / (2 * numbers))
    others = 1 - torch.eye(n, device=codes.device).repeat(people, people)
    blocks = (similar * others).unflatten(0, (people, n)).unflatten(2, (people, n)).sum(dim=(1, 3))
    means = blocks / max(1, n * (n - 1))
    across = (means.sum() - means.trace()) / (people * (people - 1))
    return 2 * (means.diagonal().mean() - across)


def drawing_losses(
    drawn: Tensor, targets: Tensor, masks: Tensor, outside: float
) -> dict[str, Tensor]:
    """Compare drawn faces (n, 4, s, s) with the targets, mainly inside the masks.

    A drawing is RGB and the mask's logits; a pixel outside the face weighs `outside`. The losses
    are l1, dssim (structural dissimilarity, 0…1) and mask (binary cross-entropy).
    """
    faces, logits = drawn[:, :3], drawn[:, 3:]
    weights = outside + (1 - outside) * masks
    differences = (faces - targets).abs().mean(dim=1, keepdim=True)
    return {
        "l1": (weights * differences).sum() / weights.sum(),
        "dssim": dissimilarity(faces, targets, weights),
        "mask": F.binary_cross_entropy_with_logits(logits, masks),
    }


def drawing_sum(losses: Mapping[str, Tensor], structure: float, mask: float) -> Tensor:
    """Add up what `drawing_losses` returned, with the weights of dssim and mask beside l1."""
    return losses["l1"] + structure * losses["dssim"] + mask * losses["mask"]


def dissimilarity(faces: Tensor, targets: Tensor, weights: Tensor, window: int = 7) -> Tensor:
    """Return the mean of (1 - SSIM) / 2, weighted per pixel: 0 for equal pictures, at most 1.

    SSIM (Wang et al., IEEE TIP 2004) of pictures in 0…1, in windows of `window`² equal weights at
    every second pixel: neighbouring windows say nearly the same, for four times the price.
    """
    x, xx, xy = _window_means([faces, faces**2, faces * targets], window)
    y, yy, weight = _window_means([targets, targets**2, weights.expand_as(targets)], window)
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * x * y + c1) / (x**2 + y**2 + c1)
    structure = (2 * (xy - x * y) + c2) / (xx - x**2 + yy - y**2 + c2)
    return (weight * (1 - luminance * structure)).sum() / (2 * weight.sum())


def _window_means(pictures: list[Tensor], window: int) -> tuple[Tensor, ...]:
    rows = F.avg_pool2d(torch.cat(pictures, dim=1), (window, 1), stride=(2, 1))
    return F.avg_pool2d(rows, (1, window), stride=(1, 2)).chunk(len(pictures), dim=1)


class Residual(nn.Module):
    """A convolution beside the identity; begins close to the identity."""

    def __init__(self, width: int) -> None:
        """Keep `width` channels."""
        super().__init__()
        self.convolution = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        return F.leaky_relu(x + self.convolution(x), 0.1)


def halving(widths: tuple[int, ...]) -> list[nn.Module]:
    """Return layers that halve pictures (n, 3, s, s) once for each of the widths.

    The first halving moves pixels to channels, the others are strides.
    """
    layers: list[nn.Module] = [nn.PixelUnshuffle(2)]
    for i, (before, width) in enumerate(zip((12, *widths), widths, strict=False)):
        layers += [nn.Conv2d(before, width, 3, stride=min(i + 1, 2), padding=1), nn.LeakyReLU(0.1)]
    return layers


def doubling(widths: tuple[int, ...]) -> nn.Sequential:
    """Return the layers that undo `halving`: features to drawings (n, 4, s, s).

    They double the size by moving channels to pixels; never a convolution at full size.
    """
    layers: list[nn.Module] = []
    for before, width in zip(widths[:0:-1], widths[-2::-1], strict=True):
        layers += [nn.Conv2d(before, 4 * width, 1), nn.PixelShuffle(2), nn.LeakyReLU(0.1)]
        layers += [Residual(width)]
    return nn.Sequential(*layers, nn.Conv2d(widths[0], 16, 3, padding=1), nn.PixelShuffle(2))


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence (n,), in nats, of Gaussians (n, k) from N(0, 1).

    Kingma & Welling, arXiv 1312.6114, appendix B, with the sign of a loss.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)


def reparameterise(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Draw codes from Gaussians (n, k) so that gradients reach mean and variance.

    Kingma & Welling, arXiv 1312.6114, section 2.4. The random numbers are the global generator's.
    """
    return mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
