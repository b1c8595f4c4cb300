"""The data-drift check: every monitored column, the label, the score and the correlations of two windows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from loanwatch.contract import Contract
from loanwatch.monitoring.data_drift.column_change import MINIMUM_VALUES, ColumnChange, Variation
from loanwatch.monitoring.data_drift.joint_missing import group_joint_missing
from loanwatch.monitoring.data_drift.multivariate import PairChange, compare_correlations, group_by_hub
from loanwatch.monitoring.data_drift.sentences import column_sentence, hub_sentence, number
from loanwatch.monitoring.data_drift.univariate import compare_categorical, compare_numeric
from loanwatch.monitoring.profile import CategoricalProfile, ColumnProfile, NumericProfile, Profile, dispersions
from loanwatch.monitoring.result import CheckReport, Finding, Measurement, Severity, Status
from loanwatch.monitoring.verdict import FALSE_DISCOVERY_RATE, drift_severity, is_real, is_sure
from loanwatch.records import record
from loanwatch.statistics import benjamini_hochberg, detectable_psi

__all__ = ["check"]

_CHECK = "data_drift"
_FIGURES = {
    "values": ("psi", "kolmogorov_smirnov", "g"),
    "shape": ("psi",),
    "share": ("psi", "g"),
    "unseen": ("unseen_share",),
    "missing": ("missing_rate_change",),
}
"""Aspect of a change → the measurements that show it."""
_COARSE_PSI = 0.10
"""A window that cannot show a PSI of the first band says so."""


@record
class _Corrected:
    """The p-values after correction over all tests."""

    columns: Mapping[str, Mapping[str, float]]
    """Column → aspect → adjusted p-value."""
    pairs: Mapping[PairChange, float]
    n_tests: int


def check(
    reference: Profile, current: Profile, contract: Contract, *, importance: Mapping[str, float] | None = None
) -> CheckReport:
    """Say which features moved between two windows, whether it is real and whether it matters.

    All p-values (per column: distribution, missing rate, unseen categories; per pair: correlation) are corrected
    together by Benjamini–Hochberg, after deflation by the day-to-day variation inside the reference. A real
    change gets its severity from its size, weighted by the model's reliance (`monitoring.verdict`).

    Parameters
    ----------
    reference, current : Profile
        Counted over the same bins: profile the current window with `edges=reference.edges`.
    contract : Contract
        Its monitored columns are compared.
    importance : mapping of str to float, optional
        Each feature's share of the model's reliance; by default all count alike.

    Returns
    -------
    CheckReport
        `FAIL` from medium severity on; `SKIPPED` when a window is empty, or too short for every column.
        `details["columns"]` holds, for every column, what a report draws, and `details["lingering"]` the severities by
        the lower thresholds at which a verdict of an earlier window is left.

    Raises
    ------
    ValueError
        If the two profiles were counted over different bins.
    """
    if reference.rows == 0 or current.rows == 0:
        side = "reference" if reference.rows == 0 else "current window"
        return CheckReport(check=_CHECK, status=Status.SKIPPED, summary=f"The {side} holds no rows: no comparison.")
    changes = {change.subject: change for change in _compare_columns(reference, current, contract)}
    pairs = compare_correlations(
        reference,
        current,
        names=[c.name for c in contract.monitored],
        variation={name: change.variation.values for name, change in changes.items()},
    )
    corrected = _correct(changes, pairs)
    limitations = tuple(_limitations(reference, current, contract, changes, corrected))
    if not changes:
        told = "No feature is in both windows: no comparison."
        return CheckReport(check=_CHECK, status=Status.SKIPPED, summary=told, limitations=limitations)
    reliance = _reliance(importance or {})
    findings = [
        *group_joint_missing(list(_column_findings(changes, corrected, reliance))),
        *_pair_findings(changes, corrected, reliance, contract),
    ]
    findings.sort(key=lambda finding: (-finding.severity, -_first_psi(finding)))
    worst = max((finding.severity for finding in findings), default=Severity.NONE)
    is_too_short = not findings and min(reference.rows, current.rows) < MINIMUM_VALUES
    status = Status.SKIPPED if is_too_short else Status.PASS
    return CheckReport(
        check=_CHECK,
        status=Status.FAIL if worst >= Severity.MEDIUM else status,
        summary=_summary(
            findings,
            contract,
            n_features=sum(c.name in changes for c in contract.monitored),
            n_short=sum(c.name in changes and changes[c.name].limitation is not None for c in contract.monitored),
        ),
        findings=tuple(findings),
        measurements={name: change.measurements for name, change in changes.items()},
        limitations=limitations,
        details=_details(changes, corrected, reliance) | {"n_reference": reference.rows, "n_current": current.rows},
    )


def _details(
    changes: Mapping[str, ColumnChange], corrected: _Corrected, reliance: Mapping[str, float]
) -> dict[str, object]:
    return {
        "columns": {name: dict(change.details) for name, change in changes.items()},
        "lingering": {
            f"{_CHECK}.univariate": _lingering(changes, corrected, reliance),
            f"{_CHECK}.multivariate": _lingering_pairs(corrected, reliance),
        },
        "tests": corrected.n_tests,
        "false_discovery_rate": FALSE_DISCOVERY_RATE,
    }


def _compare_columns(reference: Profile, current: Profile, contract: Contract) -> Iterator[ColumnChange]:
    compared: list[tuple[str, str, ColumnProfile | None, ColumnProfile | None]] = [
        (c.name, c.label, reference.columns.get(c.name), current.columns.get(c.name)) for c in contract.monitored
    ]
    features = {c.name for c in contract.monitored}
    labels = (_with_value(reference.label), _with_value(current.label))
    for role, first, second in (("label", *labels), ("score", reference.score, current.score)):
        compared.append((f"the {role}" if role in features else role, f"the {role}", first, second))
    usual_rows = _rows_a_day(reference, current)
    for subject, title, first, second in compared:
        if first is None or second is None:
            continue
        variation = _variation(first, current, usual_rows)
        if not first.edges.same_as(second.edges):
            raise ValueError(f"column {subject}: the two profiles were counted over different bins")
        if isinstance(first, NumericProfile) and isinstance(second, NumericProfile):
            yield compare_numeric(subject, title, first, second, variation=variation)
        elif isinstance(first, CategoricalProfile) and isinstance(second, CategoricalProfile):
            yield compare_categorical(subject, title, first, second, variation=variation)


def _with_value(label: ColumnProfile | None) -> ColumnProfile | None:
    """Return the known labels alone: labels come late, so fewer of them are no drift; nothing where none is known."""
    return replace(label, absent=np.zeros_like(label.absent)) if label is not None and label.present else None


def _rows_a_day(reference: Profile, current: Profile) -> tuple[int, float]:
    """Return the days of the current window, and the rows a day of those blocks of the reference nearest to its own."""
    days = next((column.days for column in reference.columns.values() if column.days), {})
    if not days:
        return 1, 1.0
    rows = np.array([counts.sum() for _, counts in sorted(days.items())], dtype=np.float64)
    window_days = len(current.dates) or max(1, round(current.rows / float(rows.mean())))
    length = min(window_days, rows.size)
    blocks = np.convolve(rows, np.full(length, 1.0 / length), mode="valid")
    return window_days, float(np.clip(current.rows / window_days, blocks.min(), blocks.max()))


def _variation(column: ColumnProfile, current: Profile, usual: tuple[int, float]) -> Variation:
    """Read φ off blocks of the reference that are as long as the current window, at the window's rows a day."""
    if not column.days:
        return Variation()
    window_days, rows_a_day = usual
    found = dispersions(column.days, window_days=window_days, ordered=isinstance(column, NumericProfile))
    # What days add to chance grows with the rows that share a day; weekends with fewer are in φ already.
    density = current.rows / window_days / max(rows_a_day, 1.0)
    values, missing, order = (1.0 + (each - 1.0) * density for each in found)
    return Variation(values=values, missing=missing, order=order)


