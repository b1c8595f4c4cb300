"""`rules list|add|change|delete|history`: when a figure opens an alert."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loanwatch.cli.context import AsJson, actor_name, shared
from loanwatch.cli.listing import Listing
from loanwatch.cli.numbers import NumbersCommand
from loanwatch.errors import LoanwatchError

if TYPE_CHECKING:
    from loanwatch.alerts import Rule, RuleChange

__all__ = ["register"]

RuleId = Annotated[int, typer.Argument(help="Number of the rule, as `rules list` shows it.")]
By = Annotated[str | None, typer.Option(help="Who says so.", show_default="your login")]
Reason = Annotated[str | None, typer.Option(help="Why, for the history.")]
Severity = Annotated[str, typer.Option(help="low, medium, high or critical.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    rules = typer.Typer(help="When a figure opens an alert.", no_args_is_help=True)
    rules.command("list")(list_)
    rules.command("add", cls=NumbersCommand)(add)
    rules.command("change")(change)
    rules.command("delete")(delete)
    rules.command("history")(history)
    app.add_typer(rules, name="rules")


def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List the rules."""
    from loanwatch.alerts import list_rules
    from loanwatch.database import open_database

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        found = list_rules(connection)
    here.show([asdict(rule) for rule in found], lambda: _listing(found) if found else "no rules", as_json=as_json)


def add(
    context: typer.Context,
    metric: Annotated[str, typer.Argument(help="Name of the figure, such as auc.")],
    condition: Annotated[str, typer.Argument(help="One of < <= > >= = (in quotes).")],
    threshold: Annotated[float, typer.Argument(help="The alert opens when figure, condition, threshold hold.")],
    severity: Severity = "medium",
    model: Annotated[str | None, typer.Option(help="Only for this model.", show_default="all")] = None,
    version: Annotated[int | None, typer.Option(help="Only for this version of the model.")] = None,
    close_after: Annotated[int, typer.Option(help="Well windows in a row that close the alert; 0 for never.")] = 3,
    note: Annotated[str, typer.Option(help="What the rule is for, or what to do.")] = "",
    by: By = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Add a rule; it holds from the next figure on."""
    from loanwatch.alerts import add_rule, list_rules
    from loanwatch.database import open_database

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        rule_id = add_rule(
            connection,
            metric=metric,
            condition=condition,
            threshold=threshold,
            severity=severity,
            model=model,
            version=version,
            close_after=close_after,
            note=note,
            actor=by or actor_name(),
            reason=reason,
        )
        (rule,) = list_rules(connection, rule_id=rule_id)
    here.show(asdict(rule), f"rule {rule_id} added", as_json=as_json)


def change(
    context: typer.Context,
    rule: RuleId,
    condition: Annotated[str | None, typer.Option(help="One of < <= > >= =.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Another threshold.")] = None,
    severity: Annotated[str | None, typer.Option(help="low, medium, high or critical.")] = None,
    close_after: Annotated[int | None, typer.Option(help="Well windows in a row that close the alert.")] = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Apply it, or not.")] = None,
    note: Annotated[str | None, typer.Option(help="What the rule is for, or what to do.")] = None,
    by: By = None,
    reason: Reason = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given, keep the rest. Disabling a rule resolves its alerts."""
    from loanwatch.alerts import change_rule, list_rules
    from loanwatch.database import open_database

    wanted: dict[str, Any] = {
        "condition": condition,
        "threshold": threshold,
        "severity": severity,
        "close_after": close_after,
        "enabled": enabled,
        "note": note,
    }
    if all(value is None for value in wanted.values()):
        raise LoanwatchError(
            "nothing to change was given: name --condition, --threshold, --severity, --close-after, --enable, "
            "--disable or --note"
        )
    here = shared(context)
    with open_database(here.settings).connect() as connection:
        change_rule(connection, rule, **wanted, actor=by or actor_name(), reason=reason)
        (changed,) = list_rules(connection, rule_id=rule)
    here.show(asdict(changed), f"rule {rule} changed", as_json=as_json)


def delete(context: typer.Context, rule: RuleId, by: By = None, reason: Reason = None, as_json: AsJson = False) -> None:
    """Delete a rule; its alerts are resolved and kept."""
    from loanwatch.alerts import delete_rule
    from loanwatch.database import open_database

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        delete_rule(connection, rule, actor=by or actor_name(), reason=reason)
    here.show({"deleted": rule}, f"rule {rule} deleted", as_json=as_json)


def history(
    context: typer.Context,
    rule: Annotated[int | None, typer.Argument(help="Only this rule's, deleted or not.", show_default="all")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List every change of the rules: who, when, why, and from what to what."""
    from loanwatch.alerts import changes_of_rules
    from loanwatch.database import open_database

    here = shared(context)
    with open_database(here.settings).connect() as connection:
        found = changes_of_rules(connection, rule_id=rule, limit=limit)
    here.show([asdict(change) for change in found], lambda: _history(found) if found else "no changes", as_json=as_json)


def _listing(rules: "list[Rule]") -> Listing:
    return Listing(
        headings=("id", "model", "rule", "severity", "enabled", "closes after"),
        rows=[
            (
                str(rule.id),
                (rule.model or "all") + (f" v{rule.version}" if rule.version else ""),
                f"{rule.metric} {rule.condition} {rule.threshold:g}",
                rule.severity,
                "yes" if rule.enabled else "no",
                f"{rule.close_after} well windows" if rule.close_after else "by hand",
            )
            for rule in rules
        ],
        text_heading="note",
        texts=[rule.note for rule in rules],
    )


def _history(changes: "list[RuleChange]") -> Listing:
    return Listing(
        headings=("when", "rule", "what", "by"),
        rows=[(f"{change.at:%Y-%m-%d %H:%M:%S}", str(change.rule_id), change.kind, change.actor) for change in changes],
        text_heading="change, reason",
        texts=[_difference(change) + (f" ({change.reason})" if change.reason else "") for change in changes],
    )


def _difference(change: "RuleChange") -> str:
    if change.kind == "changed":
        return ", ".join(f"{name} {change.before[name]} → {value}" for name, value in change.after.items())
    rule = change.after or change.before
    return " ".join(str(rule[part]) for part in ("metric", "condition", "threshold", "severity"))
