"""False alarms and power of the checks of concept drift and model drift, on simulated applications.

    OPENBLAS_NUM_THREADS=1 python benchmarks/concept_drift.py --pairs 200

Every pair is a fresh hold-out and a fresh window scored by a gradient boosting that was trained on rows of its own,
so that the model is as imperfect as a deployed one.
"""

import argparse
import time
import zlib
from collections import Counter
from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

from loanwatch.contract import Kind, default_contract
from loanwatch.monitoring import ScoredWindow, Severity, concept_drift, performance
from loanwatch.simulator import FeatureShift, MixShift, PriorShift, RelationChange, simulate_features

CONTRACT = default_contract()
PREDICTORS = [c.name for c in CONTRACT.predictors]
SIZES = {"15,000 / 6,700": (12_000, 15_000, 6_700), "1,320 / 4,400": (3_080, 1_320, 4_400)}
SMALL = {f"15,000 / {n}": (12_000, 15_000, n) for n in (50, 150, 500)}
PAIRS_PER_MODEL = 5


@dataclass(frozen=True, kw_only=True)
class Scenario:
    name: str
    events: tuple = ()
    relation_changed: bool = False
    subject: str | None = None


SCENARIOS = (
    Scenario(name="no drift"),
    Scenario(name="income × 1.3", events=(FeatureShift(column="annual_income", factor=1.3),)),
    Scenario(name="loan amount × 1.3", events=(FeatureShift(column="current_loan_amount", factor=1.3),)),
    Scenario(name="credit score − 8", events=(FeatureShift(column="credit_score", offset=-8),)),
    Scenario(name="purpose mix 10 points", events=(MixShift(column="purpose", category="small business", points=10),)),
    Scenario(
        name="credit_score effect halved",
        events=(RelationChange(column="credit_score", strength=0.5),),
        relation_changed=True,
        subject="credit_score",
    ),
    Scenario(
        name="the same, approval rate kept",
        events=(RelationChange(column="credit_score", strength=0.5, keep_rate=True),),
        relation_changed=True,
        subject="credit_score",
    ),
    Scenario(
        name="home_ownership effect halved",
        events=(RelationChange(column="home_ownership", strength=0.5),),
        relation_changed=True,
        subject="home_ownership",
    ),
    Scenario(name="approval − 5 points", events=(PriorShift(points=-5),), relation_changed=True, subject="label"),
)


class Scorer:
    """A gradient boosting on the contract's predictors."""

    def __init__(self, rows: int, seed: int) -> None:
        frame = simulate_features(rows, seed=seed)
        self._codes = {
            name: {v: i for i, v in enumerate(frame[name].drop_nulls().unique().sort())}
            for name in PREDICTORS
            if CONTRACT.kind_of(name) is Kind.CATEGORICAL
        }
        self._model = HistGradientBoostingClassifier(max_iter=100, learning_rate=0.05, random_state=0)
        self._model.fit(self._matrix(frame), frame["label"].to_numpy())

    def window(self, rows: int, seed: int, events: tuple = ()) -> ScoredWindow:
        frame = simulate_features(rows, seed=seed, events=events)
        return ScoredWindow(
            frame=frame.select(PREDICTORS),
            label=frame["label"].cast(pl.Float64).to_numpy(),
            probability=self.probability(frame),
            time=frame["application_time"].dt.replace_time_zone(None).to_numpy(),
        )

    def probability(self, frame: pl.DataFrame) -> np.ndarray:
        return self._model.predict_proba(self._matrix(frame))[:, 1]

    def _matrix(self, frame: pl.DataFrame) -> np.ndarray:
        columns = []
        for name in PREDICTORS:
            series = frame[name]
            if name in self._codes:
                series = series.replace_strict(self._codes[name], default=None, return_dtype=pl.Float64)
            columns.append(series.cast(pl.Float64).fill_null(float("nan")).to_numpy())
        return np.column_stack(columns)


def measure(scenario: Scenario, sizes: tuple[int, int, int], pairs: int) -> dict[str, float | str]:
    train, hold_out, current = sizes
    seed = zlib.crc32(f"{scenario.name} {sizes}".encode()) % 1_000_000_000
    concept, model, first, seconds = [], [], Counter(), 0.0
    for pair in range(pairs):
        if pair % PAIRS_PER_MODEL == 0:
            scorer = Scorer(train, seed + 3 * pair)
        reference = scorer.window(hold_out, seed + 3 * pair + 1)
        window = scorer.window(current, seed + 3 * pair + 2, scenario.events)
        started = time.perf_counter()
        report = concept_drift.check(reference, window, CONTRACT)
        seconds += time.perf_counter() - started
        concept.append(report.severity)
        model.append(performance.check(reference, window, CONTRACT).severity)
        if report.findings:
            first[report.findings[0].subject] += 1
    concept, model = np.array(concept), np.array(model)
    return {
        "any": float((concept >= Severity.LOW).mean()),
        "medium": float((concept >= Severity.MEDIUM).mean()),
        "named": first[scenario.subject] / pairs if scenario.subject else float("nan"),
        "first": ", ".join(f"{s} {n}" for s, n in first.most_common(3)),
        "model": float((model >= Severity.MEDIUM).mean()),
        "seconds": seconds / pairs,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--only", choices=["large", "hold-out", "small"], help="one block of sizes")
    options = parser.parse_args()
    blocks = dict(zip(("large", "hold-out"), SIZES.items(), strict=True))
    rows = [(n, s, x) for key, (n, s) in blocks.items() if options.only in (None, key) for x in SCENARIOS]
    if options.only in (None, "small"):
        rows += [(n, s, SCENARIOS[0]) for n, s in SMALL.items()]
    print("| reference / current | what | any finding | ≥ medium | right subject first | model drift ≥ medium | s |")
    print("|---|---|---|---|---|---|---|")
    for name, sizes, scenario in rows:
        m = measure(scenario, sizes, options.pairs)
        named = "–" if scenario.subject is None else f"{m['named']:.1%}"
        print(
            f"| {name} | {scenario.name} | {m['any']:.1%} | {m['medium']:.1%} | {named} | {m['model']:.1%} "
            f"| {m['seconds']:.2f} | {m['first']}",
            flush=True,
        )


if __name__ == "__main__":
    main()
