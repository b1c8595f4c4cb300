"""Read a window once and count it."""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from loanwatch.contract import Contract, Kind
from loanwatch.monitoring.profile.absent import count_absent
from loanwatch.monitoring.profile.categorical import CategoricalProfile
from loanwatch.monitoring.profile.count_categorical import count_categorical
from loanwatch.monitoring.profile.count_numeric import count_numeric, score_rows
from loanwatch.monitoring.profile.days import DayIndex, count_days, index_days
from loanwatch.monitoring.profile.edges import CategoricalEdges, NumericEdges, ProfileEdges
from loanwatch.monitoring.profile.moments import ScoreMoments
from loanwatch.monitoring.profile.numeric import NumericProfile
from loanwatch.monitoring.profile.profile import ColumnProfile, Profile
from loanwatch.statistics import FloatArray

__all__ = ["CORRELATED_ROWS", "profile_by_day", "profile_window"]

_CORRELATED_COLUMNS = 64
"""Pairs grow with the square of the columns: the correlation matrix takes the contract's first 64 numeric ones."""
CORRELATED_ROWS = 16_384
"""Rows of one call that the correlations are taken from, evenly spaced: enough to see a change of 0.05."""
_PARALLEL_CELLS = 400_000
"""Below it threads cost more than they give."""
_NOTHING: FloatArray = np.empty(0)

_Result = TypeVar("_Result")


def profile_window(
    frame: pl.DataFrame,
    contract: Contract,
    *,
    issues: pl.DataFrame | None = None,
    edges: ProfileEdges | None = None,
    probability: npt.ArrayLike | None = None,
    label: npt.ArrayLike | None = None,
    correlated_rows: int = CORRELATED_ROWS,
    threads: int | None = None,
) -> Profile:
    """Count a window of cleaned applications.

    Parameters
    ----------
    frame : DataFrame of n rows
        Typed values, null where not known; engineered columns included.
    contract : Contract
        Its predictors and monitored columns are profiled; its time column dates the rows.
    issues : DataFrame of n rows, optional
        Column by column why a value is null (`sentinel`, `out_of_range`, `unreadable`) or was changed.
    edges : ProfileEdges, optional
        Bins of the reference. By default the window fixes its own: it is a reference.
    probability : array_like of shape (n,), in [0, 1], optional
        The model's probability of the positive label; NaN where not scored.
    label : array_like of shape (n,), optional
        1 for the positive label, 0 for the negative one, NaN where not known.
    correlated_rows : int, optional
        At most how many rows, evenly spaced, the correlations are taken from, none for 0; everything else counts all
        rows.
    threads : int, optional
        How many columns are counted at once. By default as many as there are cores, where the window is long enough.

    Returns
    -------
    Profile
        Columns that the window lacks are listed in `unprofiled`.

    Raises
    ------
    ValueError
        If `issues`, `probability` or `label` has another number of rows.
    """
    _check_heights(frame.height, issues=issues, probability=probability, label=label)
    days = _days(frame, contract.time.column)
    wanted = [c.name for c in contract.described if c.is_monitored or c.predictor]
    present = [name for name in wanted if name in frame.columns]

    numeric = [name for name in present if contract.kind_of(name) is Kind.NUMERIC]
    scored = numeric[:_CORRELATED_COLUMNS] if correlated_rows else []
    correlated = np.linspace(0, max(frame.height - 1, 0), min(correlated_rows, frame.height)).astype(np.intp)

    def count(name: str) -> tuple[ColumnProfile, FloatArray]:
        why = issues[name] if issues is not None and name in issues.columns else None
        known = edges.columns.get(name) if edges else None
        if contract.kind_of(name) is Kind.NUMERIC:
            series = _to_float(frame[name])
            values = series.to_numpy()
            # Polars sorts ties in a fifth of NumPy's time; NumPy's AVX-512 sort is slow on some processors.
            ordered = series.sort(multithreaded=False).to_numpy()
            counted = count_numeric(
                values, days, known if isinstance(known, NumericEdges) else None, why, ordered=ordered
            )
            return counted, score_rows(values[correlated], counted.edges) if name in scored else _NOTHING
        categories = known if isinstance(known, CategoricalEdges) else None
        return count_categorical(frame[name], days, categories, why), _NOTHING

    found = _each(count, present, threads=threads or _threads(frame.height * len(present)))
    return Profile(
        rows=frame.height,
        columns={name: column for name, (column, _) in found.items()},
        moments=ScoreMoments.of(tuple(scored), np.stack([found[n][1] for n in scored]).T) if scored else None,
        label=_label(label, contract, days),
        score=_score(probability, days, edges.score if edges else None),
        unprofiled=tuple(name for name in wanted if name not in frame.columns),
    )


