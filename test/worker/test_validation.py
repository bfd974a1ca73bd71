"""Malformed plans: refused at DEF with a full sentence, and the worker goes on."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from builder import Builder, Client, V, program
from torch import nn

from feynkac_worker import codec, optable
from feynkac_worker.errors import FeynkacError, PlanError, ProtocolError
from feynkac_worker.plan import decode

X, Y = V(0), V(1)


def sample() -> list[Any]:
    inner = Builder("tensor", "scalar", "tensor")
    body = inner.body(inner.add(V(0), V(2)))
    b = Builder("tensor", "tensors:2", "module", "scalar")
    total = b.sum(b.clamp(X, None, 0.5), [0, 1], True)
    call = b.call(V(2), b.get(Y, 1), "eval", draws=2)
    turned = b.get(b.repeat(3, body, [total], [call]), 0)
    return b.raw(turned, b.cat([X, total], 0), b.to(X, torch.float64), b.check_finite(X, "x"))


SUM, GET, CALL, REPEAT = 1, 2, 3, 4


def node(i: int) -> Callable[[list[Any]], list[Any]]:
    return lambda raw: raw[2][i]


def put(path: list[int], value: Any) -> Callable[[list[Any]], Any]:
    def change(raw: list[Any]) -> None:
        target = raw
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


OP = {name: op.index for name, op in optable.BY_NAME.items()}
DEEP: Any = ["l", []]
for _ in range(80):
    DEEP = ["l", [DEEP]]

CASES: list[tuple[str, Callable[[list[Any]], Any], str]] = [
    ("not a list", lambda raw: "plan", "the plan to be a list of 6"),
    ("version", put([0], 2), "Expected plan version 1, got `2`"),
    ("boolean version", put([0], True), "Expected plan version 1, got `True`"),
    ("input kind", put([1, 0], "tensor "), "Expected an input kind of tensor, scalar"),
    ("input kind of another type", put([1, 0], 7), "Expected an input kind"),
    ("length of a list input", put([1, 1], "tensors:-1"), "Expected an input kind"),
    ("huge list input", put([1, 1], "tensors:99999"), "Expected an input kind"),
    ("length in other digits", put([1, 1], "tensors:\u0662"), "Expected an input kind"),
    ("nodes", put([2], {}), "Expected the nodes to be a list"),
    ("node", put([2, 0], [1, 2]), "Expected a node to be a list of 3"),
    ("op index", put([2, 0, 0], len(OP)), f"Expected an op index below {len(OP)}, got `{len(OP)}`"),
    ("negative op index", put([2, 0, 0], -1), "Expected an op index"),
    ("op by name", put([2, 0, 0], "add"), "Expected an op index"),
    ("boolean op index", put([2, 0, 0], True), "Expected an op index"),
    ("float op index", put([2, 0, 0], 1.5), "Expected an op index"),
    ("arguments", put([2, 0, 1], None), "Expected the arguments of `clamp` to be a list of 3"),
    ("too few arguments", put([2, 0, 1], [["v", 0]]), "Expected the arguments of `clamp` to be a list of 3"),
    ("location", put([2, 0, 2], 999), "Expected a location index below"),
    ("location of another type", put([2, 0, 2], None), "Expected a location index below"),
    ("undefined value", put([2, 0, 1, 0], ["v", 999]), "Expected `self` to be a value defined before"),
    ("its own value", put([2, 0, 1, 0], ["v", 4]), "Expected `self` to be a value defined before"),
    ("negative value", put([2, 0, 1, 0], ["v", -1]), "Expected `self` to be a value defined before"),
    ("boolean value", put([2, 0, 1, 0], ["v", False]), "Expected `self` to be a value defined before"),
    ("module as tensor", put([2, 0, 1, 0], ["v", 2]), "Expected `self` to be tensor, got value 2 (module)"),
    ("list as tensor", put([2, 0, 1, 0], ["v", 1]), "Expected `self` to be tensor, got value 1 (tensors:2)"),
    ("literal as tensor", put([2, 0, 1, 0], ["f", 1.0]), "Expected `self` to be tensor"),
    ("unknown tag", put([2, 0, 1, 1], ["x", 1]), "Expected `min` to be none or number or tensor"),
    ("tag of another type", put([2, 0, 1, 1], [1, 1]), "Expected `min` to be a tagged argument"),
    ("untagged", put([2, 0, 1, 1], 0.5), "Expected `min` to be a tagged argument"),
    ("empty tag", put([2, 0, 1, 1], []), "Expected `min` to be a tagged argument"),
    ("tag with more", put([2, 0, 1, 1], ["f", 1, 2]), "Expected `min` to be"),
    ("absent but required", put([2, 0, 1, 0], ["n"]), "Expected `self` to be tensor"),
    ("string as number", put([2, 0, 1, 2], ["f", "0.5"]), "Expected `max` to be"),
    ("boolean as number", put([2, 0, 1, 2], ["f", True]), "Expected `max` to be"),
    ("integer beyond 64 bits", put([2, 0, 1, 2], ["i", "9223372036854775808"]), "Expected `max` to be"),
    ("integer as code", put([2, 0, 1, 2], ["i", "1_000"]), "Expected `max` to be"),
    ("float as integer", put([2, 0, 1, 2], ["i", 0.5]), "Expected `max` to be"),
    ("dims of another tag", put([2, SUM, 1, 1], ["l", [["f", 0.0]]]), "Expected every entry of `dim` to be tagged `i`"),
    ("too many dims", put([2, SUM, 1, 1], ["l", [["i", 0]] * 65]), "Expected `dim` to be ints or nothing"),
    ("integer as bool", put([2, SUM, 1, 2], ["i", 1]), "Expected `keepdim` to be bool or nothing"),
    ("number in bool", put([2, SUM, 1, 2], ["b", 1]), "Expected `keepdim` to be bool or nothing"),
    ("get beyond the end", put([2, GET, 1, 1], ["i", 2]), "Expected `index` to be below the list's length 2, got `2`"),
    ("get before the start", put([2, GET, 1, 1], ["i", -1]), "Expected `index` to be below the list's length 2"),
    ("get of a tensor", put([2, GET, 1, 0], ["v", 0]), "Expected `list` to be tensors, got value 0 (tensor)"),
    ("unknown mode", put([2, CALL, 1, 2], ["s", "eval "]), "Expected `mode` to be one of train, eval"),
    ("names without params", put([2, CALL, 1, 6], ["l", [["s", "w"]]]), "Expected `names` and `params` together"),
    ("tensor as module", put([2, CALL, 1, 0], ["v", 0]), "Expected `module` to be module, got value 0 (tensor)"),
    ("body of another tag", put([2, REPEAT, 1, 1], ["s", "x"]), "Expected `body` to be a plan"),
    ("body inputs", put([2, REPEAT, 1, 1, 1, 0], ["tensor"]), "Expected the body's inputs to be a list of 3"),
    ("kind of a capture", put([2, REPEAT, 1, 1, 1, 0, 2], "module"), "Expected body input 2 to be tensor, got module"),
    ("body outputs", put([2, REPEAT, 1, 1, 1, 2], []), "Expected the body to give 1 carried values, got 0"),
    (
        "value from outside",
        put([2, REPEAT, 1, 1, 1, 1, 0, 1, 0], ["v", 4]),
        "Expected `self` to be a value defined before",
    ),
    ("repeat by float", put([2, REPEAT, 1, 0], ["f", 3.0]), "Expected `times` to be int or tensor"),
    ("unknown dtype", put([2, 7, 1, 1], ["d", "complex128"]), "Expected `dtype` to be dtype"),
    ("dtype as attribute", put([2, 7, 1, 1], ["d", "__class__"]), "Expected `dtype` to be dtype"),
    ("label of another type", put([2, 8, 1, 1], ["s", 1]), "Expected `label` to be string"),
    ("label without end", put([2, 8, 1, 1], ["s", "x" * 2000]), "Expected `label` to be string"),
    ("output", put([3, 0], 999), "Expected an output to be a value id below"),
    ("module as output", put([3, 0], 2), "Expected an output to be a tensor, got value 2 (module)"),
    ("list as output", put([3, 0], 1), "Expected an output to be a tensor, got value 1 (tensors)"),
    ("outputs", put([3], 0), "Expected the outputs to be a list"),
    ("name", put([4], 5), "Expected the plan's name to be a string"),
    ("locations", put([5, 0], 5), "Expected every location to be a string"),
    ("nesting", put([2, 0, 1, 1], DEEP), "nested at most 64 deep"),
]


def test_the_sample_is_well_formed() -> None:
    assert program(codec.encode(sample()))


@pytest.mark.parametrize(("change", "message"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_malformed_plan_is_refused(change: Callable[[list[Any]], Any], message: str) -> None:
    raw = copy.deepcopy(sample())
    result = change(raw)
    client = Client()
    client.define(1, codec.encode(raw if result is None else result))
    (error,) = client.errors()
    assert error["class"] in ("PlanError", "ProtocolError")
    assert message in error["message"] and error["message"].startswith("Expected")
    client.ready(2, codec.encode(sample()))
    assert client.errors() == []


def test_a_refused_node_is_named_with_its_line() -> None:
    raw = sample()
    raw[2][SUM][1][0] = ["v", 2]
    with pytest.raises(PlanError) as caught:
        decode(codec.encode(raw))
    assert (caught.value.op, caught.value.node, caught.value.loc) == ("sum", 1, "script.ts:2:1")


def test_the_number_of_nodes_counts_bodies() -> None:
    data = codec.encode(sample())
    count = len(decode(data).places)
    decode(data, max_nodes=count)
    with pytest.raises(PlanError, match=f"Expected at most {count - 1} nodes in a plan"):
        decode(data, max_nodes=count - 1)


def test_bodies_nest_sixteen_deep() -> None:
    def nested(depth: int) -> bytes:
        b = Builder("tensor", "scalar")
        result = V(0)
        for _ in range(depth):
            outer = Builder("tensor", "scalar")
            result = outer.get(outer.repeat(1, b.body(result), [V(0)], []), 0)
            b = outer
        return b.plan(result)

    program(nested(6))
    with pytest.raises(FeynkacError, match=r"nested at most \d+ deep"):
        decode(nested(17))


def test_a_shape_has_a_size() -> None:
    for shape in ([-1], [2**40, 2**40]):
        b = Builder("generator")
        with pytest.raises(PlanError, match="Expected `shape` to hold sizes of a tensor"):
            decode(b.plan(b.rand(shape, X)))


def test_an_operation_on_literals_alone_is_refused() -> None:
    b = Builder("tensor")
    with pytest.raises(PlanError, match="Expected at least one argument of `add` to be a tensor, got only literals"):
        decode(b.plan(b.add(1, 2)))


INJECTIONS = [
    "__import__('os').system('true')",
    "'); import os; os._exit(1) #",
    "weight; os._exit(1)",
    "{self.__class__}",
    "../../../../etc/passwd",
    "/dev/null",
    "a\x00b",
    "%s%n",
    "\u202e\ud7ff",
    "$(exit 1)",
    "__class__.__init__.__globals__",
    "x" * 1024,
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_text_of_the_client_is_never_more_than_text(text: str) -> None:
    client = Client()
    client.put(1, torch.ones(2, 3))
    module = client.adopt(2, nn.Linear(3, 2))
    before = {name: p.clone() for name, p in module.named_parameters()}
    b = Builder("tensor", "module", "tensor")
    replaced = b.call(Y, X, "eval", names=[text], params=[V(2)])
    raw = b.raw(b.print(replaced, text))
    client.ready(1, codec.encode([*raw[:4], text, [text] * len(raw[5])]), 2, 1)
    client.run(1, [1], [10])
    (error,) = client.errors()
    assert (error["class"], error["op"], error["loc"]) == ("TorchOpError", "call", text)
    assert "Expected `names` to be parameters or buffers" in error["message"]
    for method, params in (("model.bind", {"names": [text]}), (text, {}), ("optimizer.create", {"kind": text})):
        assert client.call(method, params, [2])["class"] == "ServiceError"
    client.send([4, client.next(), 30, 0, text, [1]], payloads=[b"\0\0\0\0"])
    assert client.last()["class"] == "ProtocolError"
    client.send([5, client.next(), text, [1]])
    assert client.last()["class"] == "ProtocolError"
    client.send([3, client.next(), 1, [1], [text], 0])
    assert client.last()["class"] == "ProtocolError"
    assert all(torch.equal(p, before[name]) for name, p in module.named_parameters())


def test_garbage_is_a_protocol_error() -> None:
    for data in (b"", b"\xc1", b"\x93\x01", codec.encode([1, [1]]) + b"\x00"):
        with pytest.raises(ProtocolError):
            decode(data)
