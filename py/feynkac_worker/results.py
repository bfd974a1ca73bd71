"""What kind of value a node gives, and the rules that tie its arguments together."""

from __future__ import annotations

import math

from feynkac_worker.errors import PlanError
from feynkac_worker.ir import NONE, SCALAR, TENSOR, Const, Kind, Node, Value, length_of, shown
from feynkac_worker.ops import TARGETS, Target

# The argument that a list result has its length from.
_LENGTHS = {"grad": "wrt", "repeat": "carry", "reduce": "list"}


def result(node: Node, kinds: list[Kind]) -> Kind:
    """The kind of a node's value; raises PlanError when its arguments do not go together."""
    op = node.op
    target = TARGETS.get(op.name)
    if target is not None:
        return _of_target(target, node, kinds)
    if op.name in ("assign", "optimizer_step", "optimizer_reset"):
        return NONE
    if op.name == "get":
        return _check_get(node, kinds)
    if op.name == "call":
        _check_call(node, kinds)
    if op.lists:
        return Kind("tensors", length_of(node.arg(_LENGTHS[op.name]), kinds))
    return kinds[node.refs[0]] if op.name in ("print", "check_finite") else TENSOR


def _of_target(target: Target, node: Node, kinds: list[Kind]) -> Kind:
    op = node.op
    if op.lists:
        return Kind("tensors", op.outputs or 0)
    if target.scalar:
        return SCALAR
    if op.name == "detach":
        return kinds[node.refs[0]]
    if op.name in ("full", "rand", "randn"):
        _check_shape(node.arg("shape"))
    if target.elementwise:
        if not node.refs:
            raise PlanError(f"Expected at least one argument of `{op.name}` to be a tensor, got only literals")
        if all(kinds[i] == SCALAR for i in node.refs):
            return SCALAR
    return TENSOR


def _check_get(node: Node, kinds: list[Kind]) -> Kind:
    index, length = node.args[1], length_of(node.args[0], kinds)
    k = index.value if isinstance(index, Const) else -1
    if not 0 <= k < length:
        raise PlanError(f"Expected `index` to be below the list's length {length}, got {shown(k)}")
    return TENSOR


def _check_call(node: Node, kinds: list[Kind]) -> None:
    names, params = node.arg("names"), node.arg("params")
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
