"""The torch target of every row of the op table. Strings of the client are only ever looked up here, never executed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from feynkac_worker import kernels, optable


@dataclass(frozen=True)
class Target:
    """What replays a row. Element-wise targets of runtime scalars alone give a runtime scalar again."""

    run: Callable[..., Any]
    elementwise: bool = False
    # The op makes a tensor from nothing, so it has to be told where.
    device: bool = False
    # The result may share storage with the first tensor argument.
    view: bool = False
    # The result is a Python number that stands for a 0-d tensor.
    scalar: bool = False


def _each(**targets: Callable[..., Any]) -> dict[str, Target]:
    return {name: Target(run, elementwise=True) for name, run in targets.items()}


def _plain(**targets: Callable[..., Any]) -> dict[str, Target]:
    return {name: Target(run) for name, run in targets.items()}


def _views(**targets: Callable[..., Any]) -> dict[str, Target]:
    return {name: Target(run, view=True) for name, run in targets.items()}


TARGETS: dict[str, Target] = {
    **_each(
        add=torch.add,
        sub=torch.sub,
        mul=torch.mul,
        div=torch.div,
        floor_divide=torch.floor_divide,
        remainder=torch.remainder,
        pow=torch.pow,
        neg=torch.neg,
        abs=torch.abs,
        sign=torch.sign,
        square=torch.square,
        sqrt=torch.sqrt,
        rsqrt=torch.rsqrt,
        reciprocal=torch.reciprocal,
        exp=torch.exp,
        log=torch.log,
        log1p=torch.log1p,
        sin=torch.sin,
        cos=torch.cos,
        acos=torch.acos,
        tanh=torch.tanh,
        atanh=torch.atanh,
        sigmoid=torch.sigmoid,
        relu=torch.relu,
        floor=torch.floor,
        ceil=torch.ceil,
        round=torch.round,
        maximum=kernels.maximum,
        minimum=kernels.minimum,
        clamp=kernels.clamp,
        where=kernels.where,
        eq=torch.eq,
        ne=torch.ne,
        lt=torch.lt,
        le=torch.le,
        gt=torch.gt,
        ge=torch.ge,
        logical_and=torch.logical_and,
        logical_or=torch.logical_or,
        logical_not=torch.logical_not,
        isfinite=torch.isfinite,
    ),
    **_plain(
        sum=kernels.reducer(torch.sum),
        mean=kernels.reducer(torch.mean),
        amax=kernels.amax,
        amin=kernels.amin,
        std=kernels.std,
        norm=kernels.norm,
        any=kernels.reducer(torch.any),
        all=kernels.reducer(torch.all),
        count_nonzero=torch.count_nonzero,
        argmax=kernels.reducer(torch.argmax),
        argmin=kernels.reducer(torch.argmin),
        cumsum=torch.cumsum,
        sort=kernels.sort,
        topk=kernels.topk,
        kthvalue=kernels.kthvalue,
        matmul=torch.matmul,
        gather=torch.gather,
        index_select=torch.index_select,
        scatter=kernels.scatter,
        cat=torch.cat,
        stack=torch.stack,
        flip=torch.flip,
        repeat_interleave=kernels.repeat_interleave,
        clone=torch.clone,
        log_softmax=torch.log_softmax,
        softmax=torch.softmax,
        cross_entropy=kernels.cross_entropy,
        kl_div=kernels.kl_div,
        one_hot=F.one_hot,
        zeros_like=torch.zeros_like,
        ones_like=torch.ones_like,
        full_like=kernels.full_like,
        rand=kernels.rand,
        randn=kernels.randn,
        rand_like=kernels.rand_like,
        randn_like=kernels.randn_like,
        randint_like=kernels.randint_like,
        randperm=kernels.randperm,
    ),
    **_views(
        narrow=kernels.narrow,
        select=torch.select,
        pad=kernels.pad,
        reshape=torch.reshape,
        reshape_as=Tensor.reshape_as,
        permute=torch.permute,
        transpose=torch.transpose,
        expand=Tensor.expand,
        expand_as=Tensor.expand_as,
        unsqueeze=torch.unsqueeze,
        squeeze=torch.squeeze,
        flatten=kernels.flatten,
        to=Tensor.to,
        detach=Tensor.detach,
    ),
    "full": Target(kernels.full, device=True),
    "arange": Target(kernels.arange, device=True),
    "size": Target(kernels.size, scalar=True),
}

optable.match(TARGETS, structural=False)
