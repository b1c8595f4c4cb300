"""A Slack bot: one thread an alert, its first message kept up to date, unknown outcomes looked up by metadata."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from loanwatch.alerts.slack.failure import network_failure, slack_failure
from loanwatch.alerts.slack.payload import blocks, fallback_text
from loanwatch.alerts.transport import CannotTellError, Delivery, DeliveryError, Receipt, Reconciliation
from loanwatch.channel_settings import SlackChannel

__all__ = ["SlackBot"]

_EVENT_TYPE = "loanwatch_alert"
_PAGE = 200
_PAGES = 25  # 5,000 messages; the message sought is at most a few hours old
_LOOK_BACK_SECONDS = 86_400
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
_NO_LOOKING = frozenset(
    {"channel_not_found", "missing_scope", "not_in_channel", "method_not_supported_for_channel_type"}
)


class SlackBot:
    """Posts through the Web API with a bot's token.

    Parameters
    ----------
    settings : SlackChannel
        The bot needs the scopes `chat:write` and, to look up unknown outcomes, `channels:history`.
    """

    reconciliation = Reconciliation.LOOKUP

    def __init__(self, settings: SlackChannel) -> None:
        self._channel = settings.channel
        self._secrets = settings.secrets
        context = ssl.create_default_context(cafile=str(settings.ca_file)) if settings.ca_file else None
        self._client = WebClient(
            token=settings.token.get_secret_value(),
            base_url=settings.api_url.rstrip("/") + "/",
            timeout=max(1, round(settings.timeout_seconds)),
            ssl=context,
            retry_handlers=[],  # retries are the dispatcher's, which knows what may have arrived
        )

    def send(self, delivery: Delivery) -> Receipt:
        """Post a new message, or bring the alert's first one up to date and answer in its thread."""
        message = delivery.message
        content = {
            "text": fallback_text(message, possible_repeat=delivery.possible_repeat),
            "blocks": blocks(message, possible_repeat=delivery.possible_repeat),
        }
        thread = delivery.thread or {}
        thread_ts = thread.get("ts")
        if thread_ts and not self._update(thread, content):
            thread_ts = None
        posted = self._call(
            self._client.chat_postMessage,
            channel=thread.get("channel", self._channel),
            thread_ts=thread_ts,
            reply_broadcast=message.kind == "escalated" if thread_ts else None,
            metadata={"event_type": _EVENT_TYPE, "event_payload": {"delivery": delivery.key}},
            unfurl_links=False,
            **content,
        )
        return _receipt(posted, thread_ts)

    def find(self, delivery: Delivery) -> Receipt | None:
        """Look for the message by its metadata, newest first."""
        thread = delivery.thread or {}
        newest: float | None = None
        for found in self._messages(thread):
            payload = (found.get("metadata") or {}).get("event_payload") or {}
            if payload.get("delivery") == delivery.key:
                return {
                    "channel": thread.get("channel", self._channel),
                    "ts": found["ts"],
                    **({"thread_ts": thread["ts"]} if thread.get("ts") else {}),
                }
            newest = newest or float(found["ts"])
            attempted = delivery.first_attempt_at.timestamp()
            # the two clocks are compared only where they agree that the newest message is no older than the attempt
            if newest > attempted > float(found["ts"]) + _LOOK_BACK_SECONDS and not thread.get("ts"):
                return None
        return None

    def _messages(self, thread: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        for _page in range(_PAGES):
            arguments = {"limit": _PAGE, "include_all_metadata": True, "cursor": cursor}
            try:
                if thread.get("ts"):
                    answer = self._call(
                        self._client.conversations_replies, channel=thread["channel"], ts=thread["ts"], **arguments
                    )
                else:
                    answer = self._call(self._client.conversations_history, channel=self._channel, **arguments)
            except DeliveryError as error:
                if any(reason in str(error) for reason in _NO_LOOKING):
                    raise CannotTellError(str(error)) from error
                raise
            yield from answer.get("messages") or []
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return

    def _update(self, thread: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
        """Show the newest state in the alert's first message; doing it twice does no harm. False where it is gone."""
        try:
            self._call(self._client.chat_update, channel=thread["channel"], ts=thread["ts"], **content)
        except DeliveryError as error:
            if error.permanent and any(reason in str(error) for reason in _GONE):
                return False
            raise
        return True

    def _call(self, method: Callable[..., Any], **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401
        try:
            answer = method(**arguments)
        except SlackApiError as error:
            raise slack_failure(error, secrets=self._secrets) from None
        except (OSError, SlackClientError, ValueError) as error:
            raise network_failure(error, secrets=self._secrets) from None
        data: Mapping[str, Any] = answer.data
        return data


def _receipt(posted: Mapping[str, Any], thread_ts: str | None) -> Receipt:
    return {
        "channel": posted.get("channel"),
        "ts": posted.get("ts"),
        **({"thread_ts": thread_ts} if thread_ts else {}),
    }
