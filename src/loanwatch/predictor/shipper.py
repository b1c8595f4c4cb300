"""From the spool to the table `prediction`: one thread, in batches, for as long as it takes."""

import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from loanwatch.database import Database, sql
from loanwatch.errors import DatabaseError, shorten
from loanwatch.logging import get_logger
from loanwatch.predictor.spool import Segment, Spool

__all__ = ["Shipper"]

_BATCH_BYTES = 2**20
_PAUSE_SECONDS = 0.2
_RETRY_SECONDS = 1.0
_ADOPT_SECONDS = 5.0
_STATEMENT_SECONDS = 30
_MONTH = re.compile(rb'"decided_at":"(\d{4})-(\d{2})-')


class Shipper:
    """Writes what is spooled to the database.

    Parameters
    ----------
    spool : Spool
        Where decisions come from.
    database : Database
        Where they go. While it is away they stay in the spool, synced.
    told : callable
        Called with how many decisions were written and how many refused, after each batch.
    """

    def __init__(self, spool: Spool, database: Database, *, told: Callable[[int, int], None] | None = None) -> None:
        self.spool = spool
        self.database = database
        self._told = told or (lambda _written, _refused: None)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shipper", daemon=True)
        self._connection: psycopg.Connection[TupleRow] | None = None
        self._months: set[tuple[int, int]] = set()
        self._log = get_logger("shipper")
        self._is_away = False

    def start(self) -> None:
        """Begin to write, in a thread of its own."""
        self._thread.start()

    def stop(self, *, timeout_seconds: float = 10.0) -> None:
        """Write what is left, if the database is there, and end; what it does not take stays in the spool."""
        self._stop.set()
        self._thread.join(timeout_seconds)
        if not self._thread.is_alive():
            self.spool.close()

    def _run(self) -> None:
        adopted_at = -_ADOPT_SECONDS
        while True:
            stopping = self._stop.is_set()
            if time.monotonic() - adopted_at >= _ADOPT_SECONDS:
                adopted_at = time.monotonic()
                self.spool.adopt()
            done = self._try()
            if stopping:
                break
            self._stop.wait(_PAUSE_SECONDS if done else _RETRY_SECONDS)
        self._disconnect()

    def _try(self) -> bool:
        """Ship everything; return whether the database took it."""
        try:
            self.ship()
        except (psycopg.Error, DatabaseError, OSError) as error:
            self._disconnect()
            self.spool.sync()
            if not self._is_away:
                self._log.warning("decisions are spooled", reason=shorten(error, 200), bytes=self.spool.untaken)
            self._is_away = True
            return False
        if self._is_away:
            self._log.warning("spooled decisions were written")
        self._is_away = False
        return True

    def ship(self) -> None:
        """Write all that is spooled now.

        Raises
        ------
        psycopg.Error, DatabaseError
            If the database is away; what it took is not written again.
        """
        for segment in self.spool.waiting():
            self._ship_segment(segment)
        self.spool.tidy()

    def _ship_segment(self, segment: Segment) -> None:
        while segment.untaken:
            data = segment.read(_BATCH_BYTES)
            if not data:
                segment.drop_torn_end()
                return
            lines = data.splitlines()
            refused = self._insert(lines)
            segment.taken += len(data)
            for line in refused:
                self._keep_refused(line)
            self._told(len(lines) - len(refused), len(refused))

    def _insert(self, lines: list[bytes]) -> list[bytes]:
        """Write lines in one transaction; return those that no table could hold, which are looked for by halving."""
        connection = self._connected()
        try:
            with connection.transaction():
                self._ensure_months(connection, lines)
                records = b"[" + b",".join(lines) + b"]"
                connection.execute(sql("prediction_insert"), {"records": records.decode()})
        except (psycopg.DataError, psycopg.IntegrityError, UnicodeDecodeError) as error:
            if len(lines) == 1:
                self._log.error("a decision cannot be written", reason=shorten(error, 200))
                return lines
            middle = len(lines) // 2
            return self._insert(lines[:middle]) + self._insert(lines[middle:])
        return []

    def _ensure_months(self, connection: psycopg.Connection[TupleRow], lines: list[bytes]) -> None:
        months = {(int(m[1]), int(m[2])) for line in (lines[0], lines[-1]) if (m := _MONTH.search(line))}
        for year, month in months - self._months:
            connection.execute(sql("prediction_partition"), {"moment": datetime(year, month, 1, tzinfo=UTC)})
        self._months |= months

    def _keep_refused(self, line: bytes) -> None:
        path: Path = self.spool.folder / "refused.jsonl"
        with path.open("ab") as file:
            file.write(line + b"\n")

    def _connected(self) -> psycopg.Connection[TupleRow]:
        if self._connection is None or self._connection.closed:
            self._connection = self.database.connect(autocommit=True)
            self._connection.execute(f"SET statement_timeout = '{_STATEMENT_SECONDS}s'".encode())
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
