"""One attempt at a delivery: reconcile if an earlier one may have arrived, send, record what came of it."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from psycopg import Connection

from loanwatch.alerts.backoff import delay_before_retry
from loanwatch.alerts.outbox import put_off, settle_delivered, settle_failed
from loanwatch.alerts.transport import CannotTellError, Delivery, DeliveryError, Receipt, Reconciliation, Transport
from loanwatch.channel_settings import AlertingSettings
from loanwatch.logging import get_logger
from loanwatch.records import record

__all__ = ["Outcome", "attempt"]

_log = get_logger(__name__)

_SETTLE_SECONDS = 2.0  # an attempt that timed out may still be under way when it is looked for


@record
class Outcome:
    """What came of an attempt, to be recorded; the record can be made again if the database is away."""

    record: Callable[[Connection[Any]], bool]
    """False if another dispatcher took the delivery over."""
    succeeded: bool
    pause_seconds: float = 0
    """How long the channel is to be left alone."""


def attempt(
    transport: Transport, delivery: Delivery, *, dispatcher: int, settings: AlertingSettings, random: Random
) -> Outcome:
    """Try a claimed delivery once; never raises what the channel does."""
    reconciled = False
    try:
        receipt, delivery, reconciled = _reconcile(transport, delivery)
        if receipt is None:
            receipt = transport.send(delivery)
    except DeliveryError as error:
        unknown = error.may_have_arrived or (delivery.outcome_unknown and not reconciled)
        return _failed(delivery, error, unknown, dispatcher=dispatcher, settings=settings, random=random)
    except Exception as error:  # noqa: BLE001  (a fault of ours must not stop the other deliveries)
        _log.error("a delivery failed unexpectedly", delivery=delivery.id, kind=type(error).__name__)
        fault = DeliveryError(f"internal error: {type(error).__name__}", may_have_arrived=True)
        return _failed(delivery, fault, True, dispatcher=dispatcher, settings=settings, random=random)
    arrived, held = receipt, delivery
    _log.info("delivered", delivery=held.id, channel=held.channel, attempts=held.attempts)
    return Outcome(
        record=lambda connection: settle_delivered(connection, held, dispatcher=dispatcher, receipt=arrived),
        succeeded=True,
    )


def _reconcile(transport: Transport, delivery: Delivery) -> tuple[Receipt | None, Delivery, bool]:
    """Return the receipt of an earlier attempt that arrived, the delivery, and whether it surely did not arrive."""
    if not delivery.outcome_unknown:
        return None, delivery, False
    if transport.reconciliation is Reconciliation.LOOKUP:
        try:
            return transport.find(delivery), delivery, True
        except CannotTellError as error:
            _log.warning("cannot look up an unknown outcome", delivery=delivery.id, reason=str(error))
    elif transport.reconciliation is Reconciliation.REPEATABLE:
        return None, delivery, False
    return None, replace(delivery, possible_repeat=True), False


def _failed(
    delivery: Delivery,
    error: DeliveryError,
    unknown: bool,
    *,
    dispatcher: int,
    settings: AlertingSettings,
    random: Random,
) -> Outcome:
    _log.warning("not delivered", delivery=delivery.id, channel=delivery.channel, reason=str(error))
    if error.permanent or delivery.attempts >= settings.maximum_attempts:
        return Outcome(
            record=lambda connection: settle_failed(
                connection, delivery, dispatcher=dispatcher, outcome_unknown=unknown, error=error
            ),
            succeeded=False,
        )
    delay = delay_before_retry(
        delivery.attempts,
        base_seconds=settings.retry_seconds,
        random=random,
        retry_after_seconds=error.retry_after_seconds,
    )
    if error.may_have_arrived:
        delay = max(delay, min(_SETTLE_SECONDS, 2 * settings.retry_seconds))
    return Outcome(
        record=lambda connection: put_off(
            connection,
            delivery,
            dispatcher=dispatcher,
            delay_seconds=delay,
            outcome_unknown=unknown,
            error=str(error),
        ),
        succeeded=False,
        pause_seconds=delay if error.retry_after_seconds is not None or not error.may_have_arrived else 0,
    )
