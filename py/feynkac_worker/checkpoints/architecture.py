"""Which network a state_dict belongs to, read off its keys and shapes.

Keys: those of the published EnResNet code, `ensemble.<k>.layer<stage>.<block>.…`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from feynkac_worker.checkpoints.fit import check_weights, fill, materialised, narrowed, words
from feynkac_worker.checkpoints.read import Checkpoint, is_dense
from feynkac_worker.errors import ServiceError
from feynkac_worker.models import build, registry
from feynkac_worker.models.description import describe

ENSEMBLE_NOISE = 0.1  # the published coefficient

Architecture = tuple[str, dict[str, Any]]


def network_state(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The state_dict under our names: a single network saved without its ensemble becomes member 0.

    Quantised weights take the place of the float ones. Raises ServiceError when they do not fit.
    """
    state = {**checkpoint.state, **quantised(checkpoint)}
    if "conv1.weight" in state and "fc.weight" in state:
        return {f"ensemble.0.{name}": tensor for name, tensor in state.items()}
    return state


def quantised(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The quantised convolutions that Binary-Quantization saves beside its float network, under their names.

    `G_kernels` lists them in the order of the parameters whose name has `conv` and `weight` in it.
    """
    kernels, state = checkpoint.quantised, checkpoint.state
    if kernels is None:
        return {}
    names = [name for name in state if "conv" in name and "weight" in name and "downsample" not in name]
    where = f"of `{checkpoint.path}`"
    if not isinstance(kernels, list) or len(kernels) != len(names):
        got = f"{len(kernels)}" if isinstance(kernels, list) else f"a {type(kernels).__name__}"
        raise ServiceError(
            f"Expected `G_kernels` {where} to be a list of {len(names)} tensors, one for each convolution of the "
            f"network, got {got}"
        )
    for i, (name, kernel) in enumerate(zip(names, kernels, strict=True)):
        fits = isinstance(kernel, Tensor) and is_dense(kernel) and kernel.shape == state[name].shape
        if not fits or not kernel.is_floating_point():
            got = words(kernel) if isinstance(kernel, Tensor) else f"a {type(kernel).__name__}"
            raise ServiceError(f"Expected `G_kernels[{i}]` {where} to be {words(state[name])} like `{name}`, got {got}")
    return dict(zip(names, kernels, strict=True))


def infer(checkpoint: Checkpoint, state: Mapping[str, Tensor]) -> tuple[Architecture | None, list[str]]:
    """Name and options of the network, and the options that were assumed. None when the keys are not those of ours.

    Our own files say it in their header. From foreign ones depth, width, channels, classes, members and skip
    connections can be read; the stride of the stem and the noise only from a whole pickled network.
    """
    metadata = checkpoint.metadata
    if "feynkac" in metadata and metadata.get("name") in registry():
        return (metadata["name"], metadata["options"]), []
    stem, head = state.get("ensemble.0.conv1.weight"), state.get("ensemble.0.fc.weight")
    blocks = {m[1] for key in state if (m := re.match(r"ensemble\.0\.layer1\.(\d+)\.", key))}
    members = len({m[1] for key in state if (m := re.match(r"ensemble\.(\d+)\.", key))})
    noise = checkpoint.options.get("noise", ENSEMBLE_NOISE if members > 1 else 0.0)
    name = f"{'enresnet' if members > 1 or noise > 0 else 'resnet'}{6 * len(blocks) + 2}"
    if stem is None or head is None or stem.dim() != 4 or head.dim() != 2 or name not in registry():
        return None, []
    options = {
        "members": members,
        "noise": noise,
        "width": stem.shape[0],
        "channels": stem.shape[1],
        "classes": head.shape[0],
        "stem_stride": checkpoint.options.get("stem_stride", 1),
        "skip": any(".downsample." in key for key in state),
    }
    return (name, options), [key for key in ("noise", "stem_stride") if key not in checkpoint.options]


def notes_of(checkpoint: Checkpoint, options: Mapping[str, Any], assumed: Iterable[str]) -> list[str]:
    """In sentences: what the file does not say, and what of it was not used."""
    notes = [f"The file does not store `{key}`: {options[key]} was assumed." for key in assumed]
    if checkpoint.quantised is not None:
        count = len(checkpoint.quantised)
        notes.append(f"The network has the {count} quantised weights under `G_kernels` in place of the float ones.")
    return notes


def load_network(
    checkpoint: Checkpoint, name: str | None = None, options: Mapping[str, Any] | None = None
) -> tuple[nn.Module, list[str]]:
    """The network of a checkpoint with its weights, on the CPU, and notes on what was assumed.

    `options` win over the file's. With another `name` than the file's, only the sizes of stem and head come from it.
    Raises ServiceError naming the first key that is missing, unexpected, or of another shape.
    """
    state = network_state(checkpoint)
    found, assumed = infer(checkpoint, state)
    given = dict(options or {})
    if found is None:
        if name is None:
            keys = ", ".join(f"`{key}`" for key in list(state)[:3])
            raise ServiceError(
                f"Expected `{checkpoint.path}` to hold a ResNet or EnResNet, got keys such as {keys} "
                "(pass `name`, `--name` on the command line, to say which network it is, or `model`, `--model`, for "
                "one of your own)"
            )
        wanted = (name, given)
    elif name is None or name == found[0]:
        wanted = (found[0], {**found[1], **given})
    else:
        shared = ("width", "channels", "classes", "stem_stride")
        sizes: dict[str, Any] = {key: found[1][key] for key in shared if key in found[1]}
        wanted = (name, {**sizes, **given})
    widths = checkpoint.widths if found is not None and wanted[0] == found[0] else None
    members = wanted[1].get("members", 1)
    if type(members) in (int, float) and members > len(state):
        raise ServiceError(f"Expected `{checkpoint.path}` to hold {members} members, got {len(state)} tensors")
    # First without memory: the sizes of stem and head in a hostile file may ask for a network that no machine holds.
    with torch.device("meta"):
        shapes = build(*wanted)
        shapes = shapes if widths is None else narrowed(checkpoint.path, shapes, widths)
        converted = check_weights(checkpoint.path, shapes, state)
    # A network that is small now may have been too large for this machine.
    module = build(*wanted) if widths is None else materialised(shapes)
    fill(module, state)
    open_options = [key for key in assumed if key not in given]
    return module, [*notes_of(checkpoint, describe(module)["options"], open_options), *converted]