def _correct(changes: Mapping[str, ColumnChange], pairs: Sequence[PairChange]) -> _Corrected:
    keys = [(name, aspect) for name, change in changes.items() for aspect in change.p_values]
    p_values = [changes[name].p_values[aspect] for name, aspect in keys] + [pair.p_value for pair in pairs]
    adjusted = benjamini_hochberg(p_values).tolist()
    columns: dict[str, dict[str, float]] = {name: {} for name in changes}
    for (name, aspect), value in zip(keys, adjusted, strict=False):
        columns[name][aspect] = value
    return _Corrected(
        columns=columns,
        pairs=dict(zip(pairs, adjusted[len(keys) :], strict=True)),
        n_tests=sum(not math.isnan(value) for value in adjusted),
    )


def _reliance(importance: Mapping[str, float]) -> Mapping[str, float]:
    """Return each feature's share of the reliance over the average feature's."""
    total = sum(max(value, 0.0) for value in importance.values())
    if total <= 0.0:
        return {}
    return {name: max(value, 0.0) / total * len(importance) for name, value in importance.items()}


def _column_findings(
    changes: Mapping[str, ColumnChange], corrected: _Corrected, reliance: Mapping[str, float]
) -> Iterator[Finding]:
    for name, change in changes.items():
        adjusted = corrected.columns[name]
        severity = change.severity(adjusted, reliance=reliance.get(name, 1.0))
        if severity is Severity.NONE:
            continue
        yield Finding(
            check=f"{_CHECK}.univariate",
            subject=name,
            severity=severity,
            sentence=_capitalised(column_sentence(change, adjusted, reliance=reliance.get(name, 1.0))),
            measurements=_telling_first(change, adjusted),
            details={
                **change.details,
                "aspects": sorted(aspect for aspect, value in adjusted.items() if is_real(value)),
                "sure": any(is_sure(value) for value in adjusted.values()),
                "reliance": reliance.get(name),
            },
        )


def _telling_first(change: ColumnChange, adjusted: Mapping[str, float]) -> tuple[Measurement, ...]:
    """Put the figures that decided before the others."""
    real = [aspect for aspect, value in adjusted.items() if is_real(value)]
    telling = {name for aspect in real for name in _FIGURES.get(aspect, ())}
    return tuple(sorted(change.measurements, key=lambda m: m.name not in telling))


