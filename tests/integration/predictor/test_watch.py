"""What the service keeps for its next start, while what is deployed cannot be read."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from loanwatch.contract import default_contract
from loanwatch.database import Database
from loanwatch.predictor.known import LastKnown
from loanwatch.predictor.tokens import Token
from loanwatch.predictor.watch import Watcher
from loanwatch.registry import ModelVersion, deploy, hold_deployments, online_version, register, rollback
from loanwatch.settings import Settings
from loanwatch.storage import open_storage

MOMENT = datetime(2015, 1, 1, 12, 30, tzinfo=UTC)
TOKEN = Token(
    id=1, name="broker", token_hash=hashlib.sha256(b"secret").digest(), requests_per_minute=None, created_at=MOMENT,
    created_by="x", revoked_at=None,
)  # fmt: skip
CONTRACT = default_contract()


@pytest.fixture
def known(tmp_path: Path) -> LastKnown:
    return LastKnown(tmp_path / "spool", model=CONTRACT.name)


@pytest.fixture
def watcher(database: Database, known: LastKnown, tmp_path: Path) -> Watcher:
    """A worker that starts while no file of a model can be read."""
    storage = open_storage(Settings(home=tmp_path / "empty"), "models")
    return Watcher(database, storage, CONTRACT, last_known=known)


def put_online(database: Database) -> ModelVersion:
    with database.connect() as connection:
        online = online_version(connection, CONTRACT.name)
        version = register(connection, name=CONTRACT.name, run_id=None, digest="0" * 64, metadata={})
        deploy(connection, version, expected_champion_id=online and online.id, reason="test", actor="test", run_id=None)
    return version


def refresh(watcher: Watcher) -> None:
    with watcher.database.connect(autocommit=True) as connection:
        watcher.refresh(connection)


def lost_before_its_commit(told: Callable[..., None]) -> Callable[..., None]:
    def lost(*arguments: object, **options: object) -> None:
        told(*arguments, **options)
        raise psycopg.OperationalError("the connection was lost before it was committed")

    return lost


def test_a_model_out_of_reach_is_not_forgotten_but_revoked_tokens_are(
    database: Database, watcher: Watcher, known: LastKnown
) -> None:
    version = put_online(database)
    known.keep(version, [TOKEN])
    refresh(watcher)
    assert watcher.scorer is None
    assert known.recall() == (version, [])


def test_nothing_is_kept_once_no_model_is_deployed(watcher: Watcher, known: LastKnown, database: Database) -> None:
    version = put_online(database)
    known.keep(version, [TOKEN])
    with database.connect() as connection:
        connection.execute("UPDATE loanwatch.ml_model SET status = 'offline'")
    refresh(watcher)
    assert known.recall() is None


def test_a_model_replaced_while_its_files_were_read_raises_no_alert(
    database: Database, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_online(database)

    def replaced(*_: object) -> None:
        put_online(database)
        raise ValueError("no model")

    monkeypatch.setattr("loanwatch.predictor.watch.load_scorer", replaced)
    refresh(watcher)
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM loanwatch.alert").fetchone() == (0,)


def test_no_deployment_comes_between_the_last_look_and_the_alert(
    database: Database, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_online(database)
    waits: list[bool] = []

    def unusable(*_: object, **__: object) -> None:
        with database.connect() as other:
            other.execute("SET lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                hold_deployments(other, CONTRACT.name)
            other.rollback()
        waits.append(True)

    monkeypatch.setattr(watcher._alarm, "unusable", unusable)
    refresh(watcher)
    assert waits


def test_an_alert_that_was_lost_on_its_way_is_told_again(
    database: Database, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_online(database)
    told = watcher._alarm.unusable
    monkeypatch.setattr(watcher._alarm, "unusable", lost_before_its_commit(told))
    with pytest.raises(psycopg.OperationalError):
        refresh(watcher)
    monkeypatch.setattr(watcher._alarm, "unusable", told)
    refresh(watcher)
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM loanwatch.alert").fetchone() == (1,)


def test_who_read_an_older_model_for_long_leaves_the_alert_about_the_next_one_open(
    database: Database, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = put_online(database)
    other = Watcher(database, watcher.storage, CONTRACT)
    other.scorer = SimpleNamespace(version=first)

    def slow(_: object, version: ModelVersion, __: object) -> SimpleNamespace:
        monkeypatch.undo()
        put_online(database)
        refresh(other)
        return SimpleNamespace(version=version)

    monkeypatch.setattr("loanwatch.predictor.watch.load_scorer", slow)
    refresh(watcher)
    refresh(watcher)
    with database.connect() as connection:
        assert connection.execute("SELECT status FROM loanwatch.alert").fetchall() == [("open",)]
        rollback(connection, CONTRACT.name, reason="test", actor="test")
    refresh(watcher)
    with database.connect() as connection:
        assert connection.execute("SELECT status FROM loanwatch.alert").fetchall() == [("resolved",)]


def test_an_alert_whose_end_was_lost_on_its_way_is_closed_again(
    database: Database, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_online(database)
    refresh(watcher)
    well = watcher._alarm.well
    put_online(database)
    monkeypatch.setattr("loanwatch.predictor.watch.load_scorer", lambda _, v, __: SimpleNamespace(version=v))
    monkeypatch.setattr(watcher._alarm, "well", lost_before_its_commit(well))
    with pytest.raises(psycopg.OperationalError):
        refresh(watcher)
    monkeypatch.setattr(watcher._alarm, "well", well)
    refresh(watcher)
    with database.connect() as connection:
        assert connection.execute("SELECT status FROM loanwatch.alert").fetchall() == [("resolved",)]
