"""`python test/fuzz/main.py --minutes N --seed S --out DIR`: the worker and its files, for as long as asked.

Every input comes from `random.Random(f"{seed} {target} {round}")`. Exits with 1 on a finding; the input lies in DIR.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "worker"), str(HERE.parents[1] / "py")]

import torch  # noqa: E402
from files import KINDS  # noqa: E402
from mutate import damaged  # noqa: E402
from wire import Wire  # noqa: E402

ROUND = 50


def save(out: Path, name: str, frames: list[bytes]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for i, frame in enumerate(frames):
        (out / f"{name.replace(' ', '-')}.{i}.bin").write_bytes(frame)
    (out / f"{name.replace(' ', '-')}.txt").write_text(traceback.format_exc())


def main() -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    # torch warns of strange pickles before it refuses them.
    warnings.simplefilter("ignore", UserWarning)
    tried: dict[str, int] = dict.fromkeys(["wire", *KINDS], 0)
    findings: list[str] = []
    end = time.monotonic() + 60 * options.minutes
    wire, rounds = Wire(), 0
    with tempfile.TemporaryDirectory(prefix="fkf-") as folder:
        while time.monotonic() < end:
            for target in tried:
                rng = random.Random(f"{options.seed} {target} {rounds}")
                home = Path(folder) / target
                home.mkdir(exist_ok=True)
                # The wire is the larger target.
                for _ in range(ROUND * 10 if target == "wire" else ROUND):
                    frames = wire.message(rng) if target == "wire" else [damaged(KINDS[target][0], rng)]
                    tried[target] += 1
                    try:
                        if target == "wire":
                            wire.send(frames)
                        else:
                            KINDS[target][1](home, frames[0])
                    except Exception as error:
                        name = f"{target} {options.seed} {rounds} {tried[target]}"
                        findings.append(f"{name}: {str(error)[:200] or type(error).__name__}")
                        save(options.out, name, frames)
                        wire.lives = 0
                if time.monotonic() >= end:
                    break
            rounds += 1
    wire.close()
    print(json.dumps({"seed": options.seed, "workers": wire.workers, "tried": tried, "findings": findings}))
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
