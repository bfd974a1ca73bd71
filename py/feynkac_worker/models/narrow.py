"""Carries out a plan of removal: takes channels out of the layers of a module, and its weights become smaller.

The plan ("widths") says for each layer, by its dotted name, which channels stay:

    {"version": 1, "layers": {"layer1.0.conv1": {"out": [0, 2]}, "layer1.0.conv2": {"in": [0, 2]}, …}}

`in` and `out` are the indices kept (absent: all); of a batch norm `out` only. `select`: the layer's input still has all
channels, and the layer takes out those it keeps. `zero`: the output of the layer is zero, so it computes nothing.
`then`: another plan, for the network that this one gives.

A compact checkpoint in plain PyTorch, without pickle (copy this file and `enresnet.py`):

    with safetensors.safe_open(path, "pt") as file:
        header = file.metadata()
    net = enresnet.make(header["name"], json.loads(header["options"]))
    net = narrow.narrow(net, json.loads(header["widths"]))
    net.load_state_dict(safetensors.torch.load_file(path))

Names of modules and parameters stay. This file needs nothing but torch.
"""

from __future__ import annotations

from torch import Tensor, nn

CONVS, NORMS, LINEARS = (nn.Conv2d,), (nn.BatchNorm2d,), (nn.Linear,)


class Selected(nn.Module):
    """A layer that first takes some channels out of its input; base of the classes below."""

    index: Tensor


class Zeros(nn.Module):
    """Stands where a layer gave zeros."""
