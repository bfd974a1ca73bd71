"""A network as you may have one: plain PyTorch that knows nothing of feynkac. Used by own_module.ts."""

from torch import Tensor, nn


class Block(nn.Module):
    """Two convolutions beside a skip path; the shape [batch, width, 7, 7] stays."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm1(self.conv1(x)).relu()
        return (x + self.norm2(self.conv2(inner))).relu()


class SmallNet(nn.Module):
    """Images [batch, 1, 28, 28] to logits [batch, 10]."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, width, 5, stride=4, padding=2)
        self.body = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.head = nn.Linear(width * 7 * 7, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(self.stem(x).relu()).flatten(1))


def make(width: int = 8, blocks: int = 2) -> SmallNet:
    """The factory: `session.adopt('own_module.py:make', { width: 16 })` calls it with these keyword arguments."""
    return SmallNet(width, blocks)
