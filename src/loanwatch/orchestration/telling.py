"""Tell Slack what a run's alerts say, through the outbox: each message once, whoever else delivers."""

from loanwatch.errors import LoanwatchError, SettingsError
from loanwatch.orchestration.connections import SLACK, task_settings
from loanwatch.orchestration.stages import permanent

__all__ = ["deliver", "send_test_message", "tell"]


class _UndeliveredError(LoanwatchError):
    """A message could not be delivered yet."""

    retryable = True


def tell(run_id: int, event: str) -> int:
    """Deliver what is owed, and return how many messages about one kind of event have arrived since the run began.

    Raises
    ------
    LoanwatchError
        Retryable while a channel does not answer; not where it refuses.
    """
    from loanwatch.database import open_database, sql

    deliver()
    with open_database(task_settings()).connect() as connection:
        owed = connection.execute(sql("delivery_of_run"), {"run_id": run_id, "event": event}).fetchall()
    with permanent():
        for status, channel, error in owed:
            if status == "failed":
                raise LoanwatchError(f"{channel} refused the message: {error}")
            if status in {"pending", "sending"} and error:
                raise _UndeliveredError(f"{channel} has not taken the message yet: {error}")
    return sum(status == "delivered" for status, _, _ in owed)


def deliver() -> bool:
    """Deliver everything that is owed now; return False where there is no channel."""
    from loanwatch.alerts.dispatcher import Dispatcher
    from loanwatch.database import open_database

    settings = task_settings()
    if not settings.channels:
        return False
    Dispatcher(settings, open_database(settings)).run_once()
    return True


def send_test_message() -> str:
    """Send one message that says that the way to Slack works; return the channel's name."""
    from loanwatch.alerts.trial import send_test

    settings = task_settings()
    with permanent():
        slack = [name for name, channel in settings.channels.items() if channel.type.startswith("slack")]
        if not slack:
            raise SettingsError(
                f"there is no way to Slack: make the connection {SLACK} with the bot's token as its password and the "
                "channel as its login, or set up a channel in loanwatch's settings"
            )
        name = SLACK if SLACK in slack else slack[0]
        send_test(settings, name, actor="slack_test_workflow")
    return name
