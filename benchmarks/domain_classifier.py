"""Telling two windows apart: cross-fitted cells of pairs against cross-validated gradient boosting.

    OPENBLAS_NUM_THREADS=1 python benchmarks/domain_classifier.py --pairs 40

Each pair is a fresh reference of 15,000 and a fresh window of 6,700 simulated applications. Planted is a dependence
that neither a column nor a correlation shows: extreme values of one column with extreme values of another, on either
side, in a share of the rows. Gradient boosting gets a p-value from its fold's rank sums, as the cells do.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from scipy.stats import mannwhitneyu

from loanwatch.contract import Kind, default_contract
from loanwatch.monitoring import CheckReport, Status, data_drift
from loanwatch.simulator import simulate_features

CONTRACT = default_contract()
NAMES = [c.name for c in CONTRACT.monitored]
PLANTED = ("months_since_last_delinquent", "credit_score")
EMPTY = CheckReport(check="data_drift", status=Status.PASS, summary="")


def plant(frame: pl.DataFrame, share: float, rng: np.random.Generator) -> pl.DataFrame:
    values, other = (frame[name].cast(pl.Float64).to_numpy().copy() for name in PLANTED)
    rows = np.flatnonzero(np.isfinite(values) & np.isfinite(other) & (rng.random(frame.height) < share))
    far = np.abs(other[rows].argsort().argsort() / rows.size - 0.5) + 0.02 * rng.random(rows.size)
    ranks = np.abs(np.arange(rows.size) / rows.size - 0.5) + 0.02 * rng.random(rows.size)
    matched = np.empty(rows.size)
    matched[far.argsort()] = np.sort(values[rows])[ranks.argsort()]
    values[rows] = matched
    return frame.with_columns(pl.Series(PLANTED[0], values).fill_nan(None))


def by_cells(reference: pl.DataFrame, current: pl.DataFrame) -> tuple[float, float]:
    (found,) = data_drift.with_domain_classifier(EMPTY, reference, current, CONTRACT).measurements["domain_classifier"]
    return found.value, found.p_value or 0.0


def by_boosting(reference: pl.DataFrame, current: pl.DataFrame) -> tuple[float, float]:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  (heavy)
    from sklearn.model_selection import cross_val_predict  # noqa: PLC0415

    x = matrix(pl.concat([reference.head(10_000), current.head(10_000)]))
    y = np.arange(len(x)) >= min(reference.height, 10_000)
    model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, random_state=0)
    score = cross_val_predict(model, x, y, cv=3, method="predict_proba")[:, 1]
    test = mannwhitneyu(score[y], score[~y], alternative="greater")
    return test.statistic / y.sum() / (~y).sum(), float(test.pvalue)


def matrix(frame: pl.DataFrame) -> np.ndarray:
    columns = []
    for name in NAMES:
        series = frame[name]
        if CONTRACT.kind_of(name) is Kind.CATEGORICAL:
            series = series.rank("dense")
        columns.append(series.cast(pl.Float64).fill_null(float("nan")).to_numpy())
    return np.column_stack(columns)


METHODS: dict[str, Callable[[pl.DataFrame, pl.DataFrame], tuple[float, float]]] = {
    "cells of pairs": by_cells,
    "gradient boosting": by_boosting,
}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=40)
    options = parser.parse_args(arguments)
    print(f"{'planted in':>10} {'method':18} {'p < 0.01':>9} {'mean AUC':>9} {'CPU s':>7}")
    for share in (0.0, 0.25, 0.5):
        found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in METHODS}
        for seed in range(options.pairs):
            reference = simulate_features(15_000, seed=2 * seed).select(NAMES)
            current = simulate_features(6_700, seed=2 * seed + 1).select(NAMES)
            current = plant(current, share, np.random.default_rng(seed))
            for name, method in METHODS.items():
                began = time.process_time()
                found[name].append((*method(reference, current), time.process_time() - began))
        for name, rows in found.items():
            auc, p_value, seconds = np.array(rows).T
            print(f"{share:10.0%} {name:18} {(p_value < 0.01).mean():9.1%} {auc.mean():9.3f} {seconds.mean():7.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
