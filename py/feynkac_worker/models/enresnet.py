"""Pre-activation CIFAR ResNets and Feynman-Kac ensembles of them (EnResNet).

A ResNet is forward Euler for dx/dt = F(x, w). The Feynman-Kac formula adds noise to every residual map and averages:

    o = conv2(relu(bn2(conv1(relu(bn1(x))))));   y = o + x;   y <- y + noise * std(y) * N(0, 1)
    logits = mean of the members' logits

Wang, Yuan, Shi, Osher, "ResNets Ensemble via the Feynman-Kac Formalism to Improve Natural and Robust Accuracies",
NeurIPS 2019, arXiv 1811.10745. Depth 6n + 2: a stem, three stages of n blocks of widths w, 2w, 4w and strides 1, 2, 2,
and one linear layer.

Shape suffixes: B batch, C channels, H height, W width, N classes, M draws.
This file needs nothing but torch: copy it to use it elsewhere. `narrow.py` makes its networks smaller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PER_TENSOR, PER_SAMPLE = "tensor", "sample"


def inject_noise(
    x_BCHW: Tensor,
    coefficient: float,
    *,
    std: str = PER_TENSOR,
    draws: int = 1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """x + coefficient * std(x) * N(0, 1), of the shape of x.

    The standard deviation is unbiased and carries gradient. ``std="tensor"`` takes it over the whole batch, as the
    authors do: the prediction for one image then depends on its batch mates. With ``draws=M`` the batch is M stacked
    copies of B / M images and each copy has its own. ``std="sample"`` takes it over each image alone.
    """
    B, C, H, W = x_BCHW.shape
    # Drawn in the memory order of channels-last, whatever the layout of x: the same seed then gives the same noise in
    # every layout, and randn_like on a channels-last tensor takes a slow path.
    noise_BHWC = torch.randn((B, H, W, C), generator=generator, dtype=x_BCHW.dtype, device=x_BCHW.device)
    noise_BCHW = noise_BHWC.permute(0, 3, 1, 2)
    if std == PER_SAMPLE:
        return torch.addcmul(x_BCHW, noise_BCHW, x_BCHW.std((1, 2, 3), keepdim=True), value=coefficient)
    if draws == 1:
        return torch.addcmul(x_BCHW, noise_BCHW, x_BCHW.std(), value=coefficient)
    # Splitting and joining the batch dimension are views in either layout.
    x_MBCHW, noise_MBCHW = (t.view(draws, B // draws, C, H, W) for t in (x_BCHW, noise_BCHW))
    std_M1111 = x_MBCHW.std((1, 2, 3, 4), keepdim=True)
    return torch.addcmul(x_MBCHW, noise_MBCHW, std_M1111, value=coefficient).flatten(0, 1)


class Block(nn.Module):
    """Pre-activation basic block, [B, in, H, W] -> [B, out, H / stride, W / stride].

    Where the shape changes, a 1x1 convolution without batch norm stands on the skip path.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, skip: bool) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.skip = skip
        self.downsample: nn.Sequential | None = None
        if skip and (stride != 1 or in_channels != out_channels):
            self.downsample = nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        # Where `narrow.py` has put zeros in the place of a convolution, nothing is computed and nothing added.
        if not isinstance(self.conv2, nn.Conv2d) and self.skip:
            if self.downsample is None:
                return x_BCHW
            path: nn.Module = self.downsample[0]
            return path(F.relu_(self.bn1(x_BCHW)) if isinstance(path, nn.Conv2d) else x_BCHW)
        # In place where autograd does not need the overwritten value: convolution and batch norm keep their inputs.
        o_BCHW: Tensor = F.relu_(self.bn1(x_BCHW))
        skip = self.skip and (self.downsample is None or isinstance(self.downsample[0], nn.Conv2d))
        residual_BCHW = x_BCHW if self.downsample is None or not skip else self.downsample(o_BCHW)
        o_BCHW = self.conv2(F.relu_(self.bn2(self.conv1(o_BCHW))))
        return o_BCHW.add_(residual_BCHW) if skip else o_BCHW


