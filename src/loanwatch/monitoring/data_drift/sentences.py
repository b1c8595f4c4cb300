"""Say in plain words what happened to a column."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from loanwatch.errors import shorten
from loanwatch.monitoring.data_drift.column_change import ColumnChange
from loanwatch.monitoring.data_drift.multivariate import PairChange
from loanwatch.monitoring.profile import CategoricalProfile, NumericProfile
from loanwatch.monitoring.result import Severity
from loanwatch.monitoring.verdict import is_real, is_sure, size_severity

__all__ = ["column_sentence", "hub_sentence", "number", "percent"]

_SIZE_WORDS = {Severity.NONE: "negligible", Severity.LOW: "small", Severity.MEDIUM: "material", Severity.HIGH: "large"}


def number(value: float) -> str:
    """Return a number as a person writes it.

    >>> number(61000.4), number(-0.14532), number(12.0)
    ('61,000', '−0.145', '12')
    """
    size = f"{abs(value):,.0f}" if abs(value) >= 1_000 else f"{abs(value):.3g}"
    return f"−{size}" if value < 0 else size


def percent(share: float) -> str:
    """Return a share in per cent.

    >>> percent(0.3512), percent(0.0004)
    ('35.1 %', '0.04 %')
    """
    return f"{100 * share:.2f} %" if 0 < abs(share) < 0.001 else f"{100 * share:.1f} %"


def column_sentence(change: ColumnChange, adjusted: Mapping[str, float], *, reliance: float = 1.0) -> str:
    """Tell what moved in a column, with the figures, how sure it is and how large.

    Parameters
    ----------
    change : ColumnChange
    adjusted : mapping of str to float
        Aspect → p-value after correction.
    reliance : float, >= 0
        The feature's share of the model's reliance over the average feature's; told where it changes the verdict.
    """
    real = {aspect for aspect, p_value in adjusted.items() if is_real(p_value)}
    parts = []
    if "unseen" in real:
        parts.append(_unseen(change))
    if real & {"values", "shape", "share"}:
        parts.append(_values(change))
    if "others" in real and not real & {"values", "unseen"}:
        parts.append(_others(change))
    if "missing" in real:
        parts.append(_missing(change))
    size = max((size_severity(change.sizes[aspect]) for aspect in real), default=Severity.NONE)
    index = change.sizes["others"].psi or math.nan if real == {"others"} else change.psi
    figure = "" if math.isnan(index) else f"PSI {index:.2f}, "
    told = f"{figure}{_judged(min(adjusted[a] for a in real), size)}{_weighed(change, adjusted, reliance)}"
    return f"{change.title} {'; it '.join(parts)} ({told})."


def hub_sentence(subject: str, pairs: Sequence[PairChange], titles: Mapping[str, str], adjusted: float) -> str:
    """Tell how a column's relation to others changed.

    Parameters
    ----------
    subject : str
        The column that all pairs share.
    pairs : sequence of PairChange
        Largest change first.
    titles : mapping of str to str
        Column → what a person calls it.
    adjusted : float
        The smallest p-value of the pairs after correction.
    """
    told = [
        f"{titles[next(n for n in pair.columns if n != subject)]} {pair.reference:+.2f} → {pair.current:+.2f}"
        for pair in pairs[:3]
    ]
    more = f" and {len(pairs) - 3} more" if len(pairs) > 3 else ""
    return (
        f"{titles[subject]} goes with other features in another way: correlation with {', '.join(told)}{more} "
        f"({_judged(adjusted, size_severity(pairs[0].size))})."
    )


def _weighed(change: ColumnChange, adjusted: Mapping[str, float], reliance: float) -> str:
    """Say why a change of this size matters more, or less, than its size says."""
    if change.severity(adjusted, reliance=reliance) == change.severity(adjusted):
        return ""
    if reliance == 0.0:
        return "; the model does not use it"
    return f"; the model leans on it {number(round(reliance, 2))} times as much as on the average feature"


def _judged(adjusted: float, size: Severity) -> str:
    return f"{'real' if is_sure(adjusted) else 'probably real'}, {_SIZE_WORDS.get(size, 'large')}"


def _values(change: ColumnChange) -> str:
    first, second = change.reference, change.current
    if isinstance(first, NumericProfile) and isinstance(second, NumericProfile):
        return _numeric(first, second)
    if isinstance(first, CategoricalProfile) and isinstance(second, CategoricalProfile):
        return _mix(first, second)
    return ""


def _numeric(first: NumericProfile, second: NumericProfile) -> str:
    means = ("mean", first.mean, second.mean)
    low, middle, high = first.quantiles([0.1, 0.5, 0.9]).tolist()
    low_now, middle_now, high_now = second.quantiles([0.1, 0.5, 0.9]).tolist()
    medians = ("median", middle, middle_now)
    scale = first.standard_deviation
    for name, a, b in (medians, means) if first.brackets(0.5) and second.brackets(0.5) else (means,):
        if number(a) != number(b) and abs(b - a) > 0.02 * (scale if scale > 0 else 1.0):
            return f"{'rose' if b > a else 'fell'}: {name} {number(a)} → {number(b)}"
    if not all(profile.brackets(p) for profile in (first, second) for p in (0.1, 0.9)):
        return f"changed its shape: all values lay between {_extremes(first)}, now between {_extremes(second)}"
    return (
        f"changed its shape: the middle 80 % lay between {number(low)} and {number(high)}, "
        f"now between {number(low_now)} and {number(high_now)}"
    )


def _extremes(profile: NumericProfile) -> str:
    return f"{number(profile.minimum)} and {number(profile.maximum)}"


def _mix(first: CategoricalProfile, second: CategoricalProfile) -> str:
    before, after = first.counts / max(first.present, 1), second.counts / max(second.present, 1)
    names = [*first.edges.categories, "other categories"]
    order = np.argsort(-np.abs(after - before), kind="stable")[:2]
    moves = [f"{shorten(names[at], 40)} {percent(before[at])} → {percent(after[at])}" for at in order.tolist()]
    return f"changed its mix: {', '.join(moves)}"


def _others(change: ColumnChange) -> str:
    if not (isinstance(change.current, CategoricalProfile) and isinstance(change.reference, CategoricalProfile)):
        return ""
    sampled = change.current.sampled_beside(change.reference) or {}
    before, now = (max(sum(rows[side] for rows in sampled.values()), 1) for side in (0, 1))
    gone = sum(rows for rows, left in sampled.values() if not left)
    moved = max(sampled, key=lambda name: abs(sampled[name][1] / now - sampled[name][0] / before), default="")
    then, then_now = sampled.get(moved, (0, 0))
    return (
        f"changed its mix among categories that are too many to count: of {len(sampled)} looked at, "
        f"{shorten(moved, 40)} {percent(then / before)} → {percent(then_now / now)}, "
        f"those now gone {percent(gone / before)} → 0.0 %"
    )


def _unseen(change: ColumnChange) -> str:
    if not (isinstance(change.current, CategoricalProfile) and isinstance(change.reference, CategoricalProfile)):
        return ""
    rows = change.current.estimated_unseen_rows(change.reference)
    named = sorted(change.current.unseen(change.reference).items(), key=lambda item: (-item[1], item[0]))[:3]
    which = ", ".join(f"{shorten(name, 40)!r} ({count:,})" for name, count in named)
    share = percent(rows / max(change.current.present, 1))
    return f"holds categories that the reference never held in {rows:,} rows ({share}): {which}"


def _missing(change: ColumnChange) -> str:
    before = change.reference.missing / change.reference.rows
    after = change.current.missing / change.current.rows
    return f"is missing {'more' if after > before else 'less'} often: {percent(before)} → {percent(after)} of rows"
