"""What happened, does it matter, what shall I do: the first screen in three answers."""

from loanwatch.monitoring import CheckReport, Severity, Status
from loanwatch.reports.summary import Headline, RunSummary

__all__ = ["headline_of"]

_HAPPENED = {
    "deployed": "The first model went online",
    "no_change": "A quiet window: nothing was done",
    "notice": "Something moved, and the model still fits",
    "retrained": "The model was retrained and replaced",
    "challenger_rejected": "A new model was trained and not deployed",
    "halted": "The run was halted before training",
    "failed": "The run could not be completed",
}

_ADVICE = {
    "deployed": "Nothing now. The next window is compared with the applications that this model learnt from.",
    "no_change": "Nothing.",
    "notice": "Nothing needs to be done. Look at what moved, and ask the business whether it was expected.",
    "retrained": "Read why the new model won, and tell those who rely on its decisions. “loanwatch models rollback” "
    "brings the old one back.",
    "challenger_rejected": "The deployed model stays. If the reasons below persist, look for features or data that a "
    "better model would need.",
    "halted": "Have the feed fixed or the rows set aside, then run this window again. The deployed model goes on "
    "deciding meanwhile.",
    "failed": "Read the message of the step that failed; running the same window again continues where it stopped.",
}


def headline_of(summary: RunSummary) -> Headline:
    """Return the summary's own headline, or the one that follows from outcome, reasons and checks."""
    if summary.headline is not None:
        return summary.headline
    return Headline(
        happened=_HAPPENED.get(summary.outcome, summary.outcome.replace("_", " ").capitalize()),
        matters=_matters(summary),
        advice=_ADVICE.get(summary.outcome, "Read the reasons below."),
    )


def _matters(summary: RunSummary) -> str:
    """Answer from the reason that carries the outcome; a notice ends with why nothing needs to be done."""
    reports = [report for _, report in summary.checks if report is not None]
    worst = _worst(reports)
    if summary.outcome == "halted" and worst is not None:
        return f"Yes. {worst.summary}"
    if summary.outcome == "notice" and summary.reasons:
        return f"Not now. {summary.reasons[-1]}"
    if summary.outcome == "retrained" and summary.reasons:
        return f"Yes. {summary.reasons[0]}"
    if summary.outcome == "no_change" and worst is None and _judged(reports):
        return "No. Every check that could be made passed."
    if summary.reasons:
        return summary.reasons[0]
    return worst.summary if worst else "It cannot be said: no check could be made."


def _judged(reports: list[CheckReport]) -> bool:
    return any(report.status is not Status.SKIPPED for report in reports)


def _worst(reports: list[CheckReport]) -> CheckReport | None:
    serious = [report for report in reports if report.severity >= Severity.LOW]
    return max(serious, key=lambda report: report.severity, default=None)
