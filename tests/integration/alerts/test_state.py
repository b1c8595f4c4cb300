"""The life of an alert on a real PostgreSQL."""

import pytest

from loanwatch.alerts import Event, acknowledge, list_alerts, open_alert, resolve
from loanwatch.database import Database
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import Severity
from loanwatch.registry import register


def test_the_same_event_of_one_window_is_one_alert_that_counts(database: Database) -> None:
    with database.connect() as connection:
        for _ in range(3):
            open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message="m", dedup_key="window 1")
        (alert,) = list_alerts(connection)
    assert (alert.event, alert.severity, alert.status, alert.occurrences) == ("halted", "high", "open", 3)


def test_a_resolved_alert_opens_anew(database: Database) -> None:
    with database.connect() as connection:
        first = open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message="m", dedup_key="k")
        resolve(connection, first)
        second = open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message="m", dedup_key="k")
        assert second != first
        assert [a.id for a in list_alerts(connection)] == [second]
        assert [a.id for a in list_alerts(connection, unresolved=False)] == [second, first]


def test_events_without_a_key_are_alerts_of_their_own(database: Database) -> None:
    with database.connect() as connection:
        for _ in range(2):
            open_alert(connection, event=Event.ROLLED_BACK, severity=Severity.LOW, message="m")
        assert len(list_alerts(connection)) == 2


def test_acknowledging_keeps_who_and_when(database: Database) -> None:
    with database.connect() as connection:
        alert_id = open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message="m")
        acknowledge(connection, alert_id, actor="ada")
        (alert,) = list_alerts(connection)
        assert (alert.status, alert.acknowledged_by) == ("acknowledged", "ada")
        assert alert.acknowledged_at is not None
        with pytest.raises(LoanwatchError, match="is not open"):
            acknowledge(connection, alert_id, actor="ada")


def test_resolving_twice_says_so(database: Database) -> None:
    with database.connect() as connection:
        alert_id = open_alert(connection, event=Event.HALTED, severity=Severity.HIGH, message="m")
        resolve(connection, alert_id)
        with pytest.raises(LoanwatchError, match="is not unresolved"):
            resolve(connection, alert_id)


def test_a_metric_that_breaks_a_rule_opens_one_alert_that_names_the_rule(database: Database) -> None:
    with database.connect() as connection:
        model = register(connection, name="m", run_id=None, digest="d", metadata={})
        connection.execute(
            "INSERT INTO loanwatch.alert_rule (metric, condition, threshold, severity) VALUES ('auc', '<', 0.7, 'high')"
        )
        for value in (0.71, 0.69, 0.65, float("nan")):
            connection.execute(
                "INSERT INTO loanwatch.model_metric (model_id, name, value) VALUES (%s, 'auc', %s)", (model.id, value)
            )
        (alert,) = list_alerts(connection)
    assert (alert.metric, alert.condition, alert.threshold, alert.model) == ("auc", "<", 0.7, "m")
    assert alert.occurrences == 2
