"""Deploying and rolling back on a real PostgreSQL."""

import threading
from typing import Any

import psycopg
import pytest

from loanwatch.database import Database
from loanwatch.errors import ModelNotFoundError, RunBusyError
from loanwatch.registry import (
    ModelVersion,
    deploy,
    deployments,
    find_version,
    online_version,
    register,
    rollback,
    versions,
)

NAME = "loan_eligibility"


def registered(connection: psycopg.Connection[Any], digest: str = "d") -> ModelVersion:
    return register(connection, name=NAME, run_id=None, digest=digest, metadata={"algorithm": "x"})


def put_online(connection: psycopg.Connection[Any], model: ModelVersion) -> None:
    champion = online_version(connection, NAME)
    deploy(connection, model, expected_champion_id=champion.id if champion else None, reason="better", actor="a test")


def test_versions_count_up_and_start_offline(database: Database) -> None:
    with database.connect() as connection:
        first, second = registered(connection), registered(connection)
        assert (first.version, second.version) == (1, 2)
        assert [v.status for v in versions(connection, NAME)] == ["offline", "offline"]
        assert online_version(connection, NAME) is None


def test_a_deployment_leaves_exactly_one_version_online(database: Database) -> None:
    with database.connect() as connection:
        first, second = registered(connection), registered(connection)
        put_online(connection, first)
        put_online(connection, second)
        assert [v.version for v in versions(connection, NAME, status="online")] == [2]
        assert find_version(connection, NAME, 1).status == "offline"


def test_deploying_the_online_version_again_changes_nothing(database: Database) -> None:
    with database.connect() as connection:
        first = registered(connection)
        put_online(connection, first)
        put_online(connection, first)
        assert len(deployments(connection, NAME)) == 1


def test_a_deployment_that_was_compared_with_another_champion_is_refused_and_changes_nothing(
    database: Database,
) -> None:
    with database.connect() as connection:
        first, second, third = registered(connection), registered(connection), registered(connection)
        put_online(connection, first)
        put_online(connection, second)
        with pytest.raises(RunBusyError, match="v2 is online now"):
            deploy(connection, third, expected_champion_id=first.id, reason="", actor="")
        connection.commit()
        online = online_version(connection, NAME)
        assert online is not None
        assert online.version == 2


def test_rolling_back_walks_back_through_the_deployments(database: Database) -> None:
    with database.connect() as connection:
        for model in (registered(connection), registered(connection), registered(connection)):
            put_online(connection, model)
        steps = [rollback(connection, NAME, reason="worse", actor="a test") for _ in range(2)]
        assert [(before.version, after.version) for before, after in steps] == [(3, 2), (2, 1)]
        with pytest.raises(ModelNotFoundError, match="no earlier deployment"):
            rollback(connection, NAME, reason="worse", actor="a test")
        connection.commit()
        assert [d.action for d in deployments(connection, NAME)] == ["rollback", "rollback", *["deploy"] * 3]


def test_two_deployments_at_once_end_with_one_winner_and_one_refusal(database: Database) -> None:
    with database.connect() as connection:
        first, second = registered(connection), registered(connection)
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def compete(model: ModelVersion) -> None:
        with database.connect() as connection:
            barrier.wait()
            try:
                deploy(connection, model, expected_champion_id=None, reason="", actor="")
                outcomes.append("deployed")
            except RunBusyError:
                outcomes.append("refused")

    threads = [threading.Thread(target=compete, args=(m,)) for m in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["deployed", "refused"]
    with database.connect() as connection:
        assert len(versions(connection, NAME, status="online")) == 1


def test_a_deployment_that_is_not_committed_never_happened(database: Database) -> None:
    with database.connect() as connection:
        first, second = registered(connection), registered(connection)
        put_online(connection, first)
    connection = database.connect()
    put_online(connection, second)
    connection.close()
    with database.connect() as connection:
        online = online_version(connection, NAME)
        assert online is not None
        assert online.version == 1


def test_waiting_predictors_are_notified_of_a_deployment(database: Database) -> None:
    with database.connect(autocommit=True) as listener:
        listener.execute("LISTEN loanwatch_deployment")
        with database.connect() as connection:
            put_online(connection, registered(connection))
        assert [n.payload for n in listener.notifies(timeout=5, stop_after=1)] == [NAME]


def test_an_unknown_version_is_named_with_those_that_exist(database: Database) -> None:
    with database.connect() as connection:
        registered(connection)
        with pytest.raises(ModelNotFoundError, match="has no version 7: its versions are 1"):
            find_version(connection, NAME, 7)
