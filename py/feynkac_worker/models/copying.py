"""Copies of modules that we did not write."""

from __future__ import annotations

import copy

from torch import nn

from feynkac_worker.errors import ServiceError, message_of


def copied(module: nn.Module) -> nn.Module:
    """A deep copy. Raises ServiceError for a module that cannot be copied."""
    try:
        return copy.deepcopy(module)
    # Whatever the user's attributes raise.
    except Exception as error:
        raise ServiceError(
            f"Expected a {type(module).__name__} that copy.deepcopy can copy, got {message_of(error)}"
        ) from error
