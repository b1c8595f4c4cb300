"""Rules are applied by the database, whoever inserts the figures."""

import subprocess
import threading
from random import Random
from typing import Any

import pytest

from loanwatch.alerts import (
    add_rule,
    change_rule,
    changes_of,
    changes_of_rules,
    create_default_rules,
    delete_rule,
    list_alerts,
    list_rules,
)
from loanwatch.contract import default_contract
from loanwatch.database import Database
from loanwatch.database.binaries import find_programs
from loanwatch.errors import LoanwatchError
from loanwatch.registry import deploy, register, version_by_id

PUBLISHED = """
INSERT INTO loanwatch.ml_model (name, version, status) VALUES ('churn', 1, 'online'), ('fraud', 1, 'online');
INSERT INTO loanwatch.alert_rule (model_id, metric, condition, threshold, severity)
SELECT id, 'accuracy', '<', 0.85, 'high' FROM loanwatch.ml_model WHERE name = 'churn'
UNION ALL SELECT id, 'latency', '>', 200, 'medium' FROM loanwatch.ml_model WHERE name = 'churn'
UNION ALL SELECT id, 'recall', '<', 0.9, 'critical' FROM loanwatch.ml_model WHERE name = 'fraud';
"""


def measure(query, name: str, metric: str, *values: float, run: int | None = None, at: str | None = None) -> None:
    for value in values:
        query(
            "INSERT INTO loanwatch.model_metric (model_id, name, value, run_id, recorded_at) "
            "SELECT id, %s, %s, %s, coalesce(%s::timestamptz, now()) FROM loanwatch.ml_model WHERE name = %s",
            metric, value, run, at, name,
        )  # fmt: skip


@pytest.fixture
def published(query):
    query(PUBLISHED)
    return query


@pytest.fixture
def auc_rule(database: Database, query) -> int:
    query("INSERT INTO loanwatch.ml_model (name, version, status) VALUES ('m', 1, 'online')")
    with database.connect() as connection:
        return add_rule(connection, metric="auc", condition="<", threshold=0.7, severity="high", close_after=3)


def state(query) -> list[Any]:
    return query("SELECT status, occurrences, well_windows FROM loanwatch.alert ORDER BY id")


def test_the_published_sample_opens_what_was_published(published):
    published(
        "INSERT INTO loanwatch.model_metric (model_id, name, value) "
        "SELECT m.id, v.name, v.value FROM loanwatch.ml_model m JOIN (VALUES "
        "('churn', 'accuracy', 0.82), ('churn', 'latency', 250), ('fraud', 'recall', 0.95), ('churn', 'recall', 0.1), "
        "('fraud', 'accuracy', 0.1)) v(model, name, value) ON v.model = m.name"
    )
    assert published(
        "SELECT model_name, metric, severity, details ->> 'value' FROM loanwatch.v_open_alerts ORDER BY metric"
    ) == [("churn", "accuracy", "high", "0.82"), ("churn", "latency", "medium", "250")]
    measure(published, "fraud", "recall", 0.9)
    assert len(published("SELECT 1 FROM loanwatch.v_open_alerts")) == 2
    measure(published, "fraud", "recall", 0.89)
    assert published("SELECT model_name, severity FROM loanwatch.v_open_alerts WHERE metric = 'recall'") == [
        ("fraud", "critical")
    ]


def test_the_published_sample_written_by_another_program_is_the_same(database, published):
    """psql, as somebody without Python would use it: plain INSERTs, each a transaction."""
    (churn,), (fraud,) = published("SELECT id FROM loanwatch.ml_model ORDER BY name")
    rows = ((churn, "accuracy", 0.82), (churn, "latency", 250), (fraud, "recall", 0.95), (churn, "accuracy", 0.81))
    statements = "\n".join(
        f"INSERT INTO loanwatch.model_metric (model_id, name, value) VALUES ({model}, '{name}', {value});"
        for model, name, value in rows
    )
    psql = find_programs().folder / "psql"
    subprocess.run(
        [psql, "-v", "ON_ERROR_STOP=1", "-q", database.conninfo], input=statements, text=True, check=True, timeout=30
    )
    assert published("SELECT metric, occurrences, message FROM loanwatch.v_open_alerts ORDER BY metric") == [
        ("accuracy", 2, "accuracy is 0.81, which is < 0.85"), ("latency", 1, "latency is 250, which is > 200")
    ]  # fmt: skip


