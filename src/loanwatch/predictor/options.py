"""How the service is run."""

import ipaddress
from pathlib import Path

from loanwatch.records import record
from loanwatch.settings import Settings

__all__ = ["SPOOL", "ServeOptions", "is_loopback"]

SPOOL = "spool"
"""Folder under home."""


@record
class ServeOptions:
    """What one service was started with; handed to every worker."""

    settings: Settings
    conninfo: str
    """The database, as its parent process found or started it."""
    folder: Path
    """Counts and rate limits, shared by the workers."""
    host: str = "127.0.0.1"
    port: int = 5100
    workers: int = 1
    tokens: bool = False
    requests_per_minute: int = 6_000
    """For tokens without a limit of their own."""
    max_body_bytes: int = 8 * 2**20
    max_rows: int = 10_000
    body_timeout_seconds: float = 10.0
    header_timeout_seconds: float = 10.0
    stop_timeout_seconds: float = 15.0

    @property
    def spool_folder(self) -> Path:
        """Decisions that the database does not have yet; the same for every service of this home."""
        return self.settings.home / SPOOL


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach a host.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("")
    (True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
