"""Reads checkpoint files into named tensors without running code from them.

Containers: safetensors, torch zip files and the older torch files. Layouts: a bare state_dict, or one under `net`,
`state`, `state_dict`, `model` or `model_state_dict`, its keys perhaps prefixed by `module.` and `basic_net.`; in their
place a whole pickled network of the published code, which `unpickler.py` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from feynkac_worker.checkpoints.files import readable_file, reason
from feynkac_worker.checkpoints.header import decode_header, read_zip_header
from feynkac_worker.checkpoints.networks import walk
from feynkac_worker.checkpoints.pickled import Pickled, read_pickled, screen
from feynkac_worker.checkpoints.standins import Network, RefusedError, Slice
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
    network: str | None = None  # the class of a whole pickled network, None for a state_dict
    options: Mapping[str, Any] = field(default_factory=dict)  # of the architecture, from a whole network's attributes
    quantised: Any = None  # what lies under `G_kernels`

    @property
    def layout(self) -> str:
        """In words: where the state_dict lies and what its names begin with."""
        if self.network is not None:
            place = f"whole network `{self.network}`" + (f" under `{self.container}`" if self.container else "")
        else:
            place = f"state_dict under `{self.container}`" if self.container else "bare state_dict"
        return f"{place}, prefix `{self.prefix}`" if self.prefix else place

    @property
    def widths(self) -> dict[str, Any] | None:
        """Which channels of the dense network stayed, if we wrote the file from a narrowed one."""
        return self.metadata.get("widths") if "feynkac" in self.metadata else None

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
    content, network, options = _read_torch(path)
    container, tensors, rest = _state_dict(path, content)
    quantised = content.get("G_kernels") if container is not None else None
    metadata = {**rest, **read_zip_header(path)}
    return Checkpoint(path, "torch", container, _prefix(tensors), tensors, metadata, network, options, quantised)


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


def _read_torch(path: Path) -> tuple[Any, str | None, Mapping[str, Any]]:
    """The content of a torch file; of a whole network in it the state_dict, the class and the options."""
    try:
        screen(path)
        try:
            # Allowed on top of tensors and plain containers: numpy's numbers, which the authors store as `acc`.
            with torch.serialization.safe_globals(_numpy_scalars()):
                return torch.load(path, map_location="cpu", weights_only=True), None, {}
        except Exception:
            # For networks, above all those of Python 2, torch's refusals have many forms: the restricted unpickler
            # decides.
            return _without_networks(read_pickled(path))
    except RefusedError as error:
        raise ServiceError(
            f"Expected `{path}` to hold tensors, numbers and networks of the published code, got {error}"
        ) from error
    except Exception as error:
        # Damaged files raise whatever the parser meets first (EOFError, IndexError, RuntimeError, struct.error, …).
        raise ServiceError(
            f"Expected `{path}` to be a torch or safetensors file, got a damaged file or another kind of file "
            f"({path.stat().st_size} bytes)"
        ) from error


def _without_networks(pickled: Pickled) -> tuple[Any, str | None, Mapping[str, Any]]:
    """The content with tensors in place of stand-ins, where a checkpoint has tensors: at most one container down."""

    def read(value: Any) -> Any:
        return pickled.tensor(value) if isinstance(value, Slice) else value

    content = pickled.content
    if isinstance(content, Network):
        content = {CONTAINER_KEYS[0]: content}
    if not isinstance(content, dict):
        return read(content), None, {}
    found: dict[Any, Any] = {}
    kind, options = None, {}
    for key, value in content.items():
        if isinstance(value, Network) and kind is None and key in CONTAINER_KEYS:
            tree = walk(value, pickled)
            found[key], kind, options = tree.state, value.kind.shown, tree.options
        elif isinstance(value, dict):
            found[key] = {name: read(item) for name, item in value.items()}
        elif isinstance(value, list):
            found[key] = [read(item) for item in value]
        else:
            found[key] = value.kind.shown if isinstance(value, Network) else read(value)
    return (found[CONTAINER_KEYS[0]] if isinstance(pickled.content, Network) else found), kind, options


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
            rest = {str(_plain(name)): _plain(value) for name, value in content.items() if name != key}
            return key, dict(content[key]), rest
    keys = ", ".join(f"`{_plain(key)}`" for key in list(content)[:8]) or "none"
    raise ServiceError(
        f"Expected `{path}` to hold a state_dict, bare or under one of {', '.join(CONTAINER_KEYS)}, got the keys {keys}"
    )


def _is_state_dict(value: Any) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(key, str) and key.isprintable() and is_dense(item) for key, item in value.items())


def is_dense(value: Any) -> bool:
    """An ordinary tensor on the CPU whose elements are all in the file, not one shown many times."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.device.type != "cpu":
        return False
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _plain(value: Any, depth: int = 0) -> Any:
    """Numbers, strings and short lists as they are; everything else in words, such as `tensor float32[16, 3, 3, 3]`."""
    if isinstance(value, Tensor):
        described = f"tensor {str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
        return _plain(value.item()) if value.numel() == 1 else described
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) >= 2**256:
        return hex(value)[:99]  # decimals of a long number take long
    if isinstance(value, int | float):
        # Numbers that the wire or JSON cannot carry are kept as text.
        return value if abs(value) < 2**32 else str(value)
    # A list may hold itself, or itself twice.
    if isinstance(value, list | tuple) and len(value) <= 16 and depth < 3:
        return [_plain(item, depth + 1) for item in value]
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
