"""The checked form of a plan: nodes over numbered values, inputs first, then one value a node.

`scalar` is a runtime number: it lives as a Python number until it meets a tensor, so that a changing learning rate
promotes no more than a literal would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from feynkac_worker.errors import PlanError
from feynkac_worker.optable import Op


class Kind(NamedTuple):
    """`tensor`, `scalar`, `tensors` (of known length), `module`, `optimizer`, `generator` or `none`."""

    name: str
    length: int = 0


TENSOR, SCALAR, NONE = Kind("tensor"), Kind("scalar"), Kind("none")
SINGLE = {name: Kind(name) for name in ("tensor", "scalar", "module", "optimizer", "generator")}


class Ref(NamedTuple):
    """A value."""

    id: int


class Refs(NamedTuple):
    """A list of values."""

    ids: tuple[int, ...]


class Const(NamedTuple):
    """A literal; None when the argument is absent."""

    value: Any


Value = Ref | Refs | Const


@dataclass(frozen=True)
class Node:
    """One call. `position` counts within its level, `number` over the whole plan (it finds the location)."""

    position: int
    number: int
    op: Op
    args: tuple[Value, ...]
    body: Level | None = None

    def arg(self, name: str) -> Value:
        """The argument called `name` in the op table."""
        return self.args[next(i for i, arg in enumerate(self.op.args) if arg.name == name)]

    @cached_property
    def refs(self) -> tuple[int, ...]:
        """The ids of all values that the node reads."""
        return tuple(i for arg in self.args for i in ids(arg))


@dataclass(frozen=True)
class Level:
    """A plan or the body of a repeat: straight-line code. `kinds` holds the kind of every value."""

    inputs: tuple[Kind, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    kinds: tuple[Kind, ...]

    def node(self, value: int) -> Node | None:
        """The node that makes a value; None for inputs."""
        return self.nodes[value - len(self.inputs)] if value >= len(self.inputs) else None


@dataclass(frozen=True)
class Decoded:
    """A checked plan. `key` names its code without name and locations; `places[number]` indexes `locs`."""

    key: str
    level: Level
    name: str
    locs: tuple[str, ...]
    places: tuple[int, ...]

    def loc(self, number: int) -> str | None:
        """Where the node was traced."""
        place = self.places[number]
        return self.locs[place] if place >= 0 else None


def ids(value: Value) -> tuple[int, ...]:
    """The ids of the values in an argument."""
    return (value.id,) if isinstance(value, Ref) else value.ids if isinstance(value, Refs) else ()


def kind_text(kind: Kind) -> str:
    return f"tensors:{kind.length}" if kind.name == "tensors" else kind.name


def length_of(value: Value, kinds: Sequence[Kind]) -> int:
    return kinds[value.id].length if isinstance(value, Ref) else len(value.ids) if isinstance(value, Refs) else 0


def shown(value: Any) -> str:
    text = repr(value)
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"


def checked_list(value: Any, what: str, length: int | None = None, limit: int | None = None) -> list[Any]:
    if type(value) is not list or (length is not None and len(value) != length):
        of = "" if length is None else f" of {length}"
        raise PlanError(f"Expected {what} to be a list{of}, got {shown(value)}")
    if limit is not None and len(value) > limit:
        raise PlanError(f"Expected {what} to have at most {limit} entries, got {len(value)}")
    return value
