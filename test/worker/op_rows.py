"""One or more examples of every row of the op table, next to the direct call of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from builder import V
from torch import Tensor


def normal(*shape: int) -> Tensor:
    return torch.randn(shape)


def uniform(*shape: int) -> Tensor:
    return torch.rand(shape)


def whole(*shape: int) -> Tensor:
    return torch.randint(-5, 6, shape)


def mask(*shape: int) -> Tensor:
    return torch.rand(shape) < 0.5


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(7)


# (make the inputs, arguments of the op, direct torch); the inputs are the values X, Y, Z.
Row = tuple[Callable[[], list[Any]], list[Any], Callable[..., Any]]
X, Y, Z = V(0), V(1), V(2)


def one(make: Callable[[], Tensor], direct: Callable[..., Any]) -> list[Row]:
    return [(lambda: [make()], [X], direct)]


def two(make: Callable[..., Tensor], direct: Callable[..., Any]) -> list[Row]:
    return [
        (lambda: [make(4, 5), make(4, 5)], [X, Y], direct),
        (lambda: [make(4, 5), make(5)], [X, Y], direct),
        (lambda: [make(4, 5)], [X, 2.5], lambda x: direct(x, 2.5)),
        (lambda: [make(4, 5)], [X, 3], lambda x: direct(x, 3)),
        (lambda: [make(4, 5)], [X, -0.0], lambda x: direct(x, -0.0)),
    ]


def first(direct: Callable[..., Any]) -> list[Row]:
    # A number in front takes its dtype from the tensor behind.
    return [
        (lambda: [uniform(4, 5)], [2.5, X], lambda x: direct(torch.tensor(2.5), x)),
        (lambda: [uniform(4, 5).double()], [2.5, X], lambda x: direct(torch.tensor(2.5, dtype=torch.float64), x)),
        (lambda: [torch.tensor(0.3)], [2, X], lambda x: direct(torch.tensor(2.0), x)),
    ]


def dims(direct: Callable[..., Any], many: bool = True) -> list[Row]:
    pair = [0, 2] if many else 1
    found: list[Row] = [
        (lambda: [normal(3, 4, 5)], [X], direct),
        (lambda: [normal(3, 4, 5)], [X, pair, True], lambda x: direct(x, pair, True)),
        (lambda: [normal(3, 4, 5)], [X, [-1] if many else -1], lambda x: direct(x, (-1,) if many else -1)),
    ]
    return found


def draws(name: str, *args: Any, direct: Callable[..., Any], like: bool = False) -> list[Row]:
    inputs: Callable[[], list[Any]] = (lambda: [normal(3, 4), seeded()]) if like else (lambda: [seeded()])
    return [(inputs, list(args), lambda *_: direct(seeded()))]


ROWS: dict[str, list[Row]] = {
    "add": two(normal, torch.add) + first(torch.add),
    "sub": two(normal, torch.sub) + first(torch.sub),
    "mul": two(normal, torch.mul) + first(torch.mul),
    "div": two(normal, torch.div)[:4] + first(torch.div),
    "floor_divide": two(normal, torch.floor_divide)[:4],
    "remainder": two(normal, torch.remainder)[:4],
    "pow": two(uniform, torch.pow) + first(torch.pow),
    "neg": one(lambda: normal(4, 5), torch.neg),
    "abs": one(lambda: normal(4, 5), torch.abs),
    "sign": one(lambda: whole(4, 5).float(), torch.sign),
    "square": one(lambda: normal(4, 5), torch.square),
    "sqrt": one(lambda: uniform(4, 5), torch.sqrt),
    "rsqrt": one(lambda: uniform(4, 5), torch.rsqrt),
    "reciprocal": one(lambda: normal(4, 5), torch.reciprocal),
    "exp": one(lambda: normal(4, 5), torch.exp),
    "log": one(lambda: uniform(4, 5), torch.log),
    "log1p": one(lambda: uniform(4, 5), torch.log1p),
    "sin": one(lambda: normal(4, 5), torch.sin),
    "cos": one(lambda: normal(4, 5), torch.cos),
    "acos": one(lambda: uniform(4, 5), torch.acos),
    "tanh": one(lambda: normal(4, 5), torch.tanh),
    "atanh": one(lambda: uniform(4, 5), torch.atanh),
    "sigmoid": one(lambda: normal(4, 5), torch.sigmoid),
    "relu": one(lambda: normal(4, 5), torch.relu),
    "floor": one(lambda: normal(4, 5), torch.floor),
    "ceil": one(lambda: normal(4, 5), torch.ceil),
    "round": one(lambda: whole(4, 5) / 2, torch.round),
    "maximum": two(normal, lambda x, y: torch.maximum(x, torch.as_tensor(y, dtype=torch.float32))),
    "minimum": two(normal, lambda x, y: torch.minimum(x, torch.as_tensor(y, dtype=torch.float32))),
    "clamp": [
        (lambda: [normal(4, 5)], [X, -0.5, 0.5], lambda x: torch.clamp(x, -0.5, 0.5)),
        (lambda: [normal(4, 5)], [X, None, 0.5], lambda x: torch.clamp(x, None, 0.5)),
        (lambda: [normal(4, 5)], [X, -0.5, None], lambda x: torch.clamp(x, -0.5, None)),
        (lambda: [normal(4, 5), uniform(5)], [X, None, Y], lambda x, y: torch.clamp(x, None, y)),
        (lambda: [normal(4, 5), uniform(5)], [X, -0.25, Y], lambda x, y: torch.clamp(x, torch.tensor(-0.25), y)),
    ],
    "where": [
        (lambda: [normal(4, 5), mask(4, 5), normal(4, 5)], [X, Y, Z], lambda x, m, y: torch.where(m, x, y)),
        (lambda: [normal(4, 5), mask(5)], [X, Y, 0], lambda x, m: torch.where(m, x, torch.tensor(0.0))),
        (lambda: [normal(4, 5), mask(4, 5)], [0.5, Y, X], lambda x, m: torch.where(m, torch.tensor(0.5), x)),
        (lambda: [mask(4, 5)], [1.0, X, 0.0], lambda m: m.float()),
        (lambda: [torch.tensor(2.0), torch.tensor(False)], [X, Y, 0.5], lambda x, m: torch.tensor(0.5)),
    ],
    "eq": two(whole, torch.eq),
    "ne": two(whole, torch.ne),
    "lt": two(normal, torch.lt),
    "le": two(whole, torch.le),
    "gt": two(normal, torch.gt),
    "ge": two(whole, torch.ge),
    "logical_and": [(lambda: [mask(9), mask(9)], [X, Y], torch.logical_and)],
    "logical_or": [(lambda: [mask(9), mask(9)], [X, Y], torch.logical_or)],
    "logical_not": one(lambda: mask(9), torch.logical_not),
    "isfinite": one(lambda: torch.tensor([1.0, float("nan"), float("inf"), -float("inf")]), torch.isfinite),
    "sum": dims(torch.sum) + one(lambda: whole(3, 4), torch.sum) + one(lambda: mask(9), torch.sum),
    "mean": dims(torch.mean),
    "amax": dims(torch.amax),
    "amin": dims(torch.amin),
    "std": [
        (lambda: [normal(3, 4)], [X], torch.std),
        (lambda: [normal(3, 4)], [X, [1], 0, True], lambda x: torch.std(x, 1, correction=0, keepdim=True)),
        (lambda: [normal(3, 4)], [X, None, 0], lambda x: torch.std(x, correction=0)),
    ],
    "norm": [
        (lambda: [normal(3, 4)], [X], torch.linalg.vector_norm),
        (lambda: [normal(3, 4)], [X, 1, [1]], lambda x: torch.linalg.vector_norm(x, 1, 1)),
        (
            lambda: [normal(3, 4)],
            [X, float("inf"), [0], True],
            lambda x: torch.linalg.vector_norm(x, float("inf"), 0, True),
        ),
        (lambda: [normal(3, 4)], [X, None, [0, 1]], lambda x: torch.linalg.vector_norm(x, 2, (0, 1))),
    ],
    "any": [(lambda: [mask(3, 4)], [X], torch.any), (lambda: [mask(3, 4)], [X, 1, True], lambda x: x.any(1, True))],
    "all": [(lambda: [mask(3, 4)], [X], torch.all), (lambda: [mask(3, 4)], [X, -1], lambda x: x.all(-1))],
    "count_nonzero": [
        (lambda: [whole(3, 4)], [X], torch.count_nonzero),
        (lambda: [whole(3, 4)], [X, [0]], lambda x: torch.count_nonzero(x, 0)),
    ],
    "argmax": dims(torch.argmax, many=False),
    "argmin": dims(torch.argmin, many=False),
    "cumsum": [(lambda: [normal(3, 4)], [X, 1], lambda x: torch.cumsum(x, 1))],
    "sort": [
        (lambda: [whole(3, 9)], [X], lambda x: torch.sort(x, dim=-1, stable=True)),
        (lambda: [whole(9, 3)], [X, 0, True], lambda x: torch.sort(x, dim=0, descending=True, stable=True)),
    ],
    "topk": [
        (lambda: [normal(3, 9)], [X, 2], lambda x: torch.topk(x, 2)),
        (lambda: [normal(9, 3)], [X, 3, 0, False], lambda x: torch.topk(x, 3, 0, False)),
    ],
    "kthvalue": [
        (lambda: [normal(3, 9)], [X, 2], lambda x: torch.kthvalue(x, 2)),
        (lambda: [normal(9, 3)], [X, 4, 0, True], lambda x: torch.kthvalue(x, 4, 0, True)),
    ],
    "matmul": [(lambda: [normal(3, 4), normal(4, 5)], [X, Y], torch.matmul)],
    "gather": [(lambda: [normal(3, 4), torch.randint(4, (3, 2))], [X, 1, Y], lambda x, i: torch.gather(x, 1, i))],
    "index_select": [
        (lambda: [normal(5, 4), torch.tensor([4, 0, 0])], [X, 0, Y], lambda x, i: torch.index_select(x, 0, i)),
    ],
    "scatter": [
        (
            lambda: [normal(3, 4), torch.tensor([[1], [0], [3]]), normal(3, 1)],
            [X, 1, Y, Z],
            lambda x, i, s: torch.scatter(x, 1, i, s),
        ),
        (
            lambda: [normal(3, 4), torch.tensor([[1], [0], [3]])],
            [X, 1, Y, 0.5],
            lambda x, i: torch.scatter(x, 1, i, 0.5),
        ),
    ],
    "narrow": [
        (lambda: [normal(9, 4)], [X, 0, 2, 3], lambda x: x[2:5]),
        (lambda: [normal(9, 4), torch.tensor(2)], [X, 0, Y, 3], lambda x, s: x[2:5]),
    ],
    "select": [(lambda: [normal(3, 4)], [X, 1, 2], lambda x: x[:, 2])],
    "cat": [(lambda: [normal(3, 4), normal(2, 4)], [[X, Y], 0], lambda x, y: torch.cat([x, y], 0))],
    "stack": [(lambda: [normal(3, 4), normal(3, 4)], [[X, Y], -1], lambda x, y: torch.stack([x, y], -1))],
    "pad": [
        (lambda: [normal(2, 3, 4, 4)], [X, [1, 2]], lambda x: F.pad(x, (1, 2))),
        (lambda: [normal(2, 3, 4, 4)], [X, [1, 1, 2, 2], "constant", 0.5], lambda x: F.pad(x, (1, 1, 2, 2), value=0.5)),
        (lambda: [normal(2, 3, 4, 4)], [X, [1, 1, 2, 2], "reflect"], lambda x: F.pad(x, (1, 1, 2, 2), "reflect")),
    ],
    "flip": [(lambda: [normal(3, 4)], [X, [0, 1]], lambda x: torch.flip(x, (0, 1)))],
    "reshape": [(lambda: [normal(3, 4)], [X, [2, -1]], lambda x: x.reshape(2, -1))],
    "permute": [(lambda: [normal(2, 3, 4)], [X, [2, 0, 1]], lambda x: x.permute(2, 0, 1))],
    "transpose": [(lambda: [normal(2, 3, 4)], [X, 0, 2], lambda x: x.transpose(0, 2))],
    "expand": [(lambda: [normal(3, 1)], [X, [-1, 4]], lambda x: x.expand(-1, 4))],
    "reshape_as": [(lambda: [normal(12), normal(3, 4)], [X, Y], lambda x, y: x.reshape_as(y))],
    "expand_as": [(lambda: [normal(3, 1), normal(3, 4)], [X, Y], lambda x, y: x.expand_as(y))],
    "unsqueeze": [(lambda: [normal(3)], [X, 1], lambda x: x[:, None])],
    "squeeze": [(lambda: [normal(3, 1)], [X, 1], lambda x: x[:, 0])],
    "flatten": [
        (lambda: [normal(2, 3, 4)], [X], torch.flatten),
        (lambda: [normal(2, 3, 4)], [X, 1], lambda x: torch.flatten(x, 1)),
        (lambda: [normal(2, 3, 4)], [X, 0, 1], lambda x: torch.flatten(x, 0, 1)),
    ],
    "repeat_interleave": [(lambda: [normal(3, 4)], [X, 2, 0], lambda x: x.repeat_interleave(2, 0))],
    "size": [(lambda: [normal(3, 4)], [X, 1], lambda x: torch.tensor(4))],
    "to": [(lambda: [normal(3, 4)], [X, torch.float64], lambda x: x.double())],
    "clone": one(lambda: normal(3), torch.clone),
    "detach": one(lambda: normal(3), torch.clone),
    "log_softmax": [(lambda: [normal(3, 4)], [X, 1], lambda x: torch.log_softmax(x, 1))],
    "softmax": [(lambda: [normal(3, 4)], [X, 0], lambda x: torch.softmax(x, 0))],
    "cross_entropy": [
        (lambda: [normal(6, 4), torch.randint(4, (6,))], [X, Y], F.cross_entropy),
        (
            lambda: [normal(6, 4), torch.randint(4, (6,))],
            [X, Y, "none", 0.1],
            lambda x, y: F.cross_entropy(x, y, reduction="none", label_smoothing=0.1),
        ),
        (
            lambda: [normal(6, 4), torch.randint(4, (6,))],
            [X, Y, "sum"],
            lambda x, y: F.cross_entropy(x, y, reduction="sum"),
        ),
    ],
    "kl_div": [
        (
            lambda: [normal(6, 4).log_softmax(1), normal(6, 4).softmax(1)],
            [X, Y],
            lambda x, y: F.kl_div(x, y, reduction="batchmean"),
        ),
        (
            lambda: [normal(6, 4).log_softmax(1), normal(6, 4).softmax(1)],
            [X, Y, "sum"],
            lambda x, y: F.kl_div(x, y, reduction="sum"),
        ),
        (
            lambda: [normal(6, 4).log_softmax(1), normal(6, 4).log_softmax(1)],
            [X, Y, "none", True],
            lambda x, y: F.kl_div(x, y, reduction="none", log_target=True),
        ),
        (
            lambda: [normal(6, 4).log_softmax(1), normal(6, 4).softmax(1)],
            [X, Y, "mean"],
            lambda x, y: F.kl_div(x, y, reduction="none").mean(),
        ),
    ],
    "one_hot": [(lambda: [torch.randint(4, (6,))], [X, 5], lambda x: F.one_hot(x, 5))],
    "zeros_like": one(lambda: normal(3, 4), torch.zeros_like),
    "ones_like": one(lambda: whole(3, 4), torch.ones_like),
    "full_like": [(lambda: [normal(3, 4)], [X, 0.1], lambda x: torch.full_like(x, 0.1))],
    "full": [
        (lambda: [], [[2, 3], 1, torch.float32], lambda: torch.full((2, 3), 1.0)),
        (lambda: [torch.tensor(0.25)], [[], X, torch.float64], lambda x: torch.tensor(0.25, dtype=torch.float64)),
    ],
    "arange": [
        (lambda: [], [0, 5, 1, torch.int64], lambda: torch.arange(5)),
        (lambda: [], [0.0, 1.0, 0.25, torch.float32], lambda: torch.arange(0.0, 1.0, 0.25)),
    ],
    "rand": draws("rand", [3, 4], X, direct=lambda g: torch.rand(3, 4, generator=g))
    + draws("rand", [3], X, torch.float64, direct=lambda g: torch.rand(3, generator=g, dtype=torch.float64)),
    "randn": draws("randn", [3, 4], X, direct=lambda g: torch.randn(3, 4, generator=g)),
    "rand_like": draws("rand_like", X, Y, direct=lambda g: torch.rand(3, 4, generator=g), like=True),
    "randn_like": draws("randn_like", X, Y, direct=lambda g: torch.randn(3, 4, generator=g), like=True),
    "randint_like": draws(
        "randint_like", X, -3, 9, Y, direct=lambda g: torch.randint(-3, 9, (3, 4), generator=g), like=True
    ),
    "randperm": draws("randperm", 9, X, direct=lambda g: torch.randperm(9, generator=g)),
    # Structural rows; their meaning has tests of its own.
    "get": [(lambda: [[normal(3), normal(2)]], [X, 1], lambda xs: xs[1])],
    "leaf": one(lambda: normal(3), torch.clone),
    "reduce": [(lambda: [[normal(3), normal(2)]], [X], lambda xs: xs)],
    "check_finite": [(lambda: [normal(3)], [X, "x"], torch.clone)],
    "print": [(lambda: [normal(3)], [X, "x"], torch.clone)],
}
# These cannot be written as one row; test_gradients.py and test_structural.py have them.
ELSEWHERE = {"grad", "call", "repeat", "assign", "optimizer_step", "optimizer_reset"}
