"""A webhook: signed JSON to any receiver."""

from loanwatch.alerts.webhook.signature import sign, verify
from loanwatch.alerts.webhook.transport import Webhook

__all__ = ["Webhook", "sign", "verify"]
