"""A worker process over a real socket: start, work, every way to end (PROTOCOL.md, "Channels")."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
import torch
import zmq
from builder import TOKEN, Builder, V

from feynkac_worker import codec, optable

SOURCE = Path(__file__).resolve().parents[2] / "py"
DEADLINE_MS = 60_000


class Child:
    """A started worker, and the ROUTER that the client holds."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.context = zmq.Context()
        self.router = self.context.socket(zmq.ROUTER)
        self.router.setsockopt(zmq.LINGER, 0)
        self.router.bind(f"ipc://{folder}/c")
        settings = {"endpoint": f"ipc://{folder}/c", "token": TOKEN, "threads": 1, "device": "cpu", "faults": True}
        self.process = start(json.dumps(settings | config).encode() + b"\n")
        self.seq = 0

    def send(self, *items: Any, payloads: tuple[bytes, ...] = ()) -> None:
        self.router.send_multipart([self.identity, codec.encode_header(list(items)), *payloads])

    def receive(self) -> tuple[list[Any], list[bytes]]:
        assert self.router.poll(DEADLINE_MS), f"no answer; the worker's exit code is {self.process.poll()}"
        sender, header, *payloads = self.router.recv_multipart()
        assert sender == TOKEN.encode()
        return codec.decode_header(header), payloads

    def next(self) -> int:
        self.seq += 1
        return self.seq

    def hello(self, token: str = TOKEN) -> Any:
        # As the client does: a ROUTER knows its peer only once it is connected.
        self.identity = TOKEN.encode()
        self.router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        item = [0, self.next(), [1, 0], token, "0.1.0", optable.HASH]
        while True:
            try:
                self.send(item)
                break
            except zmq.ZMQError as error:
                assert error.errno == zmq.EHOSTUNREACH and self.process.poll() is None
                select.select([], [], [], 0.02)
        return self.answer()

    def answer(self) -> Any:
        """The value of the next OK, or the error of the next ERR."""
        while True:
            items, payloads = self.receive()
            for kind, seq, *value in items:
                if kind != 2:
                    assert seq == self.seq
                    return [*value, *payloads] if payloads else value[0]

    def call(self, method: str, **params: Any) -> None:
        self.send([7, self.next(), method, params, [], []])

    def control(self, line: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def pong(self) -> Any:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE_MS / 1000)
        assert ready, "no pong"
        return json.loads(self.process.stdout.readline())

    def end(self) -> tuple[int, str]:
        """Exit code and stderr."""
        return outcome(self.process)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.router.close()
        self.context.term()


def start(stdin: bytes, **environment: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "feynkac_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SOURCE), **environment},
    )
    assert process.stdin is not None
    process.stdin.write(stdin)
    process.stdin.flush()
    return process


