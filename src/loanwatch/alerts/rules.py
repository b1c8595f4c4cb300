"""Rules: when a figure of a model opens an alert. The database applies them, whoever inserts the figure."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from loanwatch.alerts.severities import check_severity
from loanwatch.contract import Policy
from loanwatch.database import sql
from loanwatch.errors import LoanwatchError
from loanwatch.records import record

__all__ = [
    "CONDITIONS",
    "Rule",
    "RuleChange",
    "add_rule",
    "change_rule",
    "changes_of_rules",
    "create_default_rules",
    "delete_rule",
    "list_rules",
]

CONDITIONS = ("<", "<=", ">", ">=", "=")


@record
class Rule:
    """A row of `alert_rule`."""

    id: int
    model: str | None
    """Name of the model it is for; None for all."""
    version: int | None
    """The version it is for; None for all of the model's."""
    metric: str
    condition: str
    threshold: float
    severity: str
    enabled: bool
    close_after: int
    """Well windows in a row that close its alert; 0 leaves closing to people."""
    note: str
    created_at: datetime
    updated_at: datetime


@record
class RuleChange:
    """A row of `alert_rule_change`: who changed a rule, when, why, and from what to what."""

    id: int
    rule_id: int
    kind: str
    """added, changed or deleted."""
    actor: str
    reason: str
    at: datetime
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def list_rules(connection: Connection[Any], *, rule_id: int | None = None) -> list[Rule]:
    """Return the rules in the order in which they were made."""
    with connection.cursor(row_factory=class_row(Rule)) as cursor:
        return cursor.execute(sql("rule_select"), {"id": rule_id}).fetchall()


def changes_of_rules(connection: Connection[Any], *, rule_id: int | None = None, limit: int = 200) -> list[RuleChange]:
    """Return what happened to the rules or to one of them, newest first; also to rules that were deleted."""
    with connection.cursor(row_factory=class_row(RuleChange)) as cursor:
        return cursor.execute(sql("rule_change_select"), {"rule_id": rule_id, "limit": limit}).fetchall()


def add_rule(
    connection: Connection[Any],
    *,
    metric: str,
    condition: str,
    threshold: float,
    severity: str = "medium",
    model: str | None = None,
    version: int | None = None,
    close_after: int = 3,
    note: str = "",
    actor: str | None = None,
    reason: str | None = None,
) -> int:
    """Add a rule in the caller's transaction and return its id; it holds from the next figure on.

    Parameters
    ----------
    metric : str
        Name of the figure, as in `model_metric`.
    condition : {"<", "<=", ">", ">=", "="}
        The alert opens when `value condition threshold` holds.
    severity : {"low", "medium", "high", "critical"}
    model : str, optional
        Name of the model it is for, by default all.
    version : int, optional
        Only this version of the model.
    actor, reason : str, optional
        Who adds it and why, for the history; by default the database's user.

    Raises
    ------
    LoanwatchError
        If a value is not one of those, the version is not registered, or there is such a rule already.
    """
    _check(metric=metric, condition=condition, threshold=threshold, severity=severity, close_after=close_after)
    when = {
        "model_id": None if version is None else _version_id(connection, model, version),
        "model_name": model,
        "metric": metric,
        "condition": condition,
        "threshold": threshold,
    }
    with connection.cursor(row_factory=scalar_row) as cursor:
        if (twin := cursor.execute(sql("rule_same"), when).fetchone()) is not None:
            raise LoanwatchError(
                f"rule {twin} is the same, {metric} {condition} {threshold:g} for {model or 'all models'}: "
                f"`loanwatch rules change {twin}` gives it another severity or threshold"
            )
        cursor.execute(sql("rule_actor"), {"actor": actor, "reason": reason})
        values = {**when, "severity": severity, "close_after": close_after, "note": note}
        rule_id: int = cursor.execute(sql("rule_insert"), values).fetchone()  # type: ignore[assignment]  # RETURNING
    return rule_id


