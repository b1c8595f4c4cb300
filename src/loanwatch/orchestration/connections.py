"""Airflow's connections where there are any, loanwatch's settings where not.

`postgres_default` names the database; `slack_connection` has the bot's token as its password and the channel as its
login. Nothing here is called while a DAG file is parsed.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from loanwatch.settings import Settings

__all__ = ["AirflowConnection", "database_url", "find_connection", "slack_channel", "task_settings"]

POSTGRES = "postgres_default"
SLACK = "slack_connection"

_LIBPQ_EXTRAS = {
    "sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "connect_timeout", "options",
    "target_session_attrs", "keepalives_idle",
}  # fmt: skip


class AirflowConnection(Protocol):
    """What is used of Airflow's class."""

    host: str | None
    port: int | None
    login: str | None
    password: str | None
    schema: str | None

    @property
    def extra_dejson(self) -> Mapping[str, Any]:
        """The extra field, parsed."""


def find_connection(name: str) -> AirflowConnection | None:
    """Return a connection of Airflow, or None where nobody made it."""
    from airflow.sdk import BaseHook  # type: ignore[import-not-found]
    from airflow.sdk.exceptions import AirflowNotFoundException  # type: ignore[import-not-found]

    try:
        connection: AirflowConnection = BaseHook.get_connection(name)
    except AirflowNotFoundException:
        return None
    return connection


def database_url(connection: AirflowConnection) -> str:
    """Return libpq's URL of a connection; of its extras only what libpq knows."""
    login = quote(connection.login or "", safe="")
    if connection.password:
        login += f":{quote(connection.password, safe='')}"
    port = f":{connection.port}" if connection.port else ""
    options = {k: str(v) for k, v in connection.extra_dejson.items() if k in _LIBPQ_EXTRAS}
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""
    host, schema = connection.host or "", quote(connection.schema or "", safe="")
    return f"postgresql://{login}{'@' if login else ''}{host}{port}/{schema}{query}"


def slack_channel(connection: AirflowConnection) -> dict[str, Any]:
    """Return a channel of loanwatch's settings: a bot, or an incoming webhook where the password is its URL."""
    if (connection.password or "").startswith(("https://", "http://")):
        return {"type": "slack_webhook", "url": connection.password}
    channel = {"type": "slack", "token": connection.password or "", "channel": connection.login or ""}
    api_url = connection.extra_dejson.get("base_url")
    return {**channel, "api_url": api_url} if api_url else channel


def task_settings() -> "Settings":
    """Return the settings of a task: the environment's, with Airflow's connections where it has them."""
    from loanwatch.settings import load_settings

    settings = load_settings()
    arguments: dict[str, Any] = {}
    if postgres := find_connection(POSTGRES):
        arguments["database_url"] = database_url(postgres)
    if slack := find_connection(SLACK):
        arguments["channels"] = {**settings.channels, SLACK: slack_channel(slack)}
    return load_settings(**arguments) if arguments else settings
