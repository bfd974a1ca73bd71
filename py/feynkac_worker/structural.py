"""The structural nodes: lists, leaves, gradients, module calls, loops, slots, optimizers, checks.

A builder takes what is known about a node and gives the call that replays it.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import functional_call

from feynkac_worker import kernels, optable
from feynkac_worker.errors import CancelledError, NonFiniteError
from feynkac_worker.executor import Block, Call, Runtime, Values, as_tensor
from feynkac_worker.ir import Const, Node, Ref
from feynkac_worker.tensors import describe, name_of, summary

MAX_TIMES = 1_000_000_000


class Site(NamedTuple):
    """A node and its surroundings: readers of its arguments, and what the analysis found."""

    node: Node
    runtime: Runtime
    # One reader an argument, in the row's order.
    read: tuple[Call, ...]
    retain: bool
    recorded: bool
    overlapping: bool
    body: Block | None


def _get(site: Site) -> Call:
    source, index = site.node.args
    assert isinstance(index, Const)
    k = index.value
    if isinstance(source, Ref):
        i = source.id
        return lambda values: values[i][k]
    read = site.read[0]
    return lambda values: read(values)[k]


def _leaf(site: Site) -> Call:
    read = site.read[0]
    return lambda values: read(values).detach().requires_grad_(True)


def _grad(site: Site) -> Call:
    (loss_of, wrt_of), retain = site.read, site.retain

    def grad(values: Values) -> Any:
        loss, wrt = loss_of(values), wrt_of(values)
        for i, x in enumerate(wrt):
            if not x.requires_grad:
                text = f"Expected `wrt[{i}]` to be a leaf or a parameter, got {describe(x)} without gradient"
                raise ValueError(f"{text}; pass it through `leaf` first")
        if loss.dim() != 0:
            raise ValueError(f"Expected the loss to be a 0-d tensor, got {describe(loss)}")
        if not loss.requires_grad:
            raise ValueError("Expected the loss to depend on `wrt`, got one that depends on none of it")
        grads = torch.autograd.grad(loss, wrt, retain_graph=retain, allow_unused=True)
        for i, g in enumerate(grads):
            if g is None:
                raise ValueError(
                    f"Expected the loss to depend on `wrt[{i}]` ({describe(wrt[i])}), got one that does not"
                )
        return grads

    return grad


def _call(site: Site) -> Call:
    given = dict(zip((arg.name for arg in site.node.op.args), zip(site.node.args, site.read, strict=True), strict=True))
    module_of, x_of, params_of = (given[name][1] for name in ("module", "x", "params"))
    train = given["mode"][0] == Const("train")
    fixed: dict[str, Any] = {}
    reads: list[tuple[str, Call]] = []
    # Foreign modules know none of these keywords: an absent one is not passed at all, another where forward takes it.
    for name in ("generator", "noise", "draws"):
        value, read = given[name]
        if isinstance(value, Ref):
            reads.append((name, read))
        elif value != Const(None):
            assert isinstance(value, Const)
            fixed[name] = value.value
    given_names = frozenset(fixed).union(name for name, _ in reads)
    names = given["names"][0]
    replaced = names.value if isinstance(names, Const) else None
    known: weakref.WeakSet[torch.nn.Module] = weakref.WeakSet()
    taken: weakref.WeakKeyDictionary[torch.nn.Module, frozenset[str]] = weakref.WeakKeyDictionary()

    def call(values: Values) -> Any:
        module = module_of(values)
        if module.training is not train:
            module.train(train)
        kwargs = {**fixed, **{name: read(values) for name, read in reads}} if reads else fixed
        if kwargs:
            takes = taken.get(module)
            if takes is None:
                takes = taken[module] = keywords(module, given_names)
            if len(takes) < len(given_names):
                kwargs = {name: value for name, value in kwargs.items() if name in takes}
        if replaced is None:
            result = module(x_of(values), **kwargs)
        else:
            if module not in known:
                _check_names(module, replaced)
                known.add(module)
            params = dict(zip(replaced, params_of(values), strict=True))
            result = functional_call(module, params, (x_of(values),), kwargs)
        if not isinstance(result, Tensor):
            raise TypeError(f"Expected the module to give a tensor, got {describe(result)}")
        return result

    return call


def keywords(module: torch.nn.Module, names: frozenset[str]) -> frozenset[str]:
    # Of `names`, those that the module's forward takes; none where it does not tell, as compiled modules do not.
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return frozenset()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return names
    return names & {p.name for p in parameters if p.kind is not p.POSITIONAL_ONLY}


def _check_names(module: torch.nn.Module, names: list[str]) -> None:
    # functional_call resolves names as attribute paths; only names that the module lists itself may reach it.
    own = dict(module.named_parameters()) | dict(module.named_buffers())
    for name in names:
        if name not in own:
            raise ValueError(
                f"Expected `names` to be parameters or buffers ({', '.join(list(own)[:8])}, ...), got `{name}`"
            )


def _repeat(site: Site) -> Call:
    times_of, _, carry_of, captures_of = site.read
    runtime, body, recorded = site.runtime, site.body, site.recorded
    assert body is not None

    def repeat(values: Values) -> Any:
        count = kernels.integer(times_of(values), "times")
        if not 0 <= count <= MAX_TIMES:
            raise ValueError(f"Expected `times` to be from 0 to {MAX_TIMES}, got {count}")
        state, captured = carry_of(values), captures_of(values)
        execute, room, cancelled = body.execute, body.room, runtime.cancelled
        for index in range(count):
            if cancelled():
                raise CancelledError("The client cancelled the command")
            state = execute([*state, index, *captured, *room])
            if not recorded:
                # A carried value must not drag the graph of one iteration into the next.
                state = [x.detach() if x.requires_grad else x for x in state]
        return state

    return repeat


def _assign(site: Site) -> Call:
    (slot_of, value_of), overlapping = site.read, site.overlapping

    def assign(values: Values) -> None:
        slot, value = slot_of(values), value_of(values)
        if slot.shape != value.shape or slot.dtype != value.dtype:
            raise ValueError(f"Expected `value` to be {describe(slot)} like the slot, got {describe(value)}")
        slot.copy_(value.clone() if overlapping else value)

    return assign


def _optimizer_step(site: Site) -> Call:
    optimizer_of, grads_of, lr_of = site.read

    def step(values: Values) -> None:
        optimizer, grads, lr = optimizer_of(values), grads_of(values), float(kernels.number(lr_of(values)))
        params = [p for group in optimizer.param_groups for p in group["params"]]
        if len(grads) != len(params):
            raise ValueError(f"Expected one gradient for each of the {len(params)} parameters, got {len(grads)}")
        try:
            for i, (p, g) in enumerate(zip(params, grads, strict=True)):
                if p.shape != g.shape or p.dtype != g.dtype:
                    raise ValueError(f"Expected `grads[{i}]` to be {describe(p)}, got {describe(g)}")
                p.grad = g
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.step()
        finally:
            for p in params:
                p.grad = None

    return step


def _optimizer_reset(site: Site) -> Call:
    optimizer_of = site.read[0]
    return lambda values: optimizer_of(values).state.clear()


def _check_finite(site: Site) -> Call:
    i, label = site.node.refs[0], site.node.args[1]
    assert isinstance(label, Const)

    def check(values: Values) -> Any:
        x = as_tensor(values[i], site.runtime.device)
        if not bool(torch.isfinite(x).all()):
            nan = int(torch.isnan(x).sum())
            infinite = int(torch.isinf(x).sum())
            text = f"got {nan} NaN and {infinite} infinite of {x.numel()} ({name_of(x.dtype)}{list(x.shape)})"
            raise NonFiniteError(f"Expected `{label.value}` to be finite, {text}")
        return values[i]

    return check


def _print(site: Site) -> Call:
    i, label, runtime, node = site.node.refs[0], site.node.args[1], site.runtime, site.node
    assert isinstance(label, Const)
    # One line, whatever the label holds.
    text = " ".join(label.value.split())

    def show(values: Values) -> Any:
        runtime.log(f"{text}  {summary(values[i])}  ({runtime.loc(node)})")
        return values[i]

    return show


BUILDERS: dict[str, Callable[[Site], Call]] = {
    "get": _get,
    "leaf": _leaf,
    "grad": _grad,
    "call": _call,
    "repeat": _repeat,
    "assign": _assign,
    "optimizer_step": _optimizer_step,
    "optimizer_reset": _optimizer_reset,
    "check_finite": _check_finite,
    "print": _print,
    "reduce": lambda site: site.read[0],
}

optable.match(BUILDERS, structural=True)
