"""Read a window once and count it."""

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from loanwatch.contract import Contract, Kind
from loanwatch.monitoring.profile.absent import count_absent, count_repaired
from loanwatch.monitoring.profile.categorical import CategoricalProfile, keep_sample
from loanwatch.monitoring.profile.days import NO_DAY, count_days
from loanwatch.monitoring.profile.edges import (
    LARGEST,
    CategoricalEdges,
    NumericEdges,
    ProfileEdges,
    categorical_edges,
    numeric_edges,
)
from loanwatch.monitoring.profile.moments import ScoreMoments
from loanwatch.monitoring.profile.numeric import NumericProfile
from loanwatch.monitoring.profile.profile import ColumnProfile, Profile
from loanwatch.statistics import CountArray, FloatArray

__all__ = ["profile_by_day", "profile_window"]

_CORRELATED_COLUMNS = 64
"""Pairs grow with the square of the columns: the correlation matrix takes the contract's first 64 numeric ones."""


def profile_window(
    frame: pl.DataFrame,
    contract: Contract,
    *,
    issues: pl.DataFrame | None = None,
    edges: ProfileEdges | None = None,
    probability: npt.ArrayLike | None = None,
    label: npt.ArrayLike | None = None,
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
    columns: dict[str, ColumnProfile] = {}
    scores: dict[str, FloatArray] = {}
    wanted = [c.name for c in contract.described if c.is_monitored or c.predictor]
    for name in wanted:
        if name not in frame.columns:
            continue
        why = issues[name] if issues is not None and name in issues.columns else None
        known = edges.columns.get(name) if edges else None
        if contract.kind_of(name) is Kind.NUMERIC:
            bins = known if isinstance(known, NumericEdges) else None
            columns[name], bin_of_row = _numeric(_to_float(frame[name]), days, bins, why)
            if len(scores) < _CORRELATED_COLUMNS:
                scores[name] = bin_of_row
        else:
            categories = known if isinstance(known, CategoricalEdges) else None
            columns[name] = _categorical(frame[name], days, categories, why)
    return Profile(
        rows=frame.height,
        columns=columns,
        moments=ScoreMoments.of(tuple(scores), np.column_stack(list(scores.values()))) if scores else None,
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
    for day in np.unique(days[days != NO_DAY]):
        rows = np.flatnonzero(days == day)
        profiles[np.datetime64(int(day), "D").astype(date)] = profile_window(
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


def _days(frame: pl.DataFrame, column: str) -> CountArray | None:
    if column not in frame.columns or not isinstance(frame.schema[column], pl.Datetime | pl.Date):
        return None
    dates = frame[column].dt.date().cast(pl.Int32).cast(pl.Int64)
    return dates.fill_null(NO_DAY).to_numpy()


def _to_float(values: pl.Series) -> FloatArray:
    return values.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def _numeric(
    values: FloatArray, days: CountArray | None, edges: NumericEdges | None, issues: pl.Series | None
) -> tuple[NumericProfile, FloatArray]:
    """Return the profile, and the normal score of each row."""
    bins = edges or numeric_edges(values)
    known = np.abs(values) < LARGEST
    bin_of_row = np.searchsorted(bins.edges, values, side="left")
    present = values[known]
    deviation = present - bins.centre
    groups = np.where(known, bins.groups[np.where(known, bin_of_row, 0)], bins.n_groups)
    profile = NumericProfile(
        edges=bins,
        counts=np.bincount(bin_of_row[known], minlength=bins.edges.size + 1).astype(np.int64),
        absent=count_absent(values.size - present.size, issues),
        repaired=count_repaired(issues),
        sum_centred=float(deviation.sum()),
        squares_centred=float(deviation @ deviation),
        minimum=float(present.min(initial=np.inf)),
        maximum=float(present.max(initial=-np.inf)),
        days=count_days(days, groups, bins.n_groups + 1),
    )
    return profile, np.where(known, bins.scores[np.where(known, bin_of_row, 0)], np.nan)


def _categorical(
    values: pl.Series, days: CountArray | None, edges: CategoricalEdges | None, issues: pl.Series | None
) -> CategoricalProfile:
    texts = values.cast(pl.String)
    known = edges or categorical_edges(texts)
    n_known = len(known.categories)
    codes = pl.Series(known.categories, dtype=pl.Enum(known.categories)) if known.categories else None
    if codes is None:
        code_of_row = np.full(len(texts), n_known)
    else:
        code_of_row = texts.cast(codes.dtype, strict=False).to_physical().cast(pl.Int64).fill_null(n_known).to_numpy()
    null = texts.is_null().to_numpy()
    other = texts.filter(pl.Series((code_of_row == n_known) & ~null)).value_counts(name="rows")
    groups = np.where(null, known.n_groups, known.groups[code_of_row])
    return CategoricalProfile(
        edges=known,
        counts=np.bincount(code_of_row[~null], minlength=n_known + 1).astype(np.int64),
        absent=count_absent(int(null.sum()), issues),
        others=keep_sample(dict(zip(other[texts.name].to_list(), other["rows"].to_list(), strict=True))),
        repaired=count_repaired(issues),
        days=count_days(days, groups, known.n_groups + 1),
    )


def _label(label: npt.ArrayLike | None, contract: Contract, days: CountArray | None) -> CategoricalProfile | None:
    if label is None:
        return None
    values = np.asarray(label, dtype=np.float64)
    words = np.where(values == 1.0, contract.label.positive, contract.label.negative)
    series = pl.Series("label", words, dtype=pl.String).set(pl.Series(np.isnan(values)), None)
    edges = CategoricalEdges(categories=(contract.label.positive, contract.label.negative))
    return _categorical(series, days, edges, None)


def _score(
    probability: npt.ArrayLike | None, days: CountArray | None, edges: NumericEdges | None
) -> NumericProfile | None:
    if probability is None:
        return None
    return _numeric(np.asarray(probability, dtype=np.float64), days, edges, None)[0]
