"""So many requests a minute for each token, over all workers of a service."""

import fcntl
import math
import mmap
import struct
import time
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

__all__ = ["RateLimiter"]

_SLOTS = 65_536
_BURST_SECONDS = 10.0
"""A token that was silent may send what it is allowed in this time at once."""


class RateLimiter:
    """The generic cell rate algorithm: of each token, one moment up to which its allowance is spent.

    The moments lie in a file that all workers map, and are changed under a lock.

    Parameters
    ----------
    path : Path, optional
        The file; made if it is not there. Without one the limits are this process's own.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is None:
            self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115  (open as long as the limiter is)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
        self._file.truncate(8 * _SLOTS)
        self._map = mmap.mmap(self._file.fileno(), 8 * _SLOTS)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()
        self._file.close()

    def wait_seconds(self, token_id: int, *, per_minute: int, now: float | None = None) -> float:
        """Take one request from a token's allowance.

        Parameters
        ----------
        now : float, in seconds
            A clock that all workers share and that never goes back; by default the monotonic one.

        Returns
        -------
        float
            0 if the request may pass, else the seconds until the next one may.
        """
        now = time.monotonic() if now is None else now
        interval = 60.0 / per_minute
        place = 8 * (token_id % _SLOTS)
        fcntl.lockf(self._file, fcntl.LOCK_EX, 8, place)
        try:
            (spent,) = struct.unpack_from("d", self._map, place)
            # A moment far ahead comes from before the machine was started anew.
            spent = now if not now < spent < now + 120 else spent
            ahead = spent - now
            if ahead > max(_BURST_SECONDS - interval, 0.0):
                return max(math.ulp(1.0), ahead - max(_BURST_SECONDS - interval, 0.0))
            struct.pack_into("d", self._map, place, spent + interval)
            return 0.0
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 8, place)