def outcome(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Exit code and stderr of a worker that ends by itself: its stdin stays open until it has."""
    code = process.wait(timeout=DEADLINE_MS / 1000)
    _, stderr = process.communicate()
    return code, stderr.decode()


@pytest.fixture
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    # A short path: sun_path holds 108 bytes.
    started = Child(tmp_path_factory.mktemp("w"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    """A worker that has been greeted, for tests that leave it as they found it."""
    started = Child(tmp_path_factory.mktemp("w"))
    started.hello()
    yield started
    started.close()


def test_a_session_from_hello_to_bye(child: Child) -> None:
    welcome = child.hello()
    assert welcome["opTableHash"] == optable.HASH and welcome["pid"] == child.process.pid
    assert welcome["threads"] == 1 and welcome["device"] == "cpu"
    b = Builder("tensor", "scalar", "tensor")
    plan = b.plan(b.print(b.matmul(b.mul(V(0), V(1)), V(2)), "product"))
    x, w = torch.randn(2, 3), torch.randn(3, 4)
    child.send(
        [4, child.next(), 1, 0, "float32", [2, 3]],
        [4, child.next(), 2, 1, "float32", [3, 4]],
        [1, child.next(), 1, 2],
        [2, child.next(), 1, 1, [2]],
        [3, child.next(), 1, [1, ["f", 0.5]], [3], 0],
        [5, child.next(), "data", [3]],
        payloads=(x.numpy().tobytes(), w.numpy().tobytes(), plan),
    )
    value, content = child.answer()
    assert value == [["float32", [2, 4], 0]] and content == ((x * 0.5) @ w).numpy().tobytes()
    child.send([3, child.next(), 1, [2, ["f", 0.5]], [4], 0])
    assert child.answer()["class"] == "TorchOpError"
    child.send([6, [1, 3, 4]], [5, child.next(), "items", [4]])
    assert child.answer()["class"] == "ProtocolError"
    child.router.send_multipart([child.identity, b"\xc1garbage", b"more"])
    assert child.answer()["class"] == "ProtocolError"
    child.send([8, child.next()])
    assert child.answer() is None
    child.send([9, child.next()])
    assert child.answer() is None
    code, stderr = child.end()
    assert code == 0 and "product  float32[2, 4]  min" in stderr and "(script.ts:3:1)" in stderr


def test_a_wrong_token_is_refused(child: Child) -> None:
    error = child.hello("f" * 32)
    assert (error["class"], error["message"]) == ("ProtocolError", "Expected the session's token, got another")
    assert child.end() == (78, "feynkac: Expected the session's token, got another\n")


def test_a_large_tensor_makes_the_round_trip(shared: Child) -> None:
    data = torch.arange(3_000_000, dtype=torch.int32).numpy().tobytes()
    shared.send([4, shared.next(), 1, 0, "int32", [3_000_000]], [5, shared.next(), "data", [1]], payloads=(data,))
    value, content = shared.answer()
    shared.send([6, [1]])
    assert value == [["int32", [3_000_000], 0]] and content == data


def test_ping_tells_what_runs_and_cancel_stops_it(shared: Child) -> None:
    shared.control({"ping": 1})
    idle = shared.pong()
    assert (idle["pong"], idle["running"], idle["op"]) == (1, None, None) and idle["rssBytes"] > 10_000_000
    inner = Builder("tensor", "scalar")
    b = Builder("tensor")
    plan = b.plan(b.get(b.repeat(1_000_000_000, inner.body(inner.mul(V(0), 0.5)), [V(0)], []), 0))
    shared.send([4, shared.next(), 1, 0, "float32", [1]], [1, shared.next(), 7, 1], payloads=(bytes(4), plan))
    shared.send([2, shared.next(), 7, 7, []], [3, shared.next(), 7, [1], [2], 0])
    busy: Any = None
    while busy is None or busy["running"] != shared.seq or busy["op"] is None:
        shared.control({"ping": 2})
        busy = shared.pong()
    assert busy["op"] in ("repeat", "mul") and busy["sinceMs"] >= 0
    shared.control({"cancel": shared.seq})
    error = shared.answer()
    assert (error["class"], error["rootSeq"]) == ("CancelledError", shared.seq)
    shared.send([5, shared.next(), "items", [1]])
    assert shared.answer() == [0.0]
    shared.send([6, [1, 2]])


@pytest.mark.parametrize("mode", ["sleep", "python"])
def test_a_hanging_worker_answers_pings_and_ends_with_its_stdin(child: Child, mode: str) -> None:
    child.hello()
    child.call("fault.hang", mode=mode)
    answer: Any = None
    while answer is None or answer["running"] != child.seq:
        child.control({"ping": 3})
        answer = child.pong()
    assert child.process.stdin is not None
    child.process.stdin.close()
    child.process.stdin = None
    assert child.end()[0] == 0


def test_shutdown_ends_at_once(child: Child) -> None:
    child.hello()
    child.call("fault.hang")
    child.control({"shutdown": True})
    assert child.end()[0] == 0


def test_a_message_that_is_too_large_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    child = Child(tmp_path_factory.mktemp("w"), limits={"messageBytes": 1000})
    try:
        child.hello()
        child.send([8, child.seq + 1], payloads=(bytes(1000),))
        assert child.answer()["message"].startswith("Expected a message of at most 1000 bytes, got 10")
        child.send([8, child.next()])
        assert child.answer() is None
    finally:
        child.close()


def test_an_interrupt_is_for_the_client(shared: Child) -> None:
    shared.process.send_signal(signal.SIGINT)
    shared.send([8, shared.next()])
    assert shared.answer() is None


def test_a_line_that_is_no_control_line_is_ignored(shared: Child) -> None:
    assert shared.process.stdin is not None
    shared.process.stdin.write(b"{\n[1]\n\n")
    shared.control({"ping": 4})
    assert shared.pong()["pong"] == 4


def test_prints_of_user_code_do_not_reach_the_control_channel(child: Child) -> None:
    child.hello()
    child.call("fault.flood", bytes=200)
    assert child.answer() == {}
    child.control({"ping": 5})
    assert child.pong()["pong"] == 5
    child.send([9, child.next()])
    assert "flood flood" in child.end()[1]


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("segfault", lambda code, text: code == -signal.SIGSEGV),
        ("exit", lambda code, text: code == 3 and text.endswith("last words")),
    ],
)
def test_a_worker_that_dies_leaves_its_exit_code(child: Child, fault: str, check: Callable[[int, str], bool]) -> None:
    child.hello()
    child.call(f"fault.{fault}", text="last words", code=3)
    assert check(*child.end())


def test_out_of_memory_is_survived(shared: Child) -> None:
    shared.call("fault.oom")
    assert shared.answer()["class"] == "OutOfMemoryError"
    shared.send([8, shared.next()])
    assert shared.answer() is None


def test_faults_are_off_unless_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    child = Child(tmp_path_factory.mktemp("w"), faults=False)
    try:
        child.hello()
        child.call("fault.exit")
        message = child.answer()["message"]
        assert message.startswith("Expected a method of checkpoint.") and "fault." not in message.split("got")[0]
    finally:
        child.close()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"\n", "Expected the first line of stdin to be the worker's configuration as JSON"),
        (b"[]\n", "Expected the first line of stdin to be the worker's configuration as JSON"),
        (b'{"endpoint": "x"}\n', "Expected the first line of stdin to be the worker's configuration as JSON"),
        (b'{"endpoint": "x", "token": "y", "threads": 0}\n', "Expected `threads` to be a positive integer, got `0`"),
        (
            b'{"endpoint": "x", "token": "y", "threads": 1, "device": "tpu:0"}\n',
            "Expected `device` to be auto, cpu",
        ),
    ],
)
def test_a_bad_configuration_is_one_sentence(line: bytes, message: str) -> None:
    process = start(line)
    code, stderr = outcome(process)
    assert code == 64
    assert stderr.startswith(f"feynkac: {message}") and stderr.count("\n") == 1


@pytest.mark.parametrize("package", ["torch", "zmq", "msgpack", "numpy"])
def test_a_missing_package_is_one_sentence(package: str, tmp_path: Path) -> None:
    # Shadows the package with one that fails as a missing one does.
    (tmp_path / f"{package}.py").write_text(
        f"raise ModuleNotFoundError(\"No module named '{package}'\", name='{package}')"
    )
    process = start(b'{"endpoint": "x", "token": "y"}\n', PYTHONPATH=f"{tmp_path}{os.pathsep}{SOURCE}")
    code, stderr = outcome(process)
    assert code == 69
    assert stderr == f"feynkac: Expected the Python package `{package}` in {sys.executable}, found none\n"


def test_a_package_that_does_not_load_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "zmq.py").write_text("raise OSError('libzmq.so.5: cannot open')")
    process = start(b'{"endpoint": "x", "token": "y"}\n', PYTHONPATH=f"{tmp_path}{os.pathsep}{SOURCE}")
    code, stderr = outcome(process)
    assert code == 69
    assert "Expected the Python package `zmq` to load" in stderr and "libzmq.so.5" in stderr


def test_the_worker_dies_with_its_parent(tmp_path: Path) -> None:
    # A process between us and the worker, which is killed: no end-of-file, since we hold the other end of stdin.
    read, write = os.pipe()
    script = f"""
import subprocess, sys
p = subprocess.Popen([sys.executable, "-m", "feynkac_worker"], stdin={read}, pass_fds=[{read}])
print(p.pid, flush=True)
p.wait()
"""
    middle = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        pass_fds=[read],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert middle.stdout is not None
    pid = int(middle.stdout.readline())
    config = {"endpoint": f"ipc://{tmp_path}/c", "token": TOKEN, "threads": 1, "device": "cpu"}
    os.write(write, json.dumps(config).encode() + b"\n")
    answer = os.pidfd_open(pid)
    # PDEATHSIG is set before the configuration is read; the ping proves that it was.
    os.write(write, b'{"ping": 1}\n')
    assert json.loads(middle.stdout.readline())["pong"] == 1
    middle.kill()
    gone, _, _ = select.select([answer], [], [], 30)
    os.close(read)
    os.close(write)
    os.close(answer)
    middle.communicate()
    assert gone, "the worker outlived its parent"


def test_memory_stays_flat_over_many_runs(shared: Child) -> None:
    b = Builder("tensor")
    leaf = b.leaf(V(0))
    plan = b.plan(b.get(b.grad(b.sum(b.square(leaf)), [leaf]), 0))
    size = 25_000
    shared.send([4, shared.next(), 1, 0, "float32", [size]], [1, shared.next(), 1, 1], payloads=(bytes(4 * size), plan))
    shared.send([2, shared.next(), 1, 1, []])

    def burst() -> int:
        for _ in range(40):
            items: list[Any] = []
            for _ in range(50):
                items += [[3, shared.next(), 1, [1], [2], 0], [6, [2]], [3, shared.next(), 1, [99], [3], 0], [6, [3]]]
            shared.send(*items)
        shared.send([7, shared.next(), "device.memory", {}, [], []])
        while True:
            items, _ = shared.receive()
            for kind, seq, *value in items:
                if kind == 0 and seq == shared.seq:
                    assert value[0]["handles"] == 1
                    return int(value[0]["rssBytes"])

    burst()
    before = burst()
    after = max(burst() for _ in range(3))
    # Half of the runs fail; one leaked tensor a run would be 200 MB.
    assert after - before < 20_000_000, (before, after)


def test_msgpack_reads_what_the_client_writes() -> None:
    assert codec.decode_header(msgpack.packb([1, [[8, 1]]])) == [[8, 1]]
