"""What a module is, in words and shapes: the module description of PROTOCOL.md, for any nn.Module, ours or foreign."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from feynkac_worker.models import registry
from feynkac_worker.models.narrow import widths_of

_SKIP_PATH = re.compile(r"downsample|shortcut")
_NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm, nn.LocalResponseNorm)


def describe(module: nn.Module) -> dict[str, Any]:
    """`{name, options, architecture, members, parameters: [{name, shape, role}], buffers: [{name, shape}], trainable}`.

    A narrowed module has its `widths`, too. A foreign module is named by its class, has no options, and counts as one
    member. A shared parameter appears once.
    """
    kind = type(module).__name__
    # Attributes of these names on a foreign module may mean anything.
    own = isinstance(module, tuple({constructor for constructor, _, _ in registry().values()}))
    parameters = [
        {"name": name, "shape": list(parameter.shape), "role": _role(module, name, parameter)}
        for name, parameter in module.named_parameters()
    ]
    widths = widths_of(module)
    return {
        "name": module.name if own else kind,
        "options": module.options if own else {},
        "architecture": module.architecture if own else kind,
        "members": module.members if own else 1,
        "parameters": parameters,
        "buffers": [{"name": name, "shape": list(buffer.shape)} for name, buffer in module.named_buffers()],
        "trainable": sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad),
        **({} if widths is None else {"widths": widths}),
    }


def _role(module: nn.Module, name: str, parameter: Tensor) -> str:
    """conv, downsample, norm (scale and shift), linear or bias of the parameter `name`.

    Transposed convolutions store `[in, out, …]`, so they are not `conv`: their input channels are not `w[:, i]`.
    """
    path, _, leaf = name.rpartition(".")
    owner = module.get_submodule(path)
    if isinstance(owner, _NORMS):
        return "norm"
    if leaf == "bias" or parameter.dim() <= 1:
        return "bias"
    if isinstance(owner, _ConvNd) and not isinstance(owner, _ConvTransposeNd):
        pointwise = all(size == 1 for size in owner.kernel_size)
        return "downsample" if pointwise and _SKIP_PATH.search(path) else "conv"
    return "linear"
