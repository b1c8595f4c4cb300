"""A Slack incoming webhook: posts only; what is unknown is sent again, marked."""

import http.client
import ssl

from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from loanwatch.alerts.slack.failure import network_failure
from loanwatch.alerts.slack.payload import blocks, fallback_text
from loanwatch.alerts.transport import (
    CannotTellError,
    Delivery,
    Receipt,
    Reconciliation,
    failure_of_status,
    redacted,
    retry_after_seconds,
)
from loanwatch.channel_settings import SlackWebhookChannel

__all__ = ["SlackWebhook"]


class SlackWebhook:
    """Posts to the URL that Slack gave for one channel."""

    reconciliation = Reconciliation.NONE

    def __init__(self, settings: SlackWebhookChannel) -> None:
        self._secrets = settings.secrets
        context = ssl.create_default_context(cafile=str(settings.ca_file)) if settings.ca_file else None
        self._client = WebhookClient(
            settings.url.get_secret_value(),
            timeout=max(1, round(settings.timeout_seconds)),
            ssl=context,
            retry_handlers=[],
        )

    def send(self, delivery: Delivery) -> Receipt:
        """Post the message."""
        try:
            answer = self._client.send(
                text=fallback_text(delivery.message, possible_repeat=delivery.possible_repeat),
                blocks=blocks(delivery.message, possible_repeat=delivery.possible_repeat),
            )
        except (OSError, SlackClientError, http.client.HTTPException, ValueError) as error:
            raise network_failure(error, secrets=self._secrets) from None
        if answer.status_code != 200:
            patience = retry_after_seconds(answer.headers.get)
            detail = redacted(answer.body or "", self._secrets)
            raise failure_of_status(answer.status_code, detail, retry_after_seconds=patience)
        return {}

    def find(self, delivery: Delivery) -> Receipt | None:
        """Never possible."""
        raise CannotTellError(f"an incoming webhook cannot be asked for delivery {delivery.id}")
