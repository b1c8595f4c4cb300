"""How many applications a window holds, whether any days are empty, and how fresh it is."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.wording import count, percent
from loanwatch.monitoring.result import Finding, Measurement, Severity
from loanwatch.records import record

__all__ = ["check_volume"]

HIGH_RATIO = 1 / 3
"""Less than a third of the usual applications: most of the feed is not there."""

MEDIUM_RATIO = 0.6
EXCESS_RATIO = 3.0
"""More than three times the usual applications: something was delivered again, or a backlog arrived."""

STANDARD_DEVIATIONS = 5.0
"""How unusual the volume must be by the reference's own variation from day to day."""

CERTAIN_ROWS = 20.0
"""An empty stretch is a finding if so many applications were to be expected in it: exp(-20) by chance."""

LONG_WEEKEND_DAYS = 4
"""Without a reference, shorter stretches without applications may be the lender's rhythm."""

_NOT_COMPARED = "Volume was not compared: that needs the window's first and last day and a reference with times."

FUTURE_TOLERANCE = timedelta(days=1)
"""Sources keep local time without a zone, which may be ahead of UTC."""


@record
class _Days:
    """The whole days of a window that have passed, and the applications on each."""

    first: date
    rows: np.ndarray[tuple[int], np.dtype[np.int64]]


@record
class _Rhythm:
    """What is usual."""

    mean: float
    """Applications a day, empty days included."""
    variance: float
    longest_gap: int
    """Days."""
    known: bool
    """Whether it comes from a reference."""


def check_volume(inspection: Inspection) -> Outcome:
    """Return findings on the number of applications, on days without any, and on times in the future."""
    times = _times(inspection)
    if times.is_empty():
        return Outcome(limitations=("Volume and freshness were not judged: no application has a time.",))
    days = _days(times, inspection.window, inspection.now)
    rhythm = _rhythm(inspection, days)
    per_day = Measurement(name="rows_per_day", value=float(days.rows.mean()), n_current=int(days.rows.sum()))
    # Without a window nobody says for how long these applications were collected.
    volume = _volume_finding(days, rhythm) if inspection.window else None
    findings = [volume, _gap_finding(days, rhythm), _future_finding(times, inspection.now)]
    limitations = () if rhythm.known and inspection.window else (_NOT_COMPARED,)
    return Outcome(
        findings=tuple(f for f in findings if f is not None),
        measurements={"dataset": (per_day,)},
        limitations=limitations,
    )


def _times(inspection: Inspection) -> pl.Series:
    column = inspection.contract.time.column
    if column not in inspection.frame.columns or not inspection.frame[column].dtype.is_temporal():
        return pl.Series(column, [], dtype=pl.Datetime("us", "UTC"))
    return inspection.frame[column].drop_nulls()


def _days(times: pl.Series, window: tuple[datetime, datetime] | None, now: datetime) -> _Days:
    """Count the applications of each day of the window, up to now."""
    dates = times.dt.date()
    first, last = dates.min(), dates.max()
    assert isinstance(first, date)  # noqa: S101  (dates without nulls have both ends)
    assert isinstance(last, date)  # noqa: S101
    if window is not None:
        # The source may hold a row before the window's first day; the window's last moment is not in it.
        first = min(first, window[0].astimezone(UTC).date())
        last = (min(window[1], now) - timedelta(microseconds=1)).astimezone(UTC).date()
    offsets = (dates.to_numpy() - np.datetime64(first, "D")).astype(np.int64)
    size = max((last - first).days + 1, 1)
    return _Days(first=first, rows=np.bincount(offsets[offsets < size], minlength=size))


def _rhythm(inspection: Inspection, days: _Days) -> _Rhythm:
    reference = inspection.reference
    if reference is None or not reference.rows_by_day:
        return _rhythm_of(np.trim_zeros(days.rows), known=False, longest_gap=LONG_WEEKEND_DAYS)
    rows = _filled(reference.rows_by_day)
    return _rhythm_of(rows, known=True, longest_gap=max((length for _, length in _gaps(rows)), default=0))


