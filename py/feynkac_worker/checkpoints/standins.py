"""What stands for the objects of a pickled network: inert values, made by our own functions from an exact list.

Nothing here imports, finds or calls anything that a file names. A network class of the file becomes a `Network`, which
only keeps its attributes; a tensor becomes a `Slice` of a storage, which is read after the whole pickle was checked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

_NUMPY_CODES = {f"{kind}{size}" for kind, sizes in (("f", "248"), ("i", "1248"), ("u", "1248")) for size in sizes} | {
    "b1"
}


class RefusedError(Exception):
    """What a file holds is not on the list; the message is the end of a sentence, after `got `."""


@dataclass(eq=False, repr=False, slots=True)
class Named:
    """A class or function that a pickle names: a network class, a storage type, or something `call` stands for."""

    module: str
    name: str
    dtype: torch.dtype | None = None
    call: Callable[[Any], Any] | None = None

    @property
    def shown(self) -> str:
        """`module.name`, short and printable whatever the file says."""
        text = f"{self.module}.{self.name}"
        return (text if text.isprintable() else ascii(text)[1:-1])[:100]

    def refused(self) -> RefusedError:
        return RefusedError(
            f"a pickled Python object (`{self.shown}`), which is not loaded: "
            "save `net.state_dict()` with the code that made it"
        )


@dataclass(eq=False, repr=False, slots=True)
class Network:
    """An object of a network class: its attributes, and none of its code."""

    kind: Named
    state: dict[str, Any] | None = None


@dataclass(eq=False, repr=False, slots=True)
class Storage:
    """Numbers somewhere in the file: `numel` of them from `start` in the record `key`, which holds `total`."""

    dtype: torch.dtype
    key: str
    total: int
    start: int
    numel: int


@dataclass(eq=False, repr=False, slots=True)
class Slice:
    """A tensor: the geometry of its elements in a storage."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(eq=False, repr=False, slots=True)
class Dtype:
    """A numpy number type."""

    code: str
    order: str = "<"


def find(module: str, name: str) -> Named:
    """What stands for `module.name`. Raises RefusedError unless exactly this name is on the list."""
    found = Named(module, name)
    if name in AUTHORS or (module, name) in _TORCH_MODULES:
        return found
    if module in _STORAGE_MODULES and name in _STORAGES:
        return Named(module, name, dtype=_STORAGES[name])
    call = _CALLS.get((module, name))
    if call is None:
        raise found.refused()
    return Named(module, name, call=call)


def storage(values: tuple[Any, ...]) -> Storage:
    """A storage from what torch wrote about it: type, key, device, length, and in old files the view it is."""
    kind, key, _device, total, view = (*values, None)[:5]
    start, numel = (0, total) if view is None else (view[1], view[2])
    if not isinstance(kind, Named) or kind.dtype is None or not isinstance(key, str) or len(values) not in (4, 5):
        raise ValueError("a storage of no known type")
    if not all(type(n) is int and n >= 0 for n in (total, start, numel)) or start + numel > total:
        raise ValueError("a storage of no possible length")
    return Storage(kind.dtype, key, total, start, numel)


def _tensor(args: Any) -> Slice:
    """`torch._utils._rebuild_tensor[_v2]`; gradients and hooks have no meaning here."""
    place, offset, size, stride = args[:4]
    numbers = (offset, *size, *stride)
    if not isinstance(place, Storage) or len(args) > 7 or len(size) != len(stride) or len(size) > 8:
        raise ValueError("a tensor of no known layout")
    if not all(type(n) is int and 0 <= n < 2**40 for n in numbers) or (len(args) == 7 and args[6]):
        raise ValueError("a tensor of no possible layout")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    count = 1
    for n in size:
        count *= n
    # Not more elements than numbers, so a few bytes cannot pose as a huge tensor.
    if not 0 < count <= place.numel or last >= place.numel:
        raise ValueError("a tensor larger than its storage")
    return Slice(place, offset, tuple(size), tuple(stride))


