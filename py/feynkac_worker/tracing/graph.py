"""The graph of a module as JSON: one entry a node, of the kinds that PROTOCOL.md lists ("Graphs and widths").

What an operation does to channels is read off its shapes where that says it all (reshape, mean, pooling), and off its
value at zero for elementwise maps. Whatever is not understood is `opaque` and says why.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from torch import Tensor, fx, nn

from feynkac_worker.models.enresnet import inject_noise
from feynkac_worker.models.narrow import Selected, Zeros
from feynkac_worker.tracing import operations
from feynkac_worker.tracing.layers import layer_facts
from feynkac_worker.tracing.tracer import Traced, path_of, trace

Facts = dict[str, Any]


def graph_of(module: nn.Module, shape: list[int]) -> dict[str, Any]:
    """`{nodes: […]}` for images of `shape` `[C, H, W]`. Raises ServiceError for what cannot be traced."""
    traced = trace(module, shape)
    reader = _Reader(traced)
    return {"nodes": [entry for node in traced.nodes for entry in reader.entries(node)]}


class _Reader:
    def __init__(self, traced: Traced) -> None:
        self._traced = traced
        calls = Counter(path_of(node) for node in traced.nodes if node.op == "call_module")
        owners = Counter(id(p) for m in traced.module.modules() for p in m._parameters.values() if p is not None)
        # A layer that is called twice, or whose weights another layer also has, cannot change for one place alone.
        self._shared = {path for path, count in calls.items() if count > 1} | {
            path for path, m in traced.module.named_modules() for p in m._parameters.values() if owners[id(p)] > 1
        }

    def entries(self, node: fx.Node) -> list[Facts]:
        """The entry of a node; two for a layer that takes out channels before it computes."""
        inputs = [other.name for other in node.all_input_nodes]
        base = {"id": node.name, "module": None, "inputs": inputs, "shape": _shape(self._traced.values.get(node))}
        if node.op.startswith("call_"):
            base["operation"] = self._name(node)
        if node.op == "output":
            (given,) = node.args
            found = self._traced.values[given] if isinstance(given, fx.Node) else None
            return [{**base, "kind": "output", "shape": _shape(found)}]
        if node.op != "call_module":
            return [{**base, **self._operation(node)}]
        module = self._traced.module.get_submodule(path_of(node))
        entry = {**base, "module": path_of(node) if module._parameters else None, **self._layer(module, node)}
        if not isinstance(module, Selected):
            return [entry]
        taken = {**base, "id": f"{node.name}.select", "kind": "select", "index": module.index.tolist()}
        taken["shape"] = [1, len(module.index), *self._first(node).shape[2:]]
        return [taken, {**entry, "inputs": [taken["id"]]}]

    def _layer(self, module: nn.Module, node: fx.Node) -> Facts:
        if isinstance(module, Zeros):
            return operations.opaque("it gives zeros")
        x, value = self._first(node), self._traced.values[node]
        if not isinstance(x, Tensor) or not isinstance(value, Tensor) or len(node.all_input_nodes) != 1:
            return operations.opaque(f"{type(module).__name__} is no map of one tensor to one tensor")
        facts = layer_facts(module, x)
        if facts is None:
            return operations.of_module(module, x, value)
        if facts["kind"] != "opaque" and path_of(node) in self._shared:
            return operations.opaque("its weights are used in more than one place", facts)
        return facts

    def _operation(self, node: fx.Node) -> Facts:
        if node.op == "placeholder":
            return {"kind": "input"}
        if node.op == "get_attr":
            return operations.opaque(f"`{path_of(node)}` is used outside of its layer")
        return {"kind": "noise"} if node.target is inject_noise else operations.of_call(node, self._traced.values)

    def _name(self, node: fx.Node) -> str:
        if node.op == "call_module":
            return type(self._traced.module.get_submodule(path_of(node))).__name__
        return operations.name_of(node.target)

    def _first(self, node: fx.Node) -> Any:
        return self._traced.values[node.all_input_nodes[0]] if node.all_input_nodes else None


def _shape(value: Any) -> list[int]:
    """For one image: the first size of what is traced is the batch."""
    return [1, *value.shape[1:]] if isinstance(value, Tensor) and value.dim() else []
