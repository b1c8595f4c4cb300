"""Data drift between any stretches of days, from their stored profiles: no application is read again."""

from collections.abc import Iterator
from typing import Any

from psycopg import Connection

from loanwatch.database import Database
from loanwatch.errors import ModelNotFoundError, WindowError
from loanwatch.monitoring import CheckReport, data_drift
from loanwatch.monitoring.profile import Profile, ProfileEdges
from loanwatch.monitoring.standing import Window
from loanwatch.pipeline.bundle import load_model
from loanwatch.pipeline.runs import window_name
from loanwatch.records import record
from loanwatch.registry import ModelVersion, find_version, online_version, stored_window
from loanwatch.settings import Settings
from loanwatch.storage import open_storage

__all__ = ["StoredDrift", "compare_days"]


@record
class StoredDrift:
    """What the stored days say."""

    reference: str
    """What the days are compared with, as people write it."""
    current: str
    reference_rows: int
    current_rows: int
    report: CheckReport
    importance: dict[str, float]
    limitations: tuple[str, ...]
    """Days that no run has profiled."""


def compare_days(
    settings: Settings,
    database: Database,
    *,
    window: Window,
    reference: Window | None = None,
    version: int | None = None,
) -> StoredDrift:
    """Compare a stretch of days with what a model learnt from, or with another stretch.

    Parameters
    ----------
    settings, database
        Where models and profiles are kept.
    window : tuple of two aware datetimes
        [start, end). A day that only in part lies in it is left out, unless it was stored in such parts.
    reference : tuple of two aware datetimes, optional
        By default the model's reference.
    version : int, optional
        The version whose days are looked at; by default the one that is online. Each has its own, over its own bins.

    Raises
    ------
    ModelNotFoundError
        If there is no such version.
    WindowError
        If of one of the stretches no application is stored.
    ArtifactError
        If the model's files are missing or were changed.
    """
    contract = settings.contract()
    with database.connect() as connection:
        model = _version(connection, contract.name, version)
        champion = load_model(open_storage(settings, "models"), model)
        edges = champion.reference.edges
        current, notes = _stored(connection, model, edges=edges, window=window)
        before, more = (
            _stored(connection, model, edges=edges, window=reference) if reference else (champion.reference, ())
        )
    return StoredDrift(
        reference=window_name(*reference) if reference else f"reference of {model.title}",
        current=window_name(*window),
        reference_rows=before.rows,
        current_rows=current.rows,
        report=data_drift.check(before, current, contract, importance=champion.importance),
        importance=champion.importance,
        limitations=(*more, *notes),
    )


def _version(connection: Connection[Any], name: str, version: int | None) -> ModelVersion:
    if version is not None:
        return find_version(connection, name, version)
    online = online_version(connection, name)
    if online is None:
        raise ModelNotFoundError(
            f"no version of {name} is online: deploy one with `loanwatch run`, or name one with --model"
        )
    return online


def _stored(
    connection: Connection[Any], model: ModelVersion, *, edges: ProfileEdges, window: Window
) -> tuple[Profile, tuple[str, ...]]:
    start, end = window
    if start >= end:
        raise WindowError(f"{window_name(start, end)} holds no time: the start must be before the end")
    stored = stored_window(connection, model, edges=edges, start=start, end=end)
    if stored.profile is None:
        raise WindowError(
            f"of {window_name(start, end)} no application is stored under {model.title}: take the window with "
            "`loanwatch run`, or name the version that judged it with --model"
        )
    return stored.profile, tuple(_missing(stored.gaps, model))


def _missing(gaps: tuple[Window, ...], model: ModelVersion) -> Iterator[str]:
    for start, end in gaps:
        yield f"No run has profiled {window_name(start, end)} under {model.title}: it is not in the figures."
