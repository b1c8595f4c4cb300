"""Which applications a scheduled or triggered run is about."""

from datetime import UTC, date, datetime, timedelta

from loanwatch.errors import WindowError
from loanwatch.records import record

__all__ = ["Window", "window_of"]


@record
class Window:
    """[start, end), aware, in UTC."""

    start: datetime
    end: datetime


def window_of(
    *,
    start_date: str | None,
    end_date: str | None,
    interval_start: datetime | None,
    interval_end: datetime | None,
    run_after: datetime,
) -> Window:
    """Return the window of a run: the dates it was triggered with, else its data interval.

    Parameters
    ----------
    start_date, end_date : str or None
        `2015-03-01`: the first day, and the first day after the window. Both or neither.
    interval_start, interval_end : datetime or None
        Aware; None where a run was triggered without a logical date.
    run_after : datetime
        Aware; without dates and interval the window is the last whole day (UTC) before it.

    Examples
    --------
    >>> now = datetime(2015, 3, 2, 7, 30, tzinfo=UTC)
    >>> day = window_of(start_date=None, end_date=None, interval_start=None, interval_end=None, run_after=now)
    >>> day.start.isoformat(), day.end.isoformat()
    ('2015-03-01T00:00:00+00:00', '2015-03-02T00:00:00+00:00')

    Raises
    ------
    WindowError
        If only one date is given, one is not a date, or the start is not before the end.
    """
    if start_date or end_date:
        return _given(start_date, end_date)
    if interval_start is not None and interval_end is not None and interval_start < interval_end:
        return Window(start=interval_start.astimezone(UTC), end=interval_end.astimezone(UTC))
    midnight = run_after.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(start=midnight - timedelta(days=1), end=midnight)


def _given(start_date: str | None, end_date: str | None) -> Window:
    start, end = _midnight("start_date", start_date), _midnight("end_date", end_date)
    if start >= end:
        raise WindowError(
            f"start_date {start_date} is not before end_date {end_date}: end_date is the first day after the window"
        )
    return Window(start=start, end=end)


def _midnight(name: str, text: str | None) -> datetime:
    if not text:
        raise WindowError(f"{name} is missing: give both start_date and end_date, or neither for the data interval")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise WindowError(f"{name} {text!r} is not a date: write it as 2015-03-01") from error
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
