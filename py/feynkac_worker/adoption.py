"""Networks of the user: a factory in a Python file or module of theirs, imported only with the session's permission.

`model.adopt` gives a module like any other: it is trained, attacked and saved as ours are (PROTOCOL.md).
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from feynkac_worker.errors import ServiceError, message_of
from feynkac_worker.models.description import describe
from feynkac_worker.services import Context, inputs_of, parameter, service

# Live objects of the embedded worker's control plane, by number: `model.adopt` takes one over.
OBJECTS: dict[int, Any] = {}


@service("model.adopt")
def model_adopt(context: Context, params: dict[str, Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
    """The module that `source:name` makes with the keyword arguments `options`, or the live `object`."""
    inputs_of(inputs, [])
    allowed(context.config)
    if "object" in params:
        number = parameter(params, "object", "the number of a live object", lambda x: type(x) is int and x in OBJECTS)
        spec, made = f"object {number}", OBJECTS[number]
    else:
        source, name = (parameter(params, key, "a name", _is_text) for key in ("source", "name"))
        seed = parameter({"seed": 0, **params}, "seed", "an integer in [0, 2^63)", _is_seed)
        options: dict[str, Any] = parameter({"options": {}, **params}, "options", "a map", lambda x: type(x) is dict)
        spec = spec_of(source, name)
        with _seeded(int(seed)):
            made = invoke(spec, find(source, name), [], options)
    module = _checked(made, spec).to(context.device)
    return describe(module), [module]


def allowed(config: Mapping[str, Any]) -> None:
    """Raises ServiceError unless the session was opened with the permission to run the user's Python code."""
    if config.get("allowImports") is not True:
        raise ServiceError(
            "Expected permission to run Python code of yours (`allowImports: true` when connecting, `--allow-code` on "
            "the command line, and also for a worker started by hand), got none"
        )


def spec_of(source: str, name: str) -> str:
    """`file.py:name` as messages show it."""
    return f"{Path(source).name if source.endswith('.py') else source}:{name}"


def find(source: str, name: str) -> Any:
    """The object `name` (dots allowed) of a file, given by absolute path, or of a module. Raises ServiceError."""
    found: Any = _load(source) if source.endswith(".py") else _import(source)
    for part in name.split("."):
        if not hasattr(found, part):
            public = [key for key in dir(found) if not key.startswith("_")]
            raise ServiceError(
                f"Expected `{spec_of(source, name)}` to exist, found {', '.join(public[:12]) or 'nothing'}"
            )
        found = getattr(found, part)
    return found


def invoke(spec: str, function: Any, args: list[Any], options: Mapping[str, Any]) -> Any:
    """What a function of the user gives. Raises ServiceError with the place in the user's code."""
    if not callable(function):
        raise ServiceError(f"Expected `{spec}` to be something to call, got {type(function).__name__}")
    # Commands run without recording; the user's code starts as it would in a script of its own.
    with _sentence(f"`{spec}`"), torch.enable_grad():
        return function(*args, **options)


def _load(path: str) -> Any:
    file = Path(path)
    if not file.is_absolute() or not file.is_file():
        raise ServiceError(f"Expected `{path}` to be the absolute path of a Python file that exists")
    # As `python file.py` does: the file finds its neighbours.
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    # Read anew each time, so that an edit counts; under a name that no other module has.
    name = f"feynkac_user_{file.stem}"
    found = importlib.util.spec_from_file_location(name, file)
    if found is None or found.loader is None:
        raise ServiceError(f"Expected `{path}` to be a Python file")
    module = importlib.util.module_from_spec(found)
    # Data classes and pickles look their module up.
    sys.modules[name] = module
    with _sentence(f"`{file.name}`"), torch.enable_grad():
        found.loader.exec_module(module)
    return module


def _import(name: str) -> Any:
    with _sentence(f"the module `{name}`"), torch.enable_grad():
        return importlib.import_module(name)


@contextlib.contextmanager
def _sentence(what: str) -> Iterator[None]:
    try:
        yield
    # A script may call exit(); that must not end the worker.
    except (Exception, SystemExit) as error:
        raise ServiceError(f"Expected {what} to run, got {message_of(error)}{_place(error)}") from error


def _place(error: BaseException) -> str:
    # The innermost frame outside of this file; syntax errors carry theirs in the message.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    frames = [frame for frame in frames if not frame.filename.startswith("<frozen")]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _checked(made: Any, spec: str) -> nn.Module:
    if not isinstance(made, nn.Module):
        raise ServiceError(f"Expected `{spec}` to give an nn.Module, got {type(made).__name__}")
    if any(is_lazy(x) for x in [*made.parameters(), *made.buffers()]):
        raise ServiceError(f"Expected `{spec}` to give a module with all its shapes, got lazy parameters")
    return made


def _is_text(value: Any) -> bool:
    return type(value) is str and value != "" and "\0" not in value


def _is_seed(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 2**63 and value == int(value)
