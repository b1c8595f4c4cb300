"""What the speed benchmarks share: tables of loan applications, and a process under measurement."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from loanwatch.simulator import simulate_features

BLOCK = 220_000


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a process cost."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    exit_code: int
    said: str


def loan_tables(rows: int, cache: Path) -> tuple[Path, Path]:
    """Write reference and current table with label and score, without drift; Parquet, block by block."""
    paths = tuple(cache / f"loans-{rows}-{side}.parquet" for side in ("reference", "current"))
    for side, path in enumerate(paths):
        if not path.exists():
            blocks = [
                simulate_features(min(BLOCK, rows - start), seed=2 * (start // BLOCK) + side).drop("application_time")
                for start in range(0, min(rows, 10 * BLOCK), BLOCK)
            ]
            frame = pl.concat(blocks)
            copies = -(-rows // frame.height)  # rounded up: the last one is cut
            pl.concat([frame] * copies).head(rows).write_parquet(path)
    return paths[0], paths[1]


# A process starts out with the peak memory of the one that started it: this one is small.
LAUNCHER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "seconds": time.perf_counter() - began, "cpu_seconds": used.ru_utime + used.ru_stime,
    "peak_mb": used.ru_maxrss / 1024, "exit_code": done.returncode, "said": done.stdout[-2000:],
}))
"""


def measure(command: Sequence[str]) -> Spent:
    """Run a process, and return its time and the largest memory that it held, as the kernel counted them."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # installed packages come compiled, a working copy does not
    launched = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCHER, *command], stdout=subprocess.PIPE, text=True, env=environment, check=True
    )
    return Spent(**json.loads(launched.stdout))
