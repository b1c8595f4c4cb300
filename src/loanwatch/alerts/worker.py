"""One channel's thread: claim, attempt, record; a slow or dead channel holds up no other."""

import threading
from collections.abc import Callable
from random import Random
from typing import Any

import psycopg
from psycopg import Connection

from loanwatch.alerts.attempt import Outcome, attempt
from loanwatch.alerts.outbox import claim
from loanwatch.alerts.transport import Delivery, Transport
from loanwatch.channel_settings import AlertingSettings
from loanwatch.database import Database
from loanwatch.errors import DatabaseError
from loanwatch.logging import get_logger

__all__ = ["Worker"]

_log = get_logger(__name__)

_FAILURES_BEFORE_PAUSE = 3
_MAX_PAUSE_SECONDS = 60.0  # then one delivery is tried, as a probe
_RECONNECT_SECONDS = 0.5


class Worker(threading.Thread):
    """Delivers what is owed to one channel, one message at a time.

    Parameters
    ----------
    name : str
        The channel.
    transport : Transport
        Its way out; used by this thread alone.
    database : Database
        Where the outbox lies; the thread has a connection of its own.
    dispatcher : callable
        Returns the number of the dispatcher, which claims are made in the name of.
    """

    def __init__(
        self,
        name: str,
        transport: Transport,
        *,
        database: Database,
        dispatcher: Callable[[], int],
        settings: AlertingSettings,
        lease_seconds: float,
    ) -> None:
        super().__init__(name=f"channel {name}", daemon=True)
        self.channel = name
        self._transport = transport
        self._database = database
        self._dispatcher = dispatcher
        self._settings = settings
        self._lease_seconds = lease_seconds
        self._random = Random()  # noqa: S311  (jitter)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._connection: Connection[Any] | None = None
        self._failures = 0

    def wake(self) -> None:
        """Look at once whether something is due."""
        self._wake.set()

    def stop(self) -> None:
        """End after the attempt that is being made."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        """Deliver until asked to stop."""
        while not self._stopping.is_set():
            try:
                self._wake.clear()
                while not self._stopping.is_set() and (outcome := self._deliver_one()):
                    self._pause_after(outcome)
            except (psycopg.Error, DatabaseError) as error:
                _log.warning("the outbox cannot be reached", channel=self.channel, reason=str(error)[:200])
                self._disconnect()
                self._stopping.wait(_RECONNECT_SECONDS)
                continue
            self._wake.wait(min(1.0, self._settings.sweep_seconds))
        self._disconnect()

    def drain(self) -> None:
        """Attempt what is due, each delivery once, and return.

        Raises
        ------
        psycopg.Error
            If the database is lost.
        """
        try:
            while self._deliver_one():
                pass
        finally:
            self._disconnect()

    def _deliver_one(self) -> Outcome | None:
        """Attempt one delivery that is due; None if there is none."""
        dispatcher = self._dispatcher()
        delivery = claim(self._connected(), self.channel, dispatcher=dispatcher, lease_seconds=self._lease_seconds)
        if delivery is None:
            return None
        outcome = attempt(
            self._transport, delivery, dispatcher=dispatcher, settings=self._settings, random=self._random
        )
        self._record(delivery, outcome)
        return outcome

    def _record(self, delivery: Delivery, outcome: Outcome) -> None:
        """Write down what came of it, however long the database is away: nobody else knows."""
        while True:
            try:
                if not outcome.record(self._connected()):
                    _log.warning("another dispatcher took the delivery over", delivery=delivery.id)
            except (psycopg.Error, DatabaseError) as error:
                _log.warning("an outcome cannot be recorded yet", delivery=delivery.id, reason=str(error)[:200])
                self._disconnect()
                if self._stopping.wait(_RECONNECT_SECONDS):
                    return  # the lease runs out, and the delivery is reconciled
            else:
                return

    def _pause_after(self, outcome: Outcome) -> None:
        self._failures = 0 if outcome.succeeded else self._failures + 1
        pause = outcome.pause_seconds
        if self._failures >= _FAILURES_BEFORE_PAUSE:
            pause = max(pause, self._settings.retry_seconds * 2.0 ** min(self._failures - _FAILURES_BEFORE_PAUSE, 6))
        if pause and not outcome.succeeded:
            self._stopping.wait(min(pause, _MAX_PAUSE_SECONDS))

    def _connected(self) -> Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.connect(autocommit=True)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
