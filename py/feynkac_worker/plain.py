"""Plain values of Python as JSON text that JavaScript can take: `bridge/plain.ts` is the other side.

JSON has no NaN and no infinity, and JavaScript rounds integers beyond 2^53, so these travel as maps with the one key
`$`: `{"$": "nan"}`, `{"$": "inf"}`, `{"$": "-inf"}`, `{"$": "int", "value": "123"}`. A map that has a key `$` itself
becomes `{"$": "map", "value": [[key, value], …]}`.
"""

from __future__ import annotations

import json
import math
from typing import Any

from feynkac_worker.errors import ServiceError

_EXACT = 2**53 - 1
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0}
_DEPTH = 64


def encode(value: Any) -> str:
    """JSON text in ASCII. Raises ServiceError for what is no plain value, such as a tensor."""
    return json.dumps(_down(value, 0), allow_nan=False)


def decode(text: str) -> Any:
    """The value of a text made by `encode` here or there."""
    return _up(json.loads(text))


def _down(value: Any, depth: int) -> Any:
    if depth > _DEPTH:
        raise ServiceError(f"Expected values nested at most {_DEPTH} deep, got deeper ones")
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= _EXACT else {"$": "int", "value": str(int(value))}
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return {"$": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    if isinstance(value, (list, tuple)):
        return [_down(item, depth + 1) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        pairs = [(key, _down(item, depth + 1)) for key, item in value.items()]
        return {"$": "map", "value": pairs} if "$" in value else dict(pairs)
    raise ServiceError(
        "Expected numbers, strings, booleans, None, and lists or string-keyed maps of them, "
        f"got {type(value).__name__} (tensors travel as handles, other objects stay where they are)"
    )


def _up(value: Any) -> Any:
    if isinstance(value, list):
        return [_up(item) for item in value]
    if not isinstance(value, dict):
        return value
    tag = value.get("$")
    if tag is None:
        return {key: _up(item) for key, item in value.items()}
    if tag == "int":
        return int(value["value"])
    if tag == "map":
        return {key: _up(item) for key, item in value["value"]}
    return _FLOATS[tag]
