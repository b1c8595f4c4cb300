"""Whether a share of rows rose above the reference, and how far."""

from typing import Any

from loanwatch.monitoring.data_quality.wording import sentence
from loanwatch.monitoring.result import Finding, Measurement, Severity
from loanwatch.records import record
from loanwatch.statistics.proportion import proportion_change

__all__ = ["Rise", "rise_is_real", "rise_of_share"]

SIGNIFICANCE = 1e-4
"""For one column, before Bonferroni's correction: these shares are compared in every run."""

HIGH_RISE = 0.25
"""A quarter of the rows more: the feed is broken."""

MEDIUM_RISE = 0.10


@record
class Rise:
    """Change of a share of rows against the reference."""

    severity: Severity
    """Medium or high where the rise is material; low where it is real but small; none where it may be chance."""
    measurement: Measurement

    def finding(self, rule: str, subject: str, told: str, **details: Any) -> Finding:  # noqa: ANN401  (for JSON)
        """Return the finding of a rule that rests on this rise."""
        return Finding(
            check=f"data_quality.{rule}",
            subject=subject,
            severity=self.severity,
            sentence=sentence(told),
            measurements=(self.measurement,),
            details=details,
        )


def rise_of_share(name: str, *, before: float, n_before: int, rows: int, n: int, comparisons: int) -> Rise:
    """Return how far a share rose, and how much that matters.

    Parameters
    ----------
    name : str
        Of the measurement.
    before : float, in [0, 1]
        Share in the reference's `n_before` rows.
    rows, n : int
        Rows that count now, of how many.
    comparisons : int, >= 1
        Columns that are compared in this run.
    """
    change = proportion_change(round(before * n_before), n_before, rows, n)
    measurement = Measurement(
        name=name,
        value=change.change,
        lower=change.lower,
        upper=change.upper,
        p_value=change.p_value,
        n_reference=n_before,
        n_current=n,
    )
    return Rise(severity=_severity(change.change, change.p_value * comparisons), measurement=measurement)


def rise_is_real(*, before: float, n_before: int, rows: int, n: int, comparisons: int = 1) -> bool:
    """Return whether a share rose beyond chance, however far; the arguments are those of `rise_of_share`."""
    rise = rise_of_share("share", before=before, n_before=n_before, rows=rows, n=n, comparisons=comparisons)
    return rise.severity > Severity.NONE


def _severity(change: float, p_value: float) -> Severity:
    if not p_value <= SIGNIFICANCE or change <= 0:
        return Severity.NONE
    if change < MEDIUM_RISE:
        return Severity.LOW
    return Severity.HIGH if change >= HIGH_RISE else Severity.MEDIUM