def _version_id(connection: Connection[Any], model: str | None, version: int) -> int:
    if model is None:
        raise LoanwatchError("a rule for one version needs the model's name too")
    with connection.cursor(row_factory=scalar_row) as cursor:
        found: int | None = cursor.execute(sql("rule_model"), {"name": model, "version": version}).fetchone()
    if found is None:
        raise LoanwatchError(f"model {model} has no version {version}: `loanwatch models list` shows them")
    return found


def change_rule(
    connection: Connection[Any],
    rule_id: int,
    *,
    condition: str | None = None,
    threshold: float | None = None,
    severity: str | None = None,
    close_after: int | None = None,
    enabled: bool | None = None,
    note: str | None = None,
    actor: str | None = None,
    reason: str | None = None,
) -> None:
    """Change what is given, keep the rest. Disabling a rule resolves its alerts.

    Raises
    ------
    LoanwatchError
        If there is no such rule, or a value cannot be used.
    """
    _check(condition=condition, threshold=threshold, severity=severity, close_after=close_after)
    values = {
        "id": rule_id,
        "condition": condition,
        "threshold": threshold,
        "severity": severity,
        "close_after": close_after,
        "enabled": enabled,
        "note": note,
    }
    connection.execute(sql("rule_actor"), {"actor": actor, "reason": reason})
    if connection.execute(sql("rule_update"), values).fetchone() is None:
        raise LoanwatchError(f"there is no rule {rule_id}: `loanwatch rules list` shows them")


def delete_rule(
    connection: Connection[Any], rule_id: int, *, actor: str | None = None, reason: str | None = None
) -> None:
    """Delete a rule; its alerts are resolved and kept.

    Raises
    ------
    LoanwatchError
        If there is no such rule.
    """
    connection.execute(sql("rule_actor"), {"actor": actor, "reason": reason})
    if connection.execute(sql("rule_delete"), {"id": rule_id}).fetchone() is None:
        raise LoanwatchError(f"there is no rule {rule_id}: `loanwatch rules list` shows them")


def create_default_rules(connection: Connection[Any], model: str, policy: Policy) -> int:
    """Give a model its first rules, at its first deployment; returns how many.

    None where it was deployed before or has rules already: what people deleted stays deleted.
    """
    with connection.cursor(row_factory=scalar_row) as cursor:
        if cursor.execute(sql("rule_is_wanted"), {"name": model}).fetchone() is not True:
            return 0
    rules = _default_rules(policy)
    for metric, condition, threshold, severity, note in rules:
        add_rule(
            connection,
            metric=metric,
            condition=condition,
            threshold=threshold,
            severity=severity,
            model=model,
            close_after=2,  # windows are weeks or months: three would leave an alert open for a quarter
            note=note,
            actor="loanwatch",
            reason="first deployment",
        )
    return len(rules)


def _default_rules(policy: Policy) -> Sequence[tuple[str, str, float, str, str]]:
    bar = policy.minimum_auc
    return (
        ("auc", "<", bar, "high", "the policy's lowest AUC at which a model may be deployed"),
        ("estimated_auc", "<", bar, "medium", "the same, estimated before labels arrive"),
        ("calibration_error", ">", 0.1, "medium", "probabilities are off by ten points on average"),
        ("approval_rate", "<", 0.05, "high", "almost everybody is refused"),
        ("approval_rate", ">", 0.98, "high", "almost nobody is refused"),
    )


def _check(
    *,
    metric: str | None = None,
    condition: str | None = None,
    threshold: float | None = None,
    severity: str | None = None,
    close_after: int | None = None,
) -> None:
    if metric is not None and not metric.strip():
        raise LoanwatchError("a rule needs the name of a metric")
    if condition is not None and condition not in CONDITIONS:
        raise LoanwatchError(f"condition {condition!r} is none of {' '.join(CONDITIONS)}")
    if threshold is not None and math.isnan(threshold):
        raise LoanwatchError("the threshold of a rule must be a number")
    if severity is not None:
        check_severity(severity)
    if close_after is not None and not 0 <= close_after <= 10_000:
        raise LoanwatchError(f"close_after must lie between 0 and 10,000 windows, got {close_after}")
