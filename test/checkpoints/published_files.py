"""Writes files as the published scripts did: whole networks of look-alike classes, and pickles of Python 2 by hand."""

from __future__ import annotations

import importlib.util
import struct
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

# The attributes of the published classes, none of their code. Loading must not need this module.
SOURCE = """
import torch
from torch import nn


class PreActBasicBlock(nn.Module):
    def __init__(self, inner, outer, stride, noise_coef):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inner)
        self.relu = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.downsample = nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False)) if inner != outer else None
        self.stride = stride
        self.noise_coef = noise_coef


class PreAct_ResNet_Cifar(nn.Module):
    def __init__(self, blocks, width, stride, noise_coef):
        super().__init__()
        self.inplanes = width
        self.conv1 = nn.Conv2d(3, width, 3, stride, 1, bias=False)
        for i in (1, 2, 3):
            outer = width * 2 ** (i - 1)
            stages = [PreActBasicBlock(self.inplanes, outer, 2 if i > 1 else 1, noise_coef)]
            stages += [PreActBasicBlock(outer, outer, 1, noise_coef) for _ in range(blocks - 1)]
            setattr(self, f"layer{i}", nn.Sequential(*stages))
            self.inplanes = outer
        self.bn = nn.BatchNorm2d(outer)
        self.avgpool = nn.AvgPool2d(8, stride=1)
        self.fc = nn.Linear(outer, 10)


class Ensemble_PreAct_ResNet_Cifar(nn.Module):
    def __init__(self, blocks=1, num_ensembles=1, noise_coef=0.0, width=4, stride=1):
        super().__init__()
        self.num_ensembles = num_ensembles
        self.ensemble = nn.ModuleList(
            [PreAct_ResNet_Cifar(blocks, width, stride, noise_coef) for _ in range(num_ensembles)]
        )


class AttackPGD(nn.Module):
    def __init__(self, basic_net):
        super().__init__()
        self.basic_net = basic_net
        self.rand, self.step_size, self.num_steps, self.epsilon = True, 0.007, 10, 0.031


class Unknown(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)

    def __setstate__(self, state):
        raise RuntimeError("code of the file ran")
"""


@contextmanager
def published(name: str, folder: Path) -> Iterator[Any]:
    """The classes as those of the module `name`, which is gone at the end, as it is where the file is read."""
    path = folder / f"{name.replace('.', '_')}.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    parents = {name.split(".")[0]: types.ModuleType(name.split(".")[0])} if "." in name else {}
    before = {key: sys.modules.get(key) for key in (name, *parents)}
    sys.modules.update({**parents, name: module})
    for parent in parents.values():
        setattr(parent, name.split(".")[1], module)
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        for key, old in before.items():
            del sys.modules[key]
            if old is not None:
                sys.modules[key] = old


class Python2:
    """A file as Python 2 and torch 0.3 or 0.4 wrote it: byte strings, no `_v2`, CUDA storages, `_backend`."""

    def __init__(self, cuda: bool = True, rebuild: str = "_rebuild_tensor") -> None:
        self.kind, self.location = ("torch.cuda", "cuda:0") if cuda else ("torch", "cpu")
        self.rebuild = rebuild
        self.storages: dict[str, Tensor] = {}

    def file(self, content: Any) -> bytes:
        head = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}]
        pickles = [self.pickle(value) for value in (*head, content)]
        pickles.append(self.pickle(sorted(self.storages)))
        numbers = [
            struct.pack("<q", tensor.numel()) + tensor.contiguous().numpy().tobytes()
            for _, tensor in sorted(self.storages.items())
        ]
        return b"".join([*pickles, *numbers])

    def pickle(self, value: Any) -> bytes:
        return b"\x80\x02" + self.value(value) + b"."

    def value(self, value: Any) -> bytes:
        simple = {None: b"N", True: b"\x88", False: b"\x89"}
        if value is None or isinstance(value, bool):
            return simple[value]
        if isinstance(value, str | bytes):
            data = value.encode("latin1") if isinstance(value, str) else value
            return (b"U" + bytes([len(data)]) if len(data) < 256 else b"T" + struct.pack("<i", len(data))) + data
        if isinstance(value, int):
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"J" + struct.pack("<i", value) if abs(value) < 2**31 else b"\x8a" + bytes([len(data)]) + data
        if isinstance(value, float):
            return b"G" + struct.pack(">d", value)
        if isinstance(value, tuple):
            return b"(" + b"".join(map(self.value, value)) + b"t"
        if isinstance(value, list):
            return b"](" + b"".join(map(self.value, value)) + b"e"
        if isinstance(value, nn.Parameter):
            arguments = b"(" + self.value(value.detach()) + b"t"
            state = self.value((True, False, OrderedDict()))
            return self.named("torch.nn.parameter", "Parameter") + arguments + b"R" + state + b"b"
        if isinstance(value, Tensor):
            return self.tensor(value)
        if isinstance(value, OrderedDict):
            pairs = self.value([list(pair) for pair in value.items()])
            return self.named("collections", "OrderedDict") + pairs + b"\x85R"
        if isinstance(value, dict):
            return b"}(" + b"".join(self.value(part) for pair in value.items() for part in pair) + b"u"
        return self.module(value)

    def named(self, module: str, name: str) -> bytes:
        return f"c{module}\n{name}\n".encode()

    def tensor(self, tensor: Tensor) -> bytes:
        key = str(94_000_000 + len(self.storages))
        self.storages[key] = tensor.detach()
        kind = {torch.float32: "FloatStorage", torch.int64: "LongStorage"}[tensor.dtype]
        found = b"(" + self.value("storage") + self.named(self.kind, kind)
        found += b"".join(map(self.value, (key, self.location, tensor.numel(), None))) + b"tQ"
        geometry = (0, tuple(tensor.shape), tuple(tensor.contiguous().stride()))
        extra = (True, OrderedDict()) if self.rebuild.endswith("v2") else ()
        parts = b"".join(map(self.value, (*geometry, *extra)))
        return self.named("torch._utils", self.rebuild) + b"(" + found + parts + b"tR"

    def module(self, module: nn.Module) -> bytes:
        kind = type(module)
        name = self.named(kind.__module__, kind.__name__)
        if not kind.__module__.startswith("torch."):
            source = (self.value("/home/user/main.py"), self.value("class " + kind.__name__ + ":\n" + "  pass\n" * 60))
            name = b"(" + self.value("module") + name + source[0] + source[1] + b"tQ"
        backend = self.named("torch.nn.backends.thnn", "_get_thnn_function_backend") + b")R"
        kept = {key: value for key, value in vars(module).items() if not key.startswith("_non_persistent")}
        kept = {
            key: OrderedDict(value) if type(value) is dict and key.startswith("_") else value
            for key, value in kept.items()
        }
        state = b"}(" + b"".join(self.value(key) + self.value(value) for key, value in kept.items())
        return name + b")\x81" + state + self.value("_backend") + backend + b"ub"
