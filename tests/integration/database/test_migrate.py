import sys
import threading
import uuid
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from loanwatch.database import Database, migrate, migrations, pending
from loanwatch.errors import DatabaseError

TABLES = {
    "alert", "alert_change", "alert_rule", "alert_rule_change", "alert_window", "api_token", "deployment", "migration",
    "ml_model", "model_metric", "outbox", "prediction", "prediction_default", "profile", "run", "run_step", "verdict",
    "verdict_state",
}  # fmt: skip
DESCRIBED = """
SELECT table_name || '.' || column_name, data_type, is_nullable FROM information_schema.columns
WHERE table_schema = 'loanwatch' ORDER BY 1
"""


@pytest.fixture
def empty(server):
    name, database = server.new_database()
    with database.connect() as connection:
        connection.execute("DROP SCHEMA loanwatch CASCADE")
    yield database
    server.drop_database(name)


def query(database: Database, statement: str, *values: object) -> list[tuple]:
    with database.connect() as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def test_migrating_from_zero_gives_the_documented_tables_and_views(empty):
    assert pending(empty) == tuple(m.name for m in migrations())
    assert migrate(empty) == tuple(m.name for m in migrations())
    assert pending(empty) == migrate(empty) == ()
    tables = query(
        empty,
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'loanwatch'::regnamespace AND relkind IN ('r', 'p')",
    )
    views = query(
        empty, "SELECT relname::text FROM pg_class WHERE relnamespace = 'loanwatch'::regnamespace AND relkind = 'v'"
    )
    assert {name for (name,) in tables} == TABLES
    assert {name for (name,) in views} == {"v_latest_metric", "v_open_alerts"}
    assert query(empty, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == [(0,)]


@pytest.mark.parametrize("release", [m.number for m in migrations()])
def test_upgrading_from_any_release_gives_the_same_schema_as_from_zero(empty, database, release):
    migrate(empty, up_to=release)
    migrate(empty)
    assert query(empty, DESCRIBED) == query(database, DESCRIBED)


def test_every_table_and_column_has_a_comment(database):
    bare = query(
        database,
        "SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = 'loanwatch'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
        "AND a.attnum > 0 AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL)",
    )
    assert bare == []


def test_many_may_migrate_at_once(empty):
    applied = []
    threads = [threading.Thread(target=lambda: applied.extend(migrate(empty))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert applied == [m.name for m in migrations()]


def test_a_migration_changed_afterwards_is_refused(database):
    query(database, "UPDATE loanwatch.migration SET checksum = 'other'")
    with pytest.raises(DatabaseError, match="0001_monitoring was changed after it had been applied"):
        migrate(database)


def test_a_database_of_a_later_release_is_refused(database):
    query(database, "INSERT INTO loanwatch.migration (number, name, checksum) VALUES (9999, '9999_future', 'x')")
    with pytest.raises(DatabaseError, match="9999_future, which this release does not know"):
        pending(database)


def test_a_failing_migration_leaves_nothing(empty, monkeypatch):
    broken = replace(
        migrations()[0], number=2, name="0002_broken", text="CREATE TABLE loanwatch.half (x int); SELECT 1/0;"
    )
    monkeypatch.setattr(sys.modules[migrate.__module__], "migrations", lambda: (migrations()[0], broken))
    with pytest.raises(DatabaseError, match="0002_broken failed: division by zero"):
        migrate(empty)
    assert query(empty, "SELECT to_regclass('loanwatch.half')") == [(None,)]
    assert query(empty, "SELECT name FROM loanwatch.migration") == [("0001_monitoring",)]


def test_a_user_without_rights_to_create_can_use_an_up_to_date_database(server, database):
    role = f"reader_{uuid.uuid4().hex[:8]}"
    query(database, f"CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA loanwatch TO {role}; "
          f"GRANT SELECT ON loanwatch.migration TO {role}")  # fmt: skip
    assert migrate(Database(make_conninfo(database.conninfo, user=role, password="x"))) == ()


@pytest.fixture
def model(database) -> int:
    (row,) = query(
        database, "INSERT INTO loanwatch.ml_model (name, version, status) VALUES ('m', 1, 'online') RETURNING id"
    )
    return row[0]


def rule(database, condition: str, *, model: int | None = None) -> int:
    (row,) = query(database, "INSERT INTO loanwatch.alert_rule (model_id, metric, condition, threshold, severity) "
                   "VALUES (%s, 'auc', %s, 0.7, 'high') RETURNING id", model, condition)  # fmt: skip
    return row[0]


def measure(database, model: int, value: float, name: str = "auc") -> None:
    query(
        database, "INSERT INTO loanwatch.model_metric (model_id, name, value) VALUES (%s, %s, %s)", model, name, value
    )


@pytest.mark.parametrize(
    ("condition", "breaking"),
    [("<", {0.6}), ("<=", {0.6, 0.7}), (">", {0.8}), (">=", {0.7, 0.8}), ("=", {0.7})],
)
@pytest.mark.parametrize("value", [0.6, 0.7, 0.8, float("nan")])
def test_a_metric_opens_an_alert_exactly_when_it_breaks_the_rule(database, model, condition, breaking, value):
    rule(database, condition)
    measure(database, model, value)
    assert len(query(database, "SELECT id FROM loanwatch.v_open_alerts")) == (value in breaking)


def test_a_repeat_is_counted_on_the_open_alert_until_it_is_resolved(database, model):
    rule(database, "<")
    for value in (0.6, 0.5, 0.4):
        measure(database, model, value)
    assert query(
        database, "SELECT occurrences, severity, metric, details ->> 'value' FROM loanwatch.v_open_alerts"
    ) == [(3, "high", "auc", "0.4")]
    query(database, "UPDATE loanwatch.alert SET status = 'resolved'")
    measure(database, model, 0.3)
    rows = query(database, "SELECT status, occurrences, resolved_at IS NULL FROM loanwatch.alert ORDER BY id")
    assert rows == [("resolved", 3, False), ("open", 1, True)]


def test_a_rule_of_another_model_or_metric_or_a_disabled_one_opens_nothing(database, model):
    (other,) = query(database, "INSERT INTO loanwatch.ml_model (name) VALUES ('m') RETURNING id, version")
    assert other[1] == 2
    rule(database, "<", model=other[0])
    measure(database, model, 0.1)
    query(database, "UPDATE loanwatch.alert_rule SET model_id = NULL, enabled = false")
    measure(database, model, 0.1)
    query(database, "UPDATE loanwatch.alert_rule SET enabled = true")
    measure(database, model, 0.1, name="gini")
    assert query(database, "SELECT id FROM loanwatch.alert") == []


@pytest.mark.parametrize("statement", [
    "INSERT INTO loanwatch.ml_model (name, status) VALUES ('m', 'online')",
    "INSERT INTO loanwatch.ml_model (name, version) VALUES ('m', 1)",
    "INSERT INTO loanwatch.ml_model (name, status) VALUES ('m', 'asleep')",
    "INSERT INTO loanwatch.run (contract, window_start, window_end) VALUES ('c', '2015-02-01', '2015-01-01')",
    ("INSERT INTO loanwatch.run (contract, window_start, window_end, attempt) "
     "VALUES ('c', '2015-01-01', '2015-02-01', 1), ('c', '2015-01-01', '2015-02-01', 2)"),
    "INSERT INTO loanwatch.alert (severity, dedup_key) VALUES ('low', 'k'), ('low', 'k')",
    "INSERT INTO loanwatch.alert_rule (metric, condition, threshold) VALUES ('auc', '!=', 1)",
])  # fmt: skip
def test_what_must_not_be_is_refused(database, model, statement):
    with pytest.raises(psycopg.IntegrityError):
        query(database, statement)


def test_updated_at_follows_changes(database, model):
    query(database, "UPDATE loanwatch.ml_model SET status = 'offline'")
    assert query(database, "SELECT updated_at > created_at FROM loanwatch.ml_model") == [(True,)]


def test_the_latest_metric_is_the_newest_by_time(database, model):
    insert = "INSERT INTO loanwatch.model_metric (model_id, name, value, recorded_at) VALUES (%s, %s, %s, %s)"
    for name, value, moment in (("auc", 1, "2015-02-01"), ("auc", 2, "2015-01-01"), ("gini", 3, "2014-01-01")):
        query(database, insert, model, name, value, moment)
    rows = query(database, "SELECT name, value FROM loanwatch.v_latest_metric ORDER BY name")
    assert rows == [("auc", 1.0), ("gini", 3.0)]


def test_a_months_partition_takes_over_what_the_default_one_holds(database):
    insert = (
        "INSERT INTO loanwatch.prediction (decided_at, contract, application_id, model_name, model_version, "
        "probability, prediction) VALUES (%s, 'c', 'a', 'm', 1, 0.5, 'loan given')"
    )
    for moment in ("2015-01-31T23:59:59Z", "2015-02-01T00:00Z", "2015-02-28T23:59:59Z"):
        query(database, insert, moment)
    for _again in range(2):
        assert query(database, "SELECT loanwatch.ensure_prediction_partition('2015-02-14')") == [
            ("prediction_2015_02",)
        ]
    query(database, insert, "2015-02-03T00:00Z")
    assert query(database, "SELECT count(*) FROM loanwatch.prediction_2015_02") == [(3,)]
    assert query(database, "SELECT count(*) FROM loanwatch.prediction_default") == [(1,)]
    assert query(database, "SELECT count(*), count(DISTINCT id) FROM loanwatch.prediction") == [(4, 4)]
