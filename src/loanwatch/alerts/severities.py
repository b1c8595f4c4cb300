"""The words for how bad an alert is."""

from loanwatch.errors import LoanwatchError

__all__ = ["SEVERITIES", "check_severity"]

SEVERITIES = ("low", "medium", "high", "critical")


def check_severity(word: str) -> None:
    """Refuse what is none of them.

    Raises
    ------
    LoanwatchError
        With the words that are.
    """
    if word not in SEVERITIES:
        raise LoanwatchError(f"severity {word!r} is none of {', '.join(SEVERITIES)}")
