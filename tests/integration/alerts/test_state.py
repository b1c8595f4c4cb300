"""Alerts are opened once, acknowledged, muted, escalated and resolved, and every change is kept."""

from datetime import timedelta
from typing import Any

import pytest

from loanwatch.alerts import (
    Event,
    acknowledge,
    cause_of,
    changes_of,
    close_notices,
    find_alert,
    list_alerts,
    mute,
    open_alert,
    report_well,
    resolve,
    unmute,
)
from loanwatch.alerts.sweep import sweep
from loanwatch.channel_settings import AlertingSettings
from loanwatch.database import Database
from loanwatch.errors import LoanwatchError
from loanwatch.monitoring import Severity


def halt(connection, *, window: str | None = None, key: str | None = "k", severity: Severity = Severity.HIGH) -> int:
    return open_alert(
        connection, event=Event.HALTED, severity=severity, message="m", dedup_key=key, window=window, close_after=2
    )


def told(query) -> list[Any]:
    return [kind for (kind,) in query("SELECT kind FROM loanwatch.alert_change WHERE notify ORDER BY id")]


def age(query, hours: float) -> None:
    """Let time pass: move what happened into the past."""
    query(
        "SET LOCAL session_replication_role = replica; "  # no trigger takes it for a change
        "UPDATE loanwatch.alert SET opened_at = opened_at - %s, escalated_at = escalated_at - %s, "
        "muted_until = muted_until - %s".replace("%s", f"interval '{hours} hours'")
    )


def test_the_same_event_of_one_window_is_one_alert_that_counts(database: Database) -> None:
    with database.connect() as connection:
        for _ in range(3):
            halt(connection)
        (alert,) = list_alerts(connection)
    assert (alert.event, alert.severity, alert.status, alert.occurrences) == ("halted", "high", "open", 3)


def test_a_resolved_alert_opens_anew(database: Database) -> None:
    with database.connect() as connection:
        first = halt(connection)
        resolve(connection, first)
        second = halt(connection)
        assert second != first
        assert [a.id for a in list_alerts(connection)] == [second]
        assert [a.id for a in list_alerts(connection, unresolved=False)] == [second, first]


def test_events_without_a_key_are_alerts_of_their_own(database: Database) -> None:
    with database.connect() as connection:
        for _ in range(2):
            open_alert(connection, event=Event.ROLLED_BACK, severity=Severity.LOW, message="m")
        assert len(list_alerts(connection)) == 2


def test_the_same_event_of_one_window_is_told_once_also_after_it_was_resolved(database, query):
    with database.connect() as connection:
        first = halt(connection, window="january")
        halt(connection, window="january")
        halt(connection, window="february")
        resolve(connection, first, actor="ada", reason="fixed")
        second = halt(connection, window="february")
        assert second != first
    assert told(query) == ["opened", "repeated", "resolved"]


def test_an_event_closes_its_alert_when_it_stays_away(database, query):
    cause = cause_of("loans", Event.DATA_DRIFT)
    with database.connect() as connection:
        open_alert(connection, event=Event.DATA_DRIFT, severity=Severity.LOW, message="m", dedup_key=cause, window="1")
        report_well(connection, dedup_key=cause, window="2")
        report_well(connection, dedup_key=cause, window="2")
        (alert,) = list_alerts(connection)
        assert alert.well_windows == 1
        open_alert(connection, event=Event.DATA_DRIFT, severity=Severity.LOW, message="m", dedup_key=cause, window="3")
        for window in ("4", "5"):
            assert len(list_alerts(connection)) == 1
            report_well(connection, dedup_key=cause, window=window)
        assert list_alerts(connection) == []
    assert query("SELECT resolved_by, resolution FROM loanwatch.alert") == [
        ("loanwatch", "well again: 2 in a row, last 5")
    ]


