"""Applies messages to a session, one command after the other (PROTOCOL.md, "Messages"). No socket here."""

from __future__ import annotations

from time import monotonic as now
from typing import Any

from feynkac_worker import codec
from feynkac_worker.commands import COMMANDS, SILENT
from feynkac_worker.errors import ProtocolError, root_of
from feynkac_worker.runs import run
from feynkac_worker.session import ACK, RefusedError, Session, StickyError


def handle(session: Session, header: bytes | memoryview, payloads: list[Any]) -> None:
    """Applies one message and sends its answers. Raises RefusedError or StickyError, and nothing else."""
    progress, free, greeted = session.progress, session.handles.free, session.greeted
    acked = False
    try:
        items = codec.decode_header(header)
    except ProtocolError as error:
        refuse(session, error)
        items = []
    for item in items:
        acked = False
        try:
            kind = item[0]
            if kind == 6 and greeted:
                _, handles = item
                for h in handles:
                    free(h)
                continue
            seq = session.seq + 1
            if item[1] != seq:
                raise ProtocolError(f"Expected command {seq}, got `{str(item[1])[:60]}`")
            session.seq = progress.seq = seq
            progress.since = now()
            if kind == 3 and greeted:
                run(session, seq, item)
            else:
                acked = _other(session, seq, item, payloads)
                greeted = session.greeted
        except (RefusedError, StickyError):
            raise
        except Exception as error:
            _malformed(session, item, error)
    progress.seq = None
    if not acked:
        session.send([[ACK, session.seq]], [])


def _other(session: Session, seq: int, item: list[Any], payloads: list[Any]) -> bool:
    # True when the command was answered, and thus acknowledged.
    if not session.greeted and item[0] != 0:
        raise RefusedError("Expected HELLO first")
    command = COMMANDS.get(item[0]) if type(item[0]) is int else None
    if command is None:
        raise ProtocolError(f"Expected a command of kind 0 to 9, got `{str(item[0])[:60]}`")
    command(session, seq, item, payloads)
    return item[0] not in SILENT


def _malformed(session: Session, item: Any, error: Exception) -> None:
    # The command cannot be carried out, but the sequence goes on behind it.
    if isinstance(error, (TypeError, ValueError, LookupError)):
        error = ProtocolError(f"Expected a command as in PROTOCOL.md, got `{str(item)[:60]}`")
    item = item if type(item) is list else []
    seq = item[1] if len(item) > 1 else None
    if type(seq) is int and not seq >> 32:
        session.seq = seq
    root = root_of(error, session.seq, "TorchOpError")
    # The output handles of RUN and CALL stand in fifth or sixth place, that of PUT in third.
    outputs = {3: item[4:5], 7: item[5:6], 4: [item[2:3]]}.get(item[0], []) if item and type(item[0]) is int else []
    for part in outputs:
        session.handles.poison_outputs(part, root)
    refuse(session, error)


def refuse(session: Session, error: Exception) -> None:
    """Reports an error that belongs to no command. Raises RefusedError before HELLO."""
    if not session.greeted:
        raise RefusedError(str(error))
    session.error(session.seq, root_of(error, session.seq, "TorchOpError"))
