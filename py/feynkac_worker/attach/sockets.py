"""The two sockets of a listener: commands, and control on the port behind. CURVE with known clients, or loopback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import zmq
from zmq.auth.thread import ThreadAuthenticator

from feynkac_worker.attach import AttachError
from feynkac_worker.attach.address import Address
from feynkac_worker.attach.keys import ServerKeys

_CONTROL_BYTES = 65_536
_TRIES = 100
_DOMAIN = "feynkac"


class Known:
    """Tells the authenticator which clients are known."""

    def __init__(self, keys: ServerKeys) -> None:
        self.keys = keys

    def callback(self, domain: str, key: bytes) -> bool:
        """Called by pyzmq with the client's public key in Z85."""
        try:
            return self.keys.knows(key)
        except AttachError:
            return False


@dataclass
class Sockets:
    """Both ROUTERs, where they listen, and who guards them."""

    context: zmq.Context[Any]
    commands: zmq.Socket[bytes]
    control: zmq.Socket[bytes]
    port: int
    guard: ThreadAuthenticator | None

    def close(self) -> None:
        """Sends what was said last, and closes."""
        for socket in (self.commands, self.control):
            socket.close(linger=200)
        if self.guard is not None:
            self.guard.stop()
        self.context.term()


def listen(address: Address, keys: ServerKeys | None, message_bytes: int, heartbeat_ms: int) -> Sockets:
    """Binds both sockets. Raises AttachError for a taken port, and without keys where other machines reach it."""
    if keys is None and not address.loopback:
        raise AttachError(f"Expected `--keys` for `{address.host}`, which other machines can reach, got none")
    context: zmq.Context[Any] = zmq.Context()
    guard = None
    if keys is not None:
        guard = ThreadAuthenticator(context)
        guard.start()
        guard.configure_curve_callback(_DOMAIN, Known(keys))

    def router(limit: int) -> zmq.Socket[bytes]:
        socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
        settings = {
            zmq.ROUTER_MANDATORY: 1,
            zmq.LINGER: 0,
            zmq.SNDHWM: 0,
            zmq.RCVHWM: 0,
            zmq.MAXMSGSIZE: limit,
            zmq.IPV6: int(address.host.startswith("[")),
            # A client that is stopped, or on a machine that is gone, closes nothing.
            zmq.HEARTBEAT_IVL: heartbeat_ms,
            zmq.HEARTBEAT_TIMEOUT: 5 * heartbeat_ms,
        }
        for option, value in settings.items():
            socket.setsockopt(option, value)
        if keys is not None:
            socket.setsockopt(zmq.CURVE_SERVER, 1)
            socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
            socket.setsockopt(zmq.ZAP_DOMAIN, _DOMAIN.encode())
        return socket

    commands, control = router(message_bytes), router(_CONTROL_BYTES)
    try:
        port = _bind(address, commands, control)
    except AttachError:
        Sockets(context, commands, control, 0, guard).close()
        raise
    return Sockets(context, commands, control, port, guard)


def _bind(address: Address, commands: zmq.Socket[bytes], control: zmq.Socket[bytes]) -> int:
    for _ in range(1 if address.port else _TRIES):
        port = address.port
        try:
            if port:
                commands.bind(address.endpoint(port))
            else:
                port = commands.bind_to_random_port(address.endpoint(0).rpartition(":")[0])
        except zmq.ZMQError as error:
            raise AttachError(f"Expected to listen on `{address.endpoint(port)}`, got {error.strerror}") from None
        try:
            control.bind(address.endpoint(port + 1))
            return port
        except zmq.ZMQError as error:
            failure = f"Expected port {port + 1} to be free for control, got {error.strerror}"
            commands.unbind(commands.get_string(zmq.LAST_ENDPOINT))
    raise AttachError(failure)
