"""The methods `model.graph` and `model.narrow` of CALL (PROTOCOL.md)."""

from __future__ import annotations

from typing import Any

from feynkac_worker.errors import ServiceError
from feynkac_worker.models.copying import copied
from feynkac_worker.models.description import describe
from feynkac_worker.models.narrow import narrow
from feynkac_worker.services import Context, inputs_of, parameter, service
from feynkac_worker.tracing.graph import graph_of

Params = dict[str, Any]
Result = tuple[Any, list[Any]]


@service("model.graph")
def model_graph(context: Context, params: Params, inputs: list[Any]) -> Result:
    """What a module computes for images of `shape` `[1, C, H, W]`."""
    inputs_of(inputs, ["module"])
    shape = parameter(params, "shape", "a shape [1, channels, height, width] of at most 2^24 numbers", _is_image)
    return graph_of(inputs[0], [int(size) for size in shape[1:]]), []


@service("model.narrow")
def model_narrow(context: Context, params: Params, inputs: list[Any]) -> Result:
    """A copy of a module with the channels that `widths` keeps."""
    inputs_of(inputs, ["module"])
    widths = parameter(params, "widths", "a map", lambda x: type(x) is dict)
    try:
        made = narrow(copied(inputs[0]), widths)
    except ValueError as error:
        raise ServiceError(str(error)) from error
    return describe(made), [made]


def _is_image(value: Any) -> bool:
    if type(value) is not list or len(value) != 4 or value[0] != 1:
        return False
    sizes = [size for size in value if type(size) in (int, float) and size == int(size) and 0 < size <= 2**24]
    if len(sizes) != 4:
        return False
    channels, height, width = (int(size) for size in sizes[1:])
    return channels * height * width <= 2**24
