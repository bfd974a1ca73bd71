"""A worker that listens (PROTOCOL.md, "Attach"): addresses, keys, one client at a time, clients that go."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from child import DEADLINE_MS, SOURCE

from feynkac_worker.attach import AttachError, address, keys
from feynkac_worker.attach.sockets import listen

# A client in a process of its own, which can be stopped: opens a session and says what it heard.
CLIENT = """
import sys, zmq
control = zmq.Context().socket(zmq.DEALER)
control.connect(sys.argv[1])
control.send(b'{"open": {"attach": 1, "threads": 1}}')
sys.stdout.buffer.write(control.recv() + b"\\n")
sys.stdout.flush()
sys.stdin.read()
"""


class Listening:
    """`python -m feynkac_worker --listen` without keys on a free port of this machine."""

    def __init__(self) -> None:
        options = ["--listen", "tcp://127.0.0.1:*", "--threads", "1", "--device", "cpu", "--heartbeat", "100"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "feynkac_worker", *options],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = int(re.findall(r":(\d+)", self.says("listening on"))[0])

    def says(self, text: str) -> str:
        """Reads up to a line of the log with this text."""
        assert self.process.stderr
        for line in self.process.stderr:
            if text in line:
                return line
        raise AssertionError(f"the log ended before `{text}`")

    def client(self) -> subprocess.Popen[str]:
        """A client that has been answered; its first line tells what."""
        command = [sys.executable, "-c", CLIENT, f"tcp://127.0.0.1:{self.port + 1}"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        assert self.process.stderr
        self.process.stderr.close()
        return code


def end(client: subprocess.Popen[str]) -> None:
    client.kill()
    client.communicate()


@pytest.fixture
def listening() -> Iterator[Listening]:
    started = Listening()
    yield started
    assert started.close() == 0


def first_line(client: subprocess.Popen[str]) -> str:
    assert client.stdout
    return client.stdout.readline()


def test_a_client_that_is_stopped_loses_its_session(listening: Listening) -> None:
    client = listening.client()
    assert '"opened"' in first_line(client)
    client.send_signal(signal.SIGSTOP)
    listening.says("the client is gone")
    listening.says("free for the next client")
    other = listening.client()
    assert '"opened"' in first_line(other)
    third = listening.client()
    assert "which serves another client" in first_line(third)
    # Also by the one who comes before the next beat: nothing of the old session may stay behind.
    end(other)
    fourth = listening.client()
    assert '"opened"' in first_line(fourth)
    for one in (client, third, fourth):
        end(one)


def test_a_client_of_another_version_is_refused(listening: Listening) -> None:
    context: zmq.Context[Any] = zmq.Context()
    control = context.socket(zmq.DEALER)
    control.setsockopt(zmq.LINGER, 0)
    control.connect(f"tcp://127.0.0.1:{listening.port + 1}")
    for asked in (b'{"open": {"attach": 2}}', b'{"open": 7}'):
        control.send(asked)
        assert control.poll(DEADLINE_MS)
        assert b"Expected a client of attach version 1, got" in control.recv()
    control.close()
    context.term()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_this_machine_needs_no_keys(host: str) -> None:
    assert address.parse(f"tcp://{host}:5555").loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "*", "[::]", "192.0.2.1", "localhost.example", "127.example", "[::2]"])
def test_without_keys_other_addresses_are_refused(host: str) -> None:
    with pytest.raises(AttachError, match=r"^Expected `--keys` for .*, which other machines can reach, got none$"):
        listen(address.parse(f"tcp://{host}:5555"), None, 1, 1000)


@pytest.mark.parametrize("text", ["", "tcp://a", "ipc:///tmp/x", "tcp://a:65535", "tcp://a b:1", "tcp://a:1\n"])
def test_an_address_has_a_form(text: str) -> None:
    with pytest.raises(AttachError, match=r"^Expected `--listen` to be tcp://HOST:PORT"):
        address.parse(text)


def test_keys_are_files_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys.make(folder)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    own = keys.load(folder)
    public = (folder / "server.public").read_bytes().strip()
    client = (folder / "client.public").read_bytes().strip()
    assert own.public == public and own.knows(client) and not own.knows(public)
    (folder / "client.public").rename(folder / "client-anna.public")
    assert own.knows(client)
    (folder / "client-anna.public").unlink()
    assert not own.knows(client)
    with pytest.raises(AttachError, match="Expected a client's public key"):
        keys.load(folder)
    with pytest.raises(AttachError, match="Expected a folder without keys"):
        keys.make(folder)
    (folder / "server.secret").chmod(0o640)
    with pytest.raises(AttachError, match="readable by its owner only"):
        keys.load(folder)
