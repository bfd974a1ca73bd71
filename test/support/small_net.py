"""A network as users have them: plain PyTorch that knows nothing of feynkac."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SmallNet(nn.Module):
    def __init__(self, width: int = 4, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3, stride=4, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.head = nn.Linear(width * 7 * 7, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.stem(x)).relu().flatten(1))


def make(width: int = 4, classes: int = 10) -> SmallNet:
    assert torch.is_grad_enabled(), "a factory runs as in a script"
    return SmallNet(width, classes)


def refuse() -> SmallNet:
    raise ValueError("no such weights")


def echo(*values: object, **named: object) -> list[object]:
    return [*values, named]


def strange() -> dict[str, object]:
    return {"nan": float("nan"), "up": float("inf"), "down": -float("inf"), "huge": 2**70, "$": (1, None), "zero": -0.0}


def tensor() -> Tensor:
    return torch.zeros(2)


def weight_sum(module: nn.Module) -> float:
    return float(sum(p.detach().sum() for p in module.parameters()))


NUMBER = 3
