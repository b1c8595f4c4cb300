"""Mail over SMTP with TLS."""

from loanwatch.alerts.email.transport import Email

__all__ = ["Email"]
