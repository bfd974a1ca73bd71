"""Which network a state_dict belongs to, read off its keys and shapes, and fitting the two together.

Keys: those of the published EnResNet code, `ensemble.<k>.layer<stage>.<block>.…`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from feynkac_worker.checkpoints.read import Checkpoint
from feynkac_worker.errors import ServiceError
from feynkac_worker.models import build, registry
from feynkac_worker.models.description import describe
from feynkac_worker.tensors import name_of

ENSEMBLE_NOISE = 0.1  # the published coefficient

Architecture = tuple[str, dict[str, Any]]


def network_state(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The state_dict under our names: a single network saved without its ensemble becomes member 0."""
    state = checkpoint.state
    if "conv1.weight" in state and "fc.weight" in state:
        return {f"ensemble.0.{name}": tensor for name, tensor in state.items()}
    return state


def infer(state: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> tuple[Architecture | None, list[str]]:
    """Name and options of the network, and the options that were assumed. None when the keys are not those of ours.

    Our own files say it in their header. From foreign ones depth, width, channels, classes, members and skip
    connections can be read; the stride of the stem and the noise cannot.
    """
    if "feynkac" in metadata and metadata.get("name") in registry():
        return (metadata["name"], metadata["options"]), []
    stem, head = state.get("ensemble.0.conv1.weight"), state.get("ensemble.0.fc.weight")
    blocks = {m[1] for key in state if (m := re.match(r"ensemble\.0\.layer1\.(\d+)\.", key))}
    members = len({m[1] for key in state if (m := re.match(r"ensemble\.(\d+)\.", key))})
    name = f"{'enresnet' if members > 1 else 'resnet'}{6 * len(blocks) + 2}"
    if stem is None or head is None or stem.dim() != 4 or head.dim() != 2 or name not in registry():
        return None, []
    options = {
        "members": members,
        "noise": ENSEMBLE_NOISE if members > 1 else 0.0,
        "width": stem.shape[0],
        "channels": stem.shape[1],
        "classes": head.shape[0],
        "stem_stride": 1,
        "skip": any(".downsample." in key for key in state),
    }
    return (name, options), ["noise", "stem_stride"]


def notes_of(checkpoint: Checkpoint, options: Mapping[str, Any], assumed: Iterable[str]) -> list[str]:
    """In sentences: what the file does not say, and what of it was not used."""
    notes = [f"The file does not store `{key}`: {options[key]} was assumed." for key in assumed]
    if "G_kernels" in checkpoint.metadata:
        notes.append("The quantised weights under `G_kernels` were not used; the network has the float weights.")
    return notes


def load_network(
    checkpoint: Checkpoint, name: str | None = None, options: Mapping[str, Any] | None = None
) -> tuple[nn.Module, list[str]]:
    """The network of a checkpoint with its weights, on the CPU, and notes on what was assumed.

    `options` win over the file's. With another `name` than the file's, only the sizes of stem and head come from it.
    Raises ServiceError naming the first key that is missing, unexpected, or of another shape.
    """
    state = network_state(checkpoint)
    found, assumed = infer(state, checkpoint.metadata)
    given = dict(options or {})
    if found is None:
        if name is None:
            keys = ", ".join(f"`{key}`" for key in list(state)[:3])
            raise ServiceError(
                f"Expected `{checkpoint.path}` to hold a ResNet or EnResNet, got keys such as {keys} "
                "(pass `name` to say which network it is)"
            )
        module = build(name, given)
    elif name is None or name == found[0]:
        module = build(found[0], {**found[1], **given})
    else:
        shared = ("width", "channels", "classes", "stem_stride")
        sizes: dict[str, Any] = {key: found[1][key] for key in shared if key in found[1]}
        module = build(name, {**sizes, **given})
    converted = _fill(checkpoint, module, state)
    open_options = [key for key in assumed if key not in given]
    return module, [*notes_of(checkpoint, describe(module)["options"], open_options), *converted]


def _fill(checkpoint: Checkpoint, module: nn.Module, state: dict[str, Tensor]) -> list[str]:
    """Copies the weights into the module, in its dtypes; gives notes. Raises ServiceError when they do not fit."""
    notes = []
    wanted = module.state_dict()
    counters = [key for key in wanted if key.endswith(".num_batches_tracked") and key not in state]
    if counters:
        notes.append(f"{len(counters)} `num_batches_tracked` entries are missing: they start at 0.")
    architecture = getattr(module, "architecture", type(module).__name__)
    refusal = f"Expected `{checkpoint.path}` to hold the weights of {architecture}"
    for key, tensor in wanted.items():
        if key in state:
            if state[key].shape != tensor.shape or state[key].is_floating_point() != tensor.is_floating_point():
                raise ServiceError(f"{refusal} with `{key}` as {_words(tensor)}, got {_words(state[key])}")
        elif key not in counters:
            raise ServiceError(f"{refusal} with `{key}` as {_words(tensor)}, got no such key")
    extra = next((key for key in state if key not in wanted), None)
    if extra is not None:
        raise ServiceError(f"{refusal}, got the unexpected key `{extra}` ({_words(state[extra])})")
    foreign = sorted({name_of(state[key].dtype) for key in state if state[key].dtype != wanted[key].dtype})
    if foreign:
        notes.append(f"Weights stored as {', '.join(foreign)} were converted to the network's dtypes.")
    with torch.no_grad():
        for key, tensor in wanted.items():
            tensor.copy_(state[key] if key in state else torch.zeros(()))
    return notes


def _words(tensor: Tensor) -> str:
    return f"{name_of(tensor.dtype)}{list(tensor.shape)}"