@pytest.mark.parametrize(("value", "shown"), [
    (0.8234567890123, "0.8235"), (0.84999, "0.84999"), (0.849996, "0.849996"), (-123456.789, "-123457"),
    (1e-12, "1e-12"), (float("-inf"), "-Infinity"), (0.0, "0"),
])  # fmt: skip
def test_a_figure_is_told_as_a_reader_needs_it_and_kept_as_it_is(published, value, shown):
    measure(published, "churn", "accuracy", value)
    ((message, kept),) = published("SELECT message, (details ->> 'value')::float8 FROM loanwatch.v_open_alerts")
    assert message == f"accuracy is {shown}, which is < 0.85"
    assert kept == value


def test_the_alert_is_opened_in_the_transaction_of_the_figure(database, published):
    with database.connect() as connection:
        connection.execute("INSERT INTO loanwatch.model_metric (model_id, name, value) "
                           "SELECT id, 'accuracy', 0.1 FROM loanwatch.ml_model")  # fmt: skip
        assert len(list_alerts(connection)) == 1
        connection.rollback()
        assert list_alerts(connection) == []


def test_copy_is_an_insert_too(database, published):
    (churn,) = published("SELECT id FROM loanwatch.ml_model WHERE name = 'churn'")
    statement = "COPY loanwatch.model_metric (model_id, name, value) FROM STDIN"
    with database.connect() as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for value in (0.9, 0.8, 0.7):
            copy.write_row((churn[0], "accuracy", value))
    assert state(published) == [("open", 2, 0)]


def test_an_alert_closes_itself_after_enough_well_windows_in_a_row(auc_rule, query):
    measure(query, "m", "auc", 0.6, 0.8, 0.8, 0.6, 0.8, 0.8)
    assert state(query) == [("open", 2, 2)]
    measure(query, "m", "auc", 0.8)
    assert state(query) == [("resolved", 2, 3)]
    assert query("SELECT resolved_by, resolution FROM loanwatch.alert") == [
        ("loanwatch", "auc has been well for 3 windows, last 0.8")
    ]
    measure(query, "m", "auc", 0.6)
    assert [row[0] for row in state(query)] == ["resolved", "open"]


def test_one_insert_of_many_figures_is_the_same_as_one_by_one(auc_rule, query):
    values = (0.6, 0.8, 0.8, 0.8, 0.5, 0.4, 0.9, 0.3, 0.9, 0.9)
    query("INSERT INTO loanwatch.model_metric (model_id, name, value) SELECT id, 'auc', unnest(%s::float8[]) "
          "FROM loanwatch.ml_model", list(values))  # fmt: skip
    at_once = state(query)
    query("DELETE FROM loanwatch.alert")
    measure(query, "m", "auc", *values)
    assert at_once == state(query) == [("resolved", 1, 3), ("open", 3, 2)]


@pytest.mark.parametrize("seed", range(6))
def test_any_figures_at_once_are_the_same_as_one_by_one(query, seed):
    """The two ways are two pieces of code: random rules, models, runs, times, NaN and infinity."""
    random = Random(seed)
    query("INSERT INTO loanwatch.ml_model (name) VALUES ('a'), ('a'), ('b')")
    query(
        "INSERT INTO loanwatch.run (contract, window_start, window_end) "
        "SELECT 'c', d, d + interval '1 day' FROM generate_series('2015-01-01'::date, '2015-01-04', '1 day') d"
    )
    for condition in ("<", "<=", ">", ">=", "="):
        query("INSERT INTO loanwatch.alert_rule (metric, condition, threshold, close_after, model_name) "
              "VALUES (%s, %s, 0.5, %s, %s)", random.choice("xy"), condition, random.randint(0, 3),
              random.choice((None, "a", "b")))  # fmt: skip
    values = (0.2, 0.5, 0.8, float("nan"), float("inf"), -float("inf"))
    rows = [
        (random.randint(1, 3), random.choice("xy"), random.choice(values), random.choice((None, 1, 2, 3)),
         f"2015-01-0{random.randint(1, 9)}")
        for _ in range(150)
    ]  # fmt: skip
    seen = []
    for size in (1, 7, 150):
        for start in range(0, len(rows), size):
            models, names, figures, runs, times = (list(part) for part in zip(*rows[start : start + size], strict=True))
            query("INSERT INTO loanwatch.model_metric (model_id, name, value, run_id, recorded_at) "
                  "SELECT * FROM unnest(%s::bigint[], %s::text[], %s::float8[], %s::bigint[], %s::timestamptz[])",
                  models, names, figures, runs, times)  # fmt: skip
        seen.append(query(
            "SELECT rule_id, model_id, status, occurrences, well_windows, well_key, last_seen_at, message, details, "
            "run_id, resolution FROM loanwatch.alert ORDER BY rule_id, model_id, id"
        ))  # fmt: skip
        query("DELETE FROM loanwatch.alert")
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) > 2


