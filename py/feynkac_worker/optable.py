"""The op table `bridge/ops.json`: rows, argument kinds, and the hash that both ends compare."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = Path(__file__).resolve().parents[2] / "bridge" / "ops.json"

KINDS = frozenset(
    {"tensor", "tensors", "number", "int", "float", "bool", "ints", "dtype", "string", "strings"}
    | {"generator", "module", "optimizer", "plan", "none"}
)


@dataclass(frozen=True)
class Arg:
    """One argument of a row, `name:kind`; `choices` are the texts of an enumeration."""

    name: str
    kinds: frozenset[str]
    choices: tuple[str, ...]
    optional: bool

    @property
    def expected(self) -> str:
        """What the argument takes, in words."""
        words = [*sorted(self.kinds), *([f"one of {', '.join(self.choices)}"] if self.choices else [])]
        return " or ".join(words) + (" or nothing" if self.optional else "")


@dataclass(frozen=True)
class Op:
    """One row of the table."""

    index: int
    name: str
    args: tuple[Arg, ...]
    lists: bool
    outputs: int | None
    kind: str
    structural: bool


def _arg(text: str) -> Arg:
    name, spec = text.split(":")
    optional = spec.endswith("?")
    parts = spec.removesuffix("?").split("|")
    choices = tuple(choice for part in parts if "/" in part for choice in part.split("/"))
    kinds = frozenset(part for part in parts if "/" not in part)
    if not kinds <= KINDS:
        raise ValueError(f"Expected the kinds of `{text}` to be among {', '.join(sorted(KINDS))}")
    return Arg(name, kinds, choices, optional)


def _op(index: int, row: dict[str, Any]) -> Op:
    return Op(
        index,
        row["name"],
        tuple(_arg(text) for text in row["args"]),
        row.get("returns") == "tensors",
        len(row["outputs"]) if "outputs" in row else None,
        row.get("kind", "pure"),
        row.get("structural", False),
    )


_bytes = PATH.read_bytes()
HASH = hashlib.sha256(_bytes).hexdigest()
OPS: tuple[Op, ...] = tuple(_op(index, row) for index, row in enumerate(json.loads(_bytes)))
BY_NAME: dict[str, Op] = {op.name: op for op in OPS}


def match(targets: Iterable[str], structural: bool) -> None:
    """Raises ImportError unless `targets` are exactly the (structural) rows of the table."""
    wrong = sorted({op.name for op in OPS if op.structural is structural} ^ set(targets))
    if wrong:
        raise ImportError(f"The op table {PATH.name} and the worker's targets differ in: {', '.join(wrong)}")
