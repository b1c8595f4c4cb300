"""The whole verdict on two tables: how often it speaks when nothing moved, and whether it names what was planted.

    OPENBLAS_NUM_THREADS=1 python benchmarks/whole_verdict.py --pairs 1000

Each pair is a fresh reference and a fresh current table of simulated applications with label, time, and the score of a
gradient boosting that was trained on rows of its own (another one every twentieth pair). `loanwatch.compare` has every
check on: columns, data quality, label, score, correlations, domain classifier, model drift with its segments, concept
drift, and the cause. Right is what names a column that was planted; with `--contract` the tables are read by the loan
contract.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
from concept_drift import CONTRACT, Scorer

from loanwatch.comparison import TableComparison, compare
from loanwatch.simulator import CorrelationFlip, FeatureShift, MissingShift, MixShift, RelationChange, simulate_features
from loanwatch.statistics import clopper_pearson

TRAIN, REFERENCE_ROWS, CURRENT_ROWS = 12_000, 15_000, 6_700
PAIRS_PER_MODEL = 20
SMALL_WINDOWS = (50, 100, 200, 500)
SHOW_EVERY = 100


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is planted, and the columns of which one has to be named, by a check whose name begins so."""

    name: str
    rows: int = CURRENT_ROWS
    events: tuple = ()
    wanted: frozenset[str] = frozenset()
    check: str = "data_drift"


NULLS = tuple(
    Scenario(name=f"no drift, {REFERENCE_ROWS:,} against {rows:,}", rows=rows)
    for rows in (CURRENT_ROWS, *SMALL_WINDOWS)
)
PLANTED = (
    Scenario(
        name="income × 1.10",
        events=(FeatureShift(column="annual_income", factor=1.10),),
        wanted=frozenset({"annual_income"}),
    ),
    Scenario(
        name="5 points of the purpose mix",
        events=(MixShift(column="purpose", category="debt consolidation", points=-5.0),),
        wanted=frozenset({"purpose"}),
    ),
    Scenario(
        name="monthly_debt missing 35 → 42 %",
        events=(MissingShift(column="monthly_debt", rate=0.42),),
        wanted=frozenset({"monthly_debt"}),
    ),
    Scenario(
        name="effect of credit_score halved",
        events=(RelationChange(column="credit_score", strength=0.5),),
        wanted=frozenset({"credit_score"}),
        check="concept_drift",
    ),
    Scenario(
        name="a correlation turned round",
        events=(CorrelationFlip(column_a="annual_income", column_b="monthly_debt"),),
        wanted=frozenset({"annual_income", "monthly_debt"}),
    ),
)


def verdicts(scenario: Scenario, *, pairs: int, seed: int, with_contract: bool) -> Iterator[TableComparison]:
    """Judge fresh pairs; the current window begins on another day of the week each time."""
    for pair in range(pairs):
        first = seed + 3 * pair
        if pair % PAIRS_PER_MODEL == 0:
            scorer = Scorer(TRAIN, first)
        start = date(2015, 6, 1) + timedelta(pair % 7)
        before = table(scorer, simulate_features(REFERENCE_ROWS, seed=first + 1))
        now = table(scorer, simulate_features(scenario.rows, seed=first + 2, events=scenario.events, start=start))
        yield judge(before, now, with_contract=with_contract)


def table(scorer: Scorer, frame: pl.DataFrame) -> pl.DataFrame:
    words = pl.when("label").then(pl.lit(CONTRACT.label.positive)).otherwise(pl.lit(CONTRACT.label.negative))
    return frame.select(
        *(c.name for c in CONTRACT.predictors),
        pl.col(CONTRACT.time.column),
        words.alias(CONTRACT.label.column),
        pl.Series("score", scorer.probability(frame)),
    )


def judge(before: pl.DataFrame, now: pl.DataFrame, *, with_contract: bool) -> TableComparison:
    if with_contract:
        return compare(before, now, contract=CONTRACT, score="score")
    return compare(before, now, label=CONTRACT.label.column, score="score", time=CONTRACT.time.column)


def show(scenario: Scenario, found: Sequence[TableComparison], seconds: float) -> None:
    spoke = Counter(f"{f.check}:{f.subject}" for each in found for f in each.findings)
    told = ", ".join(f"{key} {n}" for key, n in spoke.most_common(3))
    if scenario.wanted:
        named = sum(
            any(f.check.startswith(scenario.check) and f.subject in scenario.wanted for f in each.findings)
            for each in found
        )
        others = sum(any(f.subject not in scenario.wanted for f in each.findings) for each in found)
        first, second = named, others
    else:
        first, second = sum(each.drifted for each in found), sum(bool(each.findings) for each in found)
    pairs = len(found)
    print(
        f"{scenario.name:36} {pairs:6,}  {_share(first, pairs):20} {_share(second, pairs):20} {seconds / pairs:5.2f}"
        f"  {told}",
        flush=True,
    )


def _share(hits: int, pairs: int) -> str:
    found = clopper_pearson(hits, pairs)
    return f"{100 * found.value:5.1f} % [{100 * found.lower:.1f}, {100 * found.upper:.1f}]"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000, help="without drift, for each size")
    parser.add_argument("--power-pairs", type=int, default=200, help="for each planted change")
    parser.add_argument("--only", choices=["large", "small", "planted"], help="one block")
    parser.add_argument("--contract", action="store_true", help="read the tables by the loan contract")
    parser.add_argument("--seed", type=int, default=300_000)
    options = parser.parse_args(arguments)
    blocks = {"large": NULLS[:1], "small": NULLS[1:], "planted": PLANTED}
    for name, scenarios in blocks.items():
        if options.only not in (None, name):
            continue
        titles = ("right one named", "another named") if name == "planted" else ("medium or worse", "anything flagged")
        print(f"{'':36} {'pairs':>6}  {titles[0]:20} {titles[1]:20} {'s':>5}  what spoke", flush=True)
        for at, scenario in enumerate(scenarios):
            began, found = time.perf_counter(), list[TableComparison]()
            pairs = options.power_pairs if scenario.wanted else options.pairs
            seed = options.seed + 1_000_000 * at + scenario.rows
            for each in verdicts(scenario, pairs=pairs, seed=seed, with_contract=options.contract):
                found.append(each)
                if len(found) % SHOW_EVERY == 0 and len(found) < pairs:
                    print(f"  … {len(found):,}: {sum(e.drifted for e in found)} medium or worse", file=sys.stderr)
            show(scenario, found, time.perf_counter() - began)


if __name__ == "__main__":
    main(sys.argv[1:])