def test_an_acknowledged_alert_closes_itself_too(auc_rule, query):
    measure(query, "m", "auc", 0.6)
    query("UPDATE loanwatch.alert SET status = 'acknowledged', acknowledged_by = 'ada', acknowledged_note = 'looking'")
    measure(query, "m", "auc", 0.8, 0.8, 0.8)
    assert query("SELECT kind, actor, reason FROM loanwatch.alert_change WHERE kind = 'acknowledged'") == [
        ("acknowledged", "ada", "looking")
    ]
    assert state(query)[0][0] == "resolved"


def test_a_run_is_one_window_however_often_it_measures(auc_rule, query):
    query(
        "INSERT INTO loanwatch.run (contract, window_start, window_end) "
        "SELECT 'c', d, d + interval '1 day' FROM generate_series('2015-01-01'::date, '2015-01-04', '1 day') d"
    )
    runs = [row[0] for row in query("SELECT id FROM loanwatch.run ORDER BY id")]
    measure(query, "m", "auc", 0.6, run=runs[0])
    measure(query, "m", "auc", 0.8, 0.8, 0.8, 0.8, run=runs[1])
    assert state(query) == [("open", 1, 1)]
    for run in runs[2:]:
        measure(query, "m", "auc", 0.8, run=run)
    assert state(query) == [("resolved", 1, 3)]


def test_figures_from_before_the_break_close_nothing(auc_rule, query):
    measure(query, "m", "auc", 0.6)
    measure(query, "m", "auc", 0.8, 0.8, 0.8, 0.8, at="2015-01-01")
    assert state(query) == [("open", 1, 0)]


def test_a_clock_that_ran_ahead_does_not_keep_an_alert_open(auc_rule, query):
    measure(query, "m", "auc", 0.6, at="2999-01-01")
    measure(query, "m", "auc", 0.8, 0.8, 0.8)
    assert state(query) == [("resolved", 1, 3)]


def test_zero_windows_leave_closing_to_people(database, auc_rule, query):
    with database.connect() as connection:
        change_rule(connection, auc_rule, close_after=0)
    measure(query, "m", "auc", 0.6, *[0.9] * 10)
    assert state(query) == [("open", 1, 0)]


@pytest.mark.parametrize(("value", "closes"), [(float("nan"), False), (float("inf"), True)])
def test_not_known_is_neither_bad_nor_well(auc_rule, query, value, closes):
    measure(query, "m", "auc", value)
    assert state(query) == []
    measure(query, "m", "auc", 0.1, value, value, value)
    assert (state(query)[0][0] == "resolved") is closes


