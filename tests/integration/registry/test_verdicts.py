"""Verdicts of windows in a real PostgreSQL: judged again, out of turn, under another model."""

import itertools
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from loanwatch.database import Database
from loanwatch.monitoring import Severity
from loanwatch.monitoring.standing import Change, Observation, follow
from loanwatch.registry import is_newest_window, record_verdicts, register, verdicts, withdraw_verdicts

FIRST = datetime(2015, 3, 1, tzinfo=UTC)
INCOME = ("data_drift.univariate", "income")
HISTORY = [
    {INCOME: Severity.LOW},
    {INCOME: Severity.HIGH, ("data_drift.multivariate", "age"): Severity.LOW},
    {},
    {INCOME: Severity.HIGH},
]
SUBJECTS = st.sampled_from(["income", "age", "debt"])
SAID = st.builds(
    Observation,
    severity=st.sampled_from(Severity),
    lingering=st.sampled_from(Severity),
    also=st.lists(SUBJECTS, max_size=2, unique=True).map(tuple),
)
STEPS = st.lists(
    st.tuples(st.integers(0, 7), st.none() | st.dictionaries(SUBJECTS.map(lambda s: ("rule", s)), SAID, max_size=3)),
    max_size=14,
)
"""A window's number, and what it says, or that what it said is taken back; in any order."""


def day(number):
    return FIRST + timedelta(days=number), FIRST + timedelta(days=number + 1)


def judge(connection, model_id, number, said):
    observed = {key: Observation(severity=severity, lingering=severity) for key, severity in said.items()}
    return record(connection, model_id, number, observed)


def record(connection, model_id, number, observed):
    return record_verdicts(
        connection, model_id=model_id, check="data_drift", window=day(number), run_id=None, observed=observed
    )


def withdraw(connection, model_id, number):
    withdraw_verdicts(connection, model_id=model_id, check="data_drift", window=day(number))


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
        ((*_, since, _, windows, _),) = states(connection)
        assert (since, windows) == (day(0)[0], 2)


def test_a_new_model_starts_anew(database, model):
    with database.connect() as connection:
        judge(connection, model(), 0, {INCOME: Severity.HIGH})
        told, _ = judge(connection, model(), 1, {INCOME: Severity.HIGH})
    assert [v.change for v in told] == [Change.OPENED]


def test_a_window_that_cannot_be_judged_after_all_is_taken_back(database, model):
    model_id = model()
    with database.connect() as connection:
        judge(connection, model_id, 0, {INCOME: Severity.LOW})
        before = states(connection)
        judge(connection, model_id, 1, {INCOME: Severity.HIGH})
        withdraw(connection, model_id, 1)
        assert states(connection) == before
        withdraw(connection, model_id, 0)
        assert states(connection) == []


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_the_order_what_stands_is_what_the_order_of_time_gives(database, steps):
    said = {}
    with database.connect() as connection:
        model_id = register(connection, name="loans", run_id=None, digest="d", metadata={}).id
        for number, observed in steps:
            if observed is None:
                withdraw(connection, model_id, number)
                said.pop(number, None)
            else:
                record(connection, model_id, number, observed)
                said[number] = observed
        stored = dict(
            connection.execute(
                "SELECT window_start, standing FROM loanwatch.verdict WHERE rule = '' AND model_id = %s", [model_id]
            ).fetchall()
        )
        newest = states(connection)
        connection.execute("DELETE FROM loanwatch.ml_model")
    stands = {}
    for number in sorted(said):
        stands = follow(stands, said[number], day(number))
        assert verdicts._verdicts(stored[day(number)[0]]) == stands
    assert newest == [
        (v.rule, v.subject, v.severity.word, v.since, v.last_seen, v.windows, v.well_windows) for v in stands.values()
    ]


@pytest.fixture
def followed(monkeypatch):
    """Return the windows that are gone through."""
    windows = []

    def spy(before, observed, window):
        windows.append(window)
        return follow(before, observed, window)

    monkeypatch.setattr(verdicts, "follow", spy)
    return windows


def test_a_new_window_goes_through_none_that_was_judged_before(database, model, followed):
    model_id = model()
    with database.connect() as connection:
        for number in range(20):
            judge(connection, model_id, number, {INCOME: Severity.HIGH})
    assert followed == [day(number) for number in range(20)]


def test_a_window_judged_again_goes_no_further_than_it_changes_anything(database, model, followed):
    model_id = model()
    with database.connect() as connection:
        for number in range(20):
            judge(connection, model_id, number, {INCOME: Severity.HIGH})
        followed.clear()
        judge(connection, model_id, 5, {INCOME: Severity.HIGH})
        assert followed == [day(5), day(6)]
        followed.clear()
        judge(connection, model_id, 5, {})
        assert followed == [day(5), day(6), day(7)]  # what stood went on standing after one well window
        followed.clear()
        judge(connection, model_id, 0, {})
        assert followed == [day(number) for number in range(20)]  # it has stood since a day later, for ever


def test_windows_of_an_earlier_release_are_gone_through_once(database, model, followed):
    model_id = model()
    with database.connect() as connection:
        for number in range(4):
            judge(connection, model_id, number, HISTORY[number])
        before = states(connection)
        connection.execute("UPDATE loanwatch.verdict SET standing = NULL")
        followed.clear()
        judge(connection, model_id, 3, HISTORY[3])
        assert states(connection) == before
        judge(connection, model_id, 4, {})
    assert followed == [day(number) for number in (0, 1, 2, 3, 4)]


def test_a_window_is_past_when_a_later_one_was_judged_by_another_version(database, model):
    first, second = model(), model()
    with database.connect() as connection:
        _, newest = judge(connection, first, 5, {})
        assert newest
        _, newest = judge(connection, second, 3, {})
        assert not newest
        _, newest = judge(connection, second, 6, {})
        assert newest


def test_whether_a_window_is_the_newest_waits_for_a_run_that_judges_another(database, model):
    model_id, answers = model(), []
    with database.connect() as connection:
        judge(connection, model_id, 0, {})

    def ask():
        with database.connect() as connection:
            answers.append(is_newest_window(connection, model_id=model_id, check="data_drift", window=day(0)))

    with database.connect() as connection:
        judge(connection, model_id, 1, {})
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(timeout=0.5)
        assert answers == []
    thread.join(timeout=10)
    assert answers == [False]
