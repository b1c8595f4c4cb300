"""Frouros' tests (Kolmogorov-Smirnov, chi-square) with PSI and Jensen-Shannon; it writes no report."""

import sys

import pandas as pd
from frouros.detectors.data_drift import JS, PSI, ChiSquareTest, KSTest

reference, current, _ = sys.argv[1:]
before, after = pd.read_parquet(reference), pd.read_parquet(current)
for name in before.columns:
    first, second = before[name].dropna().to_numpy(), after[name].dropna().to_numpy()
    numeric = pd.api.types.is_float_dtype(before[name])
    for detector in (KSTest(), PSI(num_bins=10), JS(num_bins=10)) if numeric else (ChiSquareTest(),):
        detector.fit(X=first if numeric else first.astype(str))
        detector.compare(X=second if numeric else second.astype(str))
