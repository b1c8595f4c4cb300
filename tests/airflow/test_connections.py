"""What Airflow's two connections are for, and what holds without them."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_stand_in import SlackStandIn

from loanwatch.database import Database

DAG = "slack_test_workflow"


@pytest.fixture
def connected(
    applications: Callable[[str], Database], connections: Callable[[Database], None], monkeypatch: pytest.MonkeyPatch
) -> Database:
    """A database that Airflow's connection names, and nothing else does."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    database = applications("connected")
    connections(database)
    return database


def test_a_test_message_goes_to_the_channel_that_is_the_login(
    dags: dict[str, Any], connected: Database, slack: SlackStandIn
) -> None:
    assert str(dags[DAG].test().state) == "success"
    (message,) = slack.messages
    assert message["channel"] == "#lending"


def test_without_a_connection_the_channel_of_loanwatchs_settings_is_taken(
    dags: dict[str, Any], connected: Database, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SLACK_CONNECTION")
    channel = f'{{"type": "slack", "token": "xoxb-own", "channel": "#risk", "api_url": "{slack.url}"}}'
    monkeypatch.setenv("LOANWATCH_CHANNELS", f'{{"risk": {channel}}}')
    assert str(dags[DAG].test().state) == "success"
    (message,) = slack.messages
    assert message["channel"] == "#risk"


def test_without_any_channel_the_dag_fails_at_once_and_sends_nothing(
    dags: dict[str, Any], connected: Database, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SLACK_CONNECTION")
    dag_run = dags[DAG].test()
    (tried,) = dag_run.get_task_instances()
    assert (str(dag_run.state), tried.try_number, slack.messages) == ("failed", 1, [])


def test_without_postgres_default_the_database_of_loanwatchs_settings_is_taken(
    dags: dict[str, Any], connected: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_POSTGRES_DEFAULT")
    monkeypatch.setenv("DATABASE_URL", connected.conninfo)
    dag_run = dags["ml_pipeline_monitoring"].test(run_conf={"start_date": "2017-01-01", "end_date": "2017-02-01"})
    assert str(dag_run.state) == "failed"  # no applications, which only somebody who looked there knows
    with connected.connect() as connection:
        assert connection.execute("SELECT outcome FROM loanwatch.run").fetchall() == [("failed",)]