def test_a_repeat_says_anew_how_many_well_windows_close_the_alert(database: Database) -> None:
    with database.connect() as connection:
        for window, close_after in (("1", 2), ("2", 1)):
            open_alert(
                connection,
                event=Event.DATA_DRIFT,
                severity=Severity.LOW,
                message="m",
                dedup_key="k",
                window=window,
                close_after=close_after,
            )
        report_well(connection, dedup_key="k", window="3")
        assert list_alerts(connection) == []


def test_every_change_is_kept_with_who_when_and_why(database: Database) -> None:
    with database.connect() as connection:
        alert_id = halt(connection)
        acknowledge(connection, alert_id, actor="ada", note="calling the bank")
        mute(connection, alert_id, span=timedelta(hours=1), actor="ada", reason="known")
        unmute(connection, alert_id, actor="bob")
        resolve(connection, alert_id, actor="bob", reason="feed repaired")
        changes = changes_of(connection, alert_id)
        alert = find_alert(connection, alert_id)
    assert [(c.kind, c.actor) for c in changes[1:]] == [
        ("acknowledged", "ada"), ("muted", "ada"), ("unmuted", "bob"), ("resolved", "bob")
    ]  # fmt: skip
    assert changes[1].reason == "calling the bank"
    assert changes[2].reason.endswith("known")
    assert changes[4].reason == alert.resolution == "feed repaired"
    assert [c.at for c in changes] == sorted(c.at for c in changes)
    assert (alert.acknowledged_by, alert.acknowledged_note, alert.resolved_by) == ("ada", "calling the bank", "bob")


def test_changes_made_with_sql_are_kept_too(database, query):
    with database.connect() as connection:
        halt(connection)
    query("UPDATE loanwatch.alert SET status = 'acknowledged'")
    query("UPDATE loanwatch.alert SET status = 'open'")
    query("UPDATE loanwatch.alert SET status = 'resolved', resolved_by = 'eve', resolution = 'no reason'")
    assert query("SELECT kind, actor, reason FROM loanwatch.alert_change ORDER BY id OFFSET 1") == [
        ("acknowledged", "postgres", ""), ("reopened", "postgres", ""), ("resolved", "eve", "no reason")
    ]  # fmt: skip


def test_acknowledging_twice_and_resolving_twice_say_so(database: Database) -> None:
    with database.connect() as connection:
        alert_id = halt(connection)
        acknowledge(connection, alert_id, actor="ada")
        with pytest.raises(LoanwatchError, match="was already acknowledged by ada"):
            acknowledge(connection, alert_id, actor="ada")
        resolve(connection, alert_id)
        with pytest.raises(LoanwatchError, match="was already resolved"):
            resolve(connection, alert_id)
        with pytest.raises(LoanwatchError, match="was already resolved"):
            mute(connection, alert_id, span=timedelta(hours=1), actor="ada")
        with pytest.raises(LoanwatchError, match="was already resolved"):
            unmute(connection, alert_id, actor="ada")


def test_nothing_is_told_of_a_muted_alert_nor_of_its_like_until_the_time_is_over(database, query):
    with database.connect() as connection:
        first = halt(connection, window="1")
        mute(connection, first, span=timedelta(hours=2), actor="ada")
        halt(connection, window="2")
        resolve(connection, first)
        halt(connection, window="3")
        assert [(a.status, a.is_muted) for a in list_alerts(connection, unresolved=False)] == [
            ("open", True), ("resolved", False)
        ]  # fmt: skip
    assert told(query) == ["opened", "muted"]
    age(query, 3)
    settings = AlertingSettings(escalate_after_minutes={})
    with database.connect() as connection:
        sweep(connection, settings, [])
        sweep(connection, settings, [])
    assert told(query) == ["opened", "muted", "unmuted"]


