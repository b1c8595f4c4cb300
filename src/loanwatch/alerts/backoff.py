"""How long to wait before trying again."""

from random import Random

__all__ = ["MAX_DELAY_SECONDS", "delay_before_retry"]

MAX_DELAY_SECONDS = 900.0
MAX_PATIENCE_SECONDS = 3_600.0
"""Longer than a channel's `Retry-After` is believed; the claim's query knows this bound too."""


def delay_before_retry(
    attempts: int, *, base_seconds: float, random: Random, retry_after_seconds: float | None = None
) -> float:
    """Return seconds to wait: doubled with every attempt, never the same for two dispatchers.

    Parameters
    ----------
    attempts : int
        Made so far, at least 1.
    base_seconds : float
        About the first wait.
    random : Random
        Spreads the wait over half to one and a half times its length.
    retry_after_seconds : float, optional
        What the channel asked for; never undercut.

    >>> 0.5 <= delay_before_retry(1, base_seconds=1, random=Random(0)) <= 1.5
    True
    >>> delay_before_retry(3, base_seconds=1, random=Random(0), retry_after_seconds=30) >= 30
    True
    """
    doubled = min(MAX_DELAY_SECONDS, base_seconds * 2.0 ** min(attempts - 1, 30))
    delay = doubled * random.uniform(0.5, 1.5)
    if retry_after_seconds is not None:
        asked = min(retry_after_seconds, MAX_PATIENCE_SECONDS - 60)
        return asked + random.uniform(0, 1) * base_seconds
    return delay
