"""Verdicts of windows in a real PostgreSQL: judged again, out of turn, under another model."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from loanwatch.database import Database
from loanwatch.monitoring import Severity
from loanwatch.monitoring.standing import Change, Observation
from loanwatch.registry import record_verdicts, register, standing_verdicts, withdraw_verdicts

FIRST = datetime(2015, 3, 1, tzinfo=UTC)
INCOME = ("data_drift.univariate", "income")
HISTORY = [
    {INCOME: Severity.LOW},
    {INCOME: Severity.HIGH, ("data_drift.multivariate", "age"): Severity.LOW},
    {},
    {INCOME: Severity.HIGH},
]


def day(number):
    return FIRST + timedelta(days=number), FIRST + timedelta(days=number + 1)


def judge(connection, model_id, number, said):
    start, end = day(number)
    observed = {
        key: Observation(window_start=start, window_end=end, severity=severity, lingering=severity)
        for key, severity in said.items()
    }
    return record_verdicts(
        connection, model_id=model_id, check="data_drift", window=(start, end), run_id=None, observed=observed
    )


def states(connection):
    return connection.execute(
        "SELECT rule, subject, severity, since, last_seen, window_count, well_windows FROM loanwatch.verdict_state "
        "ORDER BY model_id, rule, subject"
    ).fetchall()


@pytest.fixture
def model(database: Database):
    def make():
        with database.connect() as connection:
            return register(connection, name="loans", run_id=None, digest="d", metadata={}).id

    return make


def test_windows_judged_in_any_order_and_again_leave_the_same_state(database, model):
    found = []
    for order in itertools.permutations(range(len(HISTORY))):
        model_id = model()
        with database.connect() as connection:
            for number in (*order, order[0]):
                judge(connection, model_id, number, HISTORY[number])
            found.append(states(connection))
            connection.execute("DELETE FROM loanwatch.ml_model WHERE id = %s", [model_id])
    assert all(each == found[0] for each in found)
    assert found[0] == [
        ("data_drift.multivariate", "age", "none", None, day(1)[1], 3, 0),
        (*INCOME, "high", day(0)[0], day(3)[1], 4, 0),
    ]


def test_a_window_says_what_stood_when_it_was_its_turn(database, model):
    model_id = model()
    with database.connect() as connection:
        opened, newest = judge(connection, model_id, 1, {INCOME: Severity.HIGH})
        assert [(v.change, v.since) for v in opened] == [(Change.OPENED, day(1)[0])]
        assert newest
        earlier, newest = judge(connection, model_id, 0, {INCOME: Severity.HIGH})
        assert [(v.change, v.since) for v in earlier] == [(Change.OPENED, day(0)[0])]
        assert not newest
        (standing,) = standing_verdicts(connection, model_id=model_id, check="data_drift")
        assert (standing.since, standing.windows) == (day(0)[0], 2)


def test_a_new_model_starts_anew(database, model):
    with database.connect() as connection:
        judge(connection, model(), 0, {INCOME: Severity.HIGH})
        verdicts, _ = judge(connection, model(), 1, {INCOME: Severity.HIGH})
    assert [v.change for v in verdicts] == [Change.OPENED]


def test_a_window_that_cannot_be_judged_after_all_is_taken_back(database, model):
    model_id = model()
    with database.connect() as connection:
        judge(connection, model_id, 0, {INCOME: Severity.LOW})
        before = states(connection)
        judge(connection, model_id, 1, {INCOME: Severity.HIGH})
        withdraw_verdicts(connection, model_id=model_id, check="data_drift", window=day(1))
        assert states(connection) == before
        withdraw_verdicts(connection, model_id=model_id, check="data_drift", window=day(0))
        assert states(connection) == []
        assert standing_verdicts(connection, model_id=model_id, check="data_drift") == []
