"""A message as JSON, with a version, for programs."""

import json

from loanwatch.alerts.transport import Delivery

__all__ = ["body_of"]


def body_of(delivery: Delivery) -> bytes:
    """Return the body: the same bytes in every attempt, so that the same key always means the same request."""
    message = delivery.message.to_dict()
    values = {"version": 1, "id": delivery.key, "sent_for": delivery.created_at.isoformat(), **message}
    return json.dumps(values, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
