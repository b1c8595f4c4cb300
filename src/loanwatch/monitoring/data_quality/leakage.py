"""Label leakage: a value, missingness or region of one raw feature that decides the label.

Such a region was filled in, dropped or overwritten after the decision. A model that learns it looks excellent on
history and fails on new applications, whose decision has not been taken yet.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Contract, Kind
from loanwatch.errors import shorten
from loanwatch.monitoring.data_quality.inspection import Cells, Inspection, Outcome
from loanwatch.monitoring.data_quality.leakage_search import Leak, find_leaks
from loanwatch.monitoring.data_quality.regions import Region, region_mask
from loanwatch.monitoring.data_quality.wording import count, listing, percent
from loanwatch.monitoring.result import Finding, Measurement, Severity

__all__ = ["LEAKAGE", "check_leakage", "known_leaks", "leaking_mask"]

LEAKAGE = "data_quality.leakage"


def check_leakage(inspection: Inspection) -> Outcome:
    """Return one finding for each cause that decides the label, most telling first."""
    labels = inspection.label[~np.isnan(inspection.label)]
    known = labels.size
    if known == 0:
        return Outcome(limitations=("Label leakage was not looked for: no label of this window is known.",))
    if (labels == labels[0]).all():
        return Outcome(limitations=("Label leakage was not looked for: every known label is the same.",))
    return Outcome(findings=tuple(_finding(leak, inspection.contract, known) for leak in find_leaks(inspection)))


def known_leaks(inspection: Inspection, known: Sequence[Finding], found: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return a notice for each earlier leak that this window is too small, or too young, to show by itself.

    The deployed model never saw rows like these, so they must be set aside here as well.
    """
    shown = {_cause_key(f) for f in found}
    earlier = [f for f in known if f.check == LEAKAGE and _cause_key(f) not in shown]
    notices = (_notice(inspection, finding) for finding in earlier)
    return tuple(notice for notice in notices if notice is not None)


def _cause_key(finding: Finding) -> str:
    """Return what makes two leaks the same: the region, and its column unless it is a record."""
    region = finding.details["region"]
    return repr(region if region.get("records") else (finding.details["columns"][0], region))


def _notice(inspection: Inspection, finding: Finding) -> Finding | None:
    columns, details = tuple(finding.details["columns"]), dict(finding.details["region"])
    mask = region_mask(inspection, columns, details)
    rows = int(np.count_nonzero(mask))
    if rows == 0:
        return None
    kind = details.pop("kind")
    region = Region(kind=kind, columns=columns, details=details, mask=mask)
    return replace(
        finding,
        severity=Severity.LOW,
        sentence=(
            f"{count(rows, 'application')} {_whose(region, inspection.contract)} {'is' if rows == 1 else 'are'} set "
            "aside, as when the deployed model was trained: there they gave the label away."
        ),
        measurements=(),
        details={**finding.details, "rows": rows, "pure_rows": None, "purity": None, "base_rate": None},
    )


def leaking_mask(cells: Cells, findings: Sequence[Finding]) -> NDArray[np.bool_]:
    """Return the rows that lie in any of the leaks that were found, in this window or in another; shape (rows,)."""
    mask = np.zeros(cells.rows, dtype=bool)
    for finding in findings:
        if finding.check == LEAKAGE:
            mask |= region_mask(cells, tuple(finding.details["columns"]), finding.details["region"])
    return mask


def _finding(leak: Leak, contract: Contract, known: int) -> Finding:
    label = contract.label.positive if leak.label else contract.label.negative
    purity = leak.pure_rows / leak.rows
    measurement = Measurement(name="purity", value=purity, p_value=leak.p_value, n_current=leak.rows)
    return Finding(
        check=LEAKAGE,
        subject=_subject(leak),
        severity=Severity.CRITICAL if contract.policy.leakage == "halt" else Severity.MEDIUM,
        sentence=_sentence(leak, contract, label, known),
        measurements=(measurement,),
        details={
            "columns": list(leak.region.columns),
            "region": leak.region.describe(),
            "label": label,
            "rows": leak.rows,
            "pure_rows": leak.pure_rows,
            "purity": purity,
            "base_rate": leak.base_rate,
        },
    )


def _subject(leak: Leak) -> str:
    records = leak.region.details.get("records")
    return str(records[0]) if records else leak.region.columns[0]


def _sentence(leak: Leak, contract: Contract, label: str, known: int) -> str:
    many = (
        f"Every one of the {count(leak.rows, 'application')}"
        if leak.pure_rows == leak.rows
        else f"{leak.pure_rows:,} of the {count(leak.rows, 'application')} ({percent(leak.pure_rows / leak.rows)})"
    )
    verb = "is" if leak.pure_rows == leak.rows else "are"
    rest = f"; among the others it is {percent(leak.base_rate)}" if leak.rows < known else ""
    how = " (leakage = exclude)" if contract.tables else ""  # a contract read off two tables has no policy to change
    return (
        f"{many} {_whose(leak.region, contract)} {verb} “{label}”{rest}. {_cause(leak.region.kind)} "
        f"Set these rows aside{how} or fix the feed."
    )


def _whose(region: Region, contract: Contract) -> str:
    """Return the clause that says which applications these are."""
    columns = region.columns
    if region.details.get("records"):
        tables = " and ".join(region.details["tables"])
        return f"without a usable record in {tables} ({listing(contract.label_of(c) for c in columns)} missing)"
    if region.kind == "missing":
        return f"whose {listing(contract.label_of(c) for c in columns)} {'is' if len(columns) == 1 else 'are'} missing"
    return f"whose {contract.label_of(columns[0])} {_predicate(region, contract)}"


def _predicate(region: Region, contract: Contract) -> str:
    """Return what is special about the value, after the column's name."""
    numeric = contract.kind_of(region.columns[0]) is Kind.NUMERIC
    phrases: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "sentinel": lambda d: f"is recorded as {_choices(d['values'])}",
        "rescaled": lambda d: f"is recorded above {_number(d['above'])} (ten times too large)",
        "out_of_range": lambda d: f"is not {_bounds(d['minimum'], d['maximum'])}",
        "unreadable": lambda _: "is not a number" if numeric else "cannot be read",
        "respelled": lambda _: "has an unusual spelling",
        "category": lambda d: f"is “{shorten(d['value'], 60)}”",
        "value": lambda d: f"is exactly {_number(d['value'])}",
        "range": lambda d: f"is {_bounds(d['lower'], d['upper'])}",
    }
    return phrases[region.kind](region.details)


def _cause(kind: str) -> str:
    if kind == "missing":
        return "The value was probably lost, or never kept, because of the decision."
    if kind in ("category", "range"):
        return "Either a fixed rule decides by it, or the value was filled in or changed after the decision."
    return "The value was probably overwritten after the decision."


def _choices(values: list[Any]) -> str:
    words = [v if isinstance(v, str) else _number(v) for v in values]
    return " or ".join(f"“{shorten(w, 40)}”" if isinstance(v, str) else w for v, w in zip(values, words, strict=True))


def _bounds(lower: float | None, upper: float | None) -> str:
    if lower is None:
        return f"at most {_number(upper)}"
    if upper is None:
        return f"at least {_number(lower)}"
    return f"between {_number(lower)} and {_number(upper)}"


def _number(value: float | None) -> str:
    return "any number" if value is None else f"{value:,.10g}"
