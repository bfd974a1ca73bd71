"""Plan bytes to a checked plan (PROTOCOL.md, "Plans"). What a client can get wrong is refused here."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from feynkac_worker import codec
from feynkac_worker.arguments import MAX_LIST, MAX_TEXT, argument, value_id
from feynkac_worker.errors import PlanError, ProtocolError
from feynkac_worker.ir import (
    SCALAR,
    SINGLE,
    TENSOR,
    Const,
    Decoded,
    Kind,
    Level,
    Node,
    Refs,
    checked_list,
    kind_text,
    length_of,
    shown,
)
from feynkac_worker.optable import OPS, Op
from feynkac_worker.results import result

VERSION = 1
MAX_NESTING = 16


@dataclass
class _Decoder:
    locs: list[str]
    max_nodes: int
    places: list[int] = field(default_factory=list)


def decode(data: bytes | memoryview, max_nodes: int = 100_000) -> Decoded:
    """The plan in canonical bytes. Raises PlanError (with its node) or ProtocolError."""
    raw = codec.decode(data)
    version, inputs, nodes, outputs, name, locs = checked_list(raw, "the plan", 6)
    if type(version) is not int or version != VERSION:
        raise PlanError(f"Expected plan version {VERSION}, got {shown(version)}")
    if type(name) is not str or len(name) > MAX_TEXT:
        raise PlanError(f"Expected the plan's name to be a string, got {shown(name)}")
    if any(type(loc) is not str for loc in checked_list(locs, "the locations")):
        raise PlanError("Expected every location to be a string")
    decoder = _Decoder(locs, max_nodes)
    kinds = [_kind(text) for text in checked_list(inputs, "the inputs")]
    level = _level(decoder, kinds, nodes, outputs, 0)
    code = codec.encode([version, inputs, _code(nodes), outputs])
    return Decoded(hashlib.sha256(code).hexdigest(), level, name, tuple(locs), tuple(decoder.places))


def _kind(text: Any) -> Kind:
    if type(text) is str:
        if text in SINGLE:
            return SINGLE[text]
        found = re.fullmatch(r"tensors:([0-9]{1,5})", text, re.ASCII)
        if found and int(found[1]) <= MAX_LIST:
            return Kind("tensors", int(found[1]))
    raise PlanError(f"Expected an input kind of {', '.join(SINGLE)}, tensors:<n>, got {shown(text)}")


def _code(nodes: list[Any]) -> list[Any]:
    # The same code without locations, bodies included; the nodes were checked before.
    def strip(arg: list[Any]) -> list[Any]:
        return ["p", [arg[1][0], _code(arg[1][1]), arg[1][2]]] if arg[0] == "p" else arg

    return [[node[0], [strip(arg) for arg in node[1]]] for node in nodes]


def _level(decoder: _Decoder, inputs: list[Kind], nodes: Any, outputs: Any, nesting: int) -> Level:
    if nesting > MAX_NESTING:
        raise PlanError(f"Expected bodies nested at most {MAX_NESTING} deep")
    kinds = list(_limit(inputs))
    made: list[Node] = []
    for position, raw in enumerate(checked_list(nodes, "the nodes")):
        made.append(_node(decoder, kinds, position, raw, nesting))
    found = []
    for value in checked_list(outputs, "the outputs", None, MAX_LIST):
        if type(value) is not int or not 0 <= value < len(kinds):
            raise PlanError(f"Expected an output to be a value id below {len(kinds)}, got {shown(value)}")
        if kinds[value] not in (TENSOR, SCALAR):
            raise PlanError(f"Expected an output to be a tensor, got value {value} ({kinds[value].name})")
        found.append(value)
    return Level(tuple(inputs), tuple(made), tuple(found), tuple(kinds))


def _limit(inputs: list[Kind]) -> list[Kind]:
    if len(inputs) > MAX_LIST:
        raise PlanError(f"Expected at most {MAX_LIST} inputs, got {len(inputs)}")
    return inputs


def _node(decoder: _Decoder, kinds: list[Kind], position: int, raw: Any, nesting: int) -> Node:
    index, args, place = checked_list(raw, "a node", 3)
    number = len(decoder.places)
    if number >= decoder.max_nodes:
        raise PlanError(f"Expected at most {decoder.max_nodes} nodes in a plan")
    if type(index) is not int or not 0 <= index < len(OPS):
        raise PlanError(f"Expected an op index below {len(OPS)}, got {shown(index)}", None, position)
    if type(place) is not int or not -1 <= place < len(decoder.locs):
        raise PlanError(f"Expected a location index below {len(decoder.locs)}, got {shown(place)}", None, position)
    decoder.places.append(place)
    op = OPS[index]
    loc = decoder.locs[place] if place >= 0 else None
    try:
        given = checked_list(args, f"the arguments of `{op.name}`", len(op.args))
        if op.name == "repeat":
            node = _repeat(decoder, kinds, position, number, op, given, nesting)
        else:
            values = tuple(argument(arg, tagged, kinds) for arg, tagged in zip(op.args, given, strict=True))
            node = Node(position, number, op, values)
        kinds.append(result(node, kinds))
    except (PlanError, ProtocolError) as error:
        if isinstance(error, PlanError) and error.node is not None:
            raise
        raise PlanError(str(error), op.name, position, loc) from None
    return node


def _repeat(
    decoder: _Decoder, kinds: list[Kind], position: int, number: int, op: Op, given: list[Any], nesting: int
) -> Node:
    times, body, carry, captures = given
    carried = argument(op.args[2], carry, kinds)
    captured = _captures(captures, kinds)
    tag, sub = checked_list(body, "`body`", 2)
    if tag != "p":
        raise PlanError(f"Expected `body` to be a plan, got {shown(tag)}")
    declared, nodes, outputs = checked_list(sub, "`body`", 3)
    count = length_of(carried, kinds)
    # The index is a runtime scalar; what is captured keeps the kind that it has outside.
    outside = [TENSOR] * count + [SCALAR] + [kinds[i] for i in captured.ids]
    wanted = [_kind(text) for text in checked_list(declared, "the body's inputs", len(outside))]
    for i, (inner, outer) in enumerate(zip(wanted, outside, strict=True)):
        if inner != outer and not {inner, outer} <= {TENSOR, SCALAR}:
            raise PlanError(f"Expected body input {i} to be {kind_text(outer)}, got {kind_text(inner)}")
    level = _level(decoder, outside, nodes, outputs, nesting + 1)
    if len(level.outputs) != count:
        raise PlanError(f"Expected the body to give {count} carried values, got {len(level.outputs)}")
    return Node(position, number, op, (argument(op.args[0], times, kinds), Const(None), carried, captured), level)


def _captures(tagged: Any, kinds: list[Kind]) -> Refs:
    tag, items = checked_list(tagged, "`captures`", 2)
    if tag != "l":
        raise PlanError(f"Expected `captures` to be a list, got {shown(tag)}")
    return Refs(tuple(value_id(item, kinds, "captures") for item in checked_list(items, "`captures`", None, MAX_LIST)))
