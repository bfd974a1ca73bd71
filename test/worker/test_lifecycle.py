"""Every way in which a worker process starts and ends."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builder import TOKEN
from child import SOURCE, Child, outcome, start


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


def test_an_interrupt_is_for_the_client(shared: Child) -> None:
    shared.process.send_signal(signal.SIGINT)
    shared.send([8, shared.next()])
    assert shared.answer() is None


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
