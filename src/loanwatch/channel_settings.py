"""Where alerts are told: `[channels.<name>]` and `[alerting]` of the settings."""

from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

__all__ = ["AlertingSettings", "Channel", "EmailChannel", "SlackChannel", "SlackWebhookChannel", "WebhookChannel"]

Severity = Literal["low", "medium", "high", "critical"]
ChangeKind = Literal[
    "opened", "repeated", "raised", "lowered", "acknowledged", "escalated", "muted", "unmuted", "resolved", "reopened"
]
_LOUD: tuple[ChangeKind, ...] = ("opened", "reopened", "raised", "escalated", "unmuted", "resolved")
_ALL: tuple[ChangeKind, ...] = (*_LOUD, "repeated", "acknowledged", "muted")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Channel(_Section):
    """What all channels share: what is told there, and when."""

    enabled: bool = True
    minimum_severity: Severity = "low"
    models: tuple[str, ...] = ()
    """Names of models; empty for all."""
    events: tuple[str, ...] = ()
    """Events, `rule` for broken rules; empty for all."""
    changes: tuple[ChangeKind, ...] = _LOUD
    """What of an alert's life is told."""
    quiet_hours: str | None = None
    """`22:00-07:00`: alerts wait until the end and then come in one message."""
    loud_severity: Severity = "critical"
    """Alerts of this severity and above do not wait."""
    digest_at: time | None = None
    """Collect everything that is not loud into one message a day."""
    timezone: str = "UTC"
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("not the name of a time zone, such as Europe/Berlin") from error
        return value

    @field_validator("quiet_hours")
    @classmethod
    def _two_times(cls, value: str | None) -> str | None:
        if value is not None:
            start, _, end = value.partition("-")
            try:
                first, last = time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
            except ValueError as error:
                raise ValueError(f"expected two times such as 22:00-07:00 ({error})") from error
            if first == last:
                raise ValueError("quiet hours begin and end at the same time: expected two such as 22:00-07:00")
        return value

    @property
    def quiet_span(self) -> tuple[time, time] | None:
        """Begin and end of the quiet hours, local time."""
        if self.quiet_hours is None:
            return None
        start, _, end = self.quiet_hours.partition("-")
        return time.fromisoformat(start.strip()), time.fromisoformat(end.strip())

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be written down."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return tuple(v.get_secret_value() for v in values if isinstance(v, SecretStr) and v.get_secret_value())


class SlackChannel(_Channel):
    """A Slack app's bot, which keeps one thread an alert."""

    type: Literal["slack"]
    token: SecretStr
    channel: str
    """Id of the channel (C…); a name works too, but then an unknown outcome cannot be looked up."""
    api_url: str = "https://slack.com/api/"
    changes: tuple[ChangeKind, ...] = _ALL


class SlackWebhookChannel(_Channel):
    """A Slack incoming webhook."""

    type: Literal["slack_webhook"]
    url: SecretStr


class WebhookChannel(_Channel):
    """Any receiver of JSON over HTTP."""

    type: Literal["webhook"]
    url: SecretStr
    secret: SecretStr | None = None
    """Key of the HMAC-SHA256 signature."""
    changes: tuple[ChangeKind, ...] = _ALL


class EmailChannel(_Channel):
    """Mail over SMTP."""

    type: Literal["email"]
    host: str
    port: Annotated[int, Field(gt=0, lt=65536)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: SecretStr | None = None
    sender: str
    recipients: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _no_password_in_the_open(self) -> Self:
        if self.password and self.security == "none":
            raise ValueError("a password is only sent with security = starttls or tls")
        return self


Channel = Annotated[SlackChannel | SlackWebhookChannel | WebhookChannel | EmailChannel, Field(discriminator="type")]


class AlertingSettings(_Section):
    """How alerts are told, on all channels."""

    public_url: str | None = None
    """Where reports and alerts are served, for links: `https://loanwatch.example.org`."""
    escalate_after_minutes: dict[Severity, Annotated[float, Field(gt=0)]] = {"critical": 15, "high": 60}
    """By severity; an alert nobody acknowledges is told again after so long."""
    maximum_escalations: Annotated[int, Field(ge=0)] = 3
    """Each waits twice as long as the one before."""
    no_data_after_hours: Annotated[float, Field(gt=0)] | None = None
    """Hours without a new window that are an alert; by default the last window's length and a quarter, plus two."""
    notices_close_after_days: Annotated[float, Field(gt=0)] = 7
    sweep_seconds: Annotated[float, Field(gt=0, le=300)] = 5
    lease_seconds: Annotated[float, Field(gt=0, le=600)] = 60
    """How long one attempt belongs to the dispatcher that makes it."""
    retry_seconds: Annotated[float, Field(gt=0)] = 1
    """Before the second attempt; doubled each time, up to 15 minutes."""
    maximum_attempts: Annotated[int, Field(gt=0)] = 100
    """About a day; after that the delivery is a dead letter."""
