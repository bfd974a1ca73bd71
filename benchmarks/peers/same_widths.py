"""A fresh dense network of the widths of a compact one: what compaction is measured against.

The same shapes with new weights. Where the compact network selects scattered channels of a wider tensor, this one takes
the first ones, as a network built that way by hand would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from feynkac_worker.models import build
from feynkac_worker.models.narrow import Selected, narrow


class FirstConv2d(nn.Conv2d):
    """A convolution of the first channels of its input."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return super().forward(x_BCHW[:, : self.in_channels])


class FirstBatchNorm2d(nn.BatchNorm2d):
    """A batch norm of the first channels of its input."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return super().forward(x_BCHW[:, : self.num_features])


class FirstLinear(nn.Linear):
    """A linear layer of the first features of its input."""

    def forward(self, x_BF: Tensor) -> Tensor:
        return super().forward(x_BF[:, : self.in_features])


FIRST: tuple[type[nn.Module], ...] = (FirstConv2d, FirstBatchNorm2d, FirstLinear)


def make(name: str, options: Mapping[str, Any], widths: Mapping[str, Any], seed: int = 0) -> nn.Module:
    """The network `name` of the worker's models with these widths and weights drawn with `seed`."""
    net = narrow(build(name, options, seed=seed), widths)
    for layer in net.modules():
        if isinstance(layer, Selected):
            plain = next(first for first in FIRST if isinstance(layer, first.__mro__[1]))
            layer.__class__ = plain  # type: ignore[assignment]
    return net
