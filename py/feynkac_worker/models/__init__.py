"""The networks, one file each.

A file registers itself by `MODELS`: name -> (constructor, arguments that the name fixes, defaults that it changes).
An option is any other argument of the constructor. Adding a network is one file and its test.
"""

from __future__ import annotations

import importlib
import inspect
import math
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import nn

from feynkac_worker.errors import ServiceError

Entry = tuple[type[nn.Module], dict[str, Any], dict[str, Any]]

_NOUNS = {int: "an integer", float: "a finite number", bool: "true or false", str: "a string"}


@cache
def registry() -> dict[str, Entry]:
    """All known names in alphabetical order of their files."""
    files = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {name: entry for file in files for name, entry in getattr(file, "MODELS", {}).items()}


def option_defaults(name: str) -> dict[str, Any]:
    """The options of the network `name` with their defaults. Raises ServiceError for an unknown name."""
    if name not in registry():
        raise ServiceError(f"Expected `name` to be a known network ({', '.join(registry())}), got `{name}`")
    constructor, fixed, changed = registry()[name]
    parameters = inspect.signature(constructor).parameters.values()
    return {p.name: changed.get(p.name, p.default) for p in parameters if p.name not in fixed}


def build(name: str, options: Mapping[str, Any] | None = None, *, seed: int = 0) -> nn.Module:
    """A new network on the CPU, in channels-last layout.

    The same seed gives the same weights, and no global random state is touched.
    Raises ServiceError for an unknown name, an unknown option, or a value that the network refuses.
    """
    defaults = option_defaults(name)
    chosen = {key: _checked(name, key, value, defaults) for key, value in (options or {}).items()}
    constructor, fixed, changed = registry()[name]
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would also reseed the accelerators.
        torch.default_generator.manual_seed(seed)
        try:
            module = constructor(**fixed, **{**changed, **chosen})
        except ValueError as error:
            raise ServiceError(f"{error} (network `{name}`)") from error
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _checked(name: str, key: str, value: Any, defaults: Mapping[str, Any]) -> Any:
    """The value of one option in the type of its default: JSON and msgpack write 1.0 as 1."""
    if key not in defaults:
        raise ServiceError(f"Expected the options of `{name}` to be among {', '.join(defaults)}, got `{key}`")
    kind = type(defaults[key])
    if kind is float and type(value) is int:
        value = float(value)
    if kind is int and type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        got = f"`{value}` ({type(value).__name__})"
        raise ServiceError(f"Expected the option `{key}` of `{name}` to be {_NOUNS[kind]}, got {got}")
    return value
