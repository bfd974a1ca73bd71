"""Writes a network's weights for everyone: safetensors with a header, or a `.pt` state_dict for ordinary PyTorch.

Both hold plain names and shapes, contiguous and on the CPU; `torch.load(path, weights_only=True)` reads the second.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from feynkac_worker.checkpoints.files import write_atomically
from feynkac_worker.checkpoints.header import add_zip_header, encode_header, encode_safetensors
from feynkac_worker.errors import ServiceError
from feynkac_worker.models.description import describe

FORMATS = ("safetensors", "pt")


def save_network(module: nn.Module, path: Path, file_format: str, metadata: Mapping[str, Any]) -> int:
    """Writes the state_dict of `module`; gives the number of bytes. Raises ServiceError; an older file then stays."""
    state = {name: detached(tensor) for name, tensor in module.state_dict().items()}
    header = encode_header(describe(module), metadata)
    if file_format == "safetensors":
        return write_atomically(path, encode_safetensors(state, header))
    if file_format == "pt":
        buffer = io.BytesIO()
        torch.save(state, buffer)
        return write_atomically(path, add_zip_header(buffer.getvalue(), header))
    raise ServiceError(f"Expected `format` to be one of {', '.join(FORMATS)}, got `{file_format}`")


def detached(tensor: Tensor) -> Tensor:
    """A copy of its own on the CPU in row-major order: a file shows neither our memory layout nor shared storage."""
    return tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
