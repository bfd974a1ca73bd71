"""Layers with weights whose channels `narrow` can take out, and those it must leave."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from feynkac_worker.models.narrow import CONVS, LINEARS, NORMS
from feynkac_worker.tracing.operations import opaque

Facts = dict[str, Any]


def layer_facts(module: nn.Module, x: Tensor) -> Facts | None:
    """What a convolution, batch norm or linear layer does to `x`; None for any other module.

    A class derived from them may compute anything, so only the classes themselves are understood.
    """
    if not isinstance(module, (*CONVS, *NORMS, *LINEARS)):
        return None
    facts = _facts(module)
    if type(module) not in (*CONVS, *NORMS, *LINEARS):
        return opaque(f"{type(module).__name__} is a class of its own", facts)
    if module._forward_hooks or module._forward_pre_hooks:
        return opaque("it has hooks", facts)
    if "weight" not in module._parameters:
        return opaque("its weight is computed from other weights", facts)
    if isinstance(module, LINEARS) and x.dim() != 2:
        return opaque("its input is no [batch, features]", facts)
    if isinstance(module, NORMS) and x.dim() != 4:
        return opaque("its input is no [batch, channels, height, width]", facts)
    return facts


def _facts(module: nn.Module) -> Facts:
    if isinstance(module, nn.Conv2d):
        padding = module.padding
        if padding == "same":
            padding = tuple(d * (k - 1) // 2 for d, k in zip(module.dilation, module.kernel_size, strict=True))
        elif padding == "valid":
            padding = (0, 0)
        return {
            "kind": "conv",
            "kernel": list(module.kernel_size),
            "stride": list(module.stride),
            "padding": list(padding),
            "groups": module.groups,
            "bias": module.bias is not None,
        }
    return {"kind": "linear" if isinstance(module, nn.Linear) else "norm", "bias": module.bias is not None}
