"""Compare one column of two profiles."""

import math

import numpy as np

from loanwatch.monitoring.data_drift.column_change import MINIMUM_VALUES, ColumnChange, Variation, measurement
from loanwatch.monitoring.data_drift.histogram import column_details
from loanwatch.monitoring.data_drift.many_categories import change_of_others, excess_of_unseen
from loanwatch.monitoring.profile import CategoricalProfile, ColumnProfile, NumericProfile
from loanwatch.monitoring.result import Measurement
from loanwatch.monitoring.verdict import DriftSize
from loanwatch.statistics import (
    FloatArray,
    expected_psi,
    g_test,
    jensen_shannon,
    kolmogorov_smirnov,
    pool_sparse,
    proportion_change,
    psi,
    shares,
    wasserstein,
)

__all__ = ["compare_categorical", "compare_numeric", "compare_presence"]

_SEARCHED_CATEGORIES = 30
_REST = -1
"""The last group is of values that the reference gave none of their own."""


def compare_numeric(
    subject: str, title: str, reference: NumericProfile, current: NumericProfile, *, variation: Variation
) -> ColumnChange:
    """Compare a numeric column, counted over the same bins: PSI, JS, KS, Wasserstein, and the missing rate."""
    presence = compare_presence(subject, title, reference, current, variation=variation)
    if presence.limitation:
        return presence
    ks = kolmogorov_smirnov(reference.counts, current.counts, dispersion=variation.order)
    shape = g_test(reference.value_groups, current.value_groups, dispersion=variation.values, rest=_REST)
    scale = reference.standard_deviation
    shift = wasserstein(
        reference.counts,
        current.counts,
        reference.boundaries(current) - reference.edges.centre,
        scale=scale,
        sums=(reference.sums_centred, current.sums_centred),
    )
    index = _judged_psi(reference, current, variation)
    size = DriftSize(psi=index, shift=0.0 if math.isnan(shift) else shift)
    return ColumnChange(
        subject=subject,
        title=title,
        reference=reference,
        current=current,
        measurements=(
            *_stability(reference, current, variation, of_values=shape.p_value),
            *measurement("kolmogorov_smirnov", ks.distance, reference, current, p_value=ks.p_value),
            *measurement("wasserstein", shift, reference, current),
            *presence.measurements,
        ),
        p_values={"values": ks.p_value, "shape": shape.p_value, **presence.p_values},
        sizes={"values": size, "shape": size, "missing": _with_psi(presence, index)},
        variation=variation,
        details=column_details(reference, current),
    )


def compare_categorical(
    subject: str, title: str, reference: CategoricalProfile, current: CategoricalProfile, *, variation: Variation
) -> ColumnChange:
    """Compare a categorical column, counted over the same categories: PSI, JS, G, unseen categories, missing rate."""
    presence = compare_presence(subject, title, reference, current, variation=variation)
    if presence.limitation:
        return presence
    mix = g_test(reference.value_groups, current.value_groups, dispersion=variation.values, rest=_REST)
    rows = current.estimated_unseen_rows(reference)
    excess, unseen_p = excess_of_unseen(reference, current, variation)
    index = _judged_psi(reference, current, variation)
    first, second = pool_sparse(reference.value_groups, current.value_groups, rest=_REST)
    size = DriftSize(psi=index, share_change=float(np.abs(shares(second) - shares(first)).max()))
    others = change_of_others(reference, current, variation)
    return ColumnChange(
        subject=subject,
        title=title,
        reference=reference,
        current=current,
        measurements=(
            *_stability(reference, current, variation, of_values=mix.p_value),
            *measurement("g", mix.statistic, reference, current, p_value=mix.p_value),
            *measurement("unseen_share", rows / current.present, reference, current, p_value=unseen_p),
            *presence.measurements,
        ),
        p_values={
            "values": mix.p_value,
            "share": _largest_change(reference, current, variation),
            "unseen": unseen_p,
            **({"others": others[1]} if others else {}),
            **presence.p_values,
        },
        sizes={
            "values": size,
            "share": size,
            "unseen": DriftSize(unseen_share=excess),
            **({"others": others[0]} if others else {}),
            "missing": _with_psi(presence, index),
        },
        variation=variation,
        details=column_details(reference, current),
    )


def compare_presence(
    subject: str, title: str, reference: ColumnProfile, current: ColumnProfile, *, variation: Variation
) -> ColumnChange:
    """Compare the missing rate alone; says so where there are too few values to compare distributions."""
    change = proportion_change(
        reference.missing, reference.rows, current.missing, current.rows, dispersion=variation.missing
    )
    limitation = None
    for side, profile in (("reference", reference), ("current window", current)):
        if profile.present < MINIMUM_VALUES:
            values = "1 value" if profile.present == 1 else f"{profile.present} values"
            limitation = f"{title} has {values} in the {side}: only its missing rate is compared."
    return ColumnChange(
        subject=subject,
        title=title,
        reference=reference,
        current=current,
        measurements=measurement(
            "missing_rate_change",
            change.change,
            reference,
            current,
            p_value=change.p_value,
            interval=(change.lower, change.upper),
        ),
        p_values={"missing": change.p_value},
        sizes={"missing": DriftSize(missing_change=abs(change.change))},
        limitation=limitation,
        variation=variation,
        details=column_details(reference, current),
    )


def _stability(
    reference: ColumnProfile, current: ColumnProfile, variation: Variation, *, of_values: float
) -> tuple[Measurement, ...]:
    first, second = _all_groups(reference), _all_groups(current)
    p_value = of_values
    if reference.missing or current.missing:  # the index holds them too
        rest = reference.value_groups.size + _REST
        p_value = g_test(first, second, dispersion=max(variation.values, variation.missing), rest=rest).p_value
    return (
        *measurement("psi", psi(first, second), reference, current, p_value=p_value),
        *measurement("jensen_shannon", jensen_shannon(first, second), reference, current),
    )


def _largest_change(reference: CategoricalProfile, current: CategoricalProfile, variation: Variation) -> float:
    """Return the p-value of the category whose share changed most surely, corrected (Bonferroni) for having searched.

    Over many categories G spreads its power thin: one of them giving way to all others is seen here.
    """
    first, second = pool_sparse(reference.value_groups, current.value_groups, rest=_REST)
    order = np.argsort(-(first + second), kind="stable")[:_SEARCHED_CATEGORIES]
    if first.size < 3:  # with two groups G is the same test
        return math.nan
    p_values = [
        proportion_change(
            int(first[at]), reference.present, int(second[at]), current.present, dispersion=variation.values
        ).p_value
        for at in order.tolist()
    ]
    return min(1.0, min(p_values) * len(p_values))


def _judged_psi(reference: ColumnProfile, current: ColumnProfile, variation: Variation) -> float:
    """PSI over groups that are not sparse, less what sampling and ordinary days produce; at least 0."""
    rest = reference.value_groups.size + _REST
    first, second = pool_sparse(_all_groups(reference), _all_groups(current), rest=rest)
    noise = expected_psi(first.size, reference.rows, current.rows) * max(variation.values, variation.missing)
    return max(0.0, psi(first, second) - noise)


def _all_groups(profile: ColumnProfile) -> FloatArray:
    """Return the rows of each group of values, then one for each reason to have none."""
    return np.concatenate([profile.value_groups, profile.absent]).astype(np.float64)


def _with_psi(presence: ColumnChange, index: float) -> DriftSize:
    return DriftSize(psi=index, missing_change=presence.sizes["missing"].missing_change)
