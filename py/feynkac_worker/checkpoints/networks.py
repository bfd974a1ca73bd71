"""From the inert tree of a pickled network to a state_dict and the options that only the tree tells."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from feynkac_worker.checkpoints.pickled import Pickled
from feynkac_worker.checkpoints.standins import Network, RefusedError, Slice

_DEPTH = 24
_STEM = re.compile(r"(?:(?:module|basic_net)\.)*(?:ensemble\.0\.)?conv1")


@dataclass
class Tree:
    """What a walk over the modules finds; names as `state_dict` gives them."""

    state: dict[str, Tensor] = field(default_factory=dict)
    noise: set[float] = field(default_factory=set)
    stem_stride: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Options of the architecture. Raises RefusedError when the blocks disagree about the noise."""
        found: dict[str, Any] = {}
        if len(self.noise) > 1:
            raise RefusedError(f"blocks with different `noise_coef` ({', '.join(map(str, sorted(self.noise)))})")
        if self.noise:
            found["noise"] = next(iter(self.noise))
        if self.stem_stride is not None:
            found["stem_stride"] = self.stem_stride
        return found


def walk(network: Network, pickled: Pickled) -> Tree:
    """Parameters and buffers of the network and all below it. Raises RefusedError, or ValueError for no tree."""
    tree, seen = Tree(), set()
    waiting: list[tuple[str, Network]] = [("", network)]
    while waiting:
        prefix, module = waiting.pop()
        if id(module) in seen or module.state is None or prefix.count(".") > _DEPTH:
            raise ValueError("modules that are no tree")
        seen.add(id(module))
        transient = module.state.get("_non_persistent_buffers_set", ())
        for group in ("_parameters", "_buffers"):
            for name, value in _members(module, group).items():
                if isinstance(value, Slice) and name not in transient:
                    tree.state[prefix + name] = pickled.tensor(value)
                elif value is not None and name not in transient:
                    raise ValueError("a parameter that is no tensor")
        _note(tree, prefix[:-1], module.state)
        children = [
            (f"{prefix}{name}.", child)
            for name, child in _members(module, "_modules").items()
            if isinstance(child, Network)
        ]
        waiting.extend(reversed(children))
    return tree


def _members(module: Network, group: str) -> Mapping[str, Any]:
    members = (module.state or {}).get(group, {})
    if not isinstance(members, dict) or not all(_is_name(name) for name in members):
        raise ValueError("a module of no known form")
    return members


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and 0 < len(name) < 100 and name.isprintable() and "." not in name


def _note(tree: Tree, name: str, state: Mapping[str, Any]) -> None:
    if "noise_coef" in state:
        noise = state["noise_coef"] or 0.0
        if type(noise) not in (int, float) or not 0 <= noise < 2**53 or not math.isfinite(noise):
            raise RefusedError("a `noise_coef` that is no number of at least 0")
        tree.noise.add(float(noise))
    stride = state.get("stride")
    if _STEM.fullmatch(name) and isinstance(stride, tuple) and len(stride) == 2:
        across, down = stride
        if type(across) is int and across == down and 0 < across < 2**16:
            tree.stem_stride = across
