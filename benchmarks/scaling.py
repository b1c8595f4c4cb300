"""How time and memory of `loanwatch compare` grow with rows and with columns.

    python benchmarks/scaling.py                       # up to 2.2 million rows, 1,000 columns
    python benchmarks/scaling.py --rows 22000 50000000

Each figure is a whole process, imports and HTML included, on Parquet files of simulated applications that are written
once into `--cache`; wide tables once more with a label and a score, which performance and relation are judged from.
Peak memory is that of the process as the kernel counts it. The last line profiles a new day of 5,000 rows against a
stored reference, without imports.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from tables import loan_tables, measure

from loanwatch.contract import default_contract
from loanwatch.monitoring import Profile, data_drift, profile_window
from loanwatch.simulator import simulate_features

WIDE_ROWS = 100_000


def wide_tables(columns: int, cache: Path) -> tuple[Path, Path]:
    """Write two tables of many numeric columns, a tenth of them counts, with a label and its probability; no drift."""
    paths = tuple(cache / f"wide-{columns}-{side}.parquet" for side in ("reference", "current"))
    for seed, path in enumerate(paths):
        if not path.exists():
            rng = np.random.default_rng(seed)
            frame = pl.DataFrame(
                {
                    f"x{i}": rng.poisson(3, WIDE_ROWS) if i % 10 == 0 else rng.lognormal(0, 1, WIDE_ROWS)
                    for i in range(columns)
                }
            )
            score = 1.0 / (1.0 + np.exp(-0.6 * frame.select(pl.col("^x[1-9]$").log()).sum_horizontal().to_numpy()))
            label = (rng.random(WIDE_ROWS) < score).astype(np.int64)
            frame.with_columns(label=label, score=score).write_parquet(path)
    return paths[0], paths[1]


def new_day() -> tuple[float, float]:
    """Return the seconds and CPU seconds that 5,000 rows take against a reference that was stored as JSON."""
    contract = default_contract()
    stored = profile_window(simulate_features(100_000, seed=1), contract).to_dict()
    day = simulate_features(5_000, seed=2)
    began, cpu_began = time.perf_counter(), time.process_time()
    reference = Profile.from_dict(stored)
    data_drift.check(reference, profile_window(day, contract, edges=reference.edges), contract)
    return time.perf_counter() - began, time.process_time() - cpu_began


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[22_000, 220_000, 2_200_000])
    parser.add_argument("--columns", type=int, nargs="*", default=[10, 100, 1_000])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "loanwatch-benchmarks")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    print(f"{'rows × columns, each table':30} {'seconds':>8} {'CPU s':>7} {'peak MB':>8} {'µs/row':>8}")
    for rows in options.rows:
        _print(f"{rows:,} × 22", loan_tables(rows, options.cache), rows)
    for columns in options.columns:
        tables = wide_tables(columns, options.cache)
        _print(f"{WIDE_ROWS:,} × {columns:,}", tables, WIDE_ROWS)
        _print(f"{WIDE_ROWS:,} × {columns:,}, scored", tables, WIDE_ROWS, "--label", "label", "--score", "score")
    seconds, cpu_seconds = new_day()
    print(f"{'5,000 against a stored one':30} {seconds:8.2f} {cpu_seconds:7.2f}")


def _print(title: str, tables: tuple[Path, Path], rows: int, *roles: str) -> None:
    command = [sys.executable, "-m", "loanwatch", "compare", *map(str, tables), *roles, "--html", "/dev/null"]
    spent = measure(command)
    per_row = 1e6 * spent.seconds / rows
    print(f"{title:30} {spent.seconds:8.2f} {spent.cpu_seconds:7.2f} {spent.peak_mb:8.0f} {per_row:8.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
