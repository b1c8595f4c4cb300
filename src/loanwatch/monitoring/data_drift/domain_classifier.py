"""What no column shows by itself and no correlation shows: a domain classifier on the rows of two windows.

It says how well the windows can be told apart at all, and by what. Its finding is about what the other checks cannot
see: pairs of columns, none of which moved by itself, that no longer depend on each other as they did.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Contract, Kind
from loanwatch.errors import shorten
from loanwatch.monitoring.result import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.monitoring.verdict import DriftSize, drift_severity
from loanwatch.records import record
from loanwatch.statistics import distinct
from loanwatch.statistics.domain_classifier import Apart, Coded, tell_apart

__all__ = ["DOMAIN_ROWS", "with_domain_classifier"]

DOMAIN_ROWS = 10_000
"""Of each window, evenly taken: enough for an AUC of 0.52 to be real, and 20 columns cost 50 ms."""
_MOST_COLUMNS = 64
_MOST_BINS = 5
_CHECK = "data_drift.dependence"
_SUBJECT = "domain_classifier"
_DATASET = "dataset"
"""What the finding is of: which pairs show it best differs from window to window."""
_NAMED = 3


@record
class _Cut:
    """A column in bins."""

    column: str
    names: tuple[str, ...]
    reference: NDArray[np.intp]
    current: NDArray[np.intp]


def with_domain_classifier(
    report: CheckReport, reference: pl.DataFrame, current: pl.DataFrame, contract: Contract
) -> CheckReport:
    """Add to a data-drift report how well the windows can be told apart, and what no other check of it could see.

    The AUC of all columns is measured, with the columns behind it. A finding is made only of pairs of columns of which
    the report says nothing yet, with the severity rule of all others: the p-value says whether it is real, the AUC
    whether it matters.

    Parameters
    ----------
    report : CheckReport
        Of `data_drift.check` on the same windows.
    reference, current : DataFrame
        Cleaned rows; at most 10,000 of each, evenly taken, are looked at.
    contract : Contract
        Names the columns; the first 64 that are monitored take part.

    Returns
    -------
    CheckReport
        The same report where a window has fewer than 100 rows.
    """
    if report.status is Status.SKIPPED:
        return report
    cuts = list(_cut_columns(_thinned(reference), _thinned(current), contract))
    if len(cuts) < 2:
        return report
    coded = Coded(
        reference=np.column_stack([c.reference for c in cuts]),
        current=np.column_stack([c.current for c in cuts]),
        bins=tuple(len(c.names) for c in cuts),
    )
    everything = tell_apart(coded)
    if everything is None:
        return report
    told = {name for f in report.findings for name in (f.subject, *f.details.get("columns", ()))}
    quiet = [i for i, c in enumerate(cuts) if c.column not in told]
    hidden = tell_apart(coded, pairs_among=quiet, singles=False) if len(quiet) > 1 else None
    findings = list(report.findings) + ([_finding(hidden, coded, cuts, contract)] if _matters(hidden) else [])
    findings.sort(key=lambda f: -f.severity)
    return replace(
        report,
        status=Status.FAIL if max(map(_severity_of, findings), default=0) >= Severity.MEDIUM else report.status,
        summary=report.summary if len(findings) == len(report.findings) else _summary(report, findings),
        findings=tuple(findings),
        measurements={**report.measurements, _SUBJECT: (_measurement("domain_auc", everything, coded),)},
        details={
            **report.details,
            "domain_classifier": _details(everything, cuts, coded),
            "lingering": {**report.details.get("lingering", {}), _CHECK: _lingering(hidden)},
        },
    )


def _lingering(found: Apart | None) -> dict[str, str]:
    severity = _severity(found, leaving=True) if found is not None else Severity.NONE
    return {_DATASET: severity.word} if severity > Severity.NONE else {}


def _severity_of(finding: Finding) -> Severity:
    return finding.severity


def _matters(found: Apart | None) -> bool:
    return found is not None and _severity(found) > Severity.NONE


def _severity(found: Apart, *, leaving: bool = False) -> Severity:
    return drift_severity(found.p_value, DriftSize(apart=max(found.auc.value - 0.5, 0.0)), leaving=leaving)


def _thinned(frame: pl.DataFrame) -> pl.DataFrame:
    if frame.height <= DOMAIN_ROWS:
        return frame
    # A list: for an array polars imports NumPy's masked arrays.
    rows: list[int] = np.linspace(0, frame.height - 1, DOMAIN_ROWS).astype(np.intp).tolist()
    return frame[rows]


def _cut_columns(reference: pl.DataFrame, current: pl.DataFrame, contract: Contract) -> Iterator[_Cut]:
    wanted = [c for c in contract.monitored if c.name in reference.columns and c.name in current.columns]
    for column in wanted[:_MOST_COLUMNS]:
        first, second = reference[column.name], current[column.name]
        numeric = column.kind is not Kind.CATEGORICAL and first.dtype.is_numeric() and second.dtype.is_numeric()
        cut = _cut_numbers(first, second) if numeric else _cut_categories(first, second)
        if len(cut.names) > 1:
            yield cut


def _cut_numbers(reference: pl.Series, current: pl.Series) -> _Cut:
    values = [s.cast(pl.Float64).to_numpy() for s in (reference, current)]
    known = [v[np.isfinite(v)] for v in values]
    pooled = np.sort(np.concatenate(known))
    shares = np.arange(1, _MOST_BINS) / _MOST_BINS
    edges = distinct(pooled[(shares * (pooled.size - 1)).astype(np.intp)]) if pooled.size else pooled
    edges = edges[edges < pooled[-1]] if pooled.size else edges
    codes = [np.where(np.isfinite(v), np.searchsorted(edges, v, side="left"), edges.size + 1) for v in values]
    return _filled(reference.name, [*_range_names(edges.tolist()), "not known"], codes)


def _cut_categories(reference: pl.Series, current: pl.Series) -> _Cut:
    texts = pl.concat([s.cast(pl.String).alias("value") for s in (reference, current)])
    kept = texts.drop_nulls().value_counts(sort=True)["value"].head(_MOST_BINS)
    code = texts.cast(pl.Enum(kept), strict=False).to_physical().cast(pl.Int64)
    codes = code.fill_null(kept.len()).set(texts.is_null(), kept.len() + 1).to_numpy()
    names = [*(f"“{shorten(name, 40)}”" for name in kept), "another one", "not known"]
    return _filled(reference.name, names, [codes[: reference.len()], codes[reference.len() :]])


def _filled(column: str, names: Sequence[str], codes: Sequence[NDArray[np.intp]]) -> _Cut:
    """Drop the bins that no row is in."""
    used = np.flatnonzero(sum(np.bincount(each, minlength=len(names)) for each in codes))
    place = np.zeros(len(names), dtype=np.intp)
    place[used] = np.arange(used.size)
    return _Cut(
        column=column,
        names=tuple(names[at] for at in used.tolist()),
        reference=place[codes[0]],
        current=place[codes[1]],
    )


def _range_names(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["known"]
    texts = [_number(edge) for edge in edges]
    return [
        f"at most {texts[0]}",
        *(f"above {low} to {high}" for low, high in pairwise(texts)),
        f"above {texts[-1]}",
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:,.3g}"


def _measurement(name: str, found: Apart, coded: Coded) -> Measurement:
    return Measurement(
        name=name,
        value=found.auc.value,
        lower=found.auc.lower,
        upper=found.auc.upper,
        p_value=found.p_value,
        n_reference=len(coded.reference),
        n_current=len(coded.current),
    )


def _details(found: Apart, cuts: Sequence[_Cut], coded: Coded) -> dict[str, object]:
    return {
        "auc": found.auc.value,
        "p_value": found.p_value,
        "features": _columns(found, cuts),
        "rows_reference": len(coded.reference),
        "rows_current": len(coded.current),
    }


def _columns(found: Apart, cuts: Collection[_Cut]) -> list[str]:
    names = [cut.column for cut in cuts]
    return list(dict.fromkeys(names[feature] for block in found.blocks for feature in block))


def _finding(found: Apart | None, coded: Coded, cuts: Sequence[_Cut], contract: Contract) -> Finding:
    assert found is not None  # noqa: S101  (the caller asked whether it matters)
    columns = _columns(found, cuts)
    first, second = (cuts[feature] for feature in found.blocks[0])
    one, other = contract.label_of(first.column), contract.label_of(second.column)
    before, now, names = _largest_change(found.blocks[0], coded, cuts)
    more = [contract.label_of(name) for name in columns[2 : 2 + _NAMED]]
    also = f"; {' and '.join(more)} {'goes' if len(more) == 1 else 'go'} with it" if more else ""
    told = (
        f"{one} and {other} depend on each other in another way, though neither moved by itself: {one} {names[0]} "
        f"with {other} {names[1]} was {before:.1%} of rows and is {now:.1%}{also}"
    ).replace("%", " %")
    sure = f"AUC {found.auc.value:.2f}, 95 % interval {found.auc.lower:.2f} to {found.auc.upper:.2f}; 0.5 is chance"
    sentence = f"{told} (by that the windows can be told apart with {sure})."
    return Finding(
        check=_CHECK,
        subject=_DATASET,
        severity=_severity(found),
        sentence=sentence[:1].upper() + sentence[1:],
        measurements=(_measurement("dependence_auc", found, coded),),
        details={"columns": columns, "pairs": [[cuts[i].column for i in block] for block in found.blocks]},
    )


def _largest_change(block: tuple[int, ...], coded: Coded, cuts: Sequence[_Cut]) -> tuple[float, float, tuple[str, str]]:
    """Return the share of rows before and now in the pair's cell that changed most, and its names."""
    i, j = block
    width = coded.bins[j]
    before, now = (
        np.bincount(codes[:, i] * width + codes[:, j], minlength=coded.bins[i] * width) / len(codes)
        for codes in (coded.reference, coded.current)
    )
    cell = int(np.abs(now - before).argmax())
    names = (cuts[i].names[cell // width], cuts[j].names[cell % width])
    return float(before[cell]), float(now[cell]), names


def _summary(report: CheckReport, findings: Sequence[Finding]) -> str:
    found = next(f for f in findings if f.check == _CHECK)
    return found.sentence if not report.findings else f"{report.summary.rstrip('.')}; and {found.sentence}"
