"""The discriminator of the VAE/GAN."""

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from changeling.generators.blocks import halving


class Judge(nn.Module):
    """The discriminator: the features that measure likeness, and a logit for every person."""

    def __init__(self, size: int, widths: tuple[int, ...], people: int) -> None:
        """Build for faces of `size` pixels, halved for each of the `widths`."""
        super().__init__()
        side = size // 2 ** len(widths)
        self.features = nn.Sequential(*(_normalised(layer) for layer in halving(widths)))
        self.people = nn.Sequential(
            nn.Flatten(), _normalised(nn.Linear(widths[-1] * side * side, people))
        )

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (n, c, h, w) and logits (n, people) for faces (n, 3, s, s) in 0…1."""
        features = self.features(2 * faces - 1)
        return features, self.people(features)


def _normalised(layer: nn.Module) -> nn.Module:
    """Bound how much a layer can magnify, where it has weights."""
    return spectral_norm(layer) if hasattr(layer, "weight") else layer
