"""A plan that is ready to run: analysed, bound, with its outputs cut from the graph and from other people's storage."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from feynkac_worker.analysis import Facts, analyse, bit, last_uses
from feynkac_worker.binding import bind, reader
from feynkac_worker.executor import Block, Call, Runtime, Step, Values, set_grad
from feynkac_worker.ir import SCALAR, TENSOR, Decoded, Kind, Node
from feynkac_worker.structural import BUILDERS, Site

# Recording these would turn an in-place update into an error of autograd.
_NEVER_RECORDED = frozenset({"assign", "optimizer_step", "optimizer_reset"})


class Program:
    """The code of a plan, shared by every plan and every binding with the same nodes."""

    def __init__(self, decoded: Decoded, runtime: Runtime) -> None:
        """Raises PlanError for what only the analysis can see."""
        level = decoded.level
        facts = analyse(level, decoded.loc)
        self.runtime = runtime
        self.inputs: tuple[Kind, ...] = level.inputs
        self.targets = tuple(facts.targets)
        # A pure program may be run again after its memory ran out.
        self.pure = all(node.op.kind == "pure" for node in facts.kept)
        self.block = assemble(facts, runtime, recorded=False, crossing=False)
        self.room = self.block.room
        self.count = len(level.outputs)
        self._shared = _shared_outputs(facts)
        self._loose = _finishers(facts)

    def run(self, values: Values) -> list[Tensor]:
        """Outputs, detached and in storage of their own. `values` is the inputs followed by `room`, and is used up.

        Raises NodeError (with the cause) or CancelledError. Gradient mode is off inside and restored after.
        """
        before = torch.is_grad_enabled()
        set_grad(False)
        try:
            return self.replay(values)
        finally:
            set_grad(before)

    def replay(self, values: Values) -> list[Tensor]:
        """`run` for a thread whose gradient mode is off."""
        try:
            outputs = self.block.execute(values)
        except BaseException:
            set_grad(False)
            raise
        for i, finish in self._loose:
            outputs[i] = finish(outputs[i])
        if self._shared:
            _separate(outputs, values, self._shared)
        return outputs


def _finishers(facts: Facts) -> list[tuple[int, Callable[[Tensor], Tensor]]]:
    # Most outputs were computed with gradient mode off, and are left alone. Not so inputs, recorded values, leaves, and
    # what a module may give of itself.
    found: list[tuple[int, Callable[[Tensor], Tensor]]] = []
    first, loose = len(facts.level.inputs), 0
    for value in (*range(first), *facts.recorded):
        loose |= bit(value)
    for node in facts.kept:
        if node.op.name in ("leaf", "call", "repeat"):
            loose |= bit(facts.value(node))
    for i, value in enumerate(facts.level.outputs):
        if facts.level.kinds[value] == TENSOR and facts.alias[value] & loose:
            found.append((i, Tensor.clone if value < first else Tensor.detach))
    return found


def assemble(facts: Facts, runtime: Runtime, recorded: bool, crossing: bool) -> Block:
    """Binds a level. `recorded`: all of it lies in a graph; `crossing`: its gradients reach a graph made outside."""
    level, first = facts.level, len(facts.level.inputs)
    drops, steps, mode = last_uses(facts), [], recorded
    for node in facts.kept:
        name, value = node.op.name, facts.value(node)
        wanted = (recorded or value in facts.recorded) and name not in _NEVER_RECORDED
        if wanted is not mode:
            steps.append(_switch(wanted, first + len(level.nodes), node))
            mode = wanted
        retain = recorded or crossing or node.position in facts.retained
        if name in BUILDERS:
            below = crossing or node.position in facts.crossing
            call = _build(facts, runtime, node, wanted, retain, below)
        else:
            call = bind(level, node, runtime.device)
        steps.append((call, value, tuple(drops.get(node.position, ())), node))
    if mode is not recorded:
        steps.append(_switch(recorded, first + len(level.nodes), facts.kept[-1]))
    numbers = tuple(i for i, value in enumerate(level.outputs) if level.kinds[value] == SCALAR)
    return Block(runtime, first, steps, level.outputs, numbers)


def _switch(enabled: bool, room: int, node: Node) -> Step:
    return (lambda values: set_grad(enabled), room, (), node)


def _build(facts: Facts, runtime: Runtime, node: Node, recorded: bool, retain: bool, crossing: bool) -> Call:
    body = None
    if node.body is not None:
        body = assemble(facts.bodies[node.position], runtime, recorded, crossing)
    reads = tuple(
        # What a body captures keeps its kind, runtime scalars included.
        reader(facts.level, arg, value, runtime.device, raw=arg.name == "captures")
        for arg, value in zip(node.op.args, node.args, strict=True)
    )
    overlapping = node.op.name == "assign" and bool(facts.alias[node.refs[0]] & facts.alias[node.refs[1]])
    return BUILDERS[node.op.name](Site(node, runtime, reads, retain, recorded, overlapping, body))


Shared = tuple[int, tuple[int, ...], tuple[int, ...]]


def _shared_outputs(facts: Facts) -> list[Shared]:
    # Outputs that may share storage with an input or an earlier output: (output, inputs, earlier outputs).
    found: list[Shared] = []
    outputs = facts.level.outputs
    for i, value in enumerate(outputs):
        roots = facts.alias[value]
        if value < len(facts.level.inputs):
            # Cloned in any case.
            continue
        inputs = tuple(k for k, kind in enumerate(facts.level.inputs) if roots & bit(k) and "tensor" in kind.name)
        earlier = tuple(
            k for k in range(i) if roots & facts.alias[outputs[k]] and outputs[k] >= len(facts.level.inputs)
        )
        if inputs or earlier:
            found.append((i, inputs, earlier))
    return found


def _separate(outputs: list[Tensor], values: Values, shared: list[Shared]) -> None:
    for i, inputs, earlier in shared:
        own = _storage(outputs[i])
        others = [outputs[k] for k in earlier]
        for k in inputs:
            others += values[k] if isinstance(values[k], (list, tuple)) else [values[k]]
        if any(_storage(other) == own for other in others):
            outputs[i] = outputs[i].clone()


def _storage(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()
