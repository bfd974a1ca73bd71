"""Training steps replayed from plans equal the same loop in plain PyTorch, bit for bit."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from builder import Builder, V, program
from torch import Tensor, nn

from feynkac_worker.models import build

X, Y, STEP, LR, NET, OPT, RNG = (V(i) for i in range(7))
EPSILON = 0.1


def adversarial_training(parameters: int) -> bytes:
    """PGD-2 in train mode with noise, then one step of SGD on the adversarial images."""
    inner = Builder("tensor", "scalar", "tensor", "tensor", "scalar", "module", "generator")
    x, _, clean, y, step, net, rng = (V(i) for i in range(7))
    leaf = inner.leaf(x)
    loss = inner.cross_entropy(inner.call(net, leaf, "train", rng), y)
    g = inner.get(inner.grad(loss, [leaf]), 0)
    moved = inner.add(leaf, inner.mul(inner.sign(g), step))
    ball = inner.clamp(moved, inner.sub(clean, EPSILON), inner.add(clean, EPSILON))
    body = inner.body(inner.clamp(ball, 0, 1))

    b = Builder("tensor", "tensor", "scalar", "scalar", "module", "optimizer", "generator", f"tensors:{parameters}")
    draw = b.sub(b.mul(b.rand_like(X, RNG), 2 * EPSILON), EPSILON)
    start = b.clamp(b.add(X, draw), 0, 1)
    attacked = b.get(b.repeat(2, body, [start], [X, Y, STEP, NET, RNG]), 0)
    logits = b.call(NET, attacked, "train", RNG)
    loss = b.cross_entropy(logits, Y)
    b.optimizer_step(OPT, b.grad(loss, V(7)), LR)
    correct = b.sum(b.eq(b.argmax(logits, 1), Y))
    return b.plan(loss, correct)


def plain(
    net: nn.Module, optimizer: torch.optim.SGD, rng: torch.Generator, x_BCHW: Tensor, y_B: Tensor, step: float
) -> Any:
    net.train()
    clean = x_BCHW
    x = (clean + (torch.rand(clean.shape, generator=rng) * (2 * EPSILON) - EPSILON)).clamp(0, 1)
    for _ in range(2):
        x = x.detach().requires_grad_()
        loss = F.cross_entropy(net(x, generator=rng), y_B)
        (g,) = torch.autograd.grad(loss, [x])
        x = (x.detach() + g.sign() * step).clamp(clean - EPSILON, clean + EPSILON).clamp(0, 1)
    logits = net(x, generator=rng)
    loss = F.cross_entropy(logits, y_B)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach(), (logits.argmax(1) == y_B).sum()


@pytest.mark.parametrize("name", ["resnet8", "enresnet8"])
def test_three_steps_equal_plain_pytorch(name: str) -> None:
    options = {"width": 4, "channels": 1, **({"members": 2} if name == "enresnet8" else {})}
    ours = build(name, options, seed=1)
    theirs = copy.deepcopy(ours)
    settings = {"lr": 0.0, "momentum": 0.9, "weight_decay": 5e-4, "nesterov": True}
    params = list(ours.parameters())
    optimizer = torch.optim.SGD(params, **settings)
    twin = torch.optim.SGD(theirs.parameters(), **settings)
    rng, other = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    ready = program(adversarial_training(len(params)))
    for lr in (0.1, 0.1, 0.01):
        x_BCHW, y_B = torch.rand(6, 1, 12, 12), torch.randint(10, (6,))
        found = ready.run([x_BCHW, y_B, 0.05, lr, ours, optimizer, rng, params, *ready.room])
        twin.param_groups[0]["lr"] = lr
        expected = plain(theirs, twin, other, x_BCHW, y_B, 0.05)
        assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])
    for (key, a), b in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        assert torch.equal(a, b), key
    assert torch.equal(rng.get_state(), other.get_state())
    assert [(t.input, t.how) for t in ready.targets] == [(4, "module"), (5, "step")]
