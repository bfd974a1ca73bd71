"""The objects behind the client's handles, and which of them are poisoned.

Two handles may share storage (`model.bind` gives the tensors of a module). So a failure poisons by storage: every
handle that holds a storage which the failed command may have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from feynkac_worker.errors import ProtocolError, RootError

_KINDS: tuple[tuple[type, str], ...] = (
    (Tensor, "tensor"),
    (nn.Module, "module"),
    (Optimizer, "optimizer"),
    (Generator, "generator"),
)


def kind_of(value: Any) -> str:
    """`tensor`, `module`, `optimizer` or `generator`; the class name for what no handle may hold."""
    return next((name for base, name in _KINDS if isinstance(value, base)), type(value).__name__)


def storages(value: Any) -> set[int]:
    """Addresses of the storage behind a tensor, a module (buffers included), or the parameters of an optimizer."""
    if isinstance(value, nn.Module):
        tensors: Iterable[Tensor] = [*value.parameters(), *value.buffers()]
    elif isinstance(value, Optimizer):
        tensors = [p for group in value.param_groups for p in group["params"]]
    else:
        tensors = [value] if isinstance(value, Tensor) else []
    # Empty tensors all live at address 0 and share nothing.
    return {x.untyped_storage().data_ptr() for x in tensors} - {0}


class Handles:
    """`objects` and `poison` are plain dictionaries because the server reads them in its inner loop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.objects: dict[int, Any] = {}
        self.poison: dict[int, RootError] = {}
        # Called with a handle that was freed although a binding had captured it.
        self.captured: dict[int, list[Callable[[int], None]]] = {}

    def get(self, handle: Any, kind: str | None = None) -> Any:
        """The object of a handle, poisoned or not. Raises ProtocolError when it is unknown or of another kind."""
        value = self.objects.get(handle) if type(handle) is int else None
        if value is None:
            self.unknown(handle)
        if kind is not None and kind_of(value) != kind:
            raise ProtocolError(f"Expected handle {handle} to be a {kind}, got a {kind_of(value)}")
        return value

    def unknown(self, handle: Any) -> NoReturn:
        """Raises ProtocolError for a handle that is not bound."""
        raise ProtocolError(f"Expected a bound handle, got `{str(handle)[:60]}`")

    def check_new(self, handles: Any) -> None:
        """Raises ProtocolError unless `handles` is a list of free uint32 handles that still fit."""
        if type(handles) is not list:
            raise ProtocolError(f"Expected a list of output handles, got `{str(handles)[:60]}`")
        for handle in handles:
            if type(handle) is not int or handle >> 32:
                raise ProtocolError(f"Expected a handle to be an integer in [0, 2^32), got `{str(handle)[:60]}`")
            if handle in self.objects or handle in self.poison:
                raise ProtocolError(f"Expected a free handle, got {handle}, which is bound already")
        if len(set(handles)) != len(handles):
            raise ProtocolError("Expected output handles that differ from each other")
        if len(self.objects) + len(handles) > self.limit:
            raise ProtocolError(f"Expected at most {self.limit} handles, got more")

    def free(self, handle: Any) -> None:
        """Forgets a handle; one that is unknown is forgotten already."""
        if type(handle) is not int:
            self.unknown(handle)
        self.objects.pop(handle, None)
        self.poison.pop(handle, None)
        for forget in self.captured.pop(handle, ()):
            forget(handle)

    def first_poison(self, handles: Iterable[int]) -> RootError | None:
        """The root error of the first poisoned handle."""
        if not self.poison:
            return None
        return next((self.poison[h] for h in handles if h in self.poison), None)

    def poison_outputs(self, handles: Any, root: RootError) -> None:
        """Binds an error to the outputs that a failed command would have made; handles in use keep what they hold."""
        for handle in handles if type(handles) is list else ():
            if type(handle) is int and not handle >> 32 and handle not in self.objects:
                self.poison.setdefault(handle, root)

    def poison_shared(self, touched: set[int], handles: set[int], root: RootError) -> None:
        """Binds an error to `handles` and to all tensors and modules that hold one of the storages `touched`."""
        for handle, value in self.objects.items():
            shares = not isinstance(value, Optimizer) and not touched.isdisjoint(storages(value))
            if handle in handles or shares:
                self.poison.setdefault(handle, root)

    def heal(self, handles: Iterable[int]) -> None:
        """Lifts the poison of handles that were restored, and of the tensors that live in their storage."""
        handles = set(handles)
        restored: set[int] = set()
        for handle in handles:
            restored |= storages(self.objects.get(handle))
        for handle in [*self.poison]:
            value = self.objects.get(handle)
            inside = isinstance(value, Tensor) and bool(storages(value)) and storages(value) <= restored
            if handle in handles or inside:
                del self.poison[handle]

    def tensor_bytes(self) -> int:
        """Bytes of all storage that the handles keep alive, each counted once."""
        sizes: dict[int, int] = {}
        for value in self.objects.values():
            tensors = [*value.parameters(), *value.buffers()] if isinstance(value, nn.Module) else [value]
            for x in tensors:
                if isinstance(x, torch.Tensor):
                    sizes[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return sum(sizes.values())
