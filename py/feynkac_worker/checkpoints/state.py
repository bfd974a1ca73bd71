"""The whole training state in one safetensors file: modules, optimizers, generators, tensors; the same bits come back.

Entry `<i>/<key>` belongs to the i-th part. A module stores its parameters and buffers, an optimizer its state per
parameter index (SGD: `0.momentum_buffer`), a generator its state as bytes, a tensor itself. The header holds kinds and
settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from feynkac_worker.checkpoints.files import write_atomically
from feynkac_worker.checkpoints.header import encode_safetensors
from feynkac_worker.checkpoints.read import read_safetensors
from feynkac_worker.checkpoints.write import detached
from feynkac_worker.errors import ServiceError
from feynkac_worker.handles import kind_of
from feynkac_worker.tensors import name_of

LAYOUT = "1"
# What must not change between save and load; the learning rate comes with every step.
_SETTINGS = ("momentum", "dampening", "weight_decay", "nesterov")


def save_state(path: Path, names: Sequence[str], parts: Sequence[Any], metadata: Mapping[str, Any]) -> int:
    """Writes the named parts and the caller's metadata; gives the number of bytes."""
    tensors = {
        f"{i}/{key}": detached(tensor) for i, part in enumerate(parts) for key, tensor in _tensors_of(part).items()
    }
    described = [
        {"name": name, "kind": kind_of(part), "settings": _settings_of(part)}
        for name, part in zip(names, parts, strict=True)
    ]
    header = {"feynkac_state": LAYOUT, "parts": json.dumps(described), "metadata": json.dumps(metadata)}
    return write_atomically(path, encode_safetensors(tensors, header))


def load_state(path: Path, names: Sequence[str], parts: Sequence[Any]) -> Any:
    """Restores the named parts in place and gives the metadata. Nothing is touched unless everything fits."""
    stored, header = read_safetensors(path)
    try:
        described = {part["name"]: (i, part) for i, part in enumerate(json.loads(header["parts"]))}
        metadata = json.loads(header["metadata"])
    except (KeyError, ValueError, TypeError) as error:
        raise ServiceError(f"Expected `{path}` to be a training state, got another safetensors file") from error
    if header.get("feynkac_state") != LAYOUT:
        got = header.get("feynkac_state")
        raise ServiceError(f"Expected `{path}` to be a training state of layout {LAYOUT}, got layout {got}")
    restored: list[tuple[Any, dict[str, Tensor]]] = []
    for name, part in zip(names, parts, strict=True):
        if name not in described:
            raise ServiceError(f"Expected `{path}` to hold the part `{name}`, got {', '.join(described) or 'no parts'}")
        i, saved = described[name]
        tensors = {key.split("/", 1)[1]: tensor for key, tensor in stored.items() if key.startswith(f"{i}/")}
        _check(f"the part `{name}` of `{path}`", part, saved, tensors)
        restored.append((part, tensors))
    for part, tensors in restored:
        _restore(part, tensors)
    return metadata


def _tensors_of(part: Any) -> dict[str, Tensor]:
    if isinstance(part, nn.Module):
        return {**dict(part.named_parameters()), **dict(part.named_buffers())}
    if isinstance(part, torch.optim.Optimizer):
        states = [part.state.get(parameter, {}) for parameter in _parameters(part)]
        return {f"{i}.{k}": v for i, state in enumerate(states) for k, v in state.items() if isinstance(v, Tensor)}
    if isinstance(part, torch.Generator):
        return {"state": part.get_state()}
    return {"value": part}


def _settings_of(part: Any) -> dict[str, Any]:
    if isinstance(part, torch.optim.Optimizer):
        return {"parameters": len(_parameters(part)), **{key: part.param_groups[0][key] for key in _SETTINGS}}
    return {"device": part.device.type} if isinstance(part, torch.Generator) else {}


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _check(where: str, part: Any, saved: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Raises ServiceError unless the saved tensors fit the part."""
    if saved.get("kind") != kind_of(part):
        raise ServiceError(f"Expected {where} to be a {kind_of(part)}, got a {saved.get('kind')}")
    if saved.get("settings") != _settings_of(part):
        raise ServiceError(f"Expected {where} to have the settings {_settings_of(part)}, got {saved.get('settings')}")
    if isinstance(part, torch.optim.Optimizer):
        # Before the first step there are no buffers yet, so each is compared with its parameter.
        wanted = {f"{i}.momentum_buffer": parameter for i, parameter in enumerate(_parameters(part))}
        missing: list[str] = []
    else:
        wanted = _tensors_of(part)
        missing = [key for key in wanted if key not in tensors]
    if missing:
        raise ServiceError(f"Expected {where} to hold `{missing[0]}`, got no such entry")
    unknown = [key for key in tensors if key not in wanted]
    if unknown:
        raise ServiceError(f"Expected {where} to hold {len(wanted)} entries, got also `{unknown[0]}`")
    for key in (key for key in wanted if key in tensors):
        if tensors[key].shape != wanted[key].shape or tensors[key].dtype != wanted[key].dtype:
            pair = [f"{name_of(t.dtype)}{list(t.shape)}" for t in (wanted[key], tensors[key])]
            raise ServiceError(f"Expected `{key}` in {where} to be {pair[0]}, got {pair[1]}")


@torch.no_grad()
def _restore(part: Any, tensors: Mapping[str, Tensor]) -> None:
    if isinstance(part, torch.optim.Optimizer):
        part.state.clear()
        for i, parameter in enumerate(_parameters(part)):
            if f"{i}.momentum_buffer" in tensors:
                # In the parameter's memory layout, as the optimizer itself would have made it.
                part.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).copy_(
                    tensors[f"{i}.momentum_buffer"]
                )
    elif isinstance(part, torch.Generator):
        part.set_state(tensors["state"])
    else:
        for key, tensor in _tensors_of(part).items():
            tensor.copy_(tensors[key])
