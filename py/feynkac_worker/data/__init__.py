"""Data sets, one a file; the file name is the registration.

A data set module exports `TITLE`, `EPSILON` (default radius on the [0, 1] scale, None where the user must choose),
`SPLITS` and `load(root, split) -> Loaded`, and `REMOTES` where `feynkac data` can download it. Files whose names begin
with an underscore are shared readers.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from feynkac_worker.errors import ServiceError


def names() -> list[str]:
    """The registered data sets, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if not name.startswith("_") and name != "services")


def dataset(name: str) -> ModuleType:
    """The module of a data set. ServiceError: an unknown name; the message lists the known ones."""
    if name not in names():
        raise ServiceError(f"Expected `name` to be one of {', '.join(names())}, got `{name}`")
    return importlib.import_module(f"{__name__}.{name}")
