"""RUN: the one command that is worth a fast path, and what its failures leave behind (PROTOCOL.md, "Poison")."""

from __future__ import annotations

from typing import Any

from feynkac_worker.bound import Bound, flat_handles
from feynkac_worker.errors import (
    CancelledError,
    FeynkacError,
    NodeError,
    PlanError,
    ProtocolError,
    RootError,
    frames_of,
    is_sticky,
    kind_of,
    message_of,
    release_memory,
    root_of,
)
from feynkac_worker.session import Session


def run(session: Session, seq: int, item: list[Any]) -> None:
    bound: Bound | RootError | None = None
    _, _, bound_id, args, outputs, flags = item
    try:
        handles = session.handles
        bound = session.bounds.get(bound_id)
        if type(bound) is not Bound:
            if bound is None:
                raise ProtocolError(f"Expected a bound plan, got `{str(bound_id)[:60]}`")
            return _fail(session, bound, outputs, None, args)
        if handles.poison:
            root = handles.first_poison(flat_handles(args) + bound.captured_handles)
            if root is not None:
                return _fail(session, root, outputs, bound, args)
        if seq <= session.progress.cancelled:
            return _fail(session, session.cancel(seq, False), outputs, bound, args)
        handles.check_new(outputs)
        program = bound.program
        if len(outputs) != program.count:
            raise PlanError(f"Expected {program.count} output handles, got {len(outputs)}")
        session.runtime.plan = bound.plan.decoded
        results = program.run(bound.fill(args)) if flags == 0 else _debug(session, bound, args, flags)
    except CancelledError:
        return _fail(session, session.cancel(seq, False), outputs, bound, args)
    except Exception as error:
        results = _recover(session, seq, error, bound, args, outputs)
        if results is None:
            return None
    objects = session.handles.objects
    for handle, x in zip(outputs, results, strict=True):
        objects[handle] = x
    return None


def _debug(session: Session, bound: Bound, args: Any, flags: Any) -> list[Any]:
    if type(flags) is not int or flags != 1:
        raise ProtocolError(f"Expected flags 0 or 1, got `{str(flags)[:60]}`")
    session.runtime.debug = True
    try:
        return bound.program.run(bound.fill(args))
    finally:
        session.runtime.debug = False


def _recover(session: Session, seq: int, error: Exception, bound: Any, args: Any, outputs: Any) -> list[Any] | None:
    # A pure plan whose memory ran out may run once more, after everything unused was given back.
    root = _root(session, seq, error, bound if type(bound) is Bound else None)
    if root.kind == "OutOfMemoryError" and type(bound) is Bound and bound.program.pure:
        release_memory(error)
        try:
            return bound.program.run(bound.fill(args))
        except Exception as again:
            root = _root(session, seq, again, bound)
    _fail(session, root, outputs, bound, args)
    session.error(seq, root)
    return None


def _root(session: Session, seq: int, error: Exception, bound: Bound | None) -> RootError:
    name = bound.plan.decoded.name if bound is not None else None
    if not isinstance(error, NodeError) or bound is None:
        return root_of(error, seq, "ProtocolError", name)
    cause = error.__cause__ or error
    session.sticky = is_sticky(cause)
    node = error.node
    loc = bound.plan.decoded.loc(node.number)
    text = "" if isinstance(cause, FeynkacError) else frames_of(cause)
    kind = kind_of(cause, "TorchOpError")
    return RootError(kind, message_of(cause), seq, name, node.op.name, node.position, loc, tuple(error.inputs), text)


def _fail(session: Session, root: RootError, outputs: Any, bound: Any, args: Any) -> None:
    session.handles.poison_outputs(outputs, root)
    if type(bound) is Bound and bound.program.targets:
        session.handles.poison_shared(*bound.slots(args), root)
