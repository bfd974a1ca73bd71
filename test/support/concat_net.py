"""Networks as users have them, with concatenations, sums, depthwise convolutions: plain PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConcatNet(nn.Module):
    """Two branches side by side, a sum over a projection, a depthwise convolution, a flattened map."""

    def __init__(self, width: int = 8, classes: int = 10, channels: int = 1) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, 2, 1)
        self.left = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.right = nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU(inplace=True))
        self.join = nn.Conv2d(2 * width, width, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.project = nn.Conv2d(width, width, 1, 2, bias=False)
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.hidden = nn.Linear(4 * width, 16)
        self.head = nn.Linear(16, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        both = torch.cat([self.left(x), self.right(x)], dim=1)
        y = F.relu(self.norm(self.join(both)) + self.project(x))
        y = self.pool(F.relu(self.depthwise(y)))
        hidden: Tensor = self.hidden(y.flatten(1)).relu()
        logits: Tensor = self.head(hidden)
        return logits


def make(width: int = 8, classes: int = 10, channels: int = 1) -> ConcatNet:
    return ConcatNet(width, classes, channels)
