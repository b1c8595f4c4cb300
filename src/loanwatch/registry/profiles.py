"""Profiles of a model's applications by day: rows of `profile`, of which any window is a merge."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from loanwatch.database import sql
from loanwatch.monitoring import Profile, ProfileEdges
from loanwatch.monitoring.profile import merge_profiles, pack, summary_of, unpack
from loanwatch.records import record
from loanwatch.registry.versions import ModelVersion

__all__ = ["StoredWindow", "store_days", "stored_window"]

_DAY = timedelta(days=1)
Span = tuple[datetime, datetime]


@record
class StoredWindow:
    """What is stored of a window."""

    start: datetime
    end: datetime
    profile: Profile | None
    """None where no application is stored."""
    gaps: tuple[Span, ...] = ()
    """What of the window no run has profiled under this model."""

    @property
    def is_complete(self) -> bool:
        """Whether all of the window was profiled."""
        return not self.gaps


def store_days(
    connection: Connection[Any],
    model: ModelVersion,
    profiles: Mapping[date, Profile],
    *,
    window: Span,
    run_id: int | None = None,
) -> None:
    """Store the days of a window in the caller's transaction, in place of what was stored of them before.

    A window that begins or ends within a day stores that part of the day. A part that lies within a longer one is
    stored already, as far as days can tell; where two parts overlap otherwise, the newer one stays. Runs that store
    days of one model at once wait for each other.

    Parameters
    ----------
    profiles : mapping of date (UTC) to Profile
        Over the bins of the model's reference; days of the window that are not in it had no applications.
    window : tuple of two aware datetimes
        [start, end): what the profiles hold all applications of.
    """
    rows = [
        {
            "contract": model.name,
            "model_id": model.id,
            "day": start.date(),
            "starts_at": start,
            "ends_at": end,
            "run_id": run_id,
            "row_count": profile.rows if profile else 0,
            "payload": Jsonb(summary_of(profile) if profile else {}),
            "content": pack(profile) if profile else None,
        }
        for start, end in _parts(*window)
        for profile in [profiles.get(start.date())]
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql("profile_lock"), {"model_id": model.id})
        cursor.executemany(sql("profile_replace"), rows)
        cursor.executemany(sql("profile_insert"), rows)


def stored_window(
    connection: Connection[Any], model: ModelVersion, *, edges: ProfileEdges, start: datetime, end: datetime
) -> StoredWindow:
    """Return the profile of any window, merged from the days that are stored: no application is read.

    Parameters
    ----------
    model : ModelVersion
    edges : ProfileEdges
        The bins of the model's reference.
    start, end : aware datetime
        [start, end). Days that only in part lie in it are left out unless they were stored in such parts.

    Raises
    ------
    ValueError
        If a day was counted over other bins.
    """
    found = connection.execute(
        sql("profile_select"), {"contract": model.name, "model_id": model.id, "start": start, "end": end}
    ).fetchall()
    profiles = [unpack(content, edges) for _, _, content in found if content is not None]
    covered = [(starts_at, ends_at) for starts_at, ends_at, _ in found]
    return StoredWindow(
        start=start, end=end, profile=merge_profiles(profiles), gaps=tuple(_gaps(covered, start=start, end=end))
    )


def _parts(start: datetime, end: datetime) -> Iterator[Span]:
    """Cut [start, end) at midnight, UTC."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    while start < end:
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        yield start, min(midnight, end)
        start = midnight


def _gaps(covered: list[Span], *, start: datetime, end: datetime) -> Iterator[Span]:
    for first, last in covered:
        if first > start:
            yield start, first
        start = max(start, last)
    if start < end:
        yield start, end