def _parameter(args: Any) -> Slice:
    if not 1 <= len(args) <= 3 or not isinstance(args[0], Slice):
        raise ValueError("a parameter without a tensor")
    return args[0]


def _ordered_dict(args: Any) -> dict[Any, Any]:
    pairs = args[0] if args else []
    if len(args) > 1 or not isinstance(pairs, list):
        raise ValueError("an OrderedDict of no known form")
    return {checked_key(key): value for key, value in pairs}


def _names(args: Any) -> set[str]:
    (names,) = args
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("a set of something else than names")
    return set(names)


def _encode(args: Any) -> bytes:
    """How Python 3 writes bytes for Python 2: `_codecs.encode(text, 'latin1')`."""
    text, encoding = args
    if not isinstance(text, str) or len(text) > 64 or encoding != "latin1":
        raise ValueError("bytes of no known form")
    return text.encode("latin1")


def _dtype(args: Any) -> Dtype:
    if len(args) != 3 or args[0] not in _NUMPY_CODES:
        raise ValueError("a numpy type that is no number")
    return Dtype(args[0])


def _scalar(args: Any) -> Any:
    kind, data = args
    raw = data.encode("latin1") if isinstance(data, str) else data  # Python 2 had one type for both
    if not isinstance(kind, Dtype) or not isinstance(raw, bytes) or len(raw) != int(kind.code[1:]):
        raise ValueError("a numpy number of no known form")
    return np.frombuffer(raw, kind.order + kind.code)[0].item()


def checked_key(key: Any) -> Any:
    """The key of a dict. Raises ValueError for types whose hashing a file could make slow or deep."""
    if type(key) is str or key is None or (type(key) in (int, bool, float) and abs(key) < 2**53):
        return key
    raise ValueError("a dictionary key that is neither text nor a number")


# The network classes of EnResNet, rvsm-rgsm-admm and Binary-Quantization, whatever script or file they were defined in.
AUTHORS = frozenset(
    {
        *("Ensemble_PreAct_ResNet_Cifar", "PreAct_ResNet_Cifar", "PreActBasicBlock", "PreActBottleneck"),
        *("AttackPGD", "PGDNet20", "ResNet38", "WideResNet", "NetworkBlock", "BasicBlock"),
    }
)
_TORCH_MODULES = {
    *(("torch.nn.modules.container", name) for name in ("Sequential", "ModuleList")),
    *(("torch.nn.modules.conv", name) for name in ("Conv2d",)),
    *(("torch.nn.modules.batchnorm", name) for name in ("BatchNorm2d",)),
    *(("torch.nn.modules.linear", name) for name in ("Linear", "Identity")),
    *(("torch.nn.modules.activation", name) for name in ("ReLU", "ReLU6", "LeakyReLU", "Softmax", "LogSoftmax")),
    *(("torch.nn.modules.pooling", name) for name in ("AvgPool2d", "MaxPool2d", "AdaptiveAvgPool2d")),
    *(("torch.nn.modules.loss", name) for name in ("CrossEntropyLoss",)),
    *(("torch.nn.modules.dropout", name) for name in ("Dropout",)),
    ("torch.nn.parallel.data_parallel", "DataParallel"),
}
_STORAGE_MODULES = ("torch", "torch.cuda")
_STORAGES = {
    f"{name}Storage": dtype
    for name, dtype in {
        **{"Float": torch.float32, "Double": torch.float64, "Half": torch.float16, "BFloat16": torch.bfloat16},
        **{"Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8},
        **{"Byte": torch.uint8, "Bool": torch.bool},
    }.items()
}
_CALLS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("collections", "OrderedDict"): _ordered_dict,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch.nn.parameter", "Parameter"): _parameter,  # torch before 0.4
    ("torch.nn.backends.thnn", "_get_thnn_function_backend"): lambda _: None,  # `_backend` of every module before 1.3
    ("torch", "device"): lambda _: None,  # where DataParallel ran
    ("builtins", "set"): _names,
    ("__builtin__", "set"): _names,
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _dtype,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
}