class Member(nn.Module):
    """One pre-activation ResNet, [B, C, H, W] -> logits [B, N]."""

    def __init__(
        self, depth: int, widen: int, width: int, channels: int, classes: int, stem_stride: int, skip: bool
    ) -> None:
        super().__init__()
        blocks = (depth - 2) // 6
        widest = 4 * widen * width

        def stage(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
            first = Block(in_channels, out_channels, stride, skip)
            return nn.Sequential(first, *(Block(out_channels, out_channels, 1, skip) for _ in range(blocks - 1)))

        self.conv1 = nn.Conv2d(channels, width, 3, stem_stride, 1, bias=False)
        self.layer1 = stage(width, widest // 4, 1)
        self.layer2 = stage(widest // 4, widest // 2, 2)
        self.layer3 = stage(widest // 2, widest, 2)
        self.bn = nn.BatchNorm2d(widest)
        self.fc = nn.Linear(widest, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0.0, (2 / (module.kernel_size[0] ** 2 * module.out_channels)) ** 0.5)

    def forward(self, x_BCHW: Tensor, noise: Mapping[str, Any] | None) -> Tensor:
        # A one-channel image looks contiguous to the stem, which then would leave channels-last.
        x_BCHW = self.conv1(x_BCHW).contiguous(memory_format=torch.channels_last)
        for stage in (self.layer1, self.layer2, self.layer3):
            for block in stage:
                x_BCHW = block(x_BCHW)
                if noise is not None:
                    x_BCHW = inject_noise(x_BCHW, **noise)
        # The mean over the whole map is AvgPool(8) of the published network at 32 x 32, and fits any image size.
        logits_BN: Tensor = self.fc(F.relu_(self.bn(x_BCHW)).mean((2, 3)))
        return logits_BN


class EnResNet(nn.Module):
    """The mean logits of ``members`` independent pre-activation ResNets with noise after every block.

    One member without noise is a ResNet. Noise stays on at test time and under attack, and is drawn anew in each
    forward pass. ``skip=False`` leaves out all skip connections (additions and downsample convolutions).
    ``noise_std``: see `inject_noise`. Raises ValueError for impossible values.
    """

    def __init__(
        self,
        depth: int = 20,
        members: int = 1,
        noise: float = 0.0,
        width: int = 16,
        channels: int = 3,
        classes: int = 10,
        stem_stride: int = 1,
        skip: bool = True,
        noise_std: str = PER_TENSOR,
        widen: int = 1,
    ) -> None:
        super().__init__()
        # By convention a wide network counts the stem and the three downsample convolutions, a plain one stem and head.
        extra, known = (2, "8, 14, 20, …") if widen == 1 else (4, "10, 16, 22, …")
        if depth < 8 or depth % 6 != extra:
            raise ValueError(f"Expected `depth` to be 6n + {extra} with n >= 1 ({known}), got `{depth}`")
        sizes = {"members": members, "widen": widen, "width": width, "channels": channels, "classes": classes}
        for name, size in {**sizes, "stem_stride": stem_stride}.items():
            if size < 1:
                raise ValueError(f"Expected `{name}` to be an integer of at least 1, got `{size}`")
        if not 0 <= noise < float("inf"):
            raise ValueError(f"Expected `noise` to be a finite number of at least 0, got `{noise}`")
        if noise_std not in (PER_TENSOR, PER_SAMPLE):
            raise ValueError(f"Expected `noise_std` to be `{PER_TENSOR}` or `{PER_SAMPLE}`, got `{noise_std}`")
        self.depth, self.members, self.noise, self.width, self.channels = depth, members, noise, width, channels
        self.classes, self.stem_stride, self.skip, self.noise_std = classes, stem_stride, skip, noise_std
        self.widen = widen
        member = (depth, widen, width, channels, classes, stem_stride, skip)
        self.ensemble = nn.ModuleList(Member(*member) for _ in range(members))

    @property
    def name(self) -> str:
        """The name under which `MODELS` builds this network again, with `options`."""
        base = f"resnet{self.depth}" if self.widen == 1 else f"wideresnet{self.depth}_{self.widen}"
        return base if self.members == 1 and self.noise == 0 else f"en{base}"

    @property
    def architecture(self) -> str:
        """The name as the papers print it: ResNet20, En1ResNet20, En2ResNet20, WideResNet34-10."""
        base = f"ResNet{self.depth}" if self.widen == 1 else f"WideResNet{self.depth}-{self.widen}"
        return base if self.members == 1 and self.noise == 0 else f"En{self.members}{base}"

    @property
    def options(self) -> dict[str, Any]:
        """Every constructor argument but the depth and the widening, which belong to the name."""
        names = ("members", "noise", "width", "channels", "classes", "stem_stride", "skip", "noise_std")
        return {name: getattr(self, name) for name in names}

    def forward(
        self, x_BCHW: Tensor, *, generator: torch.Generator | None = None, noise: bool | None = None, draws: int = 1
    ) -> Tensor:
        """Images [B, C, H, W] in [0, 1] to logits [B, N].

        ``noise=False`` switches the noise off for this call; ``generator=None`` draws from the global generator;
        ``draws=M``: the batch is M stacked copies, each with its own standard deviation.
        Raises ValueError when B is not a multiple of M, or for images of another shape.
        """
        if x_BCHW.dim() != 4 or x_BCHW.shape[1] != self.channels:
            shape = list(x_BCHW.shape)
            raise ValueError(f"Expected images of shape [batch, {self.channels}, height, width], got {shape}")
        if draws < 1 or x_BCHW.shape[0] % draws:
            raise ValueError(f"Expected `draws` to divide the batch size {len(x_BCHW)}, got `{draws}`")
        settings = None
        if self.noise > 0 and noise is not False:
            settings = {"coefficient": self.noise, "std": self.noise_std, "draws": draws, "generator": generator}
        x_BCHW = x_BCHW.contiguous(memory_format=torch.channels_last)
        logits_BN: Tensor = self.ensemble[0](x_BCHW, settings)
        for member in self.ensemble[1:]:
            logits_BN = logits_BN + member(x_BCHW, settings)
        return logits_BN / self.members if self.members > 1 else logits_BN


# Name -> constructor, arguments that the name fixes, defaults that the name changes.
DEPTHS = (8, 14, 20, 26, 32, 38, 44, 50, 56, 86, 110)
# Depth and widening; 34-10 is the one of the published tables.
WIDE = ((28, 10), (34, 10))
_SIZES: dict[str, dict[str, int]] = {
    **{f"resnet{depth}": {"depth": depth, "widen": 1} for depth in DEPTHS},
    **{f"wideresnet{depth}_{widen}": {"depth": depth, "widen": widen} for depth, widen in WIDE},
}
MODELS: dict[str, tuple[type[nn.Module], dict[str, Any], dict[str, Any]]] = {
    **{name: (EnResNet, size, {}) for name, size in _SIZES.items()},
    **{f"en{name}": (EnResNet, size, {"noise": 0.1}) for name, size in _SIZES.items()},
}