def test_many_writers_at_once_make_one_alert(auc_rule, query):
    threads = [threading.Thread(target=measure, args=(query, "m", "auc", *[0.1] * 10)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state(query) == [("open", 60, 0)]
    assert query("SELECT kind FROM loanwatch.alert_change") == [("opened",)]


def test_a_rule_for_a_model_holds_for_each_of_its_versions_and_no_other_model(database, query):
    query("INSERT INTO loanwatch.ml_model (name) VALUES ('a'), ('a'), ('b')")
    with database.connect() as connection:
        add_rule(connection, metric="auc", condition="<", threshold=0.7, model="a")
        add_rule(connection, metric="gini", condition="<", threshold=0.7, model="a", version=2)
    query("INSERT INTO loanwatch.model_metric (model_id, name, value) "
          "SELECT id, m, 0.1 FROM loanwatch.ml_model, unnest(array['auc', 'gini']) m")  # fmt: skip
    assert query("SELECT model_name, model_version, metric FROM loanwatch.v_open_alerts ORDER BY 3, 2") == [
        ("a", 1, "auc"), ("a", 2, "auc"), ("a", 2, "gini")
    ]  # fmt: skip


@pytest.mark.parametrize("how", ["disabled", "deleted"])
def test_the_alerts_of_a_rule_that_goes_are_resolved_and_kept(database, auc_rule, query, how):
    measure(query, "m", "auc", 0.1)
    with database.connect() as connection:
        if how == "deleted":
            delete_rule(connection, auc_rule)
        else:
            change_rule(connection, auc_rule, enabled=False)
        (alert,) = list_alerts(connection, unresolved=False)
        assert (alert.status, alert.resolution) == ("resolved", f"its rule was {how}")
        assert [change.kind for change in changes_of(connection, alert.id)] == ["opened", "resolved"]
    measure(query, "m", "auc", 0.1)
    assert len(state(query)) == 1


def test_the_alerts_of_a_version_that_goes_offline_are_resolved(auc_rule, query):
    measure(query, "m", "auc", 0.1)
    query("UPDATE loanwatch.ml_model SET status = 'offline'")
    assert query("SELECT status, resolution FROM loanwatch.alert") == [("resolved", "m v1 is no longer online")]


def test_a_severity_that_rises_is_a_change(database, auc_rule, query):
    measure(query, "m", "auc", 0.1)
    with database.connect() as connection:
        change_rule(connection, auc_rule, severity="critical")
    measure(query, "m", "auc", 0.1)
    assert query("SELECT kind, reason, severity FROM loanwatch.alert_change ORDER BY id")[-1] == (
        "raised", "from high to critical", "critical"
    )  # fmt: skip


def test_default_rules_come_with_the_first_deployment_and_never_again(database):
    with database.connect() as connection:
        policy = default_contract().policy
        first = register(connection, name="m", run_id=None, digest="a", metadata={})
        deploy(connection, first, expected_champion_id=None, reason="r", actor="a")
        assert create_default_rules(connection, "m", policy) == len(list_rules(connection)) > 0
        assert create_default_rules(connection, "m", policy) == 0
        for rule in list_rules(connection):
            delete_rule(connection, rule.id)
        second = register(connection, name="m", run_id=None, digest="b", metadata={})
        deploy(connection, version_by_id(connection, second.id), expected_champion_id=first.id, reason="r", actor="a")
        assert create_default_rules(connection, "m", policy) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"condition": "!="}, "condition '!=' is none of"),
        ({"severity": "bad"}, "severity 'bad' is none of"),
        ({"threshold": float("nan")}, "must be a number"),
        ({"metric": " "}, "name of a metric"),
        ({"close_after": -1}, "between 0 and 10,000"),
        ({"version": 1}, "needs the model's name"),
        ({"model": "x", "version": 9}, "has no version 9"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(database, changes, message):
    with database.connect() as connection, pytest.raises(LoanwatchError, match=message):
        add_rule(connection, **{"metric": "auc", "condition": "<", "threshold": 0.7, **changes})


def test_changing_a_rule_that_is_not_there_says_so(database):
    with database.connect() as connection:
        with pytest.raises(LoanwatchError, match="there is no rule 7"):
            change_rule(connection, 7, enabled=True)
        with pytest.raises(LoanwatchError, match="there is no rule 7"):
            delete_rule(connection, 7)


def test_rules_edited_with_sql_leave_a_trace_too(database, query):
    query("INSERT INTO loanwatch.alert_rule (metric, condition, threshold) VALUES ('auc', '<', 0.7)")
    query("UPDATE loanwatch.alert_rule SET threshold = 0.6, severity = 'high'")
    query("UPDATE loanwatch.alert_rule SET threshold = 0.6")  # nothing changes
    query(
        "SET LOCAL loanwatch.actor = 'eve'; SET LOCAL loanwatch.reason = 'too loud'; DELETE FROM loanwatch.alert_rule"
    )
    with database.connect() as connection:
        deleted, changed, added = changes_of_rules(connection)
        assert changes_of_rules(connection, rule_id=99) == []
    assert (added.kind, added.actor, added.after["threshold"], added.before) == ("added", "postgres", 0.7, {})
    assert (changed.kind, changed.before, changed.after) == (
        "changed", {"threshold": 0.7, "severity": "medium"}, {"threshold": 0.6, "severity": "high"}
    )  # fmt: skip
    assert (deleted.kind, deleted.actor, deleted.reason, deleted.before["metric"]) == (
        "deleted",
        "eve",
        "too loud",
        "auc",
    )
    assert added.at < changed.at < deleted.at
