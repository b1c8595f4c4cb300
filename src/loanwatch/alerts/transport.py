"""What every channel's transport does: send, and say whether an earlier attempt arrived."""

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from loanwatch.alerts.messages import Message
from loanwatch.errors import LoanwatchError, shorten
from loanwatch.records import record

__all__ = [
    "CannotTellError",
    "Delivery",
    "DeliveryError",
    "Receipt",
    "Reconciliation",
    "Transport",
    "failure_of_status",
    "redacted",
    "retry_after_seconds",
]

Receipt = Mapping[str, Any]
"""What the channel calls a message; empty where it gives no name."""

_RETRY_STATUS = frozenset({408, 409, 425, 429})


class Reconciliation(Enum):
    """What can be done about an attempt whose outcome nobody recorded."""

    LOOKUP = "lookup"
    """The channel can be asked whether the message is there."""
    REPEATABLE = "repeatable"
    """The receiver recognises a repeat by its key."""
    NONE = "none"
    """It is sent again, marked as a possible repeat."""


@record
class Delivery:
    """One message owed to one channel, claimed by this dispatcher."""

    id: int
    channel: str
    alert_id: int | None
    idempotency_key: UUID
    attempts: int
    """This one included."""
    outcome_unknown: bool
    possible_repeat: bool
    created_at: datetime
    first_attempt_at: datetime
    payload: Mapping[str, Any] = field(repr=False)
    event: str | None = None
    thread: Receipt | None = None
    """Receipt of the alert's first message on this channel."""

    @property
    def key(self) -> str:
        """The idempotency key as text; the same in every attempt."""
        return str(self.idempotency_key)

    @property
    def message(self) -> Message:
        """What to say."""
        return Message.from_dict(self.payload)


class DeliveryError(LoanwatchError):
    """A message could not be delivered.

    Parameters
    ----------
    message : str
        Without secrets.
    permanent : bool
        Trying again is no use until somebody changes something.
    may_have_arrived : bool
        The channel may have taken the message all the same.
    retry_after_seconds : float, optional
        The channel asked for so much patience, for all of its messages.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        may_have_arrived: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(shorten(message, 500))
        self.permanent = permanent
        self.may_have_arrived = may_have_arrived
        self.retry_after_seconds = retry_after_seconds


class CannotTellError(LoanwatchError):
    """The channel does not let us look whether a message arrived."""


class Transport(Protocol):
    """One channel's way out; used by one thread at a time."""

    @property
    def reconciliation(self) -> Reconciliation:
        """What can be done about an unknown outcome."""

    def send(self, delivery: Delivery) -> Receipt:
        """Send, and return what the channel calls the message.

        Raises
        ------
        DeliveryError
            If it was refused, or the outcome is not known.
        """

    def find(self, delivery: Delivery) -> Receipt | None:
        """Return the receipt of an earlier attempt that arrived, or None if none did.

        Raises
        ------
        CannotTellError
            If the channel does not let us look.
        DeliveryError
            If looking failed.
        """


def failure_of_status(status: int, detail: str, *, retry_after_seconds: float | None) -> DeliveryError:
    """Return what an HTTP status other than success means.

    429 and refusals were certainly not taken; after a 5xx nobody knows.
    """
    reason = f"HTTP {status}" + (f": {shorten(' '.join(detail.split()), 200)}" if detail.strip() else "")
    if status >= 500:
        return DeliveryError(reason, may_have_arrived=True, retry_after_seconds=retry_after_seconds)
    if status in _RETRY_STATUS:
        return DeliveryError(reason, retry_after_seconds=retry_after_seconds)
    return DeliveryError(reason, permanent=True)


def retry_after_seconds(get_header: Callable[[str], str | None]) -> float | None:
    """Return the patience that `Retry-After` asks for; None where it says nothing readable (a date is not read).

    >>> retry_after_seconds({"Retry-After": "30"}.get)
    30.0
    """
    text = get_header("Retry-After") or get_header("retry-after")
    try:
        seconds = float(text) if text else None
    except ValueError:
        return None
    return seconds if seconds is not None and 0 <= seconds < float("inf") else None


def redacted(text: str, secrets: tuple[str, ...]) -> str:
    """Replace secrets that a library or a server put into a message.

    >>> redacted("token abc refused", ("abc",))
    'token *** refused'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
