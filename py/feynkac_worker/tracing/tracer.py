"""torch.fx with the values beside it: a module is traced and run at once, on two images of zeros.

Shapes are then ordinary numbers, so code that looks at them (`x.view(x.size(0), -1)`, `if x.dim() != 4`) is traced as
it runs, and what an operation changes in place is seen rather than guessed from its name. Code that looks at the
numbers of a tensor takes another path with other images: it is refused.
"""

from __future__ import annotations

import contextlib
import sys
import traceback
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.node import map_aggregate
from torch.fx.proxy import TraceError

from feynkac_worker.errors import ServiceError, message_of
from feynkac_worker.models.copying import copied
from feynkac_worker.models.enresnet import inject_noise
from feynkac_worker.models.narrow import Selected, Zeros

BATCH = 2  # a batch of one could not be told from the other sizes that are 1
_ROOT = "net"


@dataclass
class Traced:
    """The nodes of a module in the order of their execution, each with its value for `BATCH` images of zeros."""

    module: nn.Module
    nodes: list[fx.Node]
    values: dict[fx.Node, Any] = field(default_factory=dict)


class _Root(nn.Module):
    """Hides the other arguments of a `forward` (generator, noise, draws), which then have their defaults."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Any) -> Any:
        return self.net(x)


class _Proxy(fx.Proxy):
    """Stands for a tensor whose shape, dtype and device are known."""

    tracer: _Tracer

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """What `isinstance(x, Tensor)` in the code of users sees."""
        return type(self.value)

    @property
    def value(self) -> Any:
        return self.tracer.values[self.node]

    @property
    def shape(self) -> torch.Size:
        return self.value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> torch.dtype:
        return self.value.dtype  # type: ignore[no-any-return]

    @property
    def device(self) -> torch.device:
        return self.value.device  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        return self.value.ndim  # type: ignore[no-any-return]

    def size(self, dim: int | None = None) -> Any:
        return self.value.size() if dim is None else self.value.size(dim)

    def dim(self) -> int:
        return self.value.dim()  # type: ignore[no-any-return]

    def numel(self) -> int:
        return self.value.numel()  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))  # type: ignore[index]


class _Tracer(fx.Tracer):
    def __init__(self, example: Tensor) -> None:
        super().__init__(autowrap_functions=(inject_noise,))
        self.values: dict[fx.Node, Any] = {}
        self._example = example
        self._running = False
        self._current: dict[fx.Node, fx.Node] = {}  # a node to the one that changed its value in place
        self._stale: set[fx.Node] = set()  # other views of a tensor that was changed in place

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Selected | Zeros) or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Any, args: Any, kwargs: Any) -> Any:
        return forward(*args, **kwargs) if self._running else super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        return attr_val if self._running else super().getattr(attr, attr_val, parameter_proxy_cache)

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def create_arg(self, a: Any) -> Any:
        if isinstance(a, fx.Proxy):
            if a.node in self._stale:
                raise ServiceError("Expected no change in place of a tensor that is also used through another view")
            return self._current.get(a.node, a.node)
        return super().create_arg(a)

    def create_node(self, kind: str, target: Any, *rest: Any, **named: Any) -> fx.Node:
        node = super().create_node(kind, target, *rest, **named)
        # Buffers and constants become nodes without being asked for.
        if kind == "get_attr":
            owner, _, leaf = str(target).rpartition(".")
            module = self.root.get_submodule(owner)
            # Not getattr, which asks the tracer.
            places = (module._parameters, module._buffers, module.__dict__)
            self.values[node] = next(place[leaf] for place in places if leaf in place)
        return node

    def create_proxy(
        self, kind: str, target: Any, args: Any, kwargs: Any, name: Any = None, type_expr: Any = None, make: Any = None
    ) -> fx.Proxy:
        proxy = super().create_proxy(kind, target, args, kwargs, name, type_expr)
        node = proxy.node
        tensors = [value for other in node.all_input_nodes if isinstance(value := self.values[other], Tensor)]
        versions = [tensor._version for tensor in tensors]
        self.values[node] = self._run(node)
        for tensor, version in zip(tensors, versions, strict=True):
            if tensor._version != version:
                self._changed(node, tensor)
        return proxy

    def _run(self, node: fx.Node) -> Any:
        """The value of a node, outside of the tracer's reach."""
        args, kwargs = map_aggregate((node.args, node.kwargs), self._value)
        self._running = True
        try:
            if node.op == "placeholder":
                return self._example
            if node.op == "get_attr":
                return self.values[node]
            if node.op == "call_module":
                return self.root.get_submodule(str(node.target)).forward(*args, **kwargs)
            if node.op == "call_method":
                return getattr(args[0], str(node.target))(*args[1:], **kwargs)
            return node.target(*args, **kwargs)  # type: ignore[operator]
        finally:
            self._running = False

    def _value(self, argument: Any) -> Any:
        return self.values[argument] if isinstance(argument, fx.Node) else argument

    def _changed(self, node: fx.Node, tensor: Tensor) -> None:
        """Later uses of a tensor that `node` changed in place are uses of its result; other views of it are stale."""
        for other, value in self.values.items():
            if other is node or not isinstance(value, Tensor) or not _shares(value, tensor):
                continue
            if value is tensor or value is self.values[node]:
                self._current[other] = node
            else:
                self._stale.add(other)


def _shares(a: Tensor, b: Tensor) -> bool:
    return a.layout == b.layout == torch.strided and a.untyped_storage()._cdata == b.untyped_storage()._cdata


@torch.no_grad()
def trace(module: nn.Module, shape: list[int]) -> Traced:
    """Traces a copy of `module` in eval mode on images of `shape` `[C, H, W]`; the module and all random streams stay.

    Raises ServiceError with the place in the code for what cannot be traced: control flow that depends on the values of
    tensors, or images that the module refuses.
    """
    first = next(iter([*module.parameters(), *module.buffers()]), torch.zeros(()))
    net = copied(module).eval()
    example = torch.zeros(BATCH, *shape, device=first.device)
    tracer = _Tracer(example)
    devices = [first.device] if first.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), _one_sentence(type(module).__name__, shape):
        graph = tracer.trace(_Root(net))
    return Traced(net, list(graph.nodes), tracer.values)


def path_of(node: fx.Node) -> str:
    """The dotted name of the module that a node calls."""
    return str(node.target).removeprefix(_ROOT).removeprefix(".")


@contextlib.contextmanager
def _one_sentence(name: str, shape: list[int]) -> Iterator[None]:
    try:
        yield
    except TraceError as error:
        raise ServiceError(
            f"Expected `{name}` to compute the same steps for all images, got control flow that depends on the values "
            f"of a tensor{_place(error.__traceback__)}"
        ) from error
    except ServiceError as error:
        raise ServiceError(f"{error}{_place(error.__traceback__)} (network `{name}`)") from error
    except Exception as error:
        raise ServiceError(
            f"Expected `{name}` to take images of shape {shape} and to be traced by torch.fx, got {message_of(error)}"
            f"{_place(error.__traceback__)}"
        ) from error


def _place(trace_of_error: types.TracebackType | None) -> str:
    """The innermost line that is neither ours nor torch's."""
    ours = (str(Path(torch.__file__).parent), __file__, f"{sys.prefix}/lib", "<")
    frames = [frame for frame in traceback.extract_tb(trace_of_error) if not frame.filename.startswith(ours)]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
