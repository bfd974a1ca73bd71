"""Operations without weights of their own: what they do to the channels of `[batch, channels, …]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

Facts = dict[str, Any]

_ELEMENTWISE_MODULES = (
    *(nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU),
    *(nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Tanh, nn.Tanhshrink, nn.Hardtanh, nn.Hardswish, nn.Softshrink),
    *(nn.Hardshrink, nn.Softsign, nn.Threshold, nn.Sigmoid, nn.Hardsigmoid, nn.Softplus, nn.LogSigmoid),
)
_POOLING_MODULES = (
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.LPPool2d, nn.Upsample),
    *(nn.ZeroPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d),
)
# By name: the same function exists in torch, in torch.nn.functional, as a method, and with a `_` that says in place.
_ELEMENTWISE = {
    *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "tanh", "tanhshrink", "hardtanh"),
    *("hardswish", "softshrink", "hardshrink", "softsign", "threshold", "sigmoid", "hardsigmoid", "softplus"),
    *("logsigmoid", "dropout", "dropout1d", "dropout2d", "abs", "exp", "log1p", "sqrt", "square", "sin", "cos"),
    *("clamp", "clamp_min", "clamp_max", "contiguous", "clone", "detach", "to", "float", "double", "half", "bfloat16"),
    *("neg", "pos", "pow", "add", "sub", "mul", "div", "truediv", "iadd", "isub", "imul", "itruediv"),
}
_SCALES = {"mul", "div", "truediv", "imul", "itruediv", "neg"}
_SUMS = {"add", "sub", "iadd", "isub"}
_RESHAPES = {"flatten", "view", "reshape", "squeeze", "unsqueeze"}
_REDUCTIONS = {"mean", "sum", "amax", "amin"}
_POOLINGS = {"max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d", "lp_pool2d", "interpolate"}
# These two choose between functions by a flag, which hides their names.
_DISPATCHED = (F.max_pool2d, F.adaptive_max_pool2d)


def opaque(why: str, layer: Mapping[str, Any] | None = None) -> Facts:
    """A node that is not understood and keeps all its channels; `as` and the facts of a layer say what it costs."""
    known = {} if layer is None else {**layer, "as": layer["kind"]}
    return {**known, "kind": "opaque", "why": why}


def of_module(module: nn.Module, x: Tensor, value: Tensor) -> Facts:
    """A module without weights to take out, which maps `x` to `value`."""
    name = type(module).__name__
    if module._forward_hooks or module._forward_pre_hooks:
        return opaque(f"{name} has hooks")
    if type(module) in _ELEMENTWISE_MODULES or (type(module) is nn.PReLU and module.num_parameters == 1):
        return _elementwise(name, module.forward, x, value)
    if type(module) in (nn.Flatten, nn.Unflatten):
        return _reshape(name, x, value)
    return _pooling(name, x, value) if type(module) in _POOLING_MODULES else opaque(f"{name} is not known")


def of_call(node: fx.Node, values: Mapping[fx.Node, Any]) -> Facts:
    """A function or method; `values` are those of all nodes."""
    name, value = name_of(node.target), values[node]
    if not isinstance(value, Tensor) or value.dim() < 2:
        return opaque(f"`{name}` gives no [batch, channels, …]")
    if name in ("cat", "concat", "concatenate"):
        return _concat(node, values)
    if name in _SUMS and len(node.all_input_nodes) == 2:
        return _sum(name, node, values)
    if len(node.all_input_nodes) != 1:
        return opaque(f"`{name}` of {len(node.all_input_nodes)} tensors is not known")
    source = node.all_input_nodes[0]
    x = values[source]
    if not isinstance(x, Tensor) or x.dim() < 2:
        return opaque(f"`{name}` takes no [batch, channels, …]")
    if name in _SCALES and node.args.count(source) == 1 and (node.args[0] is source or name == "mul"):
        return {"kind": "scale"} if value.shape == x.shape else opaque(f"`{name}` changes the shape")
    if name in _ELEMENTWISE:
        if name.startswith("dropout") and _argument(node, 2, "training", True):
            return opaque(f"`{name}` draws random numbers")
        return _elementwise(name, lambda zero: _apply(node, zero), x, value)
    if name in _RESHAPES:
        return _reshape(name, x, value)
    if name in _REDUCTIONS:
        return _reduction(name, node, x, value)
    if name == "pad":
        widths = _argument(node, 1, "pad", ())
        if len(widths) > 2 * (x.dim() - 2) or _argument(node, 3, "value", None) not in (None, 0):
            return opaque("`pad` adds channels or other numbers than zero")
        return _pooling(name, x, value)
    if name == "getitem":
        index = node.args[1]
        whole = isinstance(index, tuple) and len(index) > 2 and index[0] == index[1] == slice(None)
        return _pooling(name, x, value) if whole else opaque("`[…]` takes channels apart")
    known = name in _POOLINGS or node.target in _DISPATCHED
    return _pooling(name, x, value) if known else opaque(f"`{name}` is not known")


def name_of(target: Any) -> str:
    """`relu` of torch.relu, F.relu, F.relu_ and the method `relu_`."""
    name = target if isinstance(target, str) else getattr(target, "__name__", str(target))
    return name.rstrip("_")


def _argument(node: fx.Node, place: int, name: str, default: Any) -> Any:
    return node.args[place] if len(node.args) > place else node.kwargs.get(name, default)


def _apply(node: fx.Node, x: Tensor) -> Any:
    """What the operation gives for another tensor."""
    args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda _: x)
    if isinstance(node.target, str):
        return getattr(args[0], node.target)(*args[1:], **kwargs)
    return node.target(*args, **kwargs)


def _elementwise(name: str, function: Callable[[Tensor], Any], x: Tensor, value: Tensor) -> Facts:
    """A map of each number alone; whether zeros stay zeros is tried out."""
    if value.shape != x.shape:
        return opaque(f"`{name}` changes the shape")
    with torch.no_grad():
        result = function(torch.zeros((1,) * x.dim(), dtype=x.dtype, device=x.device))
    return {"kind": "relu", "zero": bool((result == 0).all())}


def _reshape(name: str, x: Tensor, value: Tensor) -> Facts:
    if value.shape == x.shape:
        return {"kind": "relu", "zero": True}
    if value.shape[0] == x.shape[0] and value.dim() == 2 and x.dim() > 2:
        return {"kind": "flatten"}
    return _pooling(name, x, value)


def _pooling(name: str, x: Tensor, value: Tensor) -> Facts:
    return {"kind": "pool"} if value.shape[:2] == x.shape[:2] else opaque(f"`{name}` changes batch or channels")


def _reduction(name: str, node: fx.Node, x: Tensor, value: Tensor) -> Facts:
    dims = _argument(node, 1, "dim", None)
    dims = [dims] if isinstance(dims, int) else dims
    if not dims or any(dim % x.dim() < 2 for dim in dims) or value.shape[:2] != x.shape[:2]:
        return opaque(f"`{name}` goes over batch or channels")
    return {"kind": "mean" if value.dim() == 2 else "pool"}


def _sum(name: str, node: fx.Node, values: Mapping[fx.Node, Any]) -> Facts:
    operands = [values[operand] if isinstance(operand, fx.Node) else None for operand in node.args]
    shapes = [list(t.shape) for t in operands if isinstance(t, Tensor)]
    if len(shapes) != 2 or len(shapes[0]) != len(shapes[1]) or shapes[0][:2] != shapes[1][:2]:
        return opaque(f"`{name}` of shapes that differ in rank or channels")
    return {"kind": "add"}


def _concat(node: fx.Node, values: Mapping[fx.Node, Any]) -> Facts:
    parts = _argument(node, 0, "tensors", ())
    dim = _argument(node, 1, "dim", node.kwargs.get("axis", 0))
    if not all(isinstance(part, fx.Node) and isinstance(values[part], Tensor) for part in parts):
        return opaque("`cat` of something else than tensors")
    if not isinstance(dim, int) or dim % values[node].dim() != 1:
        return opaque("`cat` of another dimension than the channels")
    # Listed anew: a tensor may stand there twice.
    return {"kind": "concat", "dim": 1, "inputs": [part.name for part in parts]}
