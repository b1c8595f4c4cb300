"""Count the values of a numeric column."""

import numpy as np
import polars as pl

from loanwatch.monitoring.profile.absent import count_absent, count_repaired
from loanwatch.monitoring.profile.days import DayIndex, count_days
from loanwatch.monitoring.profile.edges import LARGEST, NumericEdges, numeric_edges
from loanwatch.monitoring.profile.numeric import NumericProfile
from loanwatch.statistics import CountArray, FloatArray

__all__ = ["count_numeric", "score_rows"]


def count_numeric(
    values: FloatArray,
    days: DayIndex | None,
    edges: NumericEdges | None,
    issues: pl.Series | None,
    *,
    ordered: FloatArray | None = None,
) -> NumericProfile:
    """Count a column over the bins of a reference, or over bins of its own.

    The values are sorted once: where each edge lies among them gives all counts, which takes an eighth of the time
    of finding the bin of each row.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        NaN where not known. Infinities and what is beyond `LARGEST` count as missing.
    days : DayIndex of n_rows, or None
    edges : NumericEdges or None
    issues : Series of n_rows, or None
        Why a value is not known.
    ordered : ndarray of shape (n_rows,), ascending, optional
        The same values, NaN last, from where they can be sorted sooner.
    """
    if ordered is None:
        ordered = np.sort(values)
    known = slice(*np.searchsorted(ordered, [-LARGEST, LARGEST], side="left").tolist())
    present = ordered[known]
    if present.size and present[0] <= -LARGEST:
        present = present[present > -LARGEST]
    bins = edges or numeric_edges(present)
    limits = np.concatenate([[0], np.searchsorted(present, bins.edges, side="right"), [present.size]])
    counts = np.diff(limits)
    deviation = present - bins.centre
    return NumericProfile(
        edges=bins,
        counts=counts.astype(np.int64),
        absent=count_absent(values.size - present.size, issues),
        repaired=count_repaired(issues),
        sums_centred=_bin_sums(deviation, limits, counts),
        squares_centred=float(deviation @ deviation),
        minimum=float(present[0]) if present.size else np.inf,
        maximum=float(present[-1]) if present.size else -np.inf,
        days={} if days is None else count_days(days, bins.group_of(values), bins.n_groups + 1),
    )


def score_rows(values: FloatArray, edges: NumericEdges) -> FloatArray:
    """Return the normal score of each row's bin, NaN where the value is not known."""
    known = np.abs(values) < LARGEST
    bin_of_row = np.searchsorted(edges.edges, values, side="left")
    return np.where(known, edges.scores[np.where(known, bin_of_row, 0)], np.nan)


def _bin_sums(ordered: FloatArray, limits: CountArray, counts: CountArray) -> FloatArray:
    sums = np.zeros(counts.size)
    held = counts > 0
    if held.any():  # empty bins are left out: `reduceat` would give them the value that follows
        sums[held] = np.add.reduceat(ordered, limits[:-1][held])
    return sums
