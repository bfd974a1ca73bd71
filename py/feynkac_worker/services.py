"""The methods of CALL: a registry, and the services of the worker itself (PROTOCOL.md, "Methods of CALL")."""

from __future__ import annotations

import math
import os
import platform
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn

from feynkac_worker import codec, optable
from feynkac_worker.errors import ServiceError
from feynkac_worker.handles import Handles, kind_of


@dataclass
class Context:
    """What a service may use."""

    device: torch.device
    handles: Handles
    threads: int = 1
    config: Mapping[str, Any] = field(default_factory=dict)


# (context, params, inputs) -> (value, objects for the output handles in order)
Service = Callable[[Context, dict[str, Any], list[Any]], tuple[Any, list[Any]]]

SERVICES: dict[str, Service] = {}
# These restore their inputs, so they accept poisoned ones and lift the poison.
HEALING = frozenset({"state.load"})


def service(name: str) -> Callable[[Service], Service]:
    """Registers a function as the method `name`, `group.verb`."""

    def register(function: Service) -> Service:
        if SERVICES.setdefault(name, function) is not function:
            raise ImportError(f"Two services are called {name}")
        return function

    return register


def find(name: Any) -> Service:
    """The service called `name`; raises ServiceError listing the known ones."""
    found = SERVICES.get(name) if isinstance(name, str) else None
    if found is None:
        raise ServiceError(f"Expected a method of {', '.join(sorted(SERVICES))}, got `{str(name)[:60]}`")
    return found


def parameter(params: Mapping[str, Any], name: str, expected: str, check: Callable[[Any], bool]) -> Any:
    """`params[name]` after `check`; raises ServiceError saying what was `expected`."""
    value = params.get(name)
    if not check(value):
        raise ServiceError(f"Expected `{name}` to be {expected}, got `{str(value)[:60]}` ({type(value).__name__})")
    return value


def is_number(value: Any) -> bool:
    """Whether a value is a finite number; msgpack writes 1.0 as 1, so integers count."""
    return type(value) in (int, float) and math.isfinite(value)


def is_count(value: Any) -> bool:
    """Whether a value is a whole number of at least 1; msgpack may write it as a float."""
    return is_number(value) and value == int(value) and value >= 1


def located(context: Context, params: Any, error: Exception) -> Exception:
    """A ServiceError about a file that is not here says where "here" is, when client and worker may be two machines."""
    host = context.config.get("host")
    named = [params.get(key) for key in ("path", "root", "source")] if isinstance(params, dict) else []
    missing = any(isinstance(path, str) and os.path.isabs(path) and not os.path.exists(path) for path in named)
    if host is None or not missing or not isinstance(error, ServiceError):
        return error
    return ServiceError(f"{error}; the worker looks for files on its own machine, {host}")


def inputs_of(inputs: list[Any], kinds: list[str]) -> None:
    """Raises ServiceError unless the inputs are of these kinds."""
    found = [kind_of(value) for value in inputs]
    if found != kinds:
        raise ServiceError(f"Expected input handles of the kinds {kinds}, got {found[:8]}")


def welcome(context: Context) -> dict[str, Any]:
    """The WELCOME value."""
    cuda = context.device.type == "cuda"
    return {
        "protocol": [codec.MAJOR, codec.MINOR],
        "opTableHash": optable.HASH,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "zmq": version("pyzmq"),
        "device": str(context.device),
        "deviceName": torch.cuda.get_device_name(context.device) if cuda else platform.machine(),
        "cuda": torch.version.cuda if cuda else None,
        "threads": context.threads,
        "pid": os.getpid(),
    }


def rss_bytes() -> int:
    """Resident memory of the process; the peak where the kernel does not tell the present size."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@service("device.info")
def device_info(context: Context, params: dict[str, Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
    """WELCOME, the number of CPUs, and the names of the CUDA devices."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = [torch.cuda.get_device_name(i) for i in range(count)]
    return {**welcome(context), "cpuCount": os.cpu_count() or 1, "cudaDevices": names}, []


@service("device.memory")
def device_memory(context: Context, params: dict[str, Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
    """Handles, bytes of their tensors, resident memory, CUDA memory."""
    allocated = torch.cuda.memory_allocated(context.device) if context.device.type == "cuda" else 0
    handles = context.handles
    return {
        "handles": len(handles.objects),
        "tensorBytes": handles.tensor_bytes(),
        "rssBytes": rss_bytes(),
        "cudaAllocatedBytes": allocated,
    }, []


@service("generator.create")
def generator_create(context: Context, params: dict[str, Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
    """A random generator on the worker's device."""
    inputs_of(inputs, [])

    def is_seed(x: Any) -> bool:
        return type(x) in (int, float) and 0 <= x < 2**63 and x == int(x)

    seed = parameter(params, "seed", "an integer in [0, 2^63)", is_seed)
    return {}, [torch.Generator(device=context.device).manual_seed(int(seed))]


@service("optimizer.create")
def optimizer_create(context: Context, params: dict[str, Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
    """torch.optim.SGD over the input parameters; the learning rate comes with every step."""
    parameter(params, "kind", "`sgd`", lambda x: x == "sgd")
    if not inputs:
        raise ServiceError("Expected at least one parameter for the optimizer, got none")
    inputs_of(inputs, ["tensor"] * len(inputs))
    if not all(x.is_leaf and x.is_floating_point() for x in inputs):
        raise ServiceError("Expected the parameters of the optimizer to be floating-point tensors")
    momentum, decay, dampening = (
        float(parameter({name: 0, **params}, name, "a number of at least 0", lambda x: is_number(x) and x >= 0))
        for name in ("momentum", "weightDecay", "dampening")
    )
    nesterov = parameter({"nesterov": False, **params}, "nesterov", "true or false", lambda x: type(x) is bool)
    if nesterov and (momentum == 0 or dampening != 0):
        raise ServiceError("Expected `nesterov` to come with a positive `momentum` and `dampening` 0")
    sgd = torch.optim.SGD(inputs, 0.0, momentum, dampening, decay, nesterov)
    return {}, [sgd]


@service("model.bind")
def model_bind(context: Context, params: dict[str, Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
    """The parameters and buffers of a module by name; they share its storage."""
    inputs_of(inputs, ["module"])
    module: nn.Module = inputs[0]
    names = parameter(params, "names", "a list of names", lambda x: type(x) is list)
    # Looked up among what the module lists: a name is never followed as an attribute path.
    own: dict[str, Tensor] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    for name in names:
        if not isinstance(name, str) or name not in own:
            raise ServiceError(f"Expected `names` to be parameters or buffers of the module, got `{str(name)[:60]}`")
    return {}, [own[name] for name in names]
