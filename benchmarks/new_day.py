"""What a new day of 5,000 applications costs against a stored reference, in seconds without imports.

    OMP_NUM_THREADS=1 python benchmarks/new_day.py                    # references of 20,000, 200,000 and 2 million rows
    OMP_NUM_THREADS=1 python benchmarks/new_day.py --rows 20000 --profile concept_drift

The reference is stored as a deployed model is: profile, hold-out and relation in its files. What is timed is what a run
does with a day that it has extracted: read the model, clean and judge the data, score, profile the day and pack it for
the database, and all checks. Left out are the round trips to the database. Best of `--repeats`, each with everything
read anew.
"""

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from loanwatch.contract import default_contract
from loanwatch.features import Cleaned, clean, engineer
from loanwatch.monitoring import (
    ScoredWindow,
    concept_drift,
    data_drift,
    data_quality,
    performance,
    profile_window,
)
from loanwatch.monitoring.cause import explain_change
from loanwatch.monitoring.profile import merge_profiles, pack, profile_by_day
from loanwatch.pipeline.bundle import DeployedModel, deployed_model, model_files
from loanwatch.simulator import simulate_features
from loanwatch.training import split, train_candidate

CONTRACT = default_contract()
NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY_ROWS, TRAINED_ROWS = 5_000, 20_000


def applications(rows: int, seed: int, *, months: float = 1.0) -> pl.DataFrame:
    """Return simulated applications of so many months as a snapshot holds them."""
    number, words = pl.int_range(pl.len()).cast(pl.String), CONTRACT.label
    return (
        simulate_features(rows, seed=seed, per_month=rows / months)
        .with_columns(
            number.alias(CONTRACT.keys.application),
            number.alias("customer_id"),
            pl.when("label").then(pl.lit(words.positive)).otherwise(pl.lit(words.negative)).alias(words.column),
        )
        .drop("label", "probability")
    )


def cleaned(raw: pl.DataFrame) -> Cleaned:
    found = clean(raw, CONTRACT)
    return Cleaned(frame=engineer(found.frame, CONTRACT), issues=found.issues)


def labels(frame: pl.DataFrame) -> np.ndarray:
    return (frame[CONTRACT.label.column] == CONTRACT.label.positive.lower()).cast(pl.Float64).to_numpy()


def window(frame: pl.DataFrame, probability: np.ndarray) -> ScoredWindow:
    return ScoredWindow(
        frame=frame.select(c.name for c in CONTRACT.monitored),
        label=labels(frame),
        probability=probability,
        time=frame[CONTRACT.time.column].dt.replace_time_zone(None).to_numpy(),
    )


def stored_model(rows: int, scoring: Any, importance: dict[str, float]) -> dict[str, bytes]:
    """Return the files of a model with a reference of so many rows, a fifth of them its hold-out."""
    reference = cleaned(applications(rows, seed=rows, months=12))
    test = reference.frame.tail(rows // 5)
    holdout = window(test, scoring.score(test))
    label = labels(reference.frame)
    profile = profile_window(reference.frame, CONTRACT, issues=reference.issues, label=label)
    scores = profile_window(test, CONTRACT, probability=holdout.probability)
    card = {"importance": importance, "training_window": {"start": "2015-01-01", "end": "2015-12-31"}}
    return model_files(
        DeployedModel.of(
            scoring=scoring,
            reference=replace(profile, score=scores.score),
            holdout=holdout,
            card=card,
            contract=CONTRACT,
        )
    )


def new_day(files: dict[str, bytes], raw: pl.DataFrame, done: Callable[[str], None]) -> None:
    """Do all that a run does with a day, and say after each part that it is done."""
    model = deployed_model(files)
    done("model read")
    day = cleaned(raw)
    done("cleaned")
    quality = data_quality.check(day, CONTRACT, reference=model.reference, now=NOW)
    done("data_quality")
    scored = window(day.frame, model.scoring.score(day.frame))
    done("scored")
    days = profile_by_day(
        day.frame,
        CONTRACT,
        issues=day.issues,
        edges=model.reference.edges,
        probability=scored.probability,
        label=scored.label,
    )
    for profile in days.values():
        pack(profile)
    done("profiled, packed")
    current = merge_profiles(days.values())
    drift = data_drift.check(model.reference, current, CONTRACT, importance=model.importance)
    drift = data_drift.with_domain_classifier(drift, model.holdout.frame, day.frame, CONTRACT)
    done("data_drift")
    performance.check(model.holdout, scored, CONTRACT, as_of=NOW, hold_out=model.figures)
    done("model_drift")
    concept = concept_drift.check(model.holdout, scored, CONTRACT, as_of=NOW)
    done("concept_drift")
    explain_change(
        model.holdout,
        scored,
        CONTRACT,
        data_quality=quality,
        data_drift=drift,
        concept_drift=concept,
        as_of=NOW,
        relation=model.relation,
    )
    done("cause")


def timed(files: dict[str, bytes], raw: pl.DataFrame) -> dict[str, float]:
    """Return the seconds of each part of a new day."""
    seconds: dict[str, float] = {}
    before = time.perf_counter()
    cpu_before = time.process_time()

    def done(part: str) -> None:
        nonlocal before
        now = time.perf_counter()
        seconds[part] = now - before
        before = now

    new_day(files, raw, done)
    return {**seconds, "all": sum(seconds.values()), "CPU": time.process_time() - cpu_before}


def profiled(files: dict[str, bytes], raw: pl.DataFrame, part: str) -> None:
    """Print where the time of one part goes."""
    profiles = {part: cProfile.Profile()}
    order = ["model read", "cleaned", "data_quality", "scored", "profiled, packed", "data_drift", "model_drift"]
    order += ["concept_drift", "cause"]
    before = order[order.index(part) - 1] if part != order[0] else None

    def done(ended: str) -> None:
        if ended == before:
            profiles[part].enable()
        elif ended == part:
            profiles[part].disable()

    if before is None:
        profiles[part].enable()
    new_day(files, raw, done)
    pstats.Stats(profiles[part]).sort_stats("cumulative").print_stats(35)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="*", default=[20_000, 200_000, 2_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--profile", help="print where the time of this part goes")
    options = parser.parse_args()
    parts = split(cleaned(applications(TRAINED_ROWS, seed=1)).frame, CONTRACT)
    trained = train_candidate(parts, CONTRACT, CONTRACT.training.candidates[0], seed=1)
    raw = applications(DAY_ROWS, seed=2, months=1 / 30.4)
    printed = False
    for rows in options.rows:
        files = stored_model(rows, trained.model, dict(trained.feature_importance))
        timed(files, raw)  # what is imported and compiled on first use
        runs = [timed(files, raw) for _ in range(options.repeats)]
        best = min(runs, key=lambda run: run["all"])
        if not printed:
            print("| reference | " + " | ".join(best) + " |\n|" + "---|" * (len(best) + 1))
            printed = True
        print(f"| {rows:,} | " + " | ".join(f"{s:.3f}" for s in best.values()) + " |")
        if options.profile:
            profiled(files, raw, options.profile)


if __name__ == "__main__":
    main()
