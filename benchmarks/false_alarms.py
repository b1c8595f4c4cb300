"""How often the data-drift check speaks when nothing moved, and how often it finds what was planted.

    python benchmarks/false_alarms.py --pairs 1000

Each pair is a fresh reference and a fresh current window from the simulator. Printed are the share of pairs with a
verdict of medium or worse, the share with any feature flagged, and for planted changes the share in which the right
feature was named; each with its 95 % interval.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from loanwatch.contract import default_contract
from loanwatch.monitoring import CheckReport, Severity, data_drift, profile_window
from loanwatch.simulator import CorrelationFlip, FeatureShift, MissingShift, MixShift, simulate_features
from loanwatch.statistics import clopper_pearson

REFERENCE_ROWS, CURRENT_ROWS = 15_000, 6_700
SMALL_WINDOWS = (50, 100, 200, 500)
PLANTED = {
    "income × 1.10": ((FeatureShift(column="annual_income", factor=1.10),), {"annual_income"}),
    "5 points of purpose mix": (
        (MixShift(column="purpose", category="debt consolidation", points=-5.0),),
        {"purpose"},
    ),
    "monthly_debt missing 35 → 42 %": ((MissingShift(column="monthly_debt", rate=0.42),), {"monthly_debt"}),
    "correlation flipped": (
        (CorrelationFlip(column_a="annual_income", column_b="monthly_debt"),),
        {"annual_income", "monthly_debt"},
    ),
}


@dataclass(frozen=True, kw_only=True)
class Task:
    """One pair: its seeds, the rows of the current window and what is planted in it."""

    seed: int
    rows: int
    planted: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the check said of one pair."""

    alarm: bool
    flagged: frozenset[str]


def compare(task: Task) -> Outcome:
    contract = default_contract()
    events = PLANTED[task.planted][0] if task.planted else ()
    reference = _simulate(REFERENCE_ROWS, seed=2 * task.seed)
    current = _simulate(
        task.rows, seed=2 * task.seed + 1, events=events, start=date(2015, 6, 1) + timedelta(task.seed % 7)
    )
    first = profile_window(reference, contract, **_outputs(reference))
    second = profile_window(current, contract, edges=first.edges, **_outputs(current))
    report: CheckReport = data_drift.check(first, second, contract)
    return Outcome(
        alarm=report.severity >= Severity.MEDIUM, flagged=frozenset(finding.subject for finding in report.findings)
    )


def _simulate(rows: int, **options) -> pl.DataFrame:
    return simulate_features(rows, **options)


def _outputs(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    return {"probability": frame["probability"].to_numpy(), "label": frame["label"].cast(pl.Float64).to_numpy()}


def _share(hits: int, pairs: int) -> str:
    interval = clopper_pearson(hits, pairs)
    return f"{100 * interval.value:6.1f} %  [{100 * interval.lower:.1f}, {100 * interval.upper:.1f}]"


def _print_null(title: str, outcomes: Sequence[Outcome]) -> None:
    alarms, flagged = sum(o.alarm for o in outcomes), sum(bool(o.flagged) for o in outcomes)
    print(f"{title:36} {len(outcomes):6}  {_share(alarms, len(outcomes)):24}  {_share(flagged, len(outcomes)):24}")


def _print_power(title: str, outcomes: Sequence[Outcome], wanted: set[str]) -> None:
    found = sum(bool(o.flagged & wanted) for o in outcomes)
    others = sum(bool(o.flagged - wanted) for o in outcomes)
    print(f"{title:36} {len(outcomes):6}  {_share(found, len(outcomes)):24}  {_share(others, len(outcomes)):24}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000, help="pairs without drift at the full size")
    parser.add_argument("--small-pairs", type=int, help="pairs for each small window; by default --pairs")
    parser.add_argument("--power-pairs", type=int, help="pairs for each planted change; by default a fifth of --pairs")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1_000)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    options = _parse(arguments)
    began = time.perf_counter()
    seeds = range(options.seed, options.seed + options.pairs)
    small = seeds[: options.small_pairs if options.small_pairs is not None else options.pairs]
    power = seeds[: options.power_pairs if options.power_pairs is not None else max(1, options.pairs // 5)]
    with ProcessPoolExecutor(options.workers) as pool:
        print(f"{'no drift':36} {'pairs':>6}  {'medium or worse':24}  {'any feature flagged':24}")
        for rows, chosen in [(CURRENT_ROWS, seeds), *((rows, small) for rows in SMALL_WINDOWS)]:
            tasks = [Task(seed=seed, rows=rows) for seed in chosen]
            _print_null(f"{REFERENCE_ROWS:,} against {rows:,}", list(pool.map(compare, tasks, chunksize=4)))
        print(f"\n{'planted, 15,000 against 6,700':36} {'pairs':>6}  {'right feature named':24}  {'another named':24}")
        for title, (_, wanted) in PLANTED.items():
            tasks = [Task(seed=seed, rows=CURRENT_ROWS, planted=title) for seed in power]
            _print_power(title, list(pool.map(compare, tasks, chunksize=4)), wanted)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
