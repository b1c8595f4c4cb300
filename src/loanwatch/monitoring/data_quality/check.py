"""The data-quality check: every rule on one cleaned window."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Contract
from loanwatch.features import Cleaned
from loanwatch.monitoring.data_quality.categories import check_categories
from loanwatch.monitoring.data_quality.columns import check_columns
from loanwatch.monitoring.data_quality.constant import check_constant
from loanwatch.monitoring.data_quality.duplicates import check_contradictions, check_duplicates
from loanwatch.monitoring.data_quality.foreign import check_foreign_values
from loanwatch.monitoring.data_quality.inspection import Cells, Inspection, Outcome
from loanwatch.monitoring.data_quality.labels import check_conflicting_labels, check_label_words
from loanwatch.monitoring.data_quality.leakage import LEAKAGE, check_leakage, known_leaks, leaking_mask
from loanwatch.monitoring.data_quality.missing import check_missing
from loanwatch.monitoring.data_quality.outliers import check_outliers
from loanwatch.monitoring.data_quality.power import check_power
from loanwatch.monitoring.data_quality.reference import Reference
from loanwatch.monitoring.data_quality.repairs import check_repairs
from loanwatch.monitoring.data_quality.swapped import check_swapped
from loanwatch.monitoring.data_quality.units import check_units
from loanwatch.monitoring.data_quality.volume import check_volume
from loanwatch.monitoring.data_quality.wording import count, listing
from loanwatch.monitoring.profile import Profile
from loanwatch.monitoring.result import CheckReport, Finding, Measurement, Severity, Status

__all__ = ["check", "leaking_rows"]

NAME = "data_quality"

RULES: tuple[Callable[[Inspection], Outcome], ...] = (
    check_columns,
    check_units,
    check_swapped,
    check_missing,
    check_foreign_values,
    check_repairs,
    check_categories,
    check_volume,
    check_duplicates,
    check_contradictions,
    check_label_words,
    check_conflicting_labels,
    check_constant,
    check_outliers,
    check_power,
)
"""In the order in which equally severe findings are told."""


def check(
    cleaned: Cleaned,
    contract: Contract,
    *,
    window: tuple[datetime, datetime] | None = None,
    reference: Profile | None = None,
    now: datetime | None = None,
    earlier_leaks: Sequence[Finding] = (),
) -> CheckReport:
    """Return what is wrong with the data of a window.

    HIGH and CRITICAL findings mean that nothing may be trained on the window; those without a severity are known
    quirks.

    Parameters
    ----------
    cleaned : Cleaned of n rows
        The window, with the extraction's audit columns where there are any.
    contract : Contract
        Names predictors, label, keys and valid ranges; `policy.leakage` decides how severe a label leak is.
    window : tuple of two aware datetimes, optional
        [start, end) of the window, to find missing days at its ends; by default the first and last day with rows.
    reference : Profile, optional
        Of the deployed model's reference. Without it nothing is compared, which the limitations say.
    now : aware datetime, optional
        Rows after it are dated in the future; by default the present.
    earlier_leaks : sequence of Finding
        The label leaks whose rows the deployed model never saw. Under `leakage = exclude` a small window may not show
        them again; its rows in them are set aside all the same.

    Returns
    -------
    CheckReport
        `SKIPPED` for an empty window; `FAIL` from MEDIUM upwards.
    """
    if cleaned.frame.height == 0:
        return CheckReport(check=NAME, status=Status.SKIPPED, summary="The window holds no applications.")
    inspection = Inspection(
        frame=cleaned.frame,
        issues=cleaned.issues,
        contract=contract,
        now=now or datetime.now(UTC),
        window=window,
        reference=Reference.of(reference) if reference is not None and reference.rows else None,
    )
    leakage = _leakage(inspection, earlier_leaks)
    comparable = _comparable(inspection, leakage)
    outcomes = [leakage, *(rule(comparable) for rule in RULES)]
    findings = sorted((f for o in outcomes for f in o.findings), key=lambda f: -f.severity)
    measurements: dict[str, tuple[Measurement, ...]] = {}
    for outcome in outcomes:
        for subject, more in outcome.measurements.items():
            measurements[subject] = measurements.get(subject, ()) + tuple(more)
    return CheckReport(
        check=NAME,
        status=Status.FAIL if any(f.severity >= Severity.MEDIUM for f in findings) else Status.PASS,
        summary=_summary(findings, inspection),
        findings=tuple(findings),
        measurements=measurements,
        limitations=tuple(line for o in outcomes for line in o.limitations),
        details={"rows": inspection.rows},
    )


def _leakage(inspection: Inspection, earlier: Sequence[Finding]) -> Outcome:
    found = check_leakage(inspection)
    if inspection.contract.policy.leakage != "exclude":
        return found
    return replace(found, findings=(*found.findings, *known_leaks(inspection, earlier, found.findings)))


def _comparable(inspection: Inspection, leakage: Outcome) -> Inspection:
    """Return the rows that can be compared with a reference from which leaking rows were excluded."""
    if inspection.contract.policy.leakage != "exclude" or not leakage.findings:
        return inspection
    rest = ~leaking_mask(inspection, leakage.findings)
    return inspection.keep(rest) if rest.any() else inspection


def leaking_rows(cleaned: Cleaned, report: CheckReport) -> NDArray[np.bool_]:
    """Return which rows of a window lie in the leaks that a report names.

    Parameters
    ----------
    cleaned : Cleaned of n rows
        The window of the report, or any other: a leak found in training is set aside in what comes later as well.
    report : CheckReport
        Of `check`.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return leaking_mask(Cells(frame=cleaned.frame, issues=cleaned.issues), report.findings)


def _summary(findings: Sequence[Finding], inspection: Inspection) -> str:
    """Say in one sentence whether the window can be used, and what is worst about it."""
    window = count(inspection.rows, "application")
    serious = [f for f in findings if f.severity >= Severity.MEDIUM]
    if leaks := [f for f in serious if f.check == LEAKAGE]:
        others = len(serious) - len(leaks)
        more = f", and there {'is' if others == 1 else 'are'} {count(others, 'other fault')}" if others else ""
        named = listing(inspection.contract.label_of(f.subject) for f in leaks)
        verb = "decides" if len(leaks) == 1 else "decide"
        return f"{count(len(leaks), 'label leak')} in {window}: {named} {verb} the label{more}."
    if serious:
        return f"{count(len(serious), 'fault')} in {window}; the most serious: {serious[0].sentence}"
    if findings:
        return f"The data of {window} are fit for use; {count(len(findings), 'known quirk')} noted."
    return f"The data of {window} are fit for use."
