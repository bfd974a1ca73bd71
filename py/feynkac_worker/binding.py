"""Binds one node to one Python call, so that the executor's loop only calls.

Where a runtime scalar meets a tensor it goes in as a Python number, exactly like a literal; where only a tensor
will do, as a 0-d tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any

import torch

from feynkac_worker import kernels
from feynkac_worker.executor import Call, as_tensor
from feynkac_worker.ir import SCALAR, Const, Level, Node, Ref, Value
from feynkac_worker.ops import TARGETS
from feynkac_worker.optable import Arg


def reader(level: Level, arg: Arg, value: Value, device: torch.device, raw: bool = False) -> Call:
    """A call from the values to one argument. `raw` leaves runtime scalars as numbers everywhere."""
    if isinstance(value, Const):
        constant = value.value
        return lambda values: constant
    convert = not (raw or arg.kinds & {"number", "int"})
    if isinstance(value, Ref):
        if convert and level.kinds[value.id] == SCALAR:
            i = value.id
            return lambda values: as_tensor(values[i], device)
        return itemgetter(value.id)
    if convert and any(level.kinds[i] == SCALAR for i in value.ids):
        return lambda values: tuple(as_tensor(values[i], device) for i in value.ids)
    if len(value.ids) < 2:
        return lambda values: tuple(values[i] for i in value.ids)
    return itemgetter(*value.ids)


def bind(level: Level, node: Node, device: torch.device) -> Call:
    """The call that replays a node of the op table's torch rows."""
    target = TARGETS[node.op.name]
    run: Callable[..., Any] = partial(target.run, device=device) if target.device else target.run
    scalars = [level.kinds[i] == SCALAR for i in node.refs]
    if node.op.name == "detach" and scalars[0]:
        return itemgetter(node.refs[0])
    if target.elementwise and all(scalars):
        return _on_numbers(run, node)
    readers = [reader(level, arg, value, device) for arg, value in zip(node.op.args, node.args, strict=True)]
    if target.elementwise and node.op.name != "where" and _is_number(level, node.args[0]):
        return _number_first(level, run, node, readers)
    return _direct(level, run, node, readers)


def _is_number(level: Level, value: Value) -> bool:
    return isinstance(value, Const) or (isinstance(value, Ref) and level.kinds[value.id] == SCALAR)


def _on_numbers(run: Callable[..., Any], node: Node) -> Call:
    # Arithmetic on runtime scalars alone stays a runtime scalar, computed on the CPU: no device waits for it.
    cpu = torch.device("cpu")

    def read(values: list[Any], value: Value) -> Any:
        found = values[value.id] if isinstance(value, Ref) else value.value if isinstance(value, Const) else None
        return None if found is None else as_tensor(found, cpu)

    return lambda values: run(*[read(values, value) for value in node.args]).item()


def _number_first(level: Level, run: Callable[..., Any], node: Node, readers: list[Call]) -> Call:
    # torch wants a tensor in front: 2 - x takes its dtype from x.
    number = reader(level, node.op.args[0], node.args[0], torch.device("cpu"), raw=True)
    beside = next(i for i in node.refs if level.kinds[i] != SCALAR)
    rest = readers[1:]
    return lambda values: run(kernels.beside(number(values), values[beside]), *[read(values) for read in rest])


def _direct(level: Level, run: Callable[..., Any], node: Node, readers: list[Call]) -> Call:
    args = list(node.args)
    while args and args[-1] == Const(None) and node.op.args[len(args) - 1].optional:
        args.pop()
    plain = [
        isinstance(value, Ref) and isinstance(read, itemgetter) for value, read in zip(args, readers, strict=False)
    ]
    constants = [value.value for value in args if isinstance(value, Const)]
    slots = [value.id for value in args if isinstance(value, Ref)]
    if args and plain[0] and len(constants) == len(args) - 1:
        i = slots[0]
        if not constants:
            return lambda values: run(values[i])
        if len(constants) == 1:
            constant = constants[0]
            return lambda values: run(values[i], constant)
        return lambda values: run(values[i], *constants)
    if len(args) == 2 and all(plain):
        i, j = slots
        return lambda values: run(values[i], values[j])
    used = readers[: len(args)]
    return lambda values: run(*[read(values) for read in used])
