"""`python -m feynkac_worker.data`: what `feynkac data` needs, without a worker, hence without torch (3 s).

`survey [--root DIR] NAME...` and `download --root DIR [--mirror URL] NAME` print JSON lines: `{"progress": [file, done,
total]}` while bytes arrive, then `{"value": ...}`, or `{"error": sentence}` and exit code 1.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from feynkac_worker.data import dataset, names
from feynkac_worker.data._download import download
from feynkac_worker.data._remote import Remote
from feynkac_worker.errors import ServiceError, well_formed

_INTERVAL_SECONDS = 0.1


def survey(name: str, root: str | None) -> dict[str, Any]:
    """What a data set is, and what of it can be loaded: contents are read and checked, not only names."""
    module = dataset(name)
    remotes = _remotes(name)
    return {
        "name": name,
        "title": module.TITLE,
        "downloadBytes": sum(remote.size for remote in remotes) or None,
        "splits": [_split(name, root, split) for split in module.SPLITS],
    }


def _split(name: str, root: str | None, split: str) -> dict[str, Any]:
    try:
        # The embedded data set is where it is, whatever folder the others are looked for in.
        images, _, found = dataset(name).load(None if name == "fashion_mnist_subset" else root, split)
    except ServiceError as error:
        return {"split": split, "error": str(error)}
    keys = ("split", "title", "n", "shape", "classes", "official")
    return {**{key: found[key] for key in keys}, "bytes": images.nbytes}


def _remotes(name: str) -> tuple[Remote, ...]:
    found: tuple[Remote, ...] = getattr(dataset(name), "REMOTES", ())
    return found


def fetch(name: str, root: str, mirror: str | None) -> dict[str, Any]:
    """Downloads what is not there yet: {files: [...], downloaded: [...]}, names below root."""
    remotes = _remotes(name)
    if not remotes:
        known = ", ".join(known for known in names() if _remotes(known))
        raise ServiceError(f"Expected a data set that can be downloaded ({known}), got `{name}`")
    if mirror is not None:
        remotes = tuple(replace(remote, homes=(mirror.rstrip("/") + "/",)) for remote in remotes)
    files = {str(Path(remote.folder, remote.unpacks or remote.name)): remote for remote in remotes}
    progress = _Progress()
    return {
        "files": list(files),
        "downloaded": [path for path, remote in files.items() if download(remote, Path(root), progress)],
    }


class _Progress:
    """Prints ten lines a second at most, and the last one of each file."""

    def __init__(self) -> None:
        self.last = 0.0

    def __call__(self, file: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done == total or now - self.last >= _INTERVAL_SECONDS:
            self.last = now
            _print({"progress": [file, done, total]})


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(well_formed(json.dumps(line, ensure_ascii=False)) + "\n")
    sys.stdout.flush()


def main(argv: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="feynkac_worker.data")
    parser.add_argument("command", choices=["survey", "download"])
    parser.add_argument("--root")
    parser.add_argument("--mirror")
    parser.add_argument("names", nargs="*")
    given = parser.parse_intermixed_args(argv)  # names may come after options
    try:
        if given.command == "survey":
            _print({"value": [survey(name, given.root) for name in given.names or names()]})
        else:
            _print({"value": fetch(given.names[0], given.root, given.mirror)})
    except ServiceError as error:
        _print({"error": str(error)})
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        return 130  # what has arrived is kept in the part file
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
