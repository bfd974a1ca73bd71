"""`tcp://host:port`: which hosts are this machine, and where the control socket listens."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from feynkac_worker.attach import AttachError

_FORM = re.compile(r"tcp://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.*-]+):(\d{1,5}|\*)")


@dataclass(frozen=True)
class Address:
    """Where commands arrive; `port` 0 means any free one. Control listens on the port behind it."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect: localhost, 127.0.0.0/8 and ::1, nothing else."""
        if self.host == "localhost":
            return True
        try:
            address = ipaddress.ip_address(self.host.strip("[]"))
        except ValueError:
            return False
        return address.is_loopback if address.version == 4 else address == ipaddress.IPv6Address("::1")

    def endpoint(self, port: int) -> str:
        """What zmq binds, which takes no names."""
        return f"tcp://{'127.0.0.1' if self.host == 'localhost' else self.host}:{port}"


def parse(text: str) -> Address:
    """The address in `text`. Raises AttachError."""
    match = _FORM.fullmatch(text)
    port = 0 if match is None or match[2] == "*" else int(match[2])
    if match is None or port > 65_534:
        raise AttachError(
            f"Expected `--listen` to be tcp://HOST:PORT with a port of at most 65534 (or *), got `{text[:100]}`"
        )
    return Address(match[1], port)
