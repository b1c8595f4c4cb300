"""One verdict per change: what lasts over several windows is told once, and closed when it is gone."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from loanwatch.database import Database
from loanwatch.pipeline import Run, RunContext, run_window, write_report
from loanwatch.pipeline.reporting import report_summary
from loanwatch.settings import Settings
from loanwatch.simulator import FeatureShift, simulate, write

JANUARY, MARCH, APRIL = (datetime(2015, month, 1, tzinfo=UTC) for month in (1, 3, 4))
WEEKS = [datetime(2015, 3, day, tzinfo=UTC) for day in (1, 8, 15, 22, 29)]
MOVED = "annual_income"

Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def shifted(database: Database, settings: Settings) -> Database:
    """A model trained on two quiet months, and a March whose first half has higher incomes."""
    moved = FeatureShift(column=MOVED, factor=1.5, start=WEEKS[0], end=WEEKS[2])
    write(database, simulate(start=JANUARY, end=APRIL, seed=11, per_month=3_000, events=[moved]))
    run_window(settings, database, start=JANUARY, end=MARCH)
    return database


@pytest.fixture
def query(database: Database) -> Query:
    def rows(statement: str) -> list[tuple[Any, ...]]:
        with database.connect() as connection:
            return connection.execute(statement.encode()).fetchall()

    return rows


def week(settings: Settings, database: Database, number: int, *, again: bool = False) -> Run:
    return run_window(settings, database, start=WEEKS[number], end=WEEKS[number + 1], again=again)


def drift_of(run: Run) -> dict[str, Any]:
    assert run.summary is not None
    return run.summary["checks"]["data_drift"]


def told(query: Query) -> list[tuple[Any, ...]]:
    return query(
        "SELECT change.kind, change.notify FROM loanwatch.alert_change AS change JOIN loanwatch.alert "
        "ON alert.id = change.alert_id WHERE alert.event = 'data_drift' ORDER BY change.id"
    )


def test_a_shift_of_two_weeks_is_opened_once_counted_once_and_closed_once(
    shifted: Database, settings: Settings, query: Query
) -> None:
    first, second, third, fourth = (week(settings, shifted, number) for number in range(4))
    assert drift_of(first)["news"] == [MOVED]
    assert drift_of(second)["news"] == []
    assert datetime.fromisoformat(drift_of(second)["first_seen"]) == WEEKS[0]
    assert "Nothing new since 1 March 2015" in drift_of(second)["summary"]
    assert any("Since 1 March 2015, unchanged." in reason for reason in second.summary["reasons"])
    assert drift_of(third)["first_seen"] is not None
    assert drift_of(fourth)["first_seen"] is None
    assert told(query) == [("opened", True), ("repeated", False), ("resolved", True)]
    assert query("SELECT occurrences, status, resolution FROM loanwatch.alert WHERE event = 'data_drift'") == [
        (2, "resolved", f"nothing found in 2 windows in a row, last {fourth.window}")
    ]


def test_the_report_shows_every_window_with_its_interval_and_the_estimate_beside_the_truth(
    shifted: Database, settings: Settings
) -> None:
    runs = [week(settings, shifted, number) for number in range(3)]
    summary = report_summary(RunContext(runs[-1], database=shifted, settings=settings))
    points = {point.window: point for point in summary.history}
    for start in WEEKS[:3]:
        point = points[f"{start:%Y-%m-%d}"]
        assert None not in (point.auc, point.lower, point.upper, point.estimate)
        assert point.lower < point.auc < point.upper
    page = write_report(RunContext(runs[1], database=shifted, settings=settings)).read_text()
    assert "Since 1 March 2015, unchanged." in page


def test_a_week_taken_again_or_late_changes_nothing_that_was_told(
    shifted: Database, settings: Settings, query: Query
) -> None:
    week(settings, shifted, 1)
    state = "SELECT rule, subject, severity, since, window_count FROM loanwatch.verdict_state WHERE subject = '{}'"
    before, said = query(state.format(MOVED)), told(query)
    week(settings, shifted, 1, again=True)
    assert query(state.format(MOVED)) == before
    assert told(query) == said
    late = week(settings, shifted, 0)
    assert drift_of(late)["news"] == [MOVED]
    assert told(query) == said
    ((*_, since, windows),) = query(state.format(MOVED))
    assert (since, windows) == (WEEKS[0], 2)
