"""What Slack's and the network's refusals mean for a delivery."""

import http.client
import re
import socket
import ssl
from urllib.error import URLError

from slack_sdk.errors import SlackApiError

from loanwatch.alerts.transport import DeliveryError, failure_of_status, redacted, retry_after_seconds

__all__ = ["network_failure", "slack_failure"]

_RETRYABLE = frozenset({"ratelimited", "rate_limited", "request_timeout", "service_unavailable", "team_added_to_org"})
_UNKNOWN = frozenset({"internal_error", "fatal_error"})  # Slack: part of it may have been done


def slack_failure(error: SlackApiError, *, secrets: tuple[str, ...]) -> DeliveryError:
    """Return what an answer of the Web API other than ok means."""
    response = error.response
    status = int(getattr(response, "status_code", 200))
    headers = getattr(response, "headers", None) or {}
    patience = retry_after_seconds(headers.get)
    data = getattr(response, "data", None)
    words = str(data.get("error", "")) if isinstance(data, dict) else ""
    code = words if re.fullmatch(r"[a-z_]+", words) else ""  # where the answer is no JSON, the SDK puts prose there
    if status == 429 or code in _RETRYABLE:
        return DeliveryError(f"Slack: {code or 'HTTP 429'}", retry_after_seconds=patience)
    if status >= 500 or (status != 200 and not code):
        return failure_of_status(status, code, retry_after_seconds=patience)
    if code in _UNKNOWN:
        return DeliveryError(f"Slack: {code}", may_have_arrived=True)
    if not code:
        return DeliveryError("Slack answered nothing readable", may_have_arrived=True)
    return DeliveryError(redacted(f"Slack: {code}", secrets), permanent=True)


def network_failure(error: BaseException, *, secrets: tuple[str, ...] = ()) -> DeliveryError:
    """Return what an exception below HTTP means: whether the message may have left."""
    reason = error.reason if isinstance(error, URLError) and isinstance(error.reason, BaseException) else error
    words = redacted(f"{type(reason).__name__}: {reason}", secrets)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return DeliveryError(f"the certificate is not trusted: {reason.verify_message}", permanent=True)
    if isinstance(reason, (ConnectionRefusedError, socket.gaierror)):
        return DeliveryError(f"cannot connect: {words}")
    if isinstance(reason, ssl.SSLError) and not isinstance(reason, ssl.SSLEOFError):
        return DeliveryError(f"TLS failed: {words}")
    if isinstance(reason, (TimeoutError, OSError, http.client.HTTPException)):
        return DeliveryError(f"no answer: {words}", may_have_arrived=True)
    return DeliveryError(f"unreadable answer: {words}", may_have_arrived=True)
