"""`python -m feynkac_worker --listen ADDRESS` and `python -m feynkac_worker keys DIR`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from feynkac_worker.attach import AttachError, address, keys
from feynkac_worker.attach.listener import LIMITS, Listener, Machine, say
from feynkac_worker.attach.sockets import listen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("feynkac_worker", description="A worker that listens for one client at a time.")
    parser.add_argument("--listen", required=True, metavar="ADDRESS", help="tcp://HOST:PORT; control takes PORT + 1")
    parser.add_argument("--keys", type=Path, metavar="DIR", help="server.secret and client*.public")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), metavar="N")
    parser.add_argument("--allow-code", action="store_true", help="clients may import Python code of this machine")
    # Milliseconds between two signs of life on the network; five without an answer end a session.
    parser.add_argument("--heartbeat", type=int, default=1000, help=argparse.SUPPRESS)
    # For tests of supervision.
    parser.add_argument("--faults", action="store_true", help=argparse.SUPPRESS)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Runs until a signal arrives. Exit codes: 0, 64 with one sentence."""
    try:
        if arguments[0] == "keys":
            if len(arguments) != 2:
                raise AttachError(f"Expected `keys DIR`, got {len(arguments) - 1} arguments")
            keys.make(Path(arguments[1]))
            return 0
        options = _parser().parse_args(arguments)
        if options.threads < 1 or options.heartbeat < 1:
            raise AttachError(f"Expected `--threads` to be a positive integer, got `{options.threads}`")
        own = keys.load(options.keys) if options.keys is not None else None
        where = address.parse(options.listen)
        sockets = listen(where, own, LIMITS["messageBytes"], options.heartbeat)
    except AttachError as error:
        say(str(error))
        return 64
    how = "known clients only (CURVE)" if own is not None else "without keys: any user of this machine may connect"
    say(f"listening on tcp://{where.host}:{sockets.port} and {sockets.port + 1} (control), {how}")
    machine = Machine(options.device, options.threads, options.allow_code, options.faults)
    try:
        Listener(sockets, machine).run()
    finally:
        sockets.close()
    return 0
