"""A test message, sent at once and past the outbox: somebody is waiting for the answer."""

from datetime import UTC, datetime
from uuid import uuid4

from loanwatch.alerts.channels import find_channel, open_transport
from loanwatch.alerts.messages import test_message
from loanwatch.alerts.transport import Delivery, Receipt
from loanwatch.settings import Settings

__all__ = ["send_test"]


def send_test(settings: Settings, channel: str, *, actor: str) -> Receipt:
    """Send a test message and return what the channel calls it.

    Raises
    ------
    SettingsError
        If there is no such channel.
    DeliveryError
        If the channel does not take it.
    """
    found = find_channel(settings, channel)
    now = datetime.now(UTC)
    delivery = Delivery(
        id=0,
        channel=channel,
        alert_id=None,
        idempotency_key=uuid4(),
        attempts=1,
        outcome_unknown=False,
        possible_repeat=False,
        created_at=now,
        first_attempt_at=now,
        payload=test_message(channel, actor).to_dict(),
    )
    return open_transport(channel, found).send(delivery)
