"""The services `data.list` and `data.load` (PROTOCOL.md, methods of CALL)."""

from __future__ import annotations

from typing import Any

import torch

from feynkac_worker.data import dataset, names
from feynkac_worker.data._dataset import Array
from feynkac_worker.services import Context, parameter, service


@service("data.list")
def list_datasets(ctx: Context, params: dict[str, Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
    """The registered data sets: [{name, title, splits}]."""
    found = [(name, dataset(name)) for name in names()]
    return [{"name": name, "title": module.TITLE, "splits": list(module.SPLITS)} for name, module in found], []


@service("data.load")
def load_dataset(ctx: Context, params: dict[str, Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
    """images float32 [n, channels, height, width] in [0, 1] and labels int64 [n], both on the device."""
    name = parameter(params, "name", f"one of {', '.join(names())}", _is_text)
    split = parameter(params, "split", "a string", _is_text)
    root = parameter(params, "root", "a path or null", lambda value: value is None or _is_text(value))
    images, labels, description = dataset(name).load(root, split)
    return description, [to_device(images, ctx.device), torch.from_numpy(labels).to(ctx.device)]


def _is_text(value: Any) -> bool:
    return type(value) is str and "\0" not in value


def to_device(images: Array, device: torch.device) -> torch.Tensor:
    """uint8 or float32 images [n, channels, height, width] to float32 in [0, 1] on the device, row-major.

    Row-major also for colour: index_select on a channels-last batch is 2.5 times slower and returns row-major anyway.
    Bytes are widened on the device: a quarter of the transfer, and one float copy in all.
    """
    x_BCHW = torch.from_numpy(images).to(device)
    if x_BCHW.dtype != torch.uint8:
        return x_BCHW
    # A tensor as divisor: CUDA replaces division by a number with a product, which rounds otherwise than the CPU.
    return x_BCHW.to(torch.float32).div_(torch.tensor(255.0, device=device))
