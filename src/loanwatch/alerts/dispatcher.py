"""The dispatcher: routes changes to channels, wakes their threads, sweeps; any number may run beside each other."""

import threading
import time
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import scalar_row

from loanwatch.alerts.channels import open_transport
from loanwatch.alerts.outbox import LOCK_CLASS, route
from loanwatch.alerts.sweep import sweep
from loanwatch.alerts.worker import Worker
from loanwatch.database import Database, sql
from loanwatch.errors import DatabaseError
from loanwatch.logging import get_logger
from loanwatch.settings import Settings

__all__ = ["Dispatcher"]

_log = get_logger(__name__)

_RECONNECT_SECONDS = 0.5
_CALLS_PER_DELIVERY = 4  # looking up, updating, answering, and as much again for a server that trickles


class Dispatcher:
    """Delivers alerts until it is stopped.

    Parameters
    ----------
    settings : Settings
        `channels` and `alerting`.
    database : Database
        With the monitoring schema.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings.alerting
        self._channels = {name: channel for name, channel in settings.channels.items() if channel.enabled}
        self._database = database
        self._stopping = threading.Event()
        self._number: int | None = None
        self._connection: Connection[Any] | None = None
        self._swept_at = float("-inf")
        self.workers = [
            Worker(
                name,
                open_transport(name, channel),
                database=database,
                dispatcher=lambda: self._number or 0,
                settings=self._settings,
                lease_seconds=max(self._settings.lease_seconds, _CALLS_PER_DELIVERY * channel.timeout_seconds),
            )
            for name, channel in self._channels.items()
        ]

    def stop(self) -> None:
        """Ask it to end; safe in a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Route, deliver and sweep until `stop` is called; the database may come and go."""
        while self._number is None and not self._stopping.is_set():
            self._guarded(self._connected)
        for worker in self.workers:
            worker.start()
        while not self._stopping.is_set():
            self._guarded(self._turn)
        for worker in self.workers:
            worker.stop()
        for worker in self.workers:
            worker.join(timeout=30)
        self._disconnect()

    def run_once(self) -> None:
        """Route and deliver what is due now, and return: for a scheduler that calls from time to time.

        Raises
        ------
        psycopg.Error
            If the database is lost.
        """
        connection = self._connected()
        sweep(connection, self._settings, self._channels)
        while route(connection, self._channels, public_url=self._settings.public_url):
            pass
        threads = [threading.Thread(target=_drain, args=(worker,), daemon=True) for worker in self.workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._disconnect()

    def _turn(self) -> None:
        connection = self._connected()
        if time.monotonic() - self._swept_at >= self._settings.sweep_seconds:
            sweep(connection, self._settings, self._channels)
            self._swept_at = time.monotonic()
        while not self._stopping.is_set() and route(connection, self._channels, public_url=self._settings.public_url):
            self._wake()
        for _notice in connection.notifies(timeout=min(1.0, self._settings.sweep_seconds), stop_after=1):
            self._wake()

    def _wake(self) -> None:
        for worker in self.workers:
            worker.wake()

    def _guarded(self, work: Any) -> None:  # noqa: ANN401
        try:
            work()
        except (psycopg.Error, DatabaseError) as error:
            _log.warning("the database cannot be reached", reason=str(error)[:200])
            self._disconnect()
            self._stopping.wait(_RECONNECT_SECONDS)

    def _connected(self) -> Connection[Any]:
        """Return the connection that listens and holds this dispatcher's lock."""
        if self._connection is None or self._connection.closed:
            connection = self._database.connect(autocommit=True)
            try:
                self._announce(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _announce(self, connection: Connection[Any]) -> None:
        connection.execute("LISTEN loanwatch_alerts")
        if self._number is None:
            with connection.cursor(row_factory=scalar_row) as cursor:
                self._number = cursor.execute(sql("outbox_dispatcher")).fetchone()
        values = {"lock_class": LOCK_CLASS, "dispatcher": self._number}
        connection.execute(sql("outbox_dispatcher_lock"), values)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _drain(worker: Worker) -> None:
    try:
        worker.drain()
    except (psycopg.Error, DatabaseError) as error:
        _log.warning("the outbox cannot be reached", channel=worker.channel, reason=str(error)[:200])
