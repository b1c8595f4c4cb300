"""The signature of a webhook's body: HMAC-SHA256 over its time and its bytes."""

import hashlib
import hmac

__all__ = ["sign", "verify"]


def sign(body: bytes, *, secret: str, timestamp: int) -> str:
    """Return the value of `X-Loanwatch-Signature`.

    >>> sign(b"{}", secret="k", timestamp=0)[:10]
    'v1=c847cd2'

    Parameters
    ----------
    body : bytes
        As it is sent.
    secret : str
        Shared with the receiver.
    timestamp : int
        Seconds since 1970, also sent as `X-Loanwatch-Timestamp`, so that an old request cannot be played again.
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"v1={digest}"


def verify(
    body: bytes, *, secret: str, timestamp: int, signature: str, now: float, tolerance_seconds: float = 300
) -> bool:
    """Tell whether a request is ours and fresh: what a receiver does."""
    fresh = abs(now - timestamp) <= tolerance_seconds
    return fresh and hmac.compare_digest(sign(body, secret=secret, timestamp=timestamp), signature)
