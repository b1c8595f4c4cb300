"""Whether the rows of the current table are fit for use: the rules of data quality that two tables suffice for.

What the reference table shows as well is how these data are, and no finding; only a label leak always is one.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl

from loanwatch.comparison.copies import check_copies
from loanwatch.comparison.reading import Block
from loanwatch.contract import Contract
from loanwatch.monitoring import CheckReport, Finding, Measurement, Profile, Severity, Status
from loanwatch.monitoring.data_quality import LEAKAGE
from loanwatch.monitoring.data_quality.categories import check_categories, check_spellings
from loanwatch.monitoring.data_quality.constant import check_constant
from loanwatch.monitoring.data_quality.foreign import check_foreign_values
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.labels import check_conflicting_labels
from loanwatch.monitoring.data_quality.leakage import check_leakage
from loanwatch.monitoring.data_quality.missing import check_missing
from loanwatch.monitoring.data_quality.outliers import check_outliers
from loanwatch.monitoring.data_quality.rates import rise_is_real
from loanwatch.monitoring.data_quality.reference import Reference
from loanwatch.monitoring.data_quality.repairs import check_repairs
from loanwatch.monitoring.data_quality.swapped import check_swapped
from loanwatch.monitoring.data_quality.units import check_units
from loanwatch.monitoring.data_quality.volume import check_volume

__all__ = ["QUALITY_ROWS", "check_quality"]

QUALITY_ROWS = 50_000
"""Rows of each table that are looked at, evenly taken; fewer in a table of more than 160 columns."""
_CELLS = 8_000_000
_CHECK = "data_quality"
_Rule = Callable[[Inspection], Outcome]

_OF_EACH: tuple[_Rule, ...] = (check_constant, check_outliers)
"""Done on both tables; what the reference shows as well is left out."""
_ROWS_TOGETHER = {"conflicting_label_rate": 2}
"""Rows that only come together: twins contradict each other."""


def check_quality(
    samples: tuple[pl.DataFrame, pl.DataFrame],
    blocks: tuple[Block, Block],
    contract: Contract,
    *,
    reference: Profile,
    rows: tuple[int, int],
    identifiers: tuple[str, ...] = (),
) -> CheckReport:
    """Look for lost values, changed units, swapped and stuck columns, outliers, copies, gaps of times, and label leaks.

    Parameters
    ----------
    samples : tuple of two DataFrame
        Rows of reference and current table as they came, with all their columns.
    blocks : tuple of two Block
        Rows of each, read.
    contract : Contract
        Names the compared columns and the label.
    reference : Profile
        Of the whole reference table.
    rows : tuple of two int
        Rows of the whole tables.
    identifiers : tuple of str
        Columns that hold another value in every row.
    """
    most = max(1, min(QUALITY_ROWS, _CELLS // max(len(contract.predictors), 1)))
    first = _inspection(blocks[0].thinned(most), contract)
    as_many = _inspection(blocks[0].thinned(min(most, blocks[1].frame.height)), contract)
    second = _inspection(blocks[1].thinned(most), contract, Reference.of(reference))
    shared = second.of_columns({c.name for c in first.predictors})
    if not (first.rows and second.rows and shared.predictors):
        why = "Without rows and compared columns on both sides the quality of the data cannot be judged."
        return CheckReport(check=_CHECK, status=Status.SKIPPED, summary=why)
    spellings = check_spellings(shared)
    outcomes = [
        *(rule(shared) for rule in (check_units, check_swapped, check_missing, check_foreign_values)),
        spellings,
        _spoilt(shared, reference),
        _recoded(shared, respelled={f.subject for f in spellings.findings}),
        *(_news(rule(first), rule(shared)) for rule in _OF_EACH),
        *(_labels(first, second, as_many) if contract.label.column else ()),
        check_copies(samples, rows=rows, identifiers=identifiers, compared=tuple(c.name for c in contract.monitored)),
        _freshness(blocks, contract, reference, rows),
    ]
    return _report(outcomes, second.rows, rows[1])


def _recoded(current: Inspection, *, respelled: set[str]) -> Outcome:
    """Name the columns of which a quarter of the rows hold categories that the reference lacks, but for spelling."""
    found = (f for f in check_categories(current).findings if f.severity >= Severity.HIGH)
    return Outcome(findings=tuple(f for f in found if f.subject not in respelled))


def _spoilt(current: Inspection, reference: Profile) -> Outcome:
    """Name the columns of which more values cannot be read, or mean "not known", than in the reference."""
    names = {c.name for c in current.predictors}
    more = [
        f
        for f in check_repairs(current).findings
        if f.subject in names
        and f.severity > Severity.NONE
        and rise_is_real(
            before=f.details["reference_share"] or 0.0,
            n_before=reference.rows,
            rows=f.details["rows"],
            n=current.rows,
            comparisons=len(names),
        )
    ]
    return Outcome(findings=tuple(more))


def _freshness(blocks: tuple[Block, Block], contract: Contract, reference: Profile, rows: tuple[int, int]) -> Outcome:
    """Look for days without rows and times after now that the reference does not show.

    Notices only: nobody has said that the tables hold every row of their time. Days cannot be counted in a sample.
    """
    time = contract.time.column
    if not all(time in b.frame.columns and b.frame.height == n for b, n in zip(blocks, rows, strict=True)):
        return Outcome()
    known = (None, Reference.of(reference))
    found = [check_volume(_inspection(b.of_columns({time}), contract, r)) for b, r in zip(blocks, known, strict=True)]
    before, now = (
        Outcome(findings=tuple(replace(f, severity=min(f.severity, Severity.LOW)) for f in each.findings))
        for each in found
    )
    return _news(before, now)


def _inspection(block: Block, contract: Contract, reference: Reference | None = None) -> Inspection:
    frame = block.frame.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name)
        for name, dtype in block.frame.schema.items()
        if dtype.is_float()
    )
    if block.label is not None:
        words = {1.0: contract.label.positive, 0.0: contract.label.negative}
        told = pl.Series(contract.label.column, [words.get(value) for value in block.label.tolist()], dtype=pl.String)
        frame = frame.with_columns(told)
    issues = block.issues if block.issues is not None else pl.DataFrame(height=frame.height)
    return Inspection(frame=frame, issues=issues, contract=contract, now=datetime.now(UTC), reference=reference)


def _news(before: Outcome, now: Outcome) -> Outcome:
    """Leave out what the reference shows as well, what may be chance, and what is only listed."""
    usual = {_key(f): f.severity for f in before.findings}
    new = [f for f in now.findings if f.severity > usual.get(_key(f), Severity.NONE) and _rose(f, before)]
    return Outcome(findings=tuple(new), measurements=now.measurements)


def _rose(finding: Finding, before: Outcome) -> bool:
    """Tell whether the share that a finding rests on is beyond chance above the reference's."""
    now = finding.measurements[0]
    usual = next((m for m in before.measurements.get(finding.subject, ()) if m.name == now.name), None)
    if usual is None or not usual.n_current or not now.n_current:
        return True
    together = _ROWS_TOGETHER.get(now.name, 1)
    n = now.n_current // together
    return rise_is_real(before=usual.value, n_before=usual.n_current // together, rows=round(now.value * n), n=n)


def _key(finding: Finding) -> tuple[str, str]:
    return finding.check, finding.subject


def _labels(first: Inspection, second: Inspection, as_many: Inspection) -> Iterator[Outcome]:
    """Look for leaks on both sides, and for contradictions that as many rows of the reference do not show."""
    leaks = [check_leakage(i) if _labelled(i) else Outcome() for i in (first, second)]
    shown = {_key(f) for f in leaks[1].findings}
    only_before = (_in_reference(f) for f in leaks[0].findings if _key(f) not in shown)
    yield Outcome(findings=(*leaks[1].findings, *only_before), limitations=leaks[1].limitations)
    yield _news(*(check_conflicting_labels(i) if _labelled(i) else Outcome() for i in (as_many, second)))


def _labelled(inspection: Inspection) -> bool:
    return bool(np.isfinite(inspection.label).any())


def _in_reference(finding: Finding) -> Finding:
    return Finding(
        check=finding.check,
        subject=finding.subject,
        severity=finding.severity,
        sentence=f"In the reference: {finding.sentence}",
        measurements=finding.measurements,
        details={**finding.details, "table": "reference"},
    )


def _report(outcomes: list[Outcome], looked_at: int, rows: int) -> CheckReport:
    findings = sorted((f for o in outcomes for f in o.findings), key=lambda f: -f.severity)
    worst = max((f.severity for f in findings), default=Severity.NONE)
    measurements: dict[str, tuple[Measurement, ...]] = {}
    for outcome in outcomes:
        for subject, more in outcome.measurements.items():
            measurements[subject] = measurements.get(subject, ()) + tuple(more)
    sampled = (f"The quality of the data was judged on {looked_at:,} of {rows:,} rows.",)
    return CheckReport(
        check=_CHECK,
        status=Status.FAIL if worst >= Severity.MEDIUM else Status.PASS,
        summary=_summary(findings),
        findings=tuple(findings),
        measurements=measurements,
        limitations=(
            *(line for o in outcomes for line in o.limitations),
            *(sampled if looked_at < rows else ()),
        ),
        details={"rows": looked_at},
    )


def _summary(findings: list[Finding]) -> str:
    leaks = [f for f in findings if f.check == LEAKAGE]
    if leaks:
        return leaks[0].sentence
    if findings:
        return findings[0].sentence
    return "The rows of the current table are as sound as the reference's."
