"""The PGD training step as plain PyTorch: what `feynkac bench overhead` is measured against.

A hand-written loop with the network file, memory format, noise layout, optimiser and attack of the driven step.
Nothing lies between it and PyTorch.
Reads one JSON line per request from standard input (`{"steps": n}`) and answers with the seconds that n steps took.
"""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    setup = json.loads(sys.stdin.readline())
    import torch
    from torch.nn import functional as F

    from feynkac_worker.models import build

    torch.set_num_threads(setup["threads"])
    torch.manual_seed(setup["seed"])
    net = build(setup["network"], setup["options"]).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    generator = torch.Generator().manual_seed(setup["seed"])
    epsilon, step_size, iterations = setup["epsilon"], setup["stepSize"], setup["iterations"]
    size, batch = setup["images"], setup["batch"]
    shape = (size, setup["options"]["channels"], setup["height"], setup["width"])
    images_NCHW = torch.rand(shape, generator=generator).contiguous(memory_format=torch.channels_last)
    labels_N = torch.randint(0, 10, (size,), generator=generator)
    order_N = torch.randperm(size, generator=generator)
    loss_sum = torch.zeros(())

    def step(start: int) -> None:
        nonlocal loss_sum
        index_B = order_N.narrow(0, start, batch)
        x0_BCHW, y_B = images_NCHW.index_select(0, index_B), labels_N.index_select(0, index_B)
        x_BCHW = x0_BCHW + (torch.rand(x0_BCHW.shape, generator=generator) * 2 - 1) * epsilon
        for _ in range(iterations):
            x_BCHW = x_BCHW.detach().requires_grad_()
            loss = F.cross_entropy(net(x_BCHW, generator=generator), y_B, reduction="sum")
            (gradient_BCHW,) = torch.autograd.grad(loss, [x_BCHW])
            with torch.no_grad():
                x_BCHW = x_BCHW + gradient_BCHW.sign() * step_size
                x_BCHW = torch.clamp(x_BCHW, x0_BCHW - epsilon, x0_BCHW + epsilon).clamp(0, 1)
        loss = F.cross_entropy(net(x_BCHW.detach(), generator=generator), y_B)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.detach()

    position = 0
    print(json.dumps({"ready": True, "torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        steps = json.loads(line)["steps"]
        started = time.perf_counter()
        for _ in range(steps):
            step(position)
            position = (position + batch) % (size - batch + 1)
        print(json.dumps({"seconds": time.perf_counter() - started, "loss": float(loss_sum)}), flush=True)


if __name__ == "__main__":
    main()
