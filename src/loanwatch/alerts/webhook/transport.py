"""Signed JSON over HTTP; the receiver knows a repeat by its Idempotency-Key."""

import ssl
import time

import httpx

from loanwatch.alerts.transport import (
    CannotTellError,
    Delivery,
    DeliveryError,
    Receipt,
    Reconciliation,
    failure_of_status,
    redacted,
    retry_after_seconds,
)
from loanwatch.alerts.webhook.payload import body_of
from loanwatch.alerts.webhook.signature import sign
from loanwatch.channel_settings import WebhookChannel

__all__ = ["Webhook"]

_BODY_LIMIT = 2_000


class Webhook:
    """Posts to one URL."""

    reconciliation = Reconciliation.REPEATABLE

    def __init__(self, settings: WebhookChannel) -> None:
        self._url = settings.url.get_secret_value()
        self._key = settings.secret.get_secret_value() if settings.secret else None
        self._secrets = settings.secrets
        trust = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        self._client = httpx.Client(
            timeout=settings.timeout_seconds, verify=trust, follow_redirects=False, trust_env=False
        )

    def send(self, delivery: Delivery) -> Receipt:
        """Post the message; any 2xx is success."""
        body = body_of(delivery)
        try:
            with self._client.stream("POST", self._url, content=body, headers=self._headers(delivery, body)) as answer:
                if answer.is_success:
                    return {"status": answer.status_code}
                detail = redacted(_beginning(answer), self._secrets)
                patience = retry_after_seconds(answer.headers.get)
                raise failure_of_status(answer.status_code, detail, retry_after_seconds=patience)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise _failure(error, self._secrets) from None

    def find(self, delivery: Delivery) -> Receipt | None:
        """Never needed: a repeat is recognised by its key."""
        raise CannotTellError(f"a webhook cannot be asked for delivery {delivery.id}")

    def _headers(self, delivery: Delivery, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": delivery.key, "User-Agent": "loanwatch"}
        if self._key is not None:
            timestamp = int(time.time())
            headers["X-Loanwatch-Timestamp"] = str(timestamp)
            headers["X-Loanwatch-Signature"] = sign(body, secret=self._key, timestamp=timestamp)
        return headers


def _beginning(answer: httpx.Response) -> str:
    taken = b""
    try:
        for chunk in answer.iter_bytes():
            taken += chunk
            if len(taken) >= _BODY_LIMIT:
                break
    except httpx.HTTPError:  # the status says enough
        pass
    return taken[:_BODY_LIMIT].decode("utf-8", "replace")


def _failure(error: Exception, secrets: tuple[str, ...]) -> DeliveryError:
    words = redacted(f"{type(error).__name__}: {error}", secrets)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return DeliveryError(f"the certificate is not trusted: {cause.verify_message}", permanent=True)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return DeliveryError("the URL cannot be used", permanent=True)
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        return DeliveryError(f"cannot connect: {words}")
    return DeliveryError(f"no answer: {words}", may_have_arrived=True)
