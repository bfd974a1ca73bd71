"""What the commands other than RUN and FREE do (PROTOCOL.md, "Client to worker")."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from feynkac_worker import codec, tensors
from feynkac_worker.bound import Bound, Plan, flat_handles
from feynkac_worker.errors import FeynkacError, ProtocolError, RootError, is_sticky, release_memory, root_of
from feynkac_worker.plan import decode
from feynkac_worker.program import Program
from feynkac_worker.services import HEALING, find, located, welcome
from feynkac_worker.session import ACK, OK, RefusedError, Session

Command = Callable[[Session, int, list[Any], list[Any]], None]


def _hello(session: Session, seq: int, item: list[Any], payloads: list[Any]) -> None:
    _, _, protocol, token, _, _ = item
    if session.greeted:
        raise ProtocolError("Expected HELLO once, got it again")
    if type(protocol) is not list or protocol[:1] != [codec.MAJOR]:
        raise RefusedError(f"Expected protocol major {codec.MAJOR}, got `{str(protocol)[:60]}`")
    expected = str(session.context.config.get("token", ""))
    if type(token) is not str or not hmac.compare_digest(token.encode(), expected.encode()):
        raise RefusedError("Expected the session's token, got another")
    session.greeted = True
    session.answer(seq, welcome(session.context))


def _define(session: Session, seq: int, item: list[Any], payloads: list[Any]) -> None:
    _, _, plan_id, index = item
    if type(plan_id) is not int or plan_id in session.plans or plan_id in session.lost_plans:
        raise ProtocolError(f"Expected a new plan id, got `{str(plan_id)[:60]}`")
    try:
        decoded = decode(payload(payloads, index), session.plan_nodes)
        program = session.programs.get(decoded.key)
        if program is None:
            program = session.programs[decoded.key] = Program(decoded, session.runtime)
        session.plans[plan_id] = Plan(decoded, program)
    except FeynkacError as error:
        session.lost_plans[plan_id] = root = root_of(error, seq, "PlanError")
        session.error(seq, root)


def _bind(session: Session, seq: int, item: list[Any], payloads: list[Any]) -> None:
    _, _, bound_id, plan_id, captured = item
    if type(bound_id) is not int or bound_id in session.bounds or bound_id in session.lost_bounds:
        raise ProtocolError(f"Expected a new bound id, got `{str(bound_id)[:60]}`")
    plan = session.plans.get(plan_id)
    lost = [h for h in flat_handles(captured) if h in session.handles.poison and h not in session.handles.objects]
    if plan is None or lost:
        # What a failed command never made cannot be healed either.
        cause = session.handles.first_poison(lost) if plan is not None else session.lost_plans.get(plan_id)
        if cause is None:
            raise ProtocolError(f"Expected a defined plan, got `{str(plan_id)[:60]}`")
        session.lost_bounds[bound_id] = cause
        return
    try:
        session.bounds[bound_id] = Bound(plan, captured, session.handles)
    except FeynkacError as error:
        session.lost_bounds[bound_id] = root = root_of(error, seq, "PlanError", plan.decoded.name)
        session.error(seq, root)


def _put(session: Session, seq: int, item: list[Any], payloads: list[Any]) -> None:
    _, _, handle, index, dtype, shape = item
    session.handles.check_new([handle])
    if session.cancelled():
        session.handles.poison_outputs([handle], session.cancel(seq, False))
        return
    try:
        data = payload(payloads, index)
        x = tensors.from_bytes(data, dtype, shape, session.tensor_bytes, session.context.device)
    except (ProtocolError, RuntimeError, MemoryError) as error:
        root = root_of(error, seq, "TorchOpError")
        session.handles.poison_outputs([handle], root)
        session.error(seq, root)
        return
    session.handles.objects[handle] = x


def _get(session: Session, seq: int, item: list[Any], payloads: list[Any]) -> None:
    _, _, mode, wanted = item
    if type(wanted) is not list or mode not in ("data", "items"):
        raise ProtocolError(f"Expected mode `data` or `items` and a list of handles, got `{str(mode)[:60]}`")
    root = session.handles.first_poison(flat_handles(wanted))
    if root is not None:
        return session.error(seq, root)
    if session.cancelled():
        session.cancel(seq, True)
        return None
    try:
        found = [session.handles.get(handle, "tensor") for handle in wanted]
        if mode == "items":
            return session.answer(seq, tensors.to_floats(found))
        if any(x.nbytes > session.message_bytes for x in found):
            raise ProtocolError(f"Expected tensors of at most {session.message_bytes} bytes: read them in pieces")
        data = [tensors.to_bytes(x) for x in found]
    except Exception as error:
        session.sticky = is_sticky(error)
        return session.error(seq, root_of(error, seq, "TorchOpError"))
    value = [[dtype, shape, i] for i, (dtype, shape, _) in enumerate(data)]
    return session.answer(seq, value, [content for _, _, content in data])


def _call(session: Session, seq: int, item: list[Any], payloads: list[Any]) -> None:
    _, _, method, params, inputs, outputs = item
    if type(params) is not dict or type(inputs) is not list:
        raise ProtocolError("Expected CALL to have a map of params and a list of handles")
    codec.check(params)
    session.handles.check_new(outputs)
    heals = isinstance(method, str) and method in HEALING
    root = None if heals else session.handles.first_poison(flat_handles(inputs))
    if root is not None:
        spoiled = f"what `{str(method)[:60]}` was called with is spoiled by that error: load it or make it again"
        root = replace(root, message=f"{root.message}; {spoiled}")
    if root is None and session.cancelled():
        session.handles.poison_outputs(outputs, session.cancel(seq, True))
        return
    if root is None:
        root = _serve(session, seq, method, params, inputs, outputs)
        if root is None:
            return
    session.handles.poison_outputs(outputs, root)
    session.error(seq, root)


def _serve(
    session: Session, seq: int, method: Any, params: Any, inputs: list[Any], outputs: list[int]
) -> RootError | None:
    try:
        objects = [session.handles.get(handle) for handle in inputs]
        value, made = find(method)(session.context, params, objects)
        if len(made) != len(outputs):
            raise ProtocolError(f"Expected {len(made)} output handles for {method}, got {len(outputs)}")
        header = codec.encode_header([[OK, seq, value], [ACK, seq]])
    except Exception as error:
        session.sticky = is_sticky(error)
        root = root_of(located(session.context, params, error), seq, "ServiceError")
        release_memory(error)
        return root
    session.handles.objects.update(zip(outputs, made, strict=True))
    if method in HEALING:
        session.handles.heal(inputs)
    session.send([header], [])
    return None


def _barrier(session: Session, seq: int, item: list[Any], payloads: list[Any]) -> None:
    if session.context.device.type == "cuda":
        torch.cuda.synchronize(session.context.device)
    session.answer(seq, None)


def _bye(session: Session, seq: int, item: list[Any], payloads: list[Any]) -> None:
    session.answer(seq, None)
    session.closing = True


def payload(payloads: list[Any], index: Any) -> Any:
    """The payload frame that a command names; raises ProtocolError."""
    if type(index) is not int or not 0 <= index < len(payloads):
        raise ProtocolError(f"Expected a payload index below {len(payloads)}, got `{str(index)[:60]}`")
    return payloads[index]


COMMANDS: dict[int, Command] = {
    0: _hello,
    1: _define,
    2: _bind,
    4: _put,
    5: _get,
    7: _call,
    8: _barrier,
    9: _bye,
}
# These are answered only when they fail.
SILENT = frozenset({1, 2, 4})
