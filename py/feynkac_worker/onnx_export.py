"""`model.export`: a network as an ONNX file that other runtimes run, its noise switched off (PROTOCOL.md).

The noise has the standard deviation of the whole batch and is drawn anew in each pass, which ONNX has no faithful form
for: the file is the deterministic network, and says so. torch.export traces it, torch.onnx translates it.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from feynkac_worker.checkpoints.files import checked_path, write_atomically
from feynkac_worker.errors import ServiceError, message_of
from feynkac_worker.models.description import describe
from feynkac_worker.services import Context, inputs_of, is_count, parameter, service
from feynkac_worker.structural import keywords

# As environment.yml has them; nothing but an export needs them.
REQUIREMENTS = ("onnx==1.23.2", "onnxscript==0.7.2")
# The oldest that torch writes without converting: more runtimes read it.
OPSET = 18
INPUT, OUTPUT = "images", "logits"


@service("model.export")
def model_export(context: Context, params: dict[str, Any], inputs: list[Any]) -> tuple[Any, list[Any]]:
    """Writes the forward pass in evaluation mode for images [batch, *shape], atomically."""
    inputs_of(inputs, ["module"])
    path = checked_path(params.get("path"))
    shape = parameter(
        params,
        "shape",
        "[channels, height, width]",
        lambda x: type(x) is list and len(x) == 3 and all(map(is_count, x)),
    )
    batch = parameter(params, "batch", "a positive integer, or null for any", lambda x: x is None or is_count(x))
    _require_packages()
    module, notes = inputs[0], _notes(inputs[0], shape, batch)
    with _quiet():
        program = _translate(_trace(module, [int(size) for size in shape], batch))
    model = program.model
    # torch leaves stack traces there, and in them the paths of this machine.
    for graph in (model.graph, *model.functions.values()):
        for node in graph:
            node.metadata_props.clear()
    model.metadata_props.clear()
    model.metadata_props.update(notes)
    model.doc_string = notes["feynkac.noise"]
    size = write_atomically(path, program.model_proto.SerializeToString())
    output = [None if batch is None else int(batch), *list(model.graph.outputs[0].shape)[1:]]
    return {
        "bytes": size,
        "opset": OPSET,
        "input": {"name": INPUT, "shape": [batch, *shape]},
        "output": {"name": OUTPUT, "shape": output},
        "noise": notes["feynkac.noise"],
    }, []


class _Deterministic(nn.Module):
    """The network called with one argument, its noise off."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.keywords = {"noise": False} if keywords(network, frozenset({"noise"})) else {}

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images, **self.keywords)
        return logits


def _trace(module: nn.Module, shape: list[int], batch: int | None) -> Any:
    # Two images, since torch.export takes a size of one for a constant.
    images = torch.zeros([2 if batch is None else int(batch), *shape])
    dynamic = {0: torch.export.Dim("batch")} if batch is None else None
    try:
        # A copy on the CPU in the ordinary layout: the network of the session stays as it is.
        network = copy.deepcopy(module).cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
        program = torch.export.export(_Deterministic(network).eval(), (images,), dynamic_shapes=(dynamic,))
    except Exception as error:
        reason = message_of(error).split("\n")[0]
        if "specialized" in str(error) and batch is None:
            reason = "one that fixes the batch size; export it with a fixed `batch`"
        raise ServiceError(f"Expected a network that torch.export can trace, got {reason}") from error
    if (
        not isinstance(program.graph_signature.user_outputs, (list, tuple))
        or len(program.graph_signature.user_outputs) != 1
    ):
        raise ServiceError("Expected a network that gives one tensor, got several")
    for node in program.graph.nodes:
        if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            raise ServiceError(
                f"Expected a network that draws no random numbers without noise, got one with {node.target}"
            )
    return program


def _translate(program: Any) -> Any:
    try:
        return torch.onnx.export(
            program, input_names=[INPUT], output_names=[OUTPUT], opset_version=OPSET, dynamo=True, verbose=False
        )
    except Exception as error:
        reason = message_of(error).split("\n")[0]
        raise ServiceError(f"Expected operations that ONNX knows, got {reason}") from error


def _notes(module: nn.Module, shape: list[int], batch: int | None) -> dict[str, str]:
    description = describe(module)
    coefficient = description["options"].get("noise")
    if coefficient:
        noise = f"off: the network draws noise of coefficient {coefficient} in every pass, this file draws none"
    elif coefficient is None and keywords(module, frozenset({"noise"})):
        noise = "off: the network was called with noise=False, this file is deterministic"
    else:
        noise = "none: this file is deterministic"
    size = ", ".join(["batch" if batch is None else str(int(batch)), *(str(int(x)) for x in shape)])
    return {
        "feynkac.architecture": description["architecture"],
        "feynkac.noise": noise,
        "feynkac.input": f"{INPUT}: float32 [{size}], pixels in [0, 1]",
        "feynkac.output": f"{OUTPUT}: float32 scores before the softmax",
    }


def _require_packages() -> None:
    for name in ("onnx", "onnxscript"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise ServiceError(
                f"Expected the Python package `{error.name}` for an ONNX export, found none; install it with: "
                f"{sys.executable} -m pip install {' '.join(REQUIREMENTS)}"
            ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # torch tells about packages that we do not use, and about changes to come in its own code.
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
