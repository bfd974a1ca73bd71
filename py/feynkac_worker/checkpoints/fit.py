"""Whether the weights of a file fit a module, making it as small as they are, and putting them there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from feynkac_worker.errors import ServiceError
from feynkac_worker.models.narrow import narrow
from feynkac_worker.tensors import name_of


def check_weights(path: Path, module: nn.Module, state: Mapping[str, Tensor]) -> list[str]:
    """Whether the weights fit the module; gives notes. Raises ServiceError when they do not."""
    notes = []
    wanted = module.state_dict()
    counters = [key for key in wanted if key.endswith(".num_batches_tracked") and key not in state]
    if counters:
        notes.append(f"{len(counters)} `num_batches_tracked` entries are missing: they start at 0.")
    architecture = getattr(module, "architecture", type(module).__name__)
    refusal = f"Expected `{path}` to hold the weights of {architecture}"
    for key, tensor in wanted.items():
        if key in state:
            if state[key].shape != tensor.shape or state[key].is_floating_point() != tensor.is_floating_point():
                raise ServiceError(f"{refusal} with `{key}` as {words(tensor)}, got {words(state[key])}")
        elif key not in counters:
            raise ServiceError(f"{refusal} with `{key}` as {words(tensor)}, got no such key")
    extra = next((key for key in state if key not in wanted), None)
    if extra is not None:
        raise ServiceError(f"{refusal}, got the unexpected key `{extra}` ({words(state[extra])})")
    foreign = sorted({name_of(state[key].dtype) for key in state if state[key].dtype != wanted[key].dtype})
    if foreign:
        notes.append(f"Weights stored as {', '.join(foreign)} were converted to the network's dtypes.")
    return notes


def narrowed(path: Path, module: nn.Module, widths: Mapping[str, Any]) -> nn.Module:
    """A copy of the module as small as the file says. Raises ServiceError when the widths do not fit it."""
    try:
        return narrow(module, widths)
    except ValueError as error:
        kind = getattr(module, "architecture", type(module).__name__)
        raise ServiceError(f"{error} (the header `widths` of `{path}`, network {kind})") from error


def materialised(module: nn.Module) -> nn.Module:
    """The module with memory, not yet filled, for what it has on the device "meta"."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None and parameter.is_meta:
                empty = torch.empty_like(parameter, device="cpu")
                part._parameters[name] = nn.Parameter(empty, requires_grad=parameter.requires_grad)
        for name, buffer in part._buffers.items():
            if buffer is not None and buffer.is_meta:
                part._buffers[name] = torch.empty_like(buffer, device="cpu")
    return module


def fill(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Copies weights that fit into the module; a counter that the file lacks starts at 0."""
    with torch.no_grad():
        for key, tensor in module.state_dict().items():
            tensor.copy_(state[key] if key in state else torch.zeros(()))


def words(tensor: Tensor) -> str:
    """dtype and shape as messages show them."""
    return f"{name_of(tensor.dtype)}{list(tensor.shape)}"
