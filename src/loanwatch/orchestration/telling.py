"""Tell Slack what a run's alerts say."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from loanwatch.errors import SettingsError
from loanwatch.orchestration.connections import SLACK, find_connection, task_settings
from loanwatch.orchestration.stages import permanent

if TYPE_CHECKING:
    from slack_sdk import WebClient

__all__ = ["send_test_message", "tell"]


def tell(run_id: int, event: str) -> int:
    """Send the run's alerts of one kind, and return how many there were."""
    from loanwatch.database import open_database

    with open_database(task_settings()).connect() as connection:
        messages = connection.execute(
            "SELECT message FROM loanwatch.alert WHERE run_id = %s AND event = %s ORDER BY id", (run_id, event)
        ).fetchall()
    if not messages:
        return 0
    client, channel = _slack()
    for (message,) in messages:
        client.chat_postMessage(channel=channel, text=message)
    return len(messages)


def send_test_message() -> str:
    """Send one message that says that the way to Slack works."""
    with permanent():
        client, channel = _slack()
    client.chat_postMessage(channel=channel, text=f"loanwatch can reach this channel ({datetime.now(UTC):%H:%M} UTC).")
    return channel


def _slack() -> "tuple[WebClient, str]":
    from slack_sdk import WebClient

    connection = find_connection(SLACK)
    if connection is None or not connection.password or not connection.login:
        raise SettingsError(f"there is no connection {SLACK} with a bot's token as password and a channel as login")
    options = {k: v for k, v in connection.extra_dejson.items() if k in {"base_url", "timeout"}}
    return WebClient(token=connection.password, **options), connection.login
