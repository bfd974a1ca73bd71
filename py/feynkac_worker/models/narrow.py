"""Takes channels out of the layers of a network: its weights become smaller, and the names of modules and weights stay.

A plan ("widths") says which channels of a layer, by its dotted name, stay:

    {"version": 1, "layers": {"layer1.0.conv1": {"out": [0, 2]}, "layer1.0.conv2": {"in": [0, 2]}, …}}

`in` and `out`: the indices kept, ascending (absent: all); of a batch norm `out` only. `select`: the layer's input still
has all channels, and the layer takes those of `in` (a norm: of `out`) out of it. `zero`: the output of the layer is
zero everywhere, or nobody uses it, so that it computes nothing. `then`: another plan, for the network that this one
gives. Which channels may go, so that the outputs stay, is not decided here.

A compact checkpoint in plain PyTorch needs this file, that of the network, and no pickle:

    with safetensors.safe_open("small.safetensors", "pt") as file:
        header = file.metadata()
    net = EnResNet(20, **json.loads(header["options"]))
    net = narrow(net, json.loads(header["widths"]))
    net.load_state_dict(safetensors.torch.load_file("small.safetensors"))

In a `.pt` file the header is one more record: `json.loads(zipfile.ZipFile(path).read("archive/feynkac.json"))`.
This file needs nothing but torch: copy it to use it elsewhere.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

_PLANS = 16


class Selected:
    """First takes channels `index` out of an input of `source` channels. A base of layers."""

    index: Tensor
    source: int

    def forward(self, x: Tensor) -> Tensor:
        # On an accelerator an index beyond the tensor would end the process.
        if x.shape[1] != self.source:
            raise ValueError(f"Expected an input of {self.source} channels, got {list(x.shape)}")
        return super().forward(take(x, self.index))  # type: ignore[misc, no-any-return]


class SelectedConv2d(Selected, nn.Conv2d):
    """A convolution of some channels of its input."""


class SelectedBatchNorm2d(Selected, nn.BatchNorm2d):
    """A batch norm of some channels of its input."""


class SelectedLinear(Selected, nn.Linear):
    """A linear layer of some features of its input."""


class Zeros(nn.Module):
    """Stands where a layer gave zeros, and gives zeros of the same shape."""

    def __init__(self, layer: nn.Module, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self._space = _space_of(layer)

    def forward(self, x: Tensor) -> Tensor:
        space = [
            (size + added - reach) // stride + 1
            for size, (added, reach, stride) in zip(x.shape[2:], self._space or [(0, 1, 1)] * 2, strict=False)
        ]
        last = x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if last else torch.contiguous_format
        shape = (x.shape[0], self.channels, *space)
        return torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=layout).zero_()

    def extra_repr(self) -> str:
        return f"{self.channels}"


CONVS = (nn.Conv2d, SelectedConv2d)
NORMS = (nn.BatchNorm2d, SelectedBatchNorm2d)
LINEARS = (nn.Linear, SelectedLinear)
_SELECTED = dict((CONVS, NORMS, LINEARS))


def take(x: Tensor, index: Tensor) -> Tensor:
    """`x[:, index]` in the memory layout of x."""
    if x.dim() != 4 or not x.is_contiguous(memory_format=torch.channels_last):
        return x.index_select(1, index)
    # index_select leaves channels-last, and the convolution behind it would copy back; as a matrix it is four times
    # as fast.
    B, C, H, W = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(-1, C).index_select(1, index)
    return rows.view(B, H, W, len(index)).permute(0, 3, 1, 2)


def widths_of(module: nn.Module) -> dict[str, Any] | None:
    """The plan that made a module from its dense form; None for a dense one."""
    found: dict[str, Any] | None = module.__dict__.get("_widths")
    return found


@torch.no_grad()
def narrow(module: nn.Module, widths: Mapping[str, Any]) -> nn.Module:
    """A copy of `module` with the channels that `widths` keeps. For a module that is narrowed already, one plan more.

    Raises ValueError for layers that the module does not have or that cannot be narrowed, and for wrong indices.
    """
    plans = _plans(widths)
    earlier = widths_of(module)
    if len(plans) + (len(_plans(earlier)) if earlier else 0) > _PLANS:
        raise ValueError(f"Expected at most {_PLANS} plans of widths one after another")
    made = copy.deepcopy(module)
    for plan in plans:
        _carry_out(made, plan)
    made.__dict__["_widths"] = _joined(earlier, widths) if earlier else copy.deepcopy(dict(widths))
    return made


def _plans(widths: Any) -> list[Mapping[str, Any]]:
    """The layers of each plan, in order."""
    plans: list[Mapping[str, Any]] = []
    while widths is not None:
        if not isinstance(widths, Mapping) or not isinstance(widths.get("layers"), Mapping):
            raise ValueError("Expected `widths` to be a map with `version` 1 and a map `layers`")
        unknown = [key for key in widths if key not in ("version", "layers", "then")]
        if widths.get("version") != 1 or unknown:
            got = f"`{str(unknown[0])[:60]}`" if unknown else f"version `{str(widths.get('version'))[:60]}`"
            raise ValueError(f"Expected `widths` to have `version` 1, `layers` and perhaps `then`, got {got}")
        plans.append(widths["layers"])
        if len(plans) > _PLANS:
            raise ValueError(f"Expected at most {_PLANS} plans of widths one after another")
        widths = widths.get("then")
    return plans


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    then = first.get("then")
    return {**copy.deepcopy(dict(first)), "then": _joined(then, second) if then else copy.deepcopy(dict(second))}


def _carry_out(module: nn.Module, layers: Mapping[str, Any]) -> None:
    """Changes the layers of `module` itself."""
    known = dict(module.named_modules(remove_duplicate=False))
    places = Counter(id(layer) for layer in known.values())
    owners = Counter(id(p) for layer in set(known.values()) for p in layer._parameters.values())
    for path, entry in layers.items():
        layer = known.get(path) if path else None
        if layer is None or type(layer) not in (*CONVS, *NORMS, *LINEARS):
            got = "nothing of that name" if layer is None else f"a {type(layer).__name__}"
            raise ValueError(f"Expected `{str(path)[:80]}` to be a Conv2d, BatchNorm2d or Linear, got {got}")
        own = [p for p in layer._parameters.values() if p is not None]
        if places[id(layer)] > 1 or any(owners[id(p)] > 1 for p in own):
            raise ValueError(f"Expected `{path}` to have weights of its own, got a layer that shares them")
        if "weight" not in layer._parameters:
            raise ValueError(f"Expected `{path}` to have a weight, got one that is computed from others")
        made = _narrowed(path, layer, entry)
        if made is not layer:
            owner, _, name = path.rpartition(".")
            setattr(module.get_submodule(owner), name, made)


def _narrowed(path: str, layer: nn.Module, entry: Any) -> nn.Module:
    """The layer itself, changed, or zeros in its place."""
    if not isinstance(entry, Mapping) or any(key not in ("in", "out", "select", "zero") for key in entry):
        raise ValueError(f"Expected the widths of `{path}` to be a map of `in`, `out`, `select`, `zero`")
    select, zero = (entry.get(flag, False) for flag in ("select", "zero"))
    if not isinstance(select, bool) or not isinstance(zero, bool):
        raise ValueError(f"Expected `select` and `zero` of `{path}` to be true or false")
    taken = "out" if isinstance(layer, NORMS) else "in"  # what counts the channels of the input
    if taken == "out" and "in" in entry:
        raise ValueError(f"Expected the widths of the norm `{path}` to have `out`, got `in`")
    if select and taken not in entry:
        raise ValueError(f"Expected `select` of `{path}` to come with `{taken}`")
    inside, outside = (_kept(path, key, entry.get(key), n) for key, n in zip(("in", "out"), _sizes(layer), strict=True))
    if zero:
        return Zeros(layer, len(outside))
    kept = outside if taken == "out" else inside
    if isinstance(layer, Selected):
        if taken in entry and not select:
            raise ValueError(f"Expected `{taken}` of `{path}`, which selects its input, to come with `select`")
        layer.index = layer.index.index_select(0, torch.tensor(kept, device=layer.index.device))
    elif select:
        source = _sizes(layer)[taken == "out"]
        # What else the layer is (padding, momentum, hooks, …) stays.
        layer.__class__ = _SELECTED[type(layer)]
        # Its content counts on the device "meta", too, where weights have none.
        weight = layer._parameters["weight"]
        index = torch.tensor(kept, device="cpu" if weight is None or weight.is_meta else weight.device)
        layer.register_buffer("index", index, persistent=False)
        layer.source = source  # type: ignore[assignment]
    _resize(path, layer, inside, outside)
    return layer


def _sizes(layer: nn.Module) -> tuple[int, int]:
    """Input and output channels, without those that a selection leaves out."""
    if isinstance(layer, nn.Conv2d):
        return layer.in_channels, layer.out_channels
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    assert isinstance(layer, nn.BatchNorm2d)
    return layer.num_features, layer.num_features


def _kept(path: str, key: str, indices: Any, size: int) -> Sequence[int]:
    if indices is None:
        # Not a list: in a hostile file the size may be any number.
        return range(size)
    good = isinstance(indices, list) and 0 < len(indices) <= size and all(type(i) is int for i in indices)
    if not good or indices[0] < 0 or indices[-1] >= size or any(a >= b for a, b in pairwise(indices)):
        got = f"{len(indices)} entries" if isinstance(indices, list) else f"a {type(indices).__name__}"
        raise ValueError(
            f"Expected `{key}` of `{path}` to be a list of ascending integers below {size}, at least one, got {got}"
        )
    return list(indices)


def _resize(path: str, layer: nn.Module, inside: Sequence[int], outside: Sequence[int]) -> None:
    if isinstance(layer, nn.Conv2d):
        before = (layer.in_channels, layer.out_channels)
        layer.in_channels, layer.out_channels = len(inside), len(outside)
        if layer.groups > 1:
            if before != (len(inside), len(outside)):
                if not layer.groups == before[0] == before[1] or list(inside) != list(outside):
                    raise ValueError(f"Expected `{path}`, a convolution of {layer.groups} groups, to keep all channels")
                layer.groups = len(outside)
            inside = range(layer.weight.shape[1])
    elif isinstance(layer, nn.Linear):
        layer.in_features, layer.out_features = len(inside), len(outside)
    else:
        layer.num_features = len(outside)  # type: ignore[assignment]
    for name, weight in layer._parameters.items():
        if weight is not None:
            cut = _cut(weight, outside, inside if weight.dim() > 1 else None)
            layer._parameters[name] = nn.Parameter(cut, requires_grad=weight.requires_grad)
    for name, buffer in layer._buffers.items():
        if buffer is not None and buffer.dim() and name != "index":
            layer._buffers[name] = _cut(buffer, outside, None)


def _cut(tensor: Tensor, outside: Sequence[int], inside: Sequence[int] | None) -> Tensor:
    """The rows and columns kept, in the layout of the tensor."""
    last = tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    for dim, kept in enumerate((outside, inside)):
        if kept is not None and len(kept) < tensor.shape[dim]:
            tensor = tensor.index_select(dim, torch.tensor(kept, device=tensor.device))
    return tensor.clone(memory_format=torch.channels_last if last else torch.contiguous_format)


def _space_of(layer: nn.Module) -> list[tuple[int, int, int]]:
    """Of a convolution: for height and width what is added to the size, the reach of the kernel, the stride."""
    if not isinstance(layer, nn.Conv2d):
        return []
    reach = [d * (k - 1) + 1 for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
    if isinstance(layer.padding, str):
        added = [r - 1 if layer.padding == "same" else 0 for r in reach]
    else:
        added = [2 * p for p in layer.padding]
    return list(zip(added, reach, layer.stride, strict=True))
