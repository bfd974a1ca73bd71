"""What kind of value a node gives, and the rules that tie its arguments together."""

from __future__ import annotations

import math

from feynkac_worker.errors import PlanError
from feynkac_worker.ir import NONE, SCALAR, TENSOR, Const, Kind, Node, Value, length_of, shown
from feynkac_worker.ops import TARGETS


def result(node: Node, kinds: list[Kind]) -> Kind:
    op = node.op
    named = dict(zip((arg.name for arg in op.args), node.args, strict=True))
    if op.name in ("assign", "optimizer_step", "optimizer_reset"):
        return NONE
    if op.name == "get":
        return _check_get(named, kinds)
    if op.name == "call":
        _check_call(named, kinds)
    if op.lists:
        source = {"grad": "wrt", "repeat": "carry", "reduce": "list"}.get(op.name)
        return Kind("tensors", op.outputs or 0 if source is None else length_of(named[source], kinds))
    target = TARGETS.get(op.name)
    if target is not None and target.scalar:
        return SCALAR
    if op.name in ("detach", "print", "check_finite"):
        return kinds[node.refs[0]]
    if op.name in ("full", "rand", "randn"):
        _check_shape(named["shape"])
    if target is not None and target.elementwise:
        if not node.refs:
            raise PlanError(f"Expected at least one argument of `{op.name}` to be a tensor, got only literals")
        if all(kinds[i] == SCALAR for i in node.refs):
            return SCALAR
    return TENSOR


def _check_get(named: dict[str, Value], kinds: list[Kind]) -> Kind:
    index, length = named["index"], length_of(named["list"], kinds)
    k = index.value if isinstance(index, Const) else -1
    if not 0 <= k < length:
        raise PlanError(f"Expected `index` to be below the list's length {length}, got {shown(k)}")
    return TENSOR


def _check_call(named: dict[str, Value], kinds: list[Kind]) -> None:
    names, params = named["names"], named["params"]
    given = [value != Const(None) for value in (names, params)]
    if given[0] != given[1] or (
        isinstance(names, Const) and names.value and len(names.value) != length_of(params, kinds)
    ):
        raise PlanError("Expected `names` and `params` together, of the same length")
    if isinstance(names, Const) and names.value and len(set(names.value)) != len(names.value):
        raise PlanError("Expected `names` to be different from each other")


def _check_shape(shape: Value) -> None:
    sizes = shape.value if isinstance(shape, Const) else []
    if any(n < 0 for n in sizes) or math.prod(sizes) >= 2**48:
        raise PlanError(f"Expected `shape` to hold sizes of a tensor, got {shown(sizes)}")