def _rhythm_of(rows: np.ndarray[tuple[int], np.dtype[np.int64]], *, known: bool, longest_gap: int) -> _Rhythm:
    mean = float(rows.mean()) if len(rows) else 0.0
    variance = max(float(rows.var()), mean)
    return _Rhythm(mean=mean, variance=variance, longest_gap=longest_gap, known=known)


def _filled(rows_by_day: Mapping[date, int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    first, last = min(rows_by_day), max(rows_by_day)
    rows = np.zeros((last - first).days + 1, dtype=np.int64)
    for day, number in rows_by_day.items():
        rows[(day - first).days] = number
    return rows


def _gaps(rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[tuple[int, int]]:
    """Return first day and length of each stretch of empty days."""
    empty = np.concatenate([[0], (rows == 0).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(empty))
    return [(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _volume_finding(days: _Days, rhythm: _Rhythm) -> Finding | None:
    """Compare the rows a day with the reference's."""
    if not rhythm.known or rhythm.mean == 0:
        return None
    n_days = len(days.rows)
    rows, expected = int(days.rows.sum()), rhythm.mean * n_days
    ratio = rows / expected
    unusual = abs(rows - expected) > STANDARD_DEVIATIONS * np.sqrt(rhythm.variance * n_days)
    severity = _volume_severity(ratio)
    if severity is Severity.NONE or not unusual:
        return None
    return Finding(
        check="data_quality.volume",
        subject="dataset",
        severity=severity,
        sentence=(
            f"The window holds {count(rows, 'application')} in {count(n_days, 'day')}, {percent(ratio)} of the "
            f"{expected:,.0f} that the reference's {rhythm.mean:,.0f} a day lead one to expect."
        ),
        measurements=(Measurement(name="volume_ratio", value=ratio, n_current=rows),),
        details={"rows": rows, "expected": expected, "days": n_days},
    )


def _volume_severity(ratio: float) -> Severity:
    if ratio < HIGH_RATIO:
        return Severity.HIGH
    return Severity.MEDIUM if ratio < MEDIUM_RATIO or ratio > EXCESS_RATIO else Severity.NONE


def _gap_finding(days: _Days, rhythm: _Rhythm) -> Finding | None:
    """Return a finding on the longest empty stretch, if it is longer than any in the reference."""
    gaps = _gaps(days.rows)
    if not rhythm.known:
        # Before the first application ever there is no feed to be late.
        gaps = [gap for gap in gaps if gap[0] > 0]
    if not gaps:
        return None
    start, length = max(gaps, key=lambda gap: gap[1])
    # A thinner window has emptier days; how thin it is, the volume says.
    expected = length * min(rhythm.mean, float(days.rows.mean()))
    if length <= rhythm.longest_gap or expected < CERTAIN_ROWS:
        return None
    first = days.first + timedelta(days=start)
    last = first + timedelta(days=length - 1)
    at_end = start + length == len(days.rows)
    when = f"from {first:%-d %B %Y} to {last:%-d %B %Y}" if length > 1 else f"on {first:%-d %B %Y}"
    late = " The latest data have probably not arrived yet." if at_end else " Part of the feed is probably lost."
    return Finding(
        check="data_quality.freshness" if at_end else "data_quality.gap",
        subject="dataset",
        severity=Severity.MEDIUM if rhythm.known else Severity.LOW,
        sentence=(
            f"No application is dated {when} ({count(length, 'day')}), where about {expected:,.0f} were to "
            f"be expected.{late}"
        ),
        measurements=(Measurement(name="gap_days", value=float(length)),),
        details={"first_day": first.isoformat(), "last_day": last.isoformat(), "days": length},
    )


def _future_finding(times: pl.Series, now: datetime) -> Finding | None:
    rows = int((times > now + FUTURE_TOLERANCE).sum())
    if rows == 0:
        return None
    share = rows / len(times)
    severity = Severity.HIGH if share >= 0.2 else Severity.MEDIUM if share >= 0.01 else Severity.LOW
    return Finding(
        check="data_quality.future_time",
        subject=times.name,
        severity=severity,
        sentence=f"{count(rows, 'application')} ({percent(share)}) are dated after now, {now:%-d %B %Y}.",
        measurements=(Measurement(name="future_rate", value=share, n_current=len(times)),),
        details={"rows": rows},
    )
