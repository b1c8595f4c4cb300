"""Rows that lie far from all others, alone or in an unusual combination.

The distance is robust and linear in the rows, so the whole window is looked at instead of a sample, and every outlier
names the columns that make it one; an isolation forest does neither.
"""

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Kind
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.wording import count, listing, percent
from loanwatch.monitoring.result import Finding, Measurement, Severity
from loanwatch.statistics import median, quantiles

__all__ = ["check_outliers"]

Matrix = NDArray[np.float64]

DISTANCE = 8.0
"""Robust standard deviations, on a logarithmic scale for skewed columns: heavy-tailed honest incomes stay below."""

LISTED_SHARE = 0.001
"""From a row in a thousand on they are listed; single outliers are only counted."""

NOTICE_SHARE = 0.02
"""Honest heavy tails put up to a row in a hundred this far out; more is worth a notice."""

CLIP = 4.0
"""Values are cut here before correlations are taken, so that the outliers do not hide themselves."""

MINIMUM_ROWS = 50
MINIMUM_VALUES = 10
"""Columns with fewer different values are codes and counts, which have no distance to speak of."""


def check_outliers(inspection: Inspection) -> Outcome:
    r"""Return the share of outlying rows, listed where there are some, with a notice where there are many.

    Each continuous column is put on a signed logarithmic scale and centred and scaled by median and quartiles. A row
    is an outlier if one of its columns, or its Mahalanobis distance in the correlations of the clipped columns, is
    beyond `DISTANCE` (for the distance, beyond √(d + 2√(2d))·`DISTANCE`/2 with d columns). Missing values count as
    typical.

    References
    ----------
    Rousseeuw and Hubert, Anomaly detection by robust statistics, WIREs Data Mining 8 (2018).
    """
    columns = [c for c in inspection.predictors if c.kind is Kind.NUMERIC]
    scores = {c.name: _robust_score(_values(inspection, c.name), inspection.ordered[c.name]) for c in columns}
    usable = {name: score for name, score in scores.items() if score is not None}
    if inspection.rows < MINIMUM_ROWS or not usable:
        return Outcome(limitations=("Outlying rows were not looked for: too few rows or continuous columns.",))
    matrix = np.column_stack(list(usable.values()))
    alone = np.abs(matrix) > DISTANCE
    outlying = alone.any(axis=1) | _far_together(matrix)
    rows = int(np.count_nonzero(outlying))
    share = Measurement(name="outlier_rate", value=rows / inspection.rows, n_current=inspection.rows)
    if share.value < LISTED_SHARE or rows < 3:
        return Outcome(measurements={"dataset": (share,)})
    # Rows that only their combination makes unusual name the column in which they lie farthest.
    farthest = np.bincount(np.abs(matrix[outlying]).argmax(axis=1), minlength=matrix.shape[1])
    strongest = [i for i in np.argsort(-farthest, kind="stable")[:3] if farthest[i]]
    names = [list(usable)[i] for i in strongest]
    finding = Finding(
        check="data_quality.outliers",
        subject="dataset",
        severity=Severity.LOW if share.value >= NOTICE_SHARE else Severity.NONE,
        sentence=(
            f"{count(rows, 'row')} ({percent(share.value)}) lie far from all others, mostly by "
            f"{listing(inspection.contract.label_of(n) for n in names)}."
        ),
        measurements=(share,),
        details={"columns": names, "rows": rows},
    )
    return Outcome(findings=(finding,), measurements={"dataset": (share,)})


def _values(inspection: Inspection, column: str) -> Matrix:
    values: Matrix = inspection.frame[column].cast(float).to_numpy()
    return values


def _robust_score(values: Matrix, known: Matrix) -> Matrix | None:
    """Return the distance from the median in robust standard deviations; None for codes, counts and constants."""
    if len(known) < MINIMUM_ROWS or 1 + np.count_nonzero(np.diff(known)) < MINIMUM_VALUES:
        return None
    quartiles = quantiles(known, (0.25, 0.5, 0.75))
    scale = (quartiles[1] if known[0] >= 0.0 else median(np.abs(known))) or 1.0
    low, middle, high = np.arcsinh(quartiles / scale)
    if high <= low:
        return None
    # 1.349 quartile distances of the normal distribution make one standard deviation.
    score = (np.arcsinh(values / scale) - middle) / ((high - low) / 1.349)
    return np.where(np.isfinite(score), score, 0.0)


def _far_together(matrix: Matrix) -> NDArray[np.bool_]:
    """Return the rows whose combination of values is unusual, shape (rows,)."""
    clipped = np.clip(matrix, -CLIP, CLIP)
    columns = matrix.shape[1]
    covariance = np.atleast_2d(np.cov(clipped, rowvar=False)) + 1e-3 * np.eye(columns)
    centred = clipped - clipped.mean(axis=0)
    squared = np.einsum("ij,ij->i", centred @ np.linalg.inv(covariance), centred)
    far: NDArray[np.bool_] = squared > (columns + 2 * np.sqrt(2 * columns)) * (DISTANCE / 2) ** 2 / 2
    return far
