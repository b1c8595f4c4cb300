"""Alerts: opened by pipeline events and by metric rules, acknowledged and resolved by people."""

from loanwatch.alerts.state import Alert, Event, acknowledge, list_alerts, open_alert, resolve

__all__ = ["Alert", "Event", "acknowledge", "list_alerts", "open_alert", "resolve"]
