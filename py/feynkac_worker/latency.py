"""`model.latency`: how long forward passes take, timed in the worker so that no message lies between (PROTOCOL.md)."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import torch

from feynkac_worker.errors import ServiceError
from feynkac_worker.handles import kind_of
from feynkac_worker.services import Context, is_count, parameter, service
from feynkac_worker.structural import keywords


@service("model.latency")
def model_latency(context: Context, params: dict[str, Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
    """Seconds of passes in evaluation mode on random images, the modules in turn, so that a busy moment meets all."""
    if not inputs or any(kind_of(module) != "module" for module in inputs):
        raise ServiceError(f"Expected one network or more, got {[kind_of(module) for module in inputs[:8]]}")
    shape = parameter(
        params,
        "shape",
        "[channels, height, width]",
        lambda x: type(x) is list and len(x) == 3 and all(map(is_count, x)),
    )
    batch, repeats = (int(parameter(params, key, "a positive integer", is_count)) for key in ("batch", "repeats"))
    warmup = int(parameter(params, "warmup", "a positive integer", is_count))
    noise = parameter(params, "noise", "true or false", lambda x: type(x) is bool)
    # Draws of its own: the global generator stays as it is.
    generator = torch.Generator(context.device).manual_seed(0)
    size = [batch, *(int(x) for x in shape)]
    images = torch.rand(size, generator=generator, device=context.device)
    given = {"noise": noise, "generator": generator}
    calls = [(module, {key: given[key] for key in keywords(module, frozenset(given))}) for module in inputs]
    was_training = [[part for part in module.modules() if part.training] for module in inputs]
    seconds: list[list[float]] = [[] for _ in calls]
    try:
        for module in inputs:
            module.eval()
        for turn in range(warmup + repeats):
            for (module, options), times in zip(calls, seconds, strict=True):
                _wait(context.device)
                start = perf_counter()
                with torch.no_grad():
                    module(images, **options)
                _wait(context.device)
                if turn >= warmup:
                    times.append(perf_counter() - start)
    finally:
        for parts in was_training:
            for part in parts:
                part.training = True
    return {"seconds": seconds, "threads": torch.get_num_threads(), "device": str(context.device)}, []


def _wait(device: torch.device) -> None:
    # A call returns before the accelerator has done its work.
    if device.type == "cuda":
        torch.cuda.synchronize(device)
