"""A window whose data halt the run: somebody is told once, and the next one that is fit ends it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from loanwatch.database import Database
from loanwatch.pipeline import Outcome, Run, run_window
from loanwatch.settings import Settings
from loanwatch.simulator import NullFeed, UnitChange, simulate, write

JANUARY, MARCH, APRIL = (datetime(2015, month, 1, tzinfo=UTC) for month in (1, 3, 4))
WEEKS = [datetime(2015, 3, day, tzinfo=UTC) for day in (1, 8, 15, 22, 29)]

Query = Callable[[str], list[tuple[Any, ...]]]


def feed(database: Database, *broken_weeks: int, replace: bool = False) -> None:
    events = [
        event
        for week in broken_weeks
        for event in (
            UnitChange(column="monthly_debt", factor=100, start=WEEKS[week], end=WEEKS[week + 1]),
            NullFeed(column="credit_score", share=0.6, start=WEEKS[week], end=WEEKS[week + 1]),
        )
    ]
    write(database, simulate(start=JANUARY, end=APRIL, seed=11, per_month=3_000, events=events), replace=replace)


@pytest.fixture
def week(database: Database, settings: Settings) -> Callable[..., Run]:
    def run(number: int, *, again: bool = False) -> Run:
        return run_window(settings, database, start=WEEKS[number], end=WEEKS[number + 1], again=again)

    return run


@pytest.fixture
def alerts(database: Database) -> Callable[[], list[tuple[Any, ...]]]:
    def halts() -> list[tuple[Any, ...]]:
        with database.connect() as connection:
            return connection.execute(
                "SELECT details ->> 'window', occurrences, status, "
                "(SELECT count(*)::int FROM loanwatch.alert_change AS told "
                " WHERE told.alert_id = alert.id AND told.notify AND kind IN ('opened', 'repeated')) "
                "FROM loanwatch.alert WHERE event = 'halted' ORDER BY id"
            ).fetchall()

    return halts


def test_the_next_window_that_is_fit_closes_the_alert_and_one_that_halts_after_it_is_told_anew(
    database, settings, week, alerts
):
    feed(database, 0, 2)
    run_window(settings, database, start=JANUARY, end=MARCH)
    first = week(0)
    assert first.outcome == Outcome.HALTED
    assert alerts() == [(first.window, 1, "open", 1)]
    assert week(1).outcome != Outcome.HALTED
    assert alerts() == [(first.window, 1, "resolved", 1)]
    third = week(2)
    assert alerts() == [(first.window, 1, "resolved", 1), (third.window, 1, "open", 1)]
    week(0, again=True)  # it was told when it was the newest
    assert alerts() == [(first.window, 1, "resolved", 1), (third.window, 1, "open", 1)]


def test_a_window_of_the_past_that_halts_is_told_once_and_closed_when_it_was_repaired(database, settings, week, alerts):
    feed(database, 0, 2)
    run_window(settings, database, start=JANUARY, end=MARCH)
    newest = week(2)
    assert alerts() == [(newest.window, 1, "open", 1)]
    past = week(0)
    assert past.outcome == Outcome.HALTED
    assert alerts() == [(newest.window, 1, "open", 1), (past.window, 1, "open", 1)]
    with database.connect() as connection:
        ((message, key),) = connection.execute(
            "SELECT message, dedup_key FROM loanwatch.alert WHERE event = 'halted' ORDER BY id OFFSET 1"
        ).fetchall()
    assert f"{past.window}: A window of the past, taken after newer ones." in message
    assert key.endswith(f"/halted/{past.window}")
    week(0, again=True)
    assert [told for *_, told in alerts()] == [1, 1]
    assert week(1).outcome != Outcome.HALTED  # past too: it says nothing about now, and nothing about the first week
    assert [status for _, _, status, _ in alerts()] == ["open", "open"]
    feed(database, 2, replace=True)
    assert week(0, again=True).outcome != Outcome.HALTED
    assert [status for _, _, status, _ in alerts()] == ["open", "resolved"]
    assert week(3).outcome != Outcome.HALTED
    assert [status for _, _, status, _ in alerts()] == ["resolved", "resolved"]
