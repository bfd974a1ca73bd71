"""Prints one JSON line about the interpreter that runs it: `probe.py find|import NAME...`."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import platform
import sys


def look(name: str, load: bool) -> dict[str, str | None]:
    """Describe one module: its version once loaded, or the reason why it cannot be."""
    try:
        if not load:
            return {} if importlib.util.find_spec(name) else {"error": f"No module named '{name}'"}
        module = importlib.import_module(name)
    except BaseException as error:  # A broken native library may raise anything, SystemExit included.
        return {"error": f"{type(error).__name__}: {error}"}
    found: dict[str, str | None] = {"version": getattr(module, "__version__", None) or importlib.metadata.version(name)}
    if name == "torch":
        found["cuda"] = module.version.cuda
        found["device"] = module.cuda.get_device_name(0) if module.cuda.is_available() else None
    return found


def main(mode: str, names: list[str]) -> None:
    """Write the description of this interpreter and of the modules that were asked for."""
    description = {
        "version": platform.python_version(),
        "executable": sys.executable,
        "missing": [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None],
        "modules": {name: look(name, mode == "import") for name in names},
    }
    print(json.dumps(description))


main(sys.argv[1], sys.argv[2:])