def profile_by_day(
    frame: pl.DataFrame,
    contract: Contract,
    *,
    edges: ProfileEdges,
    issues: pl.DataFrame | None = None,
    probability: npt.ArrayLike | None = None,
    label: npt.ArrayLike | None = None,
) -> dict[date, Profile]:
    """Count a window day by day; merging the days gives the window's profile (rows without a time left out).

    Parameters are those of `profile_window`; the bins must be given, since days over different bins cannot be merged.
    """
    _check_heights(frame.height, issues=issues, probability=probability, label=label)
    days = _days(frame, contract.time.column)
    if days is None:
        return {}
    scored = None if probability is None else np.asarray(probability, dtype=np.float64)
    labels = None if label is None else np.asarray(label, dtype=np.float64)
    profiles = {}
    for position, day in enumerate(days.dates):
        rows = np.flatnonzero(days.positions == position)
        profiles[date.fromisoformat(day)] = profile_window(
            frame[rows],
            contract,
            issues=None if issues is None else issues[rows],
            edges=edges,
            probability=None if scored is None else scored[rows],
            label=None if labels is None else labels[rows],
        )
    return profiles


def _check_heights(height: int, **others: Any) -> None:  # noqa: ANN401  (frames and arrays alike have a length)
    for name, values in others.items():
        if values is not None and len(values) != height:
            raise ValueError(f"{name} has {len(values)} rows, the window {height}")


def _days(frame: pl.DataFrame, column: str) -> DayIndex | None:
    if column not in frame.columns or not isinstance(frame.schema[column], pl.Datetime | pl.Date):
        return None
    return index_days(frame[column])


def _to_float(values: pl.Series) -> pl.Series:
    if values.dtype != pl.Float64 or values.null_count():
        # to_numpy alone would also turn null into NaN, in twice the time
        values = values.cast(pl.Float64, strict=False).fill_null(math.nan)
    return values


def _threads(cells: int) -> int:
    """Return how many threads pay: sorting and counting let other threads run."""
    return 1 if cells < _PARALLEL_CELLS else min(os.cpu_count() or 1, 8)


def _each(count: Callable[[str], _Result], names: Sequence[str], *, threads: int) -> dict[str, _Result]:
    """Count column by column."""
    if threads == 1:
        return {name: count(name) for name in names}
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(names, pool.map(count, names), strict=True))


def _label(label: npt.ArrayLike | None, contract: Contract, days: DayIndex | None) -> CategoricalProfile | None:
    if label is None:
        return None
    values = np.asarray(label, dtype=np.float64)
    group_of_row = np.where(np.isnan(values), 3, np.where(values == 1.0, 0, 1))
    positive, negative, _, missing = np.bincount(group_of_row, minlength=4).tolist()
    edges = CategoricalEdges(categories=(contract.label.positive, contract.label.negative))
    return CategoricalProfile(
        edges=edges,
        counts=np.array([positive, negative, 0], dtype=np.int64),
        absent=count_absent(missing, None),
        days=count_days(days, group_of_row, edges.n_groups + 1),
    )


def _score(
    probability: npt.ArrayLike | None, days: DayIndex | None, edges: NumericEdges | None
) -> NumericProfile | None:
    if probability is None:
        return None
    return count_numeric(np.asarray(probability, dtype=np.float64), days, edges, None)
