"""Serves one client after the other. Never loads torch, so it answers control whatever the working process is doing."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket as net
import sys
import time
from dataclasses import dataclass
from typing import Any

import zmq

from feynkac_worker.attach.child import Child, Frames
from feynkac_worker.attach.sockets import Sockets

# What a client may ask for at most.
LIMITS = {"messageBytes": 8 << 30, "planNodes": 200_000, "handles": 4_000_000, "tensorBytes": 8 << 30}
ATTACH_VERSION = 1
_BEAT_S = 0.5
_DRAIN_S = 1.0
_FAREWELL_S = 0.5


@dataclass(frozen=True)
class Machine:
    """What the operator gives to clients."""

    device: str
    threads: int
    allow_code: bool
    faults: bool


@dataclass
class Served:
    """The client, by the name of its control socket, and the process that works for it."""

    client: bytes
    child: Child
    messages: int = 0
    ended: float | None = None


def say(text: str) -> None:
    """One line for the operator."""
    sys.stderr.write(f"feynkac: {text}\n")
    sys.stderr.flush()


class Listener:
    """The loop over all sockets and pipes; one thread, so nothing here is locked."""

    def __init__(self, sockets: Sockets, machine: Machine) -> None:
        self.sockets, self.machine = sockets, machine
        self.served: Served | None = None
        self.stopped: str | None = None
        self.host = net.gethostname()
        self._beat = 0.0
        self._poller = zmq.Poller()
        for socket in (sockets.commands, sockets.control):
            self._poller.register(socket, zmq.POLLIN)

    def run(self) -> None:
        """Serves until a signal arrives."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: setattr(self, "stopped", signal.Signals(number).name))
        try:
            self._serve()
        finally:
            # Also after a mistake of ours: a socket that is left open would keep the process from ending.
            if self.served is not None:
                self.served.child.end()
        say(f"stopped by {self.stopped}")

    def _serve(self) -> None:
        while self.stopped is None:
            served = self.served
            soon = served is not None and (not served.child.reached or served.ended is not None)
            ready = dict(self._poller.poll(10 if soon else 100))
            if self.sockets.control in ready:
                self._control()
            if self.sockets.commands in ready:
                self._commands()
            # A new client's pipes may have the numbers of the old one's, and `ready` speaks of those.
            if served is not None and self.served is served:
                self._child(served, ready)
        if self.served is not None:
            client = self.served.client
            self._dismiss(self.served, {"gone": f"it was stopped by {self.stopped}"})
            # A connection that closes takes along what its peer has not read yet; the client hangs up once it has.
            deadline = time.monotonic() + _FAREWELL_S
            while time.monotonic() < deadline and self._tell(client, {"beat": True}):
                time.sleep(0.01)

    def _control(self) -> None:
        for _ in range(64):
            try:
                sender, *frames = self.sockets.control.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            message = None
            with contextlib.suppress(ValueError, RecursionError):
                message = json.loads(frames[0]) if len(frames) == 1 else None
            if not isinstance(message, dict):
                say("a control message was not a JSON object, and was ignored")
            elif "open" in message:
                self._open(sender, message["open"])
            elif self.served is not None and sender == self.served.client:
                self._obey(self.served, message)

    def _open(self, client: bytes, asked: Any) -> None:
        if self.served is not None and self._alive(self.served):
            refusal = f"Expected a worker without a client, got the one on {self.host}, which serves another client"
            self._tell(client, {"refused": refusal})
            return
        if self.served is not None:
            self._leave(self.served)
        if not isinstance(asked, dict) or asked.get("attach") != ATTACH_VERSION:
            found = asked.get("attach") if isinstance(asked, dict) else asked
            refusal = f"Expected a client of attach version {ATTACH_VERSION}, got `{str(found)[:60]}`"
            self._tell(client, {"refused": f"{refusal}; install the same feynkac on both sides"})
            return
        child = Child(self.sockets.context, self._config(asked))
        self.served = Served(client, child)
        for end in (child.socket, child.answers, child.log):
            self._poller.register(end, zmq.POLLIN)
        say(f"a client came (process {child.process.pid} works for it)")
        self._tell(client, {"opened": {"token": child.token.decode(), "host": self.host, "pid": child.process.pid}})

    def _config(self, asked: dict[str, Any]) -> dict[str, Any]:
        # The operator's word comes first; the client may ask for less.
        machine = self.machine
        device, threads, limits = asked.get("device"), asked.get("threads"), asked.get("limits")
        wanted = limits if isinstance(limits, dict) else {}
        return {
            "token": secrets.token_hex(16),
            "device": device if machine.device == "auto" and isinstance(device, str) else machine.device,
            "threads": min(threads, machine.threads) if type(threads) is int and threads > 0 else machine.threads,
            "limits": {
                name: min(wanted[name], most) if type(wanted.get(name)) is int and wanted[name] > 0 else most
                for name, most in LIMITS.items()
            },
            "allowImports": machine.allow_code and asked.get("allowImports") is True,
            "faults": machine.faults and asked.get("faults") is True,
            "host": self.host,
        }

    def _obey(self, served: Served, message: dict[str, Any]) -> None:
        if message.get("kill") is True:
            served.child.process.kill()
        elif type(message.get("cancel")) is int or "ping" in message or message.get("shutdown") is True:
            served.child.control(message)

    def _commands(self) -> None:
        for _ in range(64):
            try:
                sender, *frames = self.sockets.commands.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            # Only who was given the token is heard.
            if self.served is not None and sender.bytes == self.served.child.token:
                self.served.child.send(frames)

    def _child(self, served: Served, ready: dict[Any, int]) -> None:
        child = served.child
        child.flush()
        if child.socket in ready or served.ended is not None:
            self._answers(served)
        if child.answers in ready and not child.read(child.answers, lambda line: self._forward(served, line)):
            self._poller.unregister(child.answers)
        if child.log in ready and not child.read(child.log, lambda line: self._log(served, line)):
            self._poller.unregister(child.log)
        now = time.monotonic()
        if served.ended is None and child.process.poll() is not None:
            served.ended = now
        if served.ended is not None:
            # Its last words may still be under way.
            talking = child.connected() or any(end in self._poller for end in (child.answers, child.log))
            if not talking or now > served.ended + _DRAIN_S:
                self._answers(served)
                code = child.process.returncode
                exit = {"exitCode": code if code >= 0 else None, "signal": _name(-code), "messages": served.messages}
                self._dismiss(served, {"exit": exit})
        elif now > self._beat + _BEAT_S:
            self._beat = now
            if not self._alive(served):
                self._leave(served)

    def _leave(self, served: Served) -> None:
        say("the client is gone")
        self._dismiss(served, {"gone": "the connection for commands broke"})

    def _answers(self, served: Served) -> None:
        for frames in served.child.receive():
            if self._relay(served, frames):
                served.messages += 1

    def _relay(self, served: Served, frames: Frames | list[bytes]) -> bool:
        try:
            self.sockets.commands.send_multipart([served.child.token, *frames], copy=False)
        except zmq.ZMQError:
            return False
        return True

    def _alive(self, served: Served) -> bool:
        # A ROUTER knows at once that a connection was closed, and by heartbeats that one is dead. The empty message for
        # commands is skipped by the client; before its first command it has not connected there.
        return self._tell(served.client, {"beat": True}) and (not served.child.reached or self._relay(served, [b""]))

    def _forward(self, served: Served, line: bytes) -> None:
        with contextlib.suppress(ValueError):
            self._tell(served.client, json.loads(line))

    def _log(self, served: Served, line: bytes) -> None:
        os.write(2, line + b"\n")
        self._tell(served.client, {"log": line.decode("utf-8", "replace")})

    def _tell(self, client: bytes, message: Any) -> bool:
        try:
            self.sockets.control.send_multipart([client, json.dumps(message).encode()], zmq.NOBLOCK)
        except zmq.ZMQError:
            return False
        return True

    def _dismiss(self, served: Served, word: dict[str, Any]) -> None:
        # Free first, so that whoever hears the word may come again at once.
        for end in (served.child.socket, served.child.answers, served.child.log):
            if end in self._poller:
                self._poller.unregister(end)
        served.child.end()
        self.served = None
        self._tell(served.client, word)
        say("free for the next client")


def _name(number: int) -> str | None:
    try:
        return signal.Signals(number).name
    except ValueError:
        return None
