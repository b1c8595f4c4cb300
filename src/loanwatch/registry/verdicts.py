"""Verdicts of a model's windows: rows of `verdict`, and what stands after the newest in `verdict_state`."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from loanwatch.database import sql
from loanwatch.monitoring import Severity
from loanwatch.monitoring.standing import Change, Key, Observation, Verdict, Window, follow
from loanwatch.records import record

__all__ = ["is_newest_window", "record_verdicts", "withdraw_verdicts"]

_MADE: Key = ("", "")
"""Rule and subject of the row which says that the check was made in a window, and what stood after it."""
_NO_WINDOW = {"window_start": None, "window_end": None}

Verdicts = dict[Key, Verdict]


def record_verdicts(
    connection: Connection[Any],
    *,
    model_id: int,
    check: str,
    window: Window,
    run_id: int | None,
    observed: Mapping[Key, Observation],
) -> tuple[list[Verdict], bool]:
    """Take up what a check said of a window, in the caller's transaction.

    The windows from this one on are gone through in order of time, from what stood before it, up to the first one after
    which nothing changes. So a window that is judged again, or out of turn, leaves the same as if each had been judged
    once and in turn, and a new one costs the same however many were judged before.

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
        Whether no later window of the contract was judged yet, under any version of the model.
    """
    key = _key(model_id, check, window)
    rows = [
        {
            **key,
            "rule": rule,
            "subject": subject,
            "run_id": run_id,
            "severity": seen.severity.word,
            "lingering": seen.lingering.word,
            "also": list(seen.also),
        }
        for (rule, subject), seen in {_MADE: Observation(), **observed}.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql("verdict_lock"), key)
        cursor.execute(sql("verdict_delete"), key)
        cursor.executemany(sql("verdict_insert"), rows)
    after = _take_up(connection, key)
    told = [v for v in after.values() if v.stands or v.change is Change.CLOSED]
    return sorted(told, key=lambda v: (-v.severity, v.rule, v.subject)), _is_newest(connection, key)


def withdraw_verdicts(connection: Connection[Any], *, model_id: int, check: str, window: Window) -> None:
    """Take back what a check said of a window, which cannot be judged after all; nothing where it said nothing."""
    key = _key(model_id, check, window)
    with connection.cursor() as cursor:
        cursor.execute(sql("verdict_lock"), key)
        cursor.execute(sql("verdict_delete"), key)
        if cursor.rowcount:
            _take_up(connection, key)


def is_newest_window(connection: Connection[Any], *, model_id: int, check: str, window: Window) -> bool:
    """Return whether no later window was judged; it stays so until the caller's transaction ends."""
    key = _key(model_id, check, window)
    connection.execute(sql("verdict_lock"), key)
    return _is_newest(connection, key)


@record
class _Judged:
    """What was said of a window."""

    window: Window
    observed: Mapping[Key, Observation]
    standing: Verdicts | None
    """What stood after it when it was last worked out."""


def _take_up(connection: Connection[Any], key: Mapping[str, Any]) -> Verdicts:
    """Work out what stands after the window of the key and all later ones; return it after the window itself."""
    verdicts, known = _before(connection, key)
    after, window = verdicts, (key["window_start"], key["window_end"])
    for judged in _windows_after(connection, {**key, **known}):
        verdicts = follow(verdicts, judged.observed, judged.window)
        if judged.window == window:
            after = verdicts
        elif verdicts == judged.standing and _order(judged.window) > _order(window):
            return after  # what stands after all later windows rests on this one, and is as it was
        _save(connection, {**key, **_named(judged.window)}, verdicts)
    _save_states(connection, key, verdicts)
    return after


def _before(connection: Connection[Any], key: Mapping[str, Any]) -> tuple[Verdicts, dict[str, Any]]:
    """Return what stood before a window, and the last window of which it is known."""
    found = connection.execute(sql("verdict_standing"), key).fetchone()
    return (_verdicts(found[2]), _named(found[:2])) if found else ({}, _NO_WINDOW)


def _windows_after(connection: Connection[Any], key: Mapping[str, Any]) -> Iterator[_Judged]:
    found = connection.execute(sql("verdict_select"), key)
    for window, rows in groupby(found, key=itemgetter(0, 1)):
        said = {row[2:4]: row for row in rows}
        made = said.pop(_MADE)
        yield _Judged(
            window=window,
            observed={
                name: Observation(
                    severity=Severity.from_word(severity), lingering=Severity.from_word(lingering), also=tuple(also)
                )
                for name, (*_, severity, lingering, also, _standing) in said.items()
            },
            standing=None if made[-1] is None else _verdicts(made[-1]),
        )


def _save(connection: Connection[Any], key: Mapping[str, Any], verdicts: Verdicts) -> None:
    standing = Jsonb([verdict.to_dict() for verdict in verdicts.values()])
    connection.execute(sql("verdict_standing_update"), {**key, "standing": standing})


def _save_states(connection: Connection[Any], key: Mapping[str, Any], verdicts: Verdicts) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql("verdict_state_delete"), key)
        cursor.executemany(sql("verdict_state_insert"), [_state(key, verdict) for verdict in verdicts.values()])


def _is_newest(connection: Connection[Any], key: Mapping[str, Any]) -> bool:
    found = connection.execute(sql("verdict_is_newest"), key).fetchone()
    assert found is not None  # noqa: S101  (SELECT without FROM)
    return bool(found[0])


def _key(model_id: int, check: str, window: Window) -> dict[str, Any]:
    return {"model_id": model_id, "check_name": check, **_named(window)}


def _named(window: Window) -> dict[str, Any]:
    return {"window_start": window[0], "window_end": window[1]}


def _order(window: Window) -> Window:
    return window[1], window[0]


def _verdicts(standing: Iterable[Mapping[str, Any]]) -> Verdicts:
    return {(verdict.rule, verdict.subject): verdict for verdict in map(Verdict.from_dict, standing)}


def _state(key: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    return {
        **key,
        "rule": verdict.rule,
        "subject": verdict.subject,
        "severity": verdict.severity.word,
        "since": verdict.since,
        "last_seen": verdict.last_seen,
        "window_count": verdict.windows,
        "well_windows": verdict.well_windows,
    }
