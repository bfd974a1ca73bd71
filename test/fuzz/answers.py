"""Mutated answers for answers.ts: reads headers in hex, one a line, and writes `--count` mutations of them."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "py")]

from mutate import mutate_bytes, mutate_tree  # noqa: E402

from feynkac_worker import codec  # noqa: E402

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--count", type=int, required=True)
options = parser.parse_args()
headers = [bytes.fromhex(line) for line in sys.stdin.read().split()]
rng = random.Random(f"{options.seed} answers")
for _ in range(options.count):
    data = rng.choice(headers)
    if rng.random() < 0.5:
        changed = mutate_bytes(rng, data)
    else:
        changed = codec.encode(mutate_tree(rng, [1, codec.decode_header(data)]))
    print(changed.hex())
