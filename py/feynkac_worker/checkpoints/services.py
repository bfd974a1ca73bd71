"""The methods `model.create`, `checkpoint.*` and `state.*` of CALL (PROTOCOL.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from feynkac_worker.checkpoints.architecture import infer, load_network, network_state, notes_of
from feynkac_worker.checkpoints.files import checked_path, readable_file
from feynkac_worker.checkpoints.foreign import load_into
from feynkac_worker.checkpoints.read import Checkpoint, read_checkpoint
from feynkac_worker.checkpoints.state import load_state, save_state
from feynkac_worker.checkpoints.write import FORMATS, save_network
from feynkac_worker.errors import ServiceError
from feynkac_worker.models import build
from feynkac_worker.models.description import describe
from feynkac_worker.services import Context, inputs_of, parameter, service
from feynkac_worker.tensors import name_of

Params = dict[str, Any]
Result = tuple[Any, list[Any]]


@service("model.create")
def model_create(context: Context, params: Params, inputs: list[Any]) -> Result:
    """A new network with seeded weights."""
    inputs_of(inputs, [])
    name = parameter(params, "name", "the name of a network", lambda x: isinstance(x, str))
    seed = parameter({"seed": 0, **params}, "seed", "an integer in [0, 2^63)", _is_seed)
    module = build(name, _options(params), seed=int(seed)).to(context.device)
    return describe(module), [module]


@service("checkpoint.inspect")
def checkpoint_inspect(context: Context, params: Params, inputs: list[Any]) -> Result:
    """What a file holds, without building its network."""
    inputs_of(inputs, [])
    checkpoint = read_checkpoint(params.get("path"))
    found, assumed = infer(checkpoint, network_state(checkpoint))
    notes = notes_of(checkpoint, found[1] if found else {}, assumed)
    return {
        "layout": checkpoint.layout,
        "format": checkpoint.format,
        "keys": [[name, name_of(tensor.dtype), list(tensor.shape)] for name, tensor in checkpoint.tensors.items()],
        "metadata": _metadata(checkpoint, notes),
        "architecture": None if found is None else {"name": found[0], "options": found[1]},
        "widths": checkpoint.widths,
    }, []


@service("checkpoint.load")
def checkpoint_load(context: Context, params: Params, inputs: list[Any]) -> Result:
    """The network of a file; `name` and `options` win over what it says, `metadata.notes` tells what was assumed.

    With a module as input: a copy of that module with the weights of the file.
    """
    inputs_of(inputs, ["module"] * len(inputs[:1]))
    name = parameter(
        {"name": None, **params}, "name", "the name of a network", lambda x: x is None or isinstance(x, str)
    )
    options = _options(params)
    checkpoint = read_checkpoint(params.get("path"))
    if inputs:
        if name is not None or options:
            raise ServiceError("Expected a module, or `name` and `options` of a network of ours, got both")
        module, notes = load_into(checkpoint, inputs[0])
    else:
        module, notes = load_network(checkpoint, name, options)
    module = module.to(context.device)
    source = {
        "layout": checkpoint.layout,
        "format": checkpoint.format,
        "metadata": _metadata(checkpoint, notes),
    }
    return {**describe(module), **source}, [module]


@service("checkpoint.save")
def checkpoint_save(context: Context, params: Params, inputs: list[Any]) -> Result:
    """Writes the weights of a module, atomically."""
    inputs_of(inputs, ["module"])
    module: nn.Module = inputs[0]
    file_format = parameter(params, "format", f"one of {', '.join(FORMATS)}", lambda x: x in FORMATS)
    return {"bytes": save_network(module, checked_path(params.get("path")), file_format, _map(params, "metadata"))}, []


@service("state.save")
def state_save(context: Context, params: Params, inputs: list[Any]) -> Result:
    """Writes a whole training state, atomically."""
    names = _names(params, inputs)
    return {"bytes": save_state(checked_path(params.get("path")), names, inputs, _map(params, "metadata"))}, []


@service("state.load")
def state_load(context: Context, params: Params, inputs: list[Any]) -> Result:
    """Restores a whole training state in place; all of it or nothing."""
    names = _names(params, inputs)
    return {"metadata": load_state(readable_file(params.get("path")), names, inputs)}, []


def _metadata(checkpoint: Checkpoint, notes: list[str]) -> dict[str, Any]:
    # Widths are long, and have a place of their own.
    own = {"widths"} if checkpoint.widths is not None else set()
    return {**{key: value for key, value in checkpoint.metadata.items() if key not in own}, "notes": notes}


def _is_seed(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 2**63 and value == int(value)


def _options(params: Mapping[str, Any]) -> dict[str, Any]:
    return _map(params, "options")


def _map(params: Mapping[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = parameter({key: {}, **params}, key, "a map", lambda x: isinstance(x, dict))
    return found


def _names(params: Mapping[str, Any], inputs: list[Any]) -> list[str]:
    names: list[str] = parameter(params, "names", "a list of names", lambda x: isinstance(x, list))
    if len(names) != len(inputs) or len(set(map(str, names))) != len(names):
        raise ServiceError(f"Expected `names` to be {len(inputs)} different names, one a handle, got {len(names)}")
    return [parameter({"names": name}, "names", "a list of names", lambda x: isinstance(x, str)) for name in names]
