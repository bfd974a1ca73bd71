"""Reads checkpoint files into named tensors without running code from them.

Containers: safetensors, torch zip files and the older torch files. Layouts: a bare state_dict, or one under `net`,
`state`, `state_dict`, `model` or `model_state_dict`, its keys perhaps prefixed by `module.` and `basic_net.`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from feynkac_worker.checkpoints.files import readable_file, reason
from feynkac_worker.checkpoints.header import decode_header, read_zip_header
from feynkac_worker.errors import ServiceError

CONTAINER_KEYS = ("net", "state", "state_dict", "model", "model_state_dict")
PREFIXES = ("module.", "basic_net.")


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a file under the names in it, and how to find the network among them."""

    path: Path
    format: str  # "safetensors" or "torch"
    container: str | None  # the key that holds the state_dict, None when it is bare
    prefix: str  # what all names begin with, such as "module.basic_net."
    tensors: Mapping[str, Tensor]
    metadata: Mapping[
        str, Any
    ]  # JSON-like: `feynkac` if we wrote the file, and what foreign files store beside the weights

    @property
    def layout(self) -> str:
        """In words: where the state_dict lies and what its names begin with."""
        place = f"state_dict under `{self.container}`" if self.container else "bare state_dict"
        return f"{place}, prefix `{self.prefix}`" if self.prefix else place

    @property
    def state(self) -> dict[str, Tensor]:
        """The tensors without the prefix."""
        return {name.removeprefix(self.prefix): tensor for name, tensor in self.tensors.items()}


def read_checkpoint(value: Any) -> Checkpoint:
    """The checkpoint at an absolute path, on the CPU. Raises ServiceError, one sentence, for anything else."""
    path = readable_file(value)
    if _is_safetensors(path):
        tensors, metadata = read_safetensors(path)
        return Checkpoint(path, "safetensors", None, _prefix(tensors), tensors, decode_header(path, metadata))
    container, tensors, rest = _state_dict(path, _read_torch(path))
    return Checkpoint(path, "torch", container, _prefix(tensors), tensors, {**rest, **read_zip_header(path)})


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors and the header's strings. Raises ServiceError when the file is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        detail = reason(error) if isinstance(error, OSError) else str(error)
        raise ServiceError(f"Expected `{path}` to be a safetensors file, got a damaged one ({detail})") from error


def _is_safetensors(path: Path) -> bool:
    """A header length, then a JSON object; or the file ending, so that a damaged file is called what it is."""
    with path.open("rb") as file:
        start = file.read(9)
    return path.suffix == ".safetensors" or (start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**27)


def _read_torch(path: Path) -> Any:
    try:
        # Allowed on top of tensors and plain containers: numpy's numbers, which the authors store as `acc`.
        with torch.serialization.safe_globals(_numpy_scalars()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Damaged files raise whatever the parser meets first (EOFError, IndexError, RuntimeError, struct.error, …).
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        if found:
            raise ServiceError(
                f"Expected `{path}` to hold tensors and numbers, got a pickled Python object (`{found[1]}`): "
                "files of whole modules are not supported yet, so save `net.state_dict()` with the code that made it"
            ) from error
        raise ServiceError(
            f"Expected `{path}` to be a torch or safetensors file, got a damaged file or another kind of file "
            f"({path.stat().st_size} bytes)"
        ) from error


def _numpy_scalars() -> list[Any]:
    # The function that rebuilds a numpy scalar has one name in files of numpy 1 and another in those of numpy 2.
    rebuild = np.float64(0).__reduce__()[0]
    names = [(rebuild, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    return [*names, np.dtype, *{type(np.dtype(code)) for code in "?bhilqBHILQefd"}]


def _state_dict(path: Path, content: Any) -> tuple[str | None, dict[str, Tensor], dict[str, Any]]:
    """Container key, tensors, and the rest of the file as JSON-like metadata."""
    if not isinstance(content, Mapping):
        raise ServiceError(f"Expected `{path}` to hold a state_dict, got a pickled {type(content).__name__}")
    if _is_state_dict(content):
        return None, dict(content), {}
    for key in CONTAINER_KEYS:
        if _is_state_dict(content.get(key)):
            rest = {str(name): _plain(value) for name, value in content.items() if name != key}
            return key, dict(content[key]), rest
    keys = ", ".join(f"`{key}`" for key in list(content)[:8]) or "none"
    raise ServiceError(
        f"Expected `{path}` to hold a state_dict, bare or under one of {', '.join(CONTAINER_KEYS)}, got the keys {keys}"
    )


def _is_state_dict(value: Any) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(key, str) and _is_dense(item) for key, item in value.items())


def _is_dense(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided and value.device.type == "cpu"


def _plain(value: Any) -> Any:
    """Numbers, strings and short lists as they are; everything else in words, such as `tensor float32[16, 3, 3, 3]`."""
    if isinstance(value, Tensor):
        described = f"tensor {str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
        return _plain(value.item()) if value.numel() == 1 else described
    if isinstance(value, np.generic):
        return _plain(value.item())
    if value is None or isinstance(value, bool | int | float | str):
        # Numbers that the wire or JSON cannot carry are kept as text.
        carried = not isinstance(value, int | float) or abs(value) < 2**32
        return value if carried else str(value)
    if isinstance(value, list | tuple) and len(value) <= 16:
        return [_plain(item) for item in value]
    return type(value).__name__


def _prefix(tensors: Mapping[str, Tensor]) -> str:
    """The wrappers' names that all keys begin with, in any order and number."""
    prefix = ""
    while tensors:
        longer = [prefix + known for known in PREFIXES if all(name.startswith(prefix + known) for name in tensors)]
        if not longer:
            break
        prefix = longer[0]
    return prefix
