"""PUT, GET, BARRIER, BYE, HELLO, and the services of the worker itself."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from builder import TOKEN, Builder, Client, V
from torch import nn

from feynkac_worker import codec, optable
from feynkac_worker.handles import Handles
from feynkac_worker.progress import Progress
from feynkac_worker.services import Context
from feynkac_worker.session import RefusedError, Session
from feynkac_worker.tensors import DTYPES, NAMES
from feynkac_worker.worker import handle


def put(c: Client, h: int, data: bytes, dtype: Any, shape: Any) -> None:
    c.send([4, c.next(), h, 0, dtype, shape], payloads=[data])


def read(c: Client, *handles: int) -> list[tuple[str, list[int], bytes]]:
    c.send([5, c.next(), "data", list(handles)])
    items, payloads = next(pair for pair in reversed(c.sent) if pair[0][0][0] == 0)
    assert items[1] == [2, c.seq]
    return [(dtype, shape, payloads[i]) for dtype, shape, i in items[0][2]]


@pytest.mark.parametrize("name", sorted(DTYPES))
@pytest.mark.parametrize("shape", [[], [0], [3], [2, 0, 3], [2, 3]])
def test_a_tensor_comes_back_as_it_went(name: str, shape: list[int]) -> None:
    c = Client()
    dtype = DTYPES[name]
    x = torch.randint(0, 2, shape).to(dtype)
    data = bytes(x.reshape(-1).view(torch.uint8).numpy().tobytes()) if x.numel() else b""
    put(c, 1, data, name, shape)
    assert c.errors() == [] and torch.equal(c.tensor(1), x)
    ((found, sizes, content),) = read(c, 1)
    # Half precision widens to float32, which JavaScript has an array for.
    wide = x.float() if name in ("float16", "bfloat16") else x
    assert (found, sizes, content) == (NAMES[wide.dtype], shape, wide.numpy().tobytes())


def test_the_bytes_of_an_upload_are_copied() -> None:
    c, data = Client(), bytearray(8)
    c.send([4, c.next(), 1, 0, "float32", [2]], payloads=[data])  # type: ignore[list-item]
    data[:] = b"\xff" * 8
    assert c.tensor(1).tolist() == [0, 0]


def test_a_result_that_is_not_contiguous_is_read_in_c_order() -> None:
    c = Client()
    c.adopt(1, torch.arange(6.0).reshape(2, 3).T)
    c.adopt(2, nn.Parameter(torch.ones(1, 2, 2, 2).contiguous(memory_format=torch.channels_last)))
    (first, second) = read(c, 1, 2)
    assert first == ("float32", [3, 2], torch.arange(6.0).reshape(2, 3).T.contiguous().numpy().tobytes())
    assert second[1] == [1, 2, 2, 2]


@pytest.mark.parametrize(
    ("dtype", "shape", "size", "message"),
    [
        ("float32", [2], 7, "Expected 8 bytes for float32[2], got 7"),
        ("float32", [3], 8, "Expected 12 bytes for float32[3], got 8"),
        ("complex64", [1], 8, "Expected a dtype of float32, float64,"),
        (None, [1], 8, "Expected a dtype of"),
        ("float32", [-1], 0, "Expected a shape to be a list of non-negative integers, got `[-1]`"),
        ("float32", 2, 8, "Expected a shape to be"),
        ("float32", [True], 4, "Expected a shape to be"),
        ("float32", [1.0], 4, "Expected a shape to be"),
        ("float32", [2**40, 2**40], 0, "Expected a tensor of at most 1000 bytes"),
        ("float32", [1000], 4000, "Expected a tensor of at most 1000 bytes, got 4000"),
        ("bool", [2], 2, "Expected every byte of a bool tensor to be 0 or 1"),
    ],
)
def test_an_upload_that_does_not_fit_is_refused(dtype: Any, shape: Any, size: int, message: str) -> None:
    c = Client(limits={"tensorBytes": 1000})
    put(c, 1, b"\x07" * size, dtype, shape)
    (error,) = c.errors()
    assert error["class"] == "ProtocolError" and error["message"].startswith(message)
    assert c.items(1)["rootSeq"] == error["rootSeq"]


def test_a_payload_that_did_not_come_is_refused() -> None:
    c = Client()
    for index in (1, -1, True, None, 0.0):
        c.send([4, c.next(), 5, index, "float32", [1]], payloads=[bytes(4)])
        assert c.errors()[0]["message"].startswith("Expected a payload index below 1, got")
        c.free(5)


def test_items_are_float64() -> None:
    c = Client()
    c.adopt(1, torch.tensor(0.1))
    c.adopt(2, torch.tensor([[2**53]]))
    c.adopt(3, torch.tensor(True))
    c.adopt(4, torch.tensor(float("nan"), dtype=torch.float64))
    c.adopt(5, torch.tensor(-0.0))
    found = c.items(1, 2, 3, 4, 5)
    assert found[:3] == [torch.tensor(0.1).item(), 2.0**53, 1.0] and math.isnan(found[3])
    assert math.copysign(1, found[4]) == -1 and all(type(x) is float for x in found)


def test_items_refuse_what_is_not_one_number() -> None:
    c = Client()
    c.adopt(1, torch.zeros(2))
    c.adopt(2, torch.tensor(2**53 + 1))
    c.adopt(3, nn.Linear(1, 1))
    for h, message in (
        (1, "Expected a tensor of one element, got float32[2]"),
        (2, "Expected an integer within 2^53, got 9007199254740993: read it as data"),
        (3, "Expected handle 3 to be a tensor, got a module"),
        (9, "Expected a bound handle, got `9`"),
    ):
        assert c.items(h)["message"] == message


def test_a_read_beyond_the_size_of_a_message_is_refused() -> None:
    c = Client(limits={"messageBytes": 100})
    c.adopt(1, torch.zeros(26))
    c.send([5, c.next(), "data", [1]])
    assert c.last()["message"] == "Expected tensors of at most 100 bytes: read them in pieces"


def test_each_message_is_acknowledged_once_at_its_end() -> None:
    c = Client()
    b = Builder("tensor")
    c.put(1, torch.ones(1))
    c.ready(1, b.plan(b.mul(V(0), 2)))
    c.sent.clear()
    c.send([3, c.next(), 1, [1], [2], 0], [3, c.next(), 1, [2], [3], 0], [6, [2]])
    assert c.sent == [([[2, c.seq]], [])]
    c.sent.clear()
    c.send([5, c.next(), "items", [3]])
    assert c.sent == [([[0, c.seq, [4.0]], [2, c.seq]], [])]
    c.sent.clear()
    c.send()
    assert c.sent == [([[2, c.seq]], [])]


def test_barrier_and_bye_are_answered() -> None:
    c = Client()
    c.send([8, c.next()])
    assert c.last() is None and not c.session.closing
    c.send([9, c.next()])
    assert c.last() is None and c.session.closing


def hello(*parts: Any) -> list[dict[str, Any]]:
    sent: list[Any] = []
    context = Context(torch.device("cpu"), Handles(9), 3, {"token": TOKEN})
    session = Session(context, Progress(), lambda items, payloads: sent.extend(items), print)
    handle(session, codec.encode_header([list(parts)]), [])
    return sent


def test_hello_is_answered_by_welcome() -> None:
    (kind, seq, value), ack = hello(0, 1, [1, 0], TOKEN, "0.1.0", "")
    assert (kind, seq, ack) == (0, 1, [2, 1])
    assert value["protocol"] == [1, 0] and value["opTableHash"] == optable.HASH and value["threads"] == 3
    assert set(value) == {
        "protocol",
        "opTableHash",
        "torch",
        "python",
        "numpy",
        "zmq",
        "device",
        "deviceName",
        "cuda",
        "threads",
        "pid",
    }
    assert hello(0, 1, [1, 7], TOKEN, "0.1.0", "")[0][0] == 0, "a newer minor is fine"


@pytest.mark.parametrize(
    "item",
    [
        (0, 1, [2, 0], TOKEN, "", ""),
        (0, 1, [1, 0], TOKEN[:-1] + "e", "", ""),
        (0, 1, [1, 0], None, "", ""),
        (0, 1, "1.0", TOKEN, "", ""),
        (0, 1, [1, 0], "\U0001f3b2", "", ""),
        (0, 2, [1, 0], TOKEN, "", ""),
        (0, 1, [1, 0], TOKEN),
        (8, 1),
        (6, [1]),
        (3, 1, 1, [], [], 0),
        (),
    ],
)
def test_a_stranger_is_refused(item: tuple[Any, ...]) -> None:
    with pytest.raises(RefusedError):
        hello(*item)


def test_generators_repeat_their_seed() -> None:
    c = Client()
    c.call("generator.create", {"seed": 7}, [], [1])
    c.call("generator.create", {"seed": 7.0}, [], [2])
    assert torch.equal(torch.rand(3, generator=c.tensor(1)), torch.rand(3, generator=c.tensor(2)))  # type: ignore[call-overload]
    for seed in (-1, 0.5, None, True, "7", 2**63, float("nan"), float("inf")):
        error = c.call("generator.create", {"seed": seed}, [], [3])
        assert error["class"] == "ServiceError"
        assert error["message"].startswith("Expected `seed` to be an integer in [0, 2^63), got")
        c.free(3)


def test_an_optimizer_has_the_settings_of_sgd() -> None:
    c = Client()
    p = c.adopt(1, nn.Parameter(torch.ones(2)))
    params = {"kind": "sgd", "momentum": 0.9, "nesterov": True, "weightDecay": 5e-4, "dampening": 0}
    assert c.call("optimizer.create", params, [1], [2]) == {}
    (group,) = c.session.handles.objects[2].param_groups
    assert group["params"] == [p]
    assert (group["lr"], group["momentum"], group["weight_decay"], group["nesterov"]) == (0.0, 0.9, 5e-4, True)
    for changed in (
        {"kind": "adam"},
        {"momentum": -1},
        {"momentum": "0.9"},
        {"nesterov": 1},
        {"momentum": 0},
        {"dampening": 0.1},
    ):
        assert c.call("optimizer.create", params | changed, [1], [3])["class"] == "ServiceError"
        c.free(3)
    assert c.call("optimizer.create", params, [], [3])["message"].startswith("Expected at least one parameter")
    c.free(3)
    assert c.call("optimizer.create", params, [2], [3])["class"] == "ServiceError"


def test_bound_parameters_share_the_storage_of_the_module() -> None:
    c = Client()
    module = c.adopt(1, nn.BatchNorm1d(3))
    assert c.call("model.bind", {"names": ["weight", "running_mean", "weight"]}, [1], [2, 3, 4]) == {}
    assert c.session.handles.objects[2] is module.weight and c.session.handles.objects[3] is module.running_mean
    error = c.call("model.bind", {"names": ["weight"]}, [1], [])
    assert error["message"] == "Expected 1 output handles for model.bind, got 0"
    assert c.call("model.bind", {"names": "weight"}, [1], [])["message"].startswith(
        "Expected `names` to be a list of names"
    )
    assert c.call("model.bind", {"names": []}, [2], [])["message"] == (
        "Expected input handles of the kinds ['module'], got ['tensor']"
    )


def test_memory_counts_shared_storage_once() -> None:
    c = Client()
    module = c.adopt(1, nn.Linear(10, 10, bias=False))
    c.adopt(2, module.weight)
    found = c.call("device.memory", {})
    assert found["handles"] == 2 and found["tensorBytes"] == 400
    assert found["rssBytes"] > 10_000_000 and found["cudaAllocatedBytes"] == 0
    info = c.call("device.info", {})
    assert info["cpuCount"] >= 1 and info["cudaDevices"] == [] and info["device"] == "cpu"


def test_an_unknown_method_lists_the_known_ones() -> None:
    c = Client()
    message = c.call("nothing", {})["message"]
    assert (
        message.startswith("Expected a method of ")
        and "generator.create" in message
        and message.endswith("got `nothing`")
    )


def test_params_of_a_call_are_shallow_maps() -> None:
    c = Client()
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    assert c.call("device.info", {"a": deep})["class"] == "ProtocolError"
    c.send([7, c.next(), "device.info", [], [], []])
    assert c.last()["class"] == "ProtocolError"


def test_debug_runs_log_and_unknown_flags_are_refused() -> None:
    c = Client()
    c.put(1, torch.ones(1))
    b = Builder("tensor")
    c.ready(1, b.plan(b.mul(V(0), 2)))
    c.run(1, [1], [2], 1)
    assert c.logged == ["script.ts:1:1  mul -> float32[1]  min 2  mean 2  max 2"]
    c.run(1, [1], [3])
    assert len(c.logged) == 1
    c.run(1, [1], [4], 2)
    assert c.errors()[0]["message"] == "Expected flags 0 or 1, got `2`"