def test_an_alert_nobody_takes_is_escalated_ever_more_slowly_and_then_no_more(database, query):
    settings = AlertingSettings(escalate_after_minutes={"high": 60}, maximum_escalations=2)
    with database.connect() as connection:
        halt(connection)
        halt(connection, key="other", severity=Severity.LOW)
        taken = halt(connection, key="taken")
        acknowledge(connection, taken, actor="ada")
        connection.commit()
        levels = []
        for hours in (0.9, 0.2, 1.9, 0.2, 50):
            age(query, hours)
            sweep(connection, settings, [])
            connection.commit()
            levels.append(query("SELECT max(escalation_level), sum(escalation_level) FROM loanwatch.alert")[0])
    assert levels == [(0, 0), (1, 1), (1, 1), (2, 2), (2, 2)]
    assert told(query).count("escalated") == 2


def test_old_notices_close_themselves_and_are_not_escalated(database, query):
    settings = AlertingSettings(escalate_after_minutes={"high": 1})
    with database.connect() as connection:
        open_alert(connection, event=Event.PROMOTED, severity=Severity.HIGH, message="m")
        connection.commit()
        age(query, 24 * 6)
        sweep(connection, settings, [])
        assert [a.escalation_level for a in list_alerts(connection)] == [0]
        connection.commit()
        age(query, 25)
        sweep(connection, settings, [])
        assert list_alerts(connection) == []


def test_the_next_run_closes_the_news_of_earlier_ones_and_nothing_else(database, query):
    query("INSERT INTO loanwatch.ml_model (name) VALUES ('loans'), ('cars')")
    before = query("SELECT clock_timestamp()")[0][0]
    with database.connect() as connection:
        for contract, model in (("loans", 1), ("cars", 2)):
            open_alert(connection, event=Event.PROMOTED, severity=Severity.LOW, message="m", model_id=model)
            for event in (Event.RETRAINED, Event.RUN_FAILED):
                cause = cause_of(contract, event, window="1")
                open_alert(connection, event=event, severity=Severity.LOW, message="m", dedup_key=cause, window="1")
        close_notices(connection, scope="loans", before=before)
        assert len(list_alerts(connection)) == 6
        close_notices(connection, scope="loans", before=query("SELECT clock_timestamp()")[0][0])
        left = sorted(str(alert.event) for alert in list_alerts(connection))
    assert left == ["promoted", "retrained", "run_failed", "run_failed"]
    assert query("SELECT DISTINCT resolution FROM loanwatch.alert WHERE status = 'resolved'") == [
        ("news of an earlier window",)
    ]


def test_a_window_that_does_not_come_is_an_alert_once_and_the_next_one_closes_it(database, query):
    query(
        "INSERT INTO loanwatch.run (contract, window_start, window_end, status, started_at, finished_at) "
        "SELECT 'loans', '2015-01-01', '2015-01-02', 'finished', moment, moment "
        "FROM (SELECT now() - interval '31 hours' AS moment) AS ended"
    )
    with database.connect() as connection:
        for _ in range(3):
            sweep(connection, AlertingSettings(), [])
        assert list_alerts(connection, event="no_data") == []  # a day, a quarter and two hours: 32 hours
        query("UPDATE loanwatch.run SET finished_at = finished_at - interval '2 hours' WHERE contract = 'loans'")
        connection.commit()
        for _ in range(3):
            sweep(connection, AlertingSettings(), [])
        (alert,) = list_alerts(connection, event="no_data")
        assert alert.occurrences == 1
        assert "loans: no window was finished since run 1" in (alert.message or "")
        report_well(connection, dedup_key=cause_of("loans", Event.NO_DATA), window="next")
        assert list_alerts(connection) == []


def test_a_run_under_way_is_not_missing(database, query):
    query(
        "INSERT INTO loanwatch.run (contract, window_start, window_end, status, started_at, finished_at) VALUES "
        "('loans', '2015-01-01', '2015-01-02', 'finished', now() - interval '9 days', now() - interval '9 days'),"
        "('loans', '2015-01-02', '2015-01-03', 'started', now(), NULL)"
    )
    with database.connect() as connection:
        sweep(connection, AlertingSettings(), [])
        assert list_alerts(connection) == []
