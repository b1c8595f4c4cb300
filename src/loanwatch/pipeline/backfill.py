"""Many windows, one after the other: each may be judged by the model that the one before it deployed."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Literal

from loanwatch.database import Database
from loanwatch.errors import WindowError
from loanwatch.pipeline.flow import run_window
from loanwatch.pipeline.runs import Run, begun_run
from loanwatch.settings import Settings

__all__ = ["Every", "backfill", "windows_between"]

Every = Literal["day", "week", "month"]


def windows_between(start: datetime, end: datetime, *, every: Every) -> Iterator[tuple[datetime, datetime]]:
    """Cut [start, end) at calendar borders; the first and the last window may be shorter.

    >>> from datetime import UTC
    >>> start, end = datetime(2015, 1, 10, tzinfo=UTC), datetime(2015, 2, 3, tzinfo=UTC)
    >>> [f"{a:%d %b} … {b:%d %b}" for a, b in windows_between(start, end, every="month")]
    ['10 Jan … 01 Feb', '01 Feb … 03 Feb']

    Raises
    ------
    WindowError
        If start is not before end.
    """
    if start >= end:
        raise WindowError(f"the period starts at {start:%Y-%m-%d} but ends at {end:%Y-%m-%d}: start must be before end")
    while start < end:
        border = min(_next_border(start, every), end)
        yield start, border
        start = border


def backfill(
    settings: Settings,
    database: Database,
    *,
    start: datetime,
    end: datetime,
    every: Every,
    again: bool = False,
    tell: Callable[[str], None] | None = None,
) -> Iterator[Run]:
    """Run the windows of a period in order; yields each run as it ends.

    Windows that were finished before are not taken again unless `again`. A window without applications is recorded as a
    failed run, with its alert, and the next one is taken; any other error stops the backfill, and asking again
    continues from there.
    """
    for window_start, window_end in windows_between(start, end, every=every):
        try:
            yield run_window(settings, database, start=window_start, end=window_end, again=again, tell=tell)
        except WindowError:
            yield begun_run(database, settings.contract(), start=window_start, end=window_end)


def _next_border(moment: datetime, every: Every) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if every == "day":
        return midnight + timedelta(days=1)
    if every == "week":
        return midnight + timedelta(days=7 - midnight.weekday())
    return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
