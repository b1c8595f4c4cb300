"""The alerts of the service about its model: opened when it has none to use, closed when it has one."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
from psycopg.rows import TupleRow

from loanwatch.alerts import Event, cause_of, open_alert, report_well
from loanwatch.contract import Contract
from loanwatch.errors import shorten
from loanwatch.monitoring import Severity
from loanwatch.registry import ModelVersion

__all__ = ["Alarm"]

_PATIENCE_SECONDS = 5.0
"""A service that is started beside the first run, or between two steps of an operator, is not worth an alert."""
_EVENTS = (Event.PREDICTOR_WITHOUT_MODEL, Event.MODEL_UNUSABLE)


class Alarm:
    """What one worker has told of its model.

    Every worker tells, under the same causes, so that there is one alert however many they are and whichever of them
    dies.

    Parameters
    ----------
    contract : Contract
        Names the model.
    clock : callable
        Seconds that never go back.
    """

    def __init__(self, contract: Contract, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._contract = contract
        self._clock = clock
        self._bare_since: float | None = None
        self._raised: set[Event] = set()
        self.is_settled = False
        """Whether the alerts say what is the case: set by who commits `well`, unset by what is told since."""

    def bare(self, connection: psycopg.Connection[TupleRow]) -> None:
        """Note that no model is deployed, and tell it once when it has lasted."""
        now = self._clock()
        self._bare_since = now if self._bare_since is None else self._bare_since
        self.is_settled = False
        if Event.PREDICTOR_WITHOUT_MODEL in self._raised or now - self._bare_since < _PATIENCE_SECONDS:
            return
        self._open(
            connection,
            Event.PREDICTOR_WITHOUT_MODEL,
            f"{self._contract.title}: the predictor runs and no model is deployed, so every application is refused "
            "with 503.",
        )

    def unusable(
        self,
        connection: psycopg.Connection[TupleRow],
        version: ModelVersion,
        error: Exception,
        *,
        instead: ModelVersion | None,
    ) -> None:
        """Tell that a deployed model cannot be used, and what decides instead of it."""
        kept = f"{instead.title} goes on" if instead else "there is no model to go on with"
        self._open(
            connection,
            Event.MODEL_UNUSABLE if instead else Event.PREDICTOR_WITHOUT_MODEL,
            f"{self._contract.title}: the predictor cannot use {version.title}; {kept}. {shorten(error, 400)}",
            model_id=version.id,
        )

    def well(self, connection: psycopg.Connection[TupleRow], version: ModelVersion) -> None:
        """Note that the deployed model is in use; closes what was told, by whichever worker."""
        for event in _EVENTS:
            report_well(
                connection,
                dedup_key=cause_of(self._contract.name, event),
                window=datetime.now(UTC).isoformat(),
                reason=f"{version.title} is in use",
            )
        self._raised.clear()
        self._bare_since = None

    def _open(
        self, connection: psycopg.Connection[TupleRow], event: Event, message: str, *, model_id: int | None = None
    ) -> None:
        self.is_settled = False
        open_alert(
            connection,
            event=event,
            severity=Severity.HIGH if event is Event.MODEL_UNUSABLE else Severity.CRITICAL,
            message=message,
            model_id=model_id,
            dedup_key=cause_of(self._contract.name, event),
        )
        self._raised.add(event)
