"""Categories that the reference, or the contract's order, does not know."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import polars as pl

from loanwatch.contract import Column, Kind
from loanwatch.errors import shorten
from loanwatch.monitoring.data_quality.inspection import Inspection, Outcome
from loanwatch.monitoring.data_quality.rates import Rise, rise_is_real, rise_of_share
from loanwatch.monitoring.data_quality.wording import count, percent, sentence
from loanwatch.monitoring.result import Finding, Measurement, Severity

__all__ = ["check_categories", "check_spellings"]

HIGH_SHARE = 0.25
"""A quarter of the rows in categories that nobody has seen: the coding changed."""

MEDIUM_SHARE = 0.05
NAMED = 5


def check_categories(inspection: Inspection) -> Outcome:
    """Return a finding for each column with unseen categories, and their share of rows."""
    findings, measurements = [], {}
    for column in inspection.predictors:
        known = _known(inspection, column)
        if column.kind is not Kind.CATEGORICAL or known is None:
            continue
        unseen = _unseen(inspection.frame[column.name], known)
        rows = sum(unseen.values())
        share = Measurement(name="unseen_category_rate", value=rows / inspection.rows, n_current=inspection.rows)
        measurements[column.name] = (share,)
        if rows:
            findings.append(_finding(inspection, column, unseen, share))
    return Outcome(findings=tuple(findings), measurements=measurements)


def check_spellings(inspection: Inspection) -> Outcome:
    """Return a finding for each column whose categories came back in another spelling: capitals, spaces, hyphens."""
    findings = []
    for column in inspection.predictors:
        known = _known(inspection, column)
        if column.kind is not Kind.CATEGORICAL or known is None or inspection.reference is None:
            continue
        meant = {_plain(name): name for name in known}
        unseen = _unseen(inspection.frame[column.name], known)
        respelled = {name: rows for name, rows in unseen.items() if _plain(name) in meant}
        rise = rise_of_share(
            "respelled_rate",
            before=0.0,
            n_before=inspection.reference.rows,
            rows=sum(respelled.values()),
            n=inspection.rows,
            comparisons=len(inspection.predictors),
        )
        if rise.severity is Severity.NONE:
            continue
        findings.append(_respelled(inspection, column, {n: meant[_plain(n)] for n in respelled}, rise))
    return Outcome(findings=tuple(findings))


def _respelled(inspection: Inspection, column: Column, meant: Mapping[str, str], rise: Rise) -> Finding:
    first, *others = meant
    more = f" and {len(others):,} more" if others else ""
    share = rise.measurement.value
    rows = f"{count(round(share * inspection.rows), 'row')} ({percent(share)})"
    return rise.finding(
        "other_spelling",
        column.name,
        f"{column.label} has “{shorten(first, 40)}” for “{shorten(meant[first], 40)}”{more} in {rows}: the spelling "
        "changed, not the applicants.",
        categories={shorten(name, 40): meant[name] for name in [first, *others][:NAMED]},
    )


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _known(inspection: Inspection, column: Column) -> AbstractSet[str] | None:
    """Return the categories that may occur; None where nothing says so."""
    order = set(column.order)
    if inspection.reference and column.name in inspection.reference.categories:
        return set(inspection.reference.categories[column.name]) | order
    return order or None


def _unseen(series: pl.Series, known: AbstractSet[str]) -> dict[str, int]:
    counts = series.cast(pl.String).drop_nulls().value_counts(sort=True, name="\0rows")
    return {str(value): int(rows) for value, rows in counts.iter_rows() if value not in known}


def _finding(inspection: Inspection, column: Column, unseen: dict[str, int], share: Measurement) -> Finding:
    rows = sum(unseen.values())
    top = [shorten(value, 40) for value in list(unseen)[:NAMED]]
    more = f" and {len(unseen) - NAMED:,} more" if len(unseen) > NAMED else ""
    who = "the reference" if inspection.reference else "the contract"
    named = ", ".join(f"“{value}”" for value in top)
    return Finding(
        check="data_quality.unseen_category",
        subject=column.name,
        severity=_severity(inspection, column, rows),
        sentence=sentence(
            f"{column.label} holds {len(unseen):,} {'category' if len(unseen) == 1 else 'categories'} that {who} does "
            f"not know, in {count(rows, 'row')} ({percent(share.value)}): {named}{more}."
        ),
        measurements=(share,),
        details={"categories": dict(zip(top, list(unseen.values())[:NAMED], strict=True)), "rows": rows},
    )


def _severity(inspection: Inspection, column: Column, rows: int) -> Severity:
    """Return how much unseen categories matter; rare ones that the reference happened not to hold do not."""
    if not _is_news(inspection, column, rows):
        return Severity.NONE
    share = rows / inspection.rows
    if share >= HIGH_SHARE:
        return Severity.HIGH
    return Severity.MEDIUM if share >= MEDIUM_SHARE else Severity.LOW


def _is_news(inspection: Inspection, column: Column, rows: int) -> bool:
    """Tell whether more rows are unseen than rows of the reference would be, each held against all its others."""
    known = inspection.reference.categories.get(column.name, {}) if inspection.reference else {}
    held = sum(known.values())
    if not held:
        return True
    alone = sum(1 for count_ in known.values() if count_ == 1)
    return rise_is_real(before=alone / held, n_before=held, rows=rows, n=inspection.rows)
