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
    """Applies `[3, seq, boundId, [args], [output handles], flags]`. Raises ValueError for another number of items."""
    _, _, bound_id, args, outputs, flags = item
    bound: Bound | None = None
    try:
        bound = session.bounds.get(bound_id)
        objects = session.objects
        if bound is None or session.poison or seq <= session.progress.cancelled:
            root = _stopped(session, seq, bound_id, bound, args)
            if root is not None:
                return _fail(session, root, outputs, bound, args)
        assert bound is not None
        for handle in outputs:
            if type(handle) is not int or handle >> 32 or handle in objects:
                session.handles.check_new(outputs)
        count = len(outputs)
        if count != bound.count or count > 1 or len(objects) >= session.limit:
            _check_outputs(session, bound, outputs)
        session.runtime.plan = bound.decoded
        results = bound.replay(bound.fill(args)) if flags == 0 else _debug(session, bound, args, flags)
    except CancelledError:
        return _fail(session, session.cancel(seq, False), outputs, bound, args)
    except Exception as error:
        again = _recover(session, seq, error, bound, args, outputs)
        if again is None:
            return None
        results = again
    for handle, x in zip(outputs, results):  # noqa: B905 - the lengths were compared above, and strict costs
        objects[handle] = x
    return None


def _stopped(session: Session, seq: int, bound_id: Any, bound: Bound | None, args: Any) -> RootError | None:
    # The error that keeps the command from running; None when it may run after all.
    if bound is None:
        root = session.lost_bounds.get(bound_id)
        if root is None:
            raise ProtocolError(f"Expected a bound plan, got `{str(bound_id)[:60]}`")
        return root
    root = session.handles.first_poison(flat_handles(args) + bound.captured_handles)
    return session.cancel(seq, False) if root is None and seq <= session.progress.cancelled else root


def _check_outputs(session: Session, bound: Bound, outputs: Any) -> None:
    if len(outputs) != bound.count:
        raise PlanError(f"Expected {bound.count} output handles, got {len(outputs)}")
    session.handles.check_new(outputs)


def _debug(session: Session, bound: Bound, args: Any, flags: Any) -> list[Any]:
    if type(flags) is not int or flags != 1:
        raise ProtocolError(f"Expected flags 0 or 1, got `{str(flags)[:60]}`")
    session.runtime.debug = True
    try:
        return bound.replay(bound.fill(args))
    finally:
        session.runtime.debug = False


def _recover(
    session: Session, seq: int, error: Exception, bound: Bound | None, args: Any, outputs: Any
) -> list[Any] | None:
    # A pure plan whose memory ran out may run once more, after everything unused was given back.
    root = _root(session, seq, error, bound)
    if root.kind == "OutOfMemoryError" and bound is not None and bound.program.pure:
        release_memory(error)
        try:
            return bound.replay(bound.fill(args))
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


def _fail(session: Session, root: RootError, outputs: Any, bound: Bound | None, args: Any) -> None:
    session.handles.poison_outputs(outputs, root)
    if bound is not None and bound.program.targets:
        session.handles.poison_shared(*bound.slots(args), root)
