"""What is known about a level before it runs: dead nodes, last uses, aliases, what it mutates, where gradients flow.

Sets of values are bit masks: bit 0 stands for the parameters inside modules, bit i + 1 for value i.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from feynkac_worker.errors import PlanError
from feynkac_worker.ir import Const, Level, Node, Ref, Value, ids
from feynkac_worker.ops import TARGETS

PARAMETERS = 1
# These pass a value on as it is, gradient included.
PASSING = frozenset({"get", "print", "check_finite", "reduce"})
# These end every gradient that would flow through them; a leaf starts a new one.
CUTTING = frozenset({"detach", "grad", "leaf"})


def bit(value: int) -> int:
    """The mask of one value."""
    return 1 << (value + 1)


@dataclass(frozen=True)
class Target:
    """A slot that a plan may change: an input, or one entry of a list input."""

    input: int
    element: int | None
    # `assign` changes a tensor, `step` an optimizer and its parameters, `module` the buffers of a module.
    how: str


@dataclass
class Facts:
    """The analysis of one level."""

    level: Level
    # Node number to place in the source, for errors.
    loc: Callable[[int], str | None]
    bodies: dict[int, Facts] = field(default_factory=dict)
    kept: list[Node] = field(default_factory=list)
    # Per value: the sources (leaves, inputs, module parameters) that a gradient could reach from it.
    reach: list[int] = field(default_factory=list)
    # Per value: the values whose storage it may share.
    alias: list[int] = field(default_factory=list)
    # Node values to record, grads that keep their graph, repeats whose body reaches into a graph recorded outside.
    recorded: set[int] = field(default_factory=set)
    retained: set[int] = field(default_factory=set)
    crossing: set[int] = field(default_factory=set)
    # Body inputs with respect to which the level, or a body in it, takes gradients.
    wanted: int = 0
    targets: list[Target] = field(default_factory=list)

    def value(self, node: Node) -> int:
        """The id of the value that a node makes."""
        return len(self.level.inputs) + node.position

    def origin(self, value: int) -> tuple[int, int | None]:
        """Follows passing nodes back: the value they started from, and which entry of it."""
        element: int | None = None
        while (node := self.level.node(value)) is not None and node.op.name in PASSING:
            source = node.args[0]
            if node.op.name == "get" and isinstance(node.args[1], Const):
                element = node.args[1].value
            if isinstance(source, Ref):
                value = source.id
            elif element is None:
                break
            else:
                value, element = ids(source)[element], None
        return value, element


def analyse(level: Level, loc: Callable[[int], str | None]) -> Facts:
    """Raises PlanError for gradients and assignments that no run could carry out."""
    facts = _from_inside(level, loc)
    _gradients(facts, 0)
    return facts


def _from_inside(level: Level, loc: Callable[[int], str | None]) -> Facts:
    facts = Facts(level, loc)
    facts.bodies = {node.position: _from_inside(node.body, loc) for node in level.nodes if node.body is not None}
    facts.kept = _kept(level)
    inputs = range(len(level.inputs))
    facts.reach = [bit(i) if level.inputs[i].name in ("tensor", "tensors") else 0 for i in inputs]
    facts.alias = [bit(i) for i in inputs]
    for node in level.nodes:
        facts.reach.append(_reach(facts, node))
        facts.alias.append(_alias(facts, node))
    inside = sum(bit(i) for i in inputs)
    for node in facts.kept:
        facts.wanted |= _sources(facts, node) & inside
        _mutations(facts, node)
    return facts


def last_uses(facts: Facts) -> dict[int, list[int]]:
    """Per node position: the values that nothing reads afterwards. Inputs belong to others and are left alone."""
    first, keep = len(facts.level.inputs), set(facts.level.outputs)
    seen: set[int] = set()
    drops: dict[int, list[int]] = {}
    for node in reversed(facts.kept):
        own = facts.value(node)
        for value in sorted({*node.refs, own}):
            if value >= first and value not in keep and value not in seen:
                seen.add(value)
                drops.setdefault(node.position, []).append(value)
    return drops


def _kept(level: Level) -> list[Node]:
    used, kept = set(level.outputs), []
    for node in reversed(level.nodes):
        if node.op.kind != "pure" or len(level.inputs) + node.position in used:
            used.update(node.refs)
            kept.append(node)
    return kept[::-1]


def _reach(facts: Facts, node: Node) -> int:
    name, value = node.op.name, facts.value(node)
    if name == "leaf":
        return bit(value)
    if name in CUTTING or facts.level.kinds[value].name not in ("tensor", "tensors"):
        return 0
    if node.body is not None:
        return _through_body(facts, node)
    return _union(facts.reach, node.refs) | (PARAMETERS if name == "call" else 0)


def _union(masks: list[int], values: tuple[int, ...]) -> int:
    result = 0
    for value in values:
        result |= masks[value]
    return result


def _through_body(facts: Facts, node: Node) -> int:
    # Carries feed each other, so what any iteration can reach is found by repeating until nothing is added.
    body = facts.bodies[node.position]
    carries = len(body.level.outputs)
    inside = _union(body.reach, body.level.outputs)
    result = _union(facts.reach, ids(node.args[2])) | inside & PARAMETERS
    for i, outer in enumerate(ids(node.args[3])):
        if inside & bit(carries + 1 + i):
            result |= facts.reach[outer]
    return result


def _alias(facts: Facts, node: Node) -> int:
    value, target = facts.value(node), TARGETS.get(node.op.name)
    if node.body is not None:
        return bit(value) | _union(facts.alias, ids(node.args[2]) + ids(node.args[3]))
    if node.op.name == "call":
        return bit(value) | facts.alias[ids(node.arg("x"))[0]]
    if node.op.name in PASSING or node.op.name == "leaf" or (target is not None and target.view):
        return bit(value) | _union(facts.alias, node.refs)
    return bit(value)


def _gradients(facts: Facts, foreign: int) -> None:
    # From the outside in: `foreign` are the inputs that may hold a graph which the level did not record itself.
    regions: list[tuple[Node, set[int]]] = []
    for node in facts.kept:
        mask = _sources(facts, node)
        if mask & PARAMETERS:
            mask |= foreign
        if node.op.name == "grad":
            regions.append((node, _region(facts, ids(node.args[0]), mask)))
        elif node.body is not None:
            region = _region(facts, node.refs, mask) if mask else set()
            inner = _foreign(facts, node, region, foreign if mask else 0)
            if inner:
                facts.crossing.add(node.position)
            _gradients(facts.bodies[node.position], inner)
            regions.append((node, region))
    later: set[int] = set()
    for node, region in reversed(regions):
        if region & later:
            facts.retained.add(node.position)
        later |= region
    facts.recorded = later


def _foreign(facts: Facts, node: Node, region: set[int], foreign: int) -> int:
    result, carries = 0, len(facts.bodies[node.position].level.outputs)
    for i, outer in enumerate(ids(node.args[3])):
        if outer in region or bit(facts.origin(outer)[0]) & foreign:
            result |= bit(carries + 1 + i)
    return result


def _sources(facts: Facts, node: Node) -> int:
    # What a grad, or the grads in a body, are taken with respect to. An input may be a parameter inside a module.
    if node.op.name == "grad":
        return _with_respect_to(facts, node)
    return _wanted_by_body(facts, node) if node.body is not None else 0


def _with_respect_to(facts: Facts, node: Node) -> int:
    mask, (loss,) = 0, ids(node.args[0])
    for i, value in enumerate(ids(node.args[1])):
        source, _ = facts.origin(value)
        made = facts.level.node(source)
        if made is None:
            kind = facts.level.inputs[source].name
            if kind not in ("tensor", "tensors"):
                raise _error(facts, node, f"Expected `wrt` to hold tensors, got a {kind}")
            mask |= bit(source) | PARAMETERS
        elif made.op.name != "leaf":
            text = f"Expected `wrt[{i}]` to be a leaf or a parameter, got the result of `{made.op.name}`"
            raise _error(facts, node, text)
        elif not facts.reach[loss] & bit(source):
            text = f"Expected the loss to depend on `wrt[{i}]` (value {value}), got one that does not"
            raise _error(facts, node, text)
        else:
            mask |= bit(source)
    return mask


def _wanted_by_body(facts: Facts, node: Node) -> int:
    body = facts.bodies[node.position]
    carries, mask = len(body.level.outputs), 0
    if body.wanted & ((1 << (carries + 1)) - 2):
        text = "Expected gradients in a body with respect to leaves or captures, got a carried value"
        raise _error(facts, node, text)
    for i, outer in enumerate(ids(node.args[3])):
        if body.wanted & bit(carries + 1 + i):
            source, _ = facts.origin(outer)
            made = facts.level.node(source)
            if made is not None and made.op.name != "leaf":
                text = f"Expected captures that a body takes gradients of to be leaves, got `{made.op.name}`"
                raise _error(facts, node, text)
            mask |= bit(source) | (PARAMETERS if made is None else 0)
    return mask


def _region(facts: Facts, losses: tuple[int, ...], mask: int) -> set[int]:
    # The node values between the sources in `mask` and the losses.
    region: set[int] = set()
    todo = list(losses)
    while todo:
        value = todo.pop()
        node = facts.level.node(value)
        if node is None or value in region or not facts.reach[value] & mask:
            continue
        if node.op.name != "leaf":
            region.add(value)
            todo += node.refs
    return region


def _mutations(facts: Facts, node: Node) -> None:
    name = node.op.name
    if name == "assign":
        _mutate(facts, node, node.args[0], "assign")
    elif name in ("optimizer_step", "optimizer_reset"):
        _mutate(facts, node, node.args[0], "step")
    elif name == "call" and node.arg("mode") == Const("train"):
        _mutate(facts, node, node.args[0], "module")
    elif node.body is not None:
        carries, captures = len(node.body.outputs), ids(node.args[3])
        for target in facts.bodies[node.position].targets:
            inner = target.input - carries - 1
            if inner < 0:
                raise _error(facts, node, "Expected `assign` in a body to change a captured slot, got a carried value")
            _mutate(facts, node, Ref(captures[inner]), target.how, target.element)


def _mutate(facts: Facts, node: Node, slot: Value, how: str, element: int | None = None) -> None:
    source, entry = facts.origin(ids(slot)[0])
    if facts.level.node(source) is not None or facts.level.inputs[source].name == "scalar":
        raise _error(facts, node, "Expected `assign` to change a slot, got a value that the plan made itself")
    target = Target(source, entry if element is None else element, how)
    if target not in facts.targets:
        facts.targets.append(target)


def _error(facts: Facts, node: Node, message: str) -> PlanError:
    return PlanError(message, node.op.name, node.position, facts.loc(node.number))
