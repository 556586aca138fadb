"""What the networks of this room are built of."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval


class Residual(nn.Module):
    """Two convolutions beside the identity: He et al., "Deep residual learning", CVPR 2016."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            conv(channels, channels), nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.inner(x))


def conv(inputs: int, outputs: int, stride: int = 1, *, size: int = 3) -> nn.Sequential:
    """Convolution, normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def channels_last(module: nn.Module) -> None:
    """Lay a network's weights out as the processor likes best: a third faster."""
    # torch's stubs leave out the overload of Module.to that its documentation has.
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def fuse(net: nn.Module) -> None:
    """Fold each normalisation of an evaluated network into its convolution: a quarter faster."""
    for module in net.modules():
        if isinstance(module, nn.Sequential):
            for i in range(len(module) - 1):
                before, norm = module[i], module[i + 1]
                if isinstance(before, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    module[i], module[i + 1] = fuse_conv_bn_eval(before, norm), nn.Identity()
