"""Alerts: opened by pipeline events and by metric rules, acknowledged and resolved by people, delivered to channels."""

from loanwatch.alerts.events import Event
from loanwatch.alerts.occurrences import cause_of, close_notices, open_alert, report_well, was_told
from loanwatch.alerts.rules import (
    Rule,
    RuleChange,
    add_rule,
    change_rule,
    changes_of_rules,
    create_default_rules,
    delete_rule,
    list_rules,
)
from loanwatch.alerts.state import (
    Alert,
    Change,
    acknowledge,
    changes_of,
    find_alert,
    list_alerts,
    mute,
    resolve,
    unmute,
)

__all__ = [
    "Alert",
    "Change",
    "Event",
    "Rule",
    "RuleChange",
    "acknowledge",
    "add_rule",
    "cause_of",
    "change_rule",
    "changes_of",
    "changes_of_rules",
    "close_notices",
    "create_default_rules",
    "delete_rule",
    "find_alert",
    "list_alerts",
    "list_rules",
    "mute",
    "open_alert",
    "report_well",
    "resolve",
    "unmute",
    "was_told",
]
