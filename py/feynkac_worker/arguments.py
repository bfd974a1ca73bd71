"""Tagged arguments (`["v", id]`, `["f", 0.5]`, …) to values, checked against the row of the op table."""

from __future__ import annotations

import re
from typing import Any

from feynkac_worker.errors import PlanError
from feynkac_worker.ir import SCALAR, TENSOR, Const, Kind, Ref, Refs, Value, checked_list, kind_text, shown
from feynkac_worker.optable import Arg
from feynkac_worker.tensors import DTYPES

MAX_LIST = 65_536
MAX_TEXT = 1_024
_INT64 = range(-(2**63), 2**63)
_DECIMAL = re.compile(r"-?[0-9]{1,20}", re.ASCII)


def value_id(tagged: Any, kinds: list[Kind], name: str) -> int:
    tag, value = checked_list(tagged, f"`{name}`", 2)
    if tag != "v" or type(value) is not int or not 0 <= value < len(kinds):
        raise PlanError(f"Expected `{name}` to be a value defined before, got {shown(tagged)}")
    return value


def argument(arg: Arg, tagged: Any, kinds: list[Kind]) -> Value:
    if type(tagged) is not list or not tagged or type(tagged[0]) is not str:
        raise PlanError(f"Expected `{arg.name}` to be a tagged argument, got {shown(tagged)}")
    tag = tagged[0]
    if tag == "n":
        if len(tagged) == 1 and (arg.optional or "none" in arg.kinds):
            return Const(None)
    elif len(tagged) == 2:
        if tag == "v":
            return _reference(arg, value_id(tagged, kinds, arg.name), kinds)
        if tag == "l":
            return _sequence(arg, tagged[1], kinds)
        value = _literal(arg, tag, tagged[1])
        if value is not None:
            return value
    raise PlanError(f"Expected `{arg.name}` to be {arg.expected}, got {shown(tagged)}")


def _reference(arg: Arg, value: int, kinds: list[Kind]) -> Ref:
    kind = kinds[value]
    fits = arg.kinds & {"tensor", "number"} if kind in (TENSOR, SCALAR) else kind.name in arg.kinds
    if not fits:
        raise PlanError(f"Expected `{arg.name}` to be {arg.expected}, got value {value} ({kind_text(kind)})")
    return Ref(value)


def _sequence(arg: Arg, items: Any, kinds: list[Kind]) -> Value:
    checked_list(items, f"`{arg.name}`", None, MAX_LIST)
    if "tensors" in arg.kinds:
        found = tuple(value_id(item, kinds, arg.name) for item in items)
        for value in found:
            if kinds[value] not in (TENSOR, SCALAR):
                raise PlanError(f"Expected `{arg.name}` to hold tensors, got value {value} ({kind_text(kinds[value])})")
        return Refs(found)
    if "ints" in arg.kinds and len(items) <= 64:
        return Const([_member(arg, item, "i") for item in items])
    if "strings" in arg.kinds:
        return Const([_member(arg, item, "s") for item in items])
    raise PlanError(f"Expected `{arg.name}` to be {arg.expected}, got a list of {len(items)}")


def _member(arg: Arg, tagged: Any, tag: str) -> Any:
    if type(tagged) is list and len(tagged) == 2 and tagged[0] == tag:
        value = literal_int(tagged[1]) if tag == "i" else _text(tagged[1])
        if value is not None:
            return value
    raise PlanError(f"Expected every entry of `{arg.name}` to be tagged `{tag}`, got {shown(tagged)}")


def literal_int(value: Any) -> int | None:
    if type(value) is str and _DECIMAL.fullmatch(value):
        value = int(value)
    return value if type(value) is int and value in _INT64 else None


def _text(value: Any) -> str | None:
    return value if type(value) is str and len(value) <= MAX_TEXT else None


def literal_float(value: Any) -> float | None:
    if value == "-0":
        return -0.0
    return float(value) if type(value) in (int, float) else None


def _literal(arg: Arg, tag: str, value: Any) -> Const | None:
    kinds = arg.kinds
    found: Any = None
    if tag == "i" and kinds & {"int", "number"}:
        found = literal_int(value)
    elif tag == "f" and kinds & {"float", "number"}:
        found = literal_float(value)
    elif tag == "b" and "bool" in kinds and type(value) is bool:
        found = value
    elif tag == "d" and "dtype" in kinds and type(value) is str:
        found = DTYPES.get(value)
    elif tag == "s" and (value in arg.choices if arg.choices and type(value) is str else "string" in kinds):
        found = _text(value)
    return None if found is None else Const(found)
