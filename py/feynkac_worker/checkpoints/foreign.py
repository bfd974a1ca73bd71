"""The weights of a file in a network of the user, which the session has adopted."""

from __future__ import annotations

from torch import Tensor, nn

from feynkac_worker.checkpoints.architecture import network_state, notes_of, quantised
from feynkac_worker.checkpoints.fit import check_weights, fill, narrowed
from feynkac_worker.checkpoints.read import Checkpoint
from feynkac_worker.errors import ServiceError
from feynkac_worker.models.copying import copied
from feynkac_worker.models.narrow import widths_of


def load_into(checkpoint: Checkpoint, module: nn.Module) -> tuple[nn.Module, list[str]]:
    """A copy of `module` with the weights of the checkpoint, and notes on what was converted; `module` stays as it is.

    Where the file says that channels were taken out, they are taken out of the copy.

    Raises ServiceError naming the first key that is missing, unexpected, or of another shape.
    """
    made, widths = copied(module), checkpoint.widths
    if widths is not None and widths != widths_of(made):
        made = narrowed(checkpoint.path, made, widths)
    converted = check_weights(checkpoint.path, made, state := _state(checkpoint, made))
    fill(made, state)
    return made, [*notes_of(checkpoint, {}, []), *converted]


def _state(checkpoint: Checkpoint, module: nn.Module) -> dict[str, Tensor]:
    wanted = module.state_dict()
    for key, value in wanted.items():
        if not isinstance(value, Tensor):
            raise ServiceError(
                f"Expected the state_dict of {type(module).__name__} to hold tensors, got `{key}`, "
                f"a {type(value).__name__}"
            )
    if "ensemble.0.conv1.weight" in wanted:
        return network_state(checkpoint)
    # A network that is wrapped itself has the wrapper's names.
    if checkpoint.prefix and all(key.startswith(checkpoint.prefix) for key in wanted):
        return dict(checkpoint.tensors)
    return {**checkpoint.state, **quantised(checkpoint)}
