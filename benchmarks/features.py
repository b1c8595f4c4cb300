"""Time preprocessing and scoring of one application and of many.

python benchmarks/features.py [--rows 1000000]
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import polars as pl

from loanwatch.contract import Contract, Kind, default_contract
from loanwatch.features import Preprocessor, clean, engineer
from loanwatch.simulator import simulate_features
from loanwatch.training import split, train_candidate

BATCH_SECONDS, ROW_SECONDS = 5.0, 0.001


def raw_rows(rows: int, contract: Contract) -> pl.DataFrame:
    """Return simulated applications as a source holds them: money and times in text, mixed case, some sentinels."""
    frame = simulate_features(min(rows, 20_000), seed=1)
    frame = pl.concat([frame] * -(-rows // frame.height)).head(rows)
    generator = np.random.default_rng(0)
    words = pl.when(pl.col("label").cast(pl.Boolean)).then(pl.lit("Loan Given")).otherwise(pl.lit("Loan Refused"))
    return frame.with_columns(
        pl.Series("loan_id", generator.integers(0, 2**40, rows)).cast(pl.String),
        words.alias("loan_status"),
        pl.col("monthly_debt", "max_open_credit").cast(pl.String),
        pl.col("home_ownership", "purpose").str.to_titlecase(),
        pl.col("application_time").dt.to_string("%d-%m-%Y %H:%M:%S"),
        pl.when(pl.Series(generator.random(rows) < 0.1)).then(99_999_999.0).otherwise(pl.col("current_loan_amount"))
        .alias("current_loan_amount"),
    ).select(name for name in contract.column_names if name != contract.keys.applicant)  # fmt: skip


def best_of(repeats: int, work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of some runs."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def request(raw: pl.DataFrame, contract: Contract) -> dict[str, object]:
    """Return one application as a request carries it: the key and the predictors."""
    kinds = (Kind.NUMERIC, Kind.CATEGORICAL)
    wanted = {c.name for c in contract.columns if c.kind in kinds} - {contract.label.column}
    return {name: value for name, value in raw.row(0, named=True).items() if name in wanted}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    contract = default_contract()
    raw = raw_rows(rows, contract)
    sample = engineer(clean(raw.head(15_000), contract).frame, contract)
    preprocessor = Preprocessor.fit(sample, contract)
    models = {name: train_candidate(split(sample, contract), contract, name, seed=0).model
              for name in contract.training.candidates}  # fmt: skip

    cleaned = clean(raw, contract).frame
    engineered = engineer(cleaned, contract)
    matrix = preprocessor.transform(engineered)
    parts = {
        "clean": best_of(3, lambda: clean(raw, contract)),
        "engineer": best_of(3, lambda: engineer(cleaned, contract)),
        "transform": best_of(3, lambda: preprocessor.transform(engineered)),
    }
    print(f"{rows:,} rows: seconds (bar for the first three together: {BATCH_SECONDS:g})")
    for name, seconds in [*parts.items(), ("together", sum(parts.values()))]:
        print(f"  {name:28}{seconds:8.2f}")
    for name, model in models.items():
        print(f"  {'score ' + name:28}{best_of(1, lambda m=model: m.score_matrix(matrix)):8.2f}")

    application = request(raw, contract)
    print(f"one application: milliseconds (bar for the first: {ROW_SECONDS * 1e3:g})")
    print(f"  {'clean, engineer, transform':28}{time_one(application, contract, preprocessor.transform) * 1e3:8.3f}")
    for name, model in models.items():
        print(f"  {'… and score ' + name:28}{time_one(application, contract, model.score) * 1e3:8.3f}")


def time_one(application: dict[str, object], contract: Contract, last: Callable[[pl.DataFrame], object]) -> float:
    """Return the mean seconds of the whole way of one application, the frame's construction included."""

    def work() -> None:
        for _ in range(200):
            last(engineer(clean(pl.DataFrame([application]), contract).frame, contract))

    return best_of(5, work) / 200


if __name__ == "__main__":
    main()
