"""Count the values of a categorical column."""

import numpy as np
import polars as pl

from loanwatch.monitoring.profile.absent import count_absent, count_repaired
from loanwatch.monitoring.profile.categorical import CategoricalProfile, keep_sample
from loanwatch.monitoring.profile.days import DayCounts, DayIndex, count_days
from loanwatch.monitoring.profile.edges import CategoricalEdges, categorical_edges

__all__ = ["count_categorical"]


def count_categorical(
    values: pl.Series, days: DayIndex | None, edges: CategoricalEdges | None, issues: pl.Series | None
) -> CategoricalProfile:
    """Count a column over the categories of a reference, or over its own most frequent ones.

    Parameters
    ----------
    values : Series of n_rows
        Of any type that has a text; null where not known.
    days : DayIndex of n_rows, or None
    edges : CategoricalEdges or None
    issues : Series of n_rows, or None
        Why a value is not known.
    """
    texts = values.cast(pl.String)
    known = edges or categorical_edges(texts)
    position = {name: at for at, name in enumerate(known.categories)}
    counted = texts.value_counts(name="\0rows")
    counts = np.zeros(len(position) + 1, dtype=np.int64)
    others: dict[str, int] = {}
    for name, rows in zip(*(column.to_list() for column in counted.get_columns()), strict=True):
        at = position.get(name)
        if at is not None:
            counts[at] = rows
        elif name is not None:
            others[name] = rows
    counts[-1] = sum(others.values())
    return CategoricalProfile(
        edges=known,
        counts=counts,
        absent=count_absent(texts.null_count(), issues),
        others=keep_sample(others),
        repaired=count_repaired(issues),
        days=_days(texts, days, known),
    )


def _days(texts: pl.Series, days: DayIndex | None, edges: CategoricalEdges) -> DayCounts:
    if days is None:
        return {}
    n_known = len(edges.categories)
    code_of_row = np.full(len(texts), n_known)
    if n_known:
        codes = texts.cast(pl.Enum(edges.categories), strict=False).to_physical()
        code_of_row = codes.cast(pl.Int64).fill_null(n_known).to_numpy()
    groups = np.where(texts.is_null().to_numpy(), edges.n_groups, edges.groups[code_of_row])
    return count_days(days, groups, edges.n_groups + 1)