def _lingering(
    changes: Mapping[str, ColumnChange], corrected: _Corrected, reliance: Mapping[str, float]
) -> dict[str, str]:
    """Return the columns that are close enough to a threshold not to speak against an earlier verdict."""
    severities = {
        name: change.severity(corrected.columns[name], reliance=reliance.get(name, 1.0), leaving=True)
        for name, change in changes.items()
    }
    return {name: severity.word for name, severity in severities.items() if severity > Severity.NONE}


def _lingering_pairs(corrected: _Corrected, reliance: Mapping[str, float]) -> dict[str, str]:
    """Return the columns of a pair that is close enough to a threshold, whichever of the two it was told of."""
    severities: dict[str, Severity] = {}
    for pair, adjusted in corrected.pairs.items():
        for name in pair.columns:
            weight = reliance.get(name, 1.0)
            severity = drift_severity(adjusted, pair.size, reliance=weight, leaving=True)
            severities[name] = max(severities.get(name, Severity.NONE), severity)
    return {name: severity.word for name, severity in severities.items() if severity > Severity.NONE}


def _pair_findings(
    changes: Mapping[str, ColumnChange], corrected: _Corrected, reliance: Mapping[str, float], contract: Contract
) -> Iterator[Finding]:
    # Where a column's own distribution moved far, its normal scores no longer measure the relation alone.
    far = {name for name, change in changes.items() if change.severity(corrected.columns[name]) >= Severity.HIGH}
    kept = [
        pair
        for pair, adjusted in corrected.pairs.items()
        if not far & set(pair.columns) and drift_severity(adjusted, pair.size) > Severity.NONE
    ]
    titles = {c.name: c.label for c in contract.monitored}
    for name, pairs in group_by_hub(kept, weights=reliance).items():
        weight = reliance.get(name, 1.0)
        yield Finding(
            check=f"{_CHECK}.multivariate",
            subject=name,
            severity=max(drift_severity(corrected.pairs[pair], pair.size, reliance=weight) for pair in pairs),
            sentence=_capitalised(hub_sentence(name, pairs, titles, min(corrected.pairs[pair] for pair in pairs))),
            measurements=tuple(_pair_measurement(pair) for pair in pairs[:10]),
            details={
                "pairs": [list(pair.columns) for pair in pairs[:10]],
                "reliance": reliance.get(name),
                "also": sorted({other for pair in pairs for other in pair.columns} - {name}),
            },
        )


def _pair_measurement(pair: PairChange) -> Measurement:
    return Measurement(
        name="correlation_change",
        value=pair.current - pair.reference,
        p_value=pair.p_value,
        n_reference=pair.n_reference,
        n_current=pair.n_current,
    )


def _first_psi(finding: Finding) -> float:
    return next((m.value for m in finding.measurements if m.name == "psi"), 0.0)


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _summary(findings: list[Finding], contract: Contract, *, n_features: int, n_short: int) -> str:
    features = {c.name for c in contract.monitored}
    moved = {name for f in findings for name in f.details.get("columns", [f.subject]) if name in features}
    matters = [n for n in dict.fromkeys(f.subject for f in findings if f.severity >= Severity.MEDIUM) if n in features]
    also = sorted({f.subject for f in findings} - features)
    tail = f"; the {' and the '.join(also)} moved" if also else ""
    if not moved and n_short:
        short = f"{n_short} of {n_features} features {'has' if n_short == 1 else 'have'} too few values to be compared"
        return f"{short}{f'; none of the others moved{tail}' if n_short < n_features else tail}."
    if not moved:
        return f"None of {n_features} features moved{tail}."
    tail += " too" if also else ""
    head = f"{len(moved)} of {n_features} features moved"
    if not matters:
        return f"{head}, none matters to the model{tail or ': no action needed'}."
    named = ", ".join(contract.label_of(name) for name in matters[:3]) + (" and others" if len(matters) > 3 else "")
    return f"{head}, {len(matters)} of them materially: {named}{tail}."


def _limitations(
    reference: Profile,
    current: Profile,
    contract: Contract,
    changes: Mapping[str, ColumnChange],
    corrected: _Corrected,
) -> Iterator[str]:
    for column in contract.monitored:
        for side, profile in (("reference", reference), ("current window", current)):
            if column.name not in profile.columns:
                yield f"{_capitalised(column.label)} is not in the {side}: not compared."
    for side, label in (("reference", reference.label), ("current window", current.label)):
        if label is not None and 0 < label.present < label.rows:
            yield f"The label is known and due in {label.present:,} of {label.rows:,} rows of the {side}; these count."
    for change in changes.values():
        if change.limitation:
            yield _capitalised(change.limitation)
    level = FALSE_DISCOVERY_RATE / max(corrected.n_tests, 1)
    smallest = detectable_psi(10, reference.rows, current.rows, level=level)
    if smallest >= _COARSE_PSI:
        yield (
            f"With {current.rows:,} rows against {reference.rows:,} only changes of PSI {number(smallest)} or more "
            "are sure to be seen."
        )
