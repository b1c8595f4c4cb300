"""How often the right cause of a change is named, on simulated windows.

    OPENBLAS_NUM_THREADS=1 python benchmarks/cause.py --windows 200

A fresh hold-out of 5,000 and a window of 6,700 applications each time; every fifth time a new gradient boosting.
"""

import argparse
from collections import Counter

import polars as pl
from concept_drift import CONTRACT, Scorer

from loanwatch.features import Cleaned, clean
from loanwatch.monitoring import data_quality, profile_window
from loanwatch.monitoring.cause import explain_change
from loanwatch.simulator import FeatureShift, MixShift, NullFeed, RelationChange, UnitChange, simulate_features

TRAIN, HOLD_OUT, CURRENT = 12_000, 5_000, 6_700
FEATURES = (
    FeatureShift(column="annual_income", factor=1.3),
    MixShift(column="purpose", category="small business", points=10),
    FeatureShift(column="current_loan_amount", factor=1.3),
    FeatureShift(column="credit_score", offset=-8),
)
RELATIONS = (
    RelationChange(column="credit_score", strength=-0.5),
    RelationChange(column="home_ownership", strength=-0.5),
    RelationChange(column="years_in_current_job", strength=0.0),
    RelationChange(column="current_loan_amount", strength=0.0),
)
FEEDS = (
    UnitChange(column="annual_income", factor=12.0),
    NullFeed(column="credit_score", share=0.8),
    UnitChange(column="monthly_debt", factor=0.01),
    NullFeed(column="home_ownership", share=0.8),
)
KINDS = ("none", "features", "relation", "both", "quality")


def events_of(kind: str, turn: int) -> tuple:
    moved, related = FEATURES[turn % 4], RELATIONS[(turn // 4 + turn) % 4]
    return {
        "none": (),
        "features": (moved,),
        "relation": (related,),
        "both": (moved, related),
        "quality": (FEEDS[turn % 4],),
    }[kind]


def cleaned(rows: int, seed: int, events: tuple = ()) -> Cleaned:
    """Return what the cleaning of a snapshot hands to the quality check."""
    number = pl.int_range(pl.len()).cast(pl.String)
    words = CONTRACT.label
    frame = simulate_features(rows, seed=seed, events=events).with_columns(
        number.alias(CONTRACT.keys.application),
        number.alias("customer_id"),
        pl.when("label").then(pl.lit(words.positive)).otherwise(pl.lit(words.negative)).alias(words.column),
        pl.col("application_time").dt.strftime("%d-%m-%Y %H:%M"),
    )
    return clean(frame.drop("label", "probability"), CONTRACT)


def verdict(scorer: Scorer, kind: str, turn: int, seed: int) -> str:
    events = events_of(kind, turn)
    before = cleaned(HOLD_OUT, seed + 1)
    profile = profile_window(before.frame, CONTRACT, issues=before.issues)
    quality = data_quality.check(cleaned(CURRENT, seed + 2, events), CONTRACT, reference=profile)
    reference = scorer.window(HOLD_OUT, seed + 1)
    current = scorer.window(CURRENT, seed + 2, events)
    return explain_change(reference, current, CONTRACT, data_quality=quality).verdict.value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--seed", type=int, default=700_000)
    options = parser.parse_args()
    each = options.windows // len(KINDS)
    print("| truth | windows | right | verdicts |\n|---|---|---|---|")
    right = 0
    for number, kind in enumerate(KINDS):
        found: Counter[str] = Counter()
        for turn in range(each):
            seed = options.seed + 10_000 * number + 3 * turn
            if turn % 5 == 0:
                scorer = Scorer(TRAIN, seed)
            found[verdict(scorer, kind, turn, seed)] += 1
        right += found[kind]
        print(f"| {kind} | {each} | {found[kind] / each:.1%} | {dict(found)} |", flush=True)
    print(f"right in {right / (each * len(KINDS)):.1%} of {each * len(KINDS)} windows")


if __name__ == "__main__":
    main()
