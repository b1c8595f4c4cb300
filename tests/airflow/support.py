"""Databases by name, and Airflow's two connections as variables."""

import json
from types import SimpleNamespace

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from slack_stand_in import SlackStandIn

from loanwatch.database import Database


def new_database(conninfo: str, name: str, *, template: str = "template1") -> str:
    with Database(make_conninfo(conninfo, dbname="postgres")).connect(autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template))))
    return make_conninfo(conninfo, dbname=name)


def as_url(conninfo: str, *, scheme: str = "postgresql") -> str:
    parts = conninfo_to_dict(conninfo)
    return "{scheme}://{user}:{password}@{host}:{port}/{dbname}".format(scheme=scheme, **parts)


def connection_variables(database: Database, slack: SlackStandIn) -> dict[str, str]:
    bot = {
        "conn_type": "slack",
        "login": "#lending",
        "password": "xoxb-test-token",
        "extra": {"base_url": slack.url},
    }
    parts = SimpleNamespace(**conninfo_to_dict(database.conninfo))
    postgres = {
        "conn_type": "postgres",
        "host": parts.host,
        "port": int(parts.port),
        "login": parts.user,
        "password": parts.password,
        "schema": parts.dbname,
        "extra": {"sslmode": "disable"},
    }
    return {
        "AIRFLOW_CONN_SLACK_CONNECTION": json.dumps(bot),
        "AIRFLOW_CONN_POSTGRES_DEFAULT": json.dumps(postgres),
    }
