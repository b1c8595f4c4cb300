from dataclasses import dataclass, field
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from loanwatch.orchestration.connections import database_url, slack_channel


@dataclass
class Connection:
    host: str | None = "db.example"
    port: int | None = 5433
    login: str | None = "lender"
    password: str | None = "p@ss/word:ü%"
    schema: str | None = "loans"
    extra_dejson: dict[str, Any] = field(default_factory=dict)


def test_a_connection_becomes_libpqs_url_whatever_the_password_is_made_of() -> None:
    assert conninfo_to_dict(database_url(Connection())) == {
        "host": "db.example", "port": "5433", "user": "lender", "password": "p@ss/word:ü%", "dbname": "loans",
    }  # fmt: skip


def test_what_is_left_out_is_left_to_libpq() -> None:
    bare = Connection(port=None, login=None, password=None, schema=None)
    assert conninfo_to_dict(database_url(bare)) == {"host": "db.example"}


@pytest.mark.parametrize("extras", [{"sslmode": "require", "cursor": "dictcursor", "iam": False}])
def test_only_libpqs_own_extras_are_passed_on(extras: dict[str, Any]) -> None:
    parsed = conninfo_to_dict(database_url(Connection(extra_dejson=extras)))
    assert (parsed["sslmode"], "cursor" in parsed, "iam" in parsed) == ("require", False, False)


def test_the_login_of_the_slack_connection_is_the_channel() -> None:
    bot = Connection(login="#lending", password="xoxb-1", extra_dejson={"base_url": "http://127.0.0.1:1/api/"})
    assert slack_channel(bot) == {
        "type": "slack", "token": "xoxb-1", "channel": "#lending", "api_url": "http://127.0.0.1:1/api/",
    }  # fmt: skip


def test_a_password_that_is_a_url_is_an_incoming_webhook() -> None:
    hook = Connection(login=None, password="https://hooks.example/services/T/B/x")
    assert slack_channel(hook) == {"type": "slack_webhook", "url": "https://hooks.example/services/T/B/x"}
