"""Ops that need more than one torch function to keep the table's promises. Arguments in the row's order.

Absent arguments are None. Literals and runtime scalars arrive as Python numbers, so that they never promote a tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

Number = float | int | bool

# The stubs know neither mixed bounds nor orders beyond 2.
_clamp: Callable[..., Tensor] = torch.clamp
_norm: Callable[..., Tensor] = torch.linalg.vector_norm

_REDUCTIONS = {"none": 0, "mean": 1, "sum": 2, "batchmean": 2}


def number(value: Any) -> Number:
    """A Python number from a literal, a runtime scalar or a 0-d tensor."""
    result: Number = value.item() if isinstance(value, Tensor) else value
    return result


def integer(value: Any, name: str) -> int:
    """A whole number; one that arrived as float64 (JavaScript has no other) must be integral."""
    found = number(value)
    if isinstance(found, bool) or found != int(found):
        raise ValueError(f"Expected `{name}` to be an integer, got `{found}`")
    return int(found)


def beside(value: Any, other: Tensor) -> Tensor:
    """A number as a 0-d tensor that promotes as the literal would: 0-d float64 would promote 0-d float32."""
    if isinstance(value, Tensor):
        return value
    return torch.scalar_tensor(value, dtype=torch.result_type(other, value), device=other.device)


def maximum(self: Tensor, other: Tensor | Number) -> Tensor:
    return torch.maximum(self, beside(other, self))


def minimum(self: Tensor, other: Tensor | Number) -> Tensor:
    return torch.minimum(self, beside(other, self))


def clamp(self: Tensor, low: Tensor | Number | None, high: Tensor | Number | None) -> Tensor:
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        low = None if low is None else beside(low, self)
        high = None if high is None else beside(high, self)
    return _clamp(self, low, high)


def where(self: Tensor | Number, condition: Tensor, other: Tensor | Number) -> Tensor:
    return torch.where(condition, self, other)


def amax(self: Tensor, dim: list[int] | None = None, keepdim: bool | None = None) -> Tensor:
    return torch.amax(self, dim or (), bool(keepdim))


def amin(self: Tensor, dim: list[int] | None = None, keepdim: bool | None = None) -> Tensor:
    return torch.amin(self, dim or (), bool(keepdim))


def reducer(target: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """sum, mean, argmax, argmin, any, all: `dim` None means all dimensions."""

    def reduce(self: Tensor, dim: Any = None, keepdim: bool | None = None) -> Tensor:
        return target(self) if dim is None and not keepdim else target(self, dim, bool(keepdim))

    return reduce


def std(
    self: Tensor, dim: list[int] | None = None, correction: int | None = None, keepdim: bool | None = None
) -> Tensor:
    return torch.std(self, dim, correction=1 if correction is None else correction, keepdim=bool(keepdim))


def norm(self: Tensor, p: Any = None, dim: list[int] | None = None, keepdim: bool | None = None) -> Tensor:
    return _norm(self, 2 if p is None else number(p), dim, bool(keepdim))


def sort(self: Tensor, dim: int | None = None, descending: bool | None = None) -> Sequence[Tensor]:
    return torch.sort(self, dim=-1 if dim is None else dim, descending=bool(descending), stable=True)


def topk(self: Tensor, k: int, dim: int | None = None, largest: bool | None = None) -> Sequence[Tensor]:
    return torch.topk(self, k, -1 if dim is None else dim, largest is not False, True)


def kthvalue(self: Tensor, k: int, dim: int | None = None, keepdim: bool | None = None) -> Sequence[Tensor]:
    return torch.kthvalue(self, k, -1 if dim is None else dim, bool(keepdim))


def narrow(self: Tensor, dim: int, start: Any, length: int) -> Tensor:
    # torch.narrow clips nothing by itself, but counts a negative start from the end.
    return torch.narrow(self, dim, start if type(start) is int else integer(start, "start"), length)


def pad(self: Tensor, padding: Sequence[int], mode: str | None = None, value: Any = None) -> Tensor:
    filled = None if value is None else float(number(value))
    return F.pad(self, padding, mode or "constant", filled)


def flatten(self: Tensor, start_dim: int | None = None, end_dim: int | None = None) -> Tensor:
    return torch.flatten(self, start_dim or 0, -1 if end_dim is None else end_dim)


def repeat_interleave(self: Tensor, repeats: int, dim: int) -> Tensor:
    return torch.repeat_interleave(self, repeats, dim)


def scatter(self: Tensor, dim: int, index: Tensor, source: Tensor | Number) -> Tensor:
    return torch.scatter(self, dim, index, source)


def cross_entropy(self: Tensor, target: Tensor, reduction: str | None = None, label_smoothing: Any = None) -> Tensor:
    smoothing = 0.0 if label_smoothing is None else float(number(label_smoothing))
    return F.cross_entropy(self, target, reduction=reduction or "mean", label_smoothing=smoothing)


def kl_div(self: Tensor, target: Tensor, reduction: str | None = None, log_target: bool | None = None) -> Tensor:
    # Not F.kl_div: it warns on every call with "mean", which the table documents plainly.
    reduction = reduction or "batchmean"
    loss = torch.kl_div(self, target, _REDUCTIONS[reduction], log_target=bool(log_target))
    return loss / self.shape[0] if reduction == "batchmean" and self.dim() else loss


def full_like(self: Tensor, value: Any) -> Tensor:
    return torch.full_like(self, number(value))


def full(shape: Sequence[int], value: Any, dtype: torch.dtype, *, device: torch.device) -> Tensor:
    return torch.full(shape, number(value), dtype=dtype, device=device)


def arange(start: Any, end: Any, step: Any, dtype: torch.dtype, *, device: torch.device) -> Tensor:
    return torch.arange(number(start), number(end), number(step), dtype=dtype, device=device)


def rand(shape: Sequence[int], generator: Generator, dtype: torch.dtype | None = None) -> Tensor:
    return torch.rand(shape, generator=generator, dtype=dtype, device=generator.device)


def randn(shape: Sequence[int], generator: Generator, dtype: torch.dtype | None = None) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=dtype, device=generator.device)


def _laid_out(draw: Tensor, self: Tensor) -> Tensor:
    # Drawn in C order, then given the layout of `self`: arithmetic on mixed layouts costs seven times as much.
    if self.dim() == 4 and not self.is_contiguous() and self.is_contiguous(memory_format=torch.channels_last):
        return draw.contiguous(memory_format=torch.channels_last)
    return draw


def rand_like(self: Tensor, generator: Generator) -> Tensor:
    draw = torch.rand(self.shape, generator=generator, dtype=self.dtype, device=self.device)
    return _laid_out(draw, self)


def randn_like(self: Tensor, generator: Generator) -> Tensor:
    draw = torch.randn(self.shape, generator=generator, dtype=self.dtype, device=self.device)
    return _laid_out(draw, self)


def randint_like(self: Tensor, low: int, high: int, generator: Generator) -> Tensor:
    draw = torch.randint(low, high, self.shape, generator=generator, dtype=torch.int64, device=self.device)
    return _laid_out(draw, self)


def randperm(n: int, generator: Generator) -> Tensor:
    return torch.randperm(n, generator=generator, dtype=torch.int64, device=generator.device)


def size(self: Tensor, dim: int) -> int:
    return self.size(dim)
