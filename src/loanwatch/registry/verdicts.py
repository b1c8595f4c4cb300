"""Verdicts of a model's windows: rows of `verdict`, and what stands after them in `verdict_state`."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection

from loanwatch.database import sql
from loanwatch.monitoring import Severity
from loanwatch.monitoring.standing import Change, Observation, Standing, Verdict, follow

__all__ = ["record_verdicts", "standing_verdicts", "withdraw_verdicts"]

_MADE = ("", "")
"""Rule and subject of the row which says that the check was made in a window."""


def record_verdicts(
    connection: Connection[Any],
    *,
    model_id: int,
    check: str,
    window: tuple[datetime, datetime],
    run_id: int | None,
    observed: Mapping[tuple[str, str], Observation],
) -> tuple[list[Verdict], bool]:
    """Take up what a check said of a window, in the caller's transaction.

    The verdicts of all windows of the model are gone through in order of time, so that a window judged again, or out of
    turn, leaves the same as if each had been judged once and in turn.

    Parameters
    ----------
    window : tuple of two aware datetimes
        Its earlier verdicts are replaced.
    observed : mapping of (rule, subject) to Observation

    Returns
    -------
    list of Verdict
        What stands after this window or was closed by it, the most severe first.
    bool
        Whether no later window of the model was judged yet.
    """
    key = {"model_id": model_id, "check_name": check}
    made = Observation(window_start=window[0], window_end=window[1], severity=Severity.NONE)
    rows = [
        {
            **key,
            "rule": rule,
            "subject": subject,
            "window_start": window[0],
            "window_end": window[1],
            "run_id": run_id,
            "severity": seen.severity.word,
            "lingering": seen.lingering.word,
        }
        for (rule, subject), seen in {_MADE: made, **observed}.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql("verdict_lock"), key)
        cursor.execute(sql("verdict_delete"), rows[0])
        cursor.executemany(sql("verdict_insert"), rows)
    windows, standings = _standings(connection, key)
    _save_states(connection, key, standings)
    position = windows.index(window)
    verdicts = [Verdict.of(*name, at[position]) for name, at in standings.items() if _is_told(at[position])]
    return sorted(verdicts, key=lambda v: (-v.severity, v.rule, v.subject)), position == len(windows) - 1


def withdraw_verdicts(
    connection: Connection[Any], *, model_id: int, check: str, window: tuple[datetime, datetime]
) -> None:
    """Take back what a check said of a window, which cannot be judged after all; nothing where it said nothing."""
    key = {"model_id": model_id, "check_name": check}
    with connection.cursor() as cursor:
        cursor.execute(sql("verdict_lock"), key)
        cursor.execute(sql("verdict_delete"), {**key, "window_start": window[0], "window_end": window[1]})
        if cursor.rowcount:
            _save_states(connection, key, _standings(connection, key)[1])


def standing_verdicts(connection: Connection[Any], *, model_id: int, check: str) -> list[Verdict]:
    """Return what stands of a model after the newest window that a check was made in, the most severe first."""
    _, standings = _standings(connection, {"model_id": model_id, "check_name": check})
    verdicts = [Verdict.of(*name, at[-1]) for name, at in standings.items() if at and at[-1].severity > Severity.NONE]
    return sorted(verdicts, key=lambda v: (-v.severity, v.rule, v.subject))


def _standings(
    connection: Connection[Any], key: Mapping[str, Any]
) -> tuple[list[tuple[datetime, datetime]], dict[tuple[str, str], list[Standing]]]:
    """Return the windows in order, and by rule and subject what stood after each."""
    windows: list[tuple[datetime, datetime]] = []
    observed: defaultdict[tuple[str, str], list[Observation]] = defaultdict(list)
    for start, end, rule, subject, severity, lingering in connection.execute(sql("verdict_select"), key):
        if (rule, subject) == _MADE:
            windows.append((start, end))
            continue
        observed[rule, subject].append(
            Observation(
                window_start=start,
                window_end=end,
                severity=Severity.from_word(severity),
                lingering=Severity.from_word(lingering),
            )
        )
    return windows, {name: follow(seen, windows) for name, seen in sorted(observed.items())}


def _save_states(
    connection: Connection[Any], key: Mapping[str, Any], standings: Mapping[tuple[str, str], list[Standing]]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql("verdict_state_delete"), key)
        states = [_state(key, name, at[-1]) for name, at in standings.items() if at and at[-1].last_seen]
        cursor.executemany(sql("verdict_state_insert"), states)


def _is_told(standing: Standing) -> bool:
    return standing.severity > Severity.NONE or standing.change is Change.CLOSED


def _state(key: Mapping[str, Any], name: tuple[str, str], last: Standing) -> dict[str, Any]:
    return {
        **key,
        "rule": name[0],
        "subject": name[1],
        "severity": last.severity.word,
        "since": last.since,
        "last_seen": last.last_seen,
        "window_count": last.windows,
        "well_windows": last.well_windows,
    }
