"""The search for regions of one raw feature that decide the label."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from loanwatch.contract import Kind
from loanwatch.monitoring.data_quality.inspection import Inspection
from loanwatch.monitoring.data_quality.regions import MINIMUM_ROWS, Region, fixed_regions, region_mask
from loanwatch.monitoring.data_quality.segments import purest_segments
from loanwatch.records import record
from loanwatch.statistics.special import betainc

__all__ = ["Leak", "find_leaks"]

FALSE_ALARM_RATE = 1e-3
"""Probability that a window without a leak shows one, over the whole search."""

HONEST_VALUE_ODDS_RATIO = 4.0
"""How much an honest category or interval may change the odds of the label. A region is only tested against more than
that: strong honest features have pure-looking regions by luck, the more so the fewer rows and the rarer the other
label."""

HONEST_ABSENCE_ODDS_RATIO = 2.5
"""The same for missing and repaired values, which know less of the applicant than a value does."""

MINIMUM_PURITY = 0.98
"""Less pure regions inform; they do not decide."""

MAXIMUM_OTHER_RATIO = 0.1
"""The other label must be ten times rarer than in the window: at a base rate of 97 % a purity of 98 % is nothing."""

CATEGORY_ODDS_RATIO = 3.0
"""How far a category must lie from the purest of its siblings that is not itself a leak."""

MAXIMUM_LEAKS = 25


@record
class Leak:
    """A region that decides the label, with its figures over all labelled rows of the window."""

    region: Region
    label: int
    """1 if its rows have the positive label, 0 if the negative one."""
    rows: int
    pure_rows: int
    base_rate: float
    """Share of `label` among the labelled rows outside the region; in the whole window if nothing is outside."""
    p_value: float
    """Corrected for the search; an upper bound."""


@record
class _Candidate:
    region: Region
    label: int
    log_p: float
    gain: float
    """Log-likelihood that the region explains: rows × Kullback–Leibler divergence of its rate from the base."""


@record
class _Trial:
    """One label to be decided, on the rows that no leak explains yet."""

    outcome: int
    rows: NDArray[np.bool_]
    other: NDArray[np.bool_]
    """Which of these rows have the other label."""
    other_rate: float

    def count(self, region: Region) -> tuple[int, int]:
        """Return rows and other labels inside the region."""
        return int(np.count_nonzero(region.mask & self.rows)), int(np.count_nonzero(region.mask & self.other))

    def is_pure(self, rows: int, others: int) -> bool:
        """Return whether so few other labels in so many rows are material."""
        if rows < MINIMUM_ROWS:
            return False
        return others / rows <= min(1 - MINIMUM_PURITY, MAXIMUM_OTHER_RATIO * self.other_rate)

    def honest_rate(self, allowance: float) -> float:
        """Return the rate of the other label in the purest region that counts as honest."""
        odds = self.other_rate / (1 - self.other_rate) / allowance
        return odds / (1 + odds)

    def other_odds(self, region: Region) -> float:
        """Return the odds of the other label inside the region, half a row added to each side."""
        rows, others = self.count(region)
        return (others + 0.5) / (rows - others + 0.5)

    def candidate(self, region: Region, log_p: float) -> _Candidate | None:
        """Return the region as a candidate if its corrected p-value is small enough."""
        if log_p > np.log(FALSE_ALARM_RATE):
            return None
        rows, others = self.count(region)
        return _Candidate(region=region, label=self.outcome, log_p=log_p, gain=_gain(rows, others, self.other_rate))


def find_leaks(inspection: Inspection) -> list[Leak]:
    """Return the leaks, most telling first; each is tested on the rows that the ones before it do not explain.

    A region of n rows with k other labels is a leak when it is pure (`MINIMUM_PURITY`, `MAXIMUM_OTHER_RATIO`) and
    P(X <= k), X ~ Binomial(n, q), is below `FALSE_ALARM_RATE` after Bonferroni's correction, where q has
    so many times smaller odds than the window's rate of the other label: `HONEST_VALUE_ODDS_RATIO` for categories,
    `HONEST_ABSENCE_ODDS_RATIO` for missing and repaired values. Intervals are searched for by `purest_segments`.
    """
    label = inspection.label
    remaining = ~np.isnan(label)
    regions = fixed_regions(inspection)
    leaks: list[Leak] = []
    while len(leaks) < MAXIMUM_LEAKS:
        candidates = _candidates(inspection, regions, label, remaining)
        if not candidates:
            break
        best = _simplest(candidates, max(candidates, key=lambda c: c.gain), remaining)
        leaks.append(_as_leak(best, label))
        remaining = remaining & ~best.region.mask
    return leaks


def _candidates(
    inspection: Inspection, regions: Sequence[Region], label: NDArray[np.float64], remaining: NDArray[np.bool_]
) -> list[_Candidate]:
    """Return every region that passes the test on the remaining rows, for either label."""
    rate = float(label[remaining].mean()) if remaining.any() else 0.0
    if not 0 < rate < 1:
        return []
    found: list[_Candidate] = []
    for outcome in (1, 0):
        other = np.where(remaining, label != outcome, False)
        trial = _Trial(outcome=outcome, rows=remaining, other=other, other_rate=rate if outcome == 0 else 1 - rate)
        tested = (_test(trial, region, searched=len(regions)) for region in regions)
        found += _apart_from_siblings(trial, [c for c in tested if c is not None], regions)
        found += _intervals(trial, inspection)
    return found


def _test(trial: _Trial, region: Region, *, searched: int) -> _Candidate | None:
    """Return the region as a candidate if it is pure beyond what an honest region can be."""
    rows, others = trial.count(region)
    if not trial.is_pure(rows, others):
        return None
    allowance = HONEST_VALUE_ODDS_RATIO if region.kind == "category" else HONEST_ABSENCE_ODDS_RATIO
    log_p = _log_binomial_cdf(others, rows, trial.honest_rate(allowance)) + float(np.log(4 * searched))
    return trial.candidate(region, log_p)


def _intervals(trial: _Trial, inspection: Inspection) -> Iterator[_Candidate]:
    """Yield the intervals of numeric columns that pass the test."""
    columns = [c.name for c in inspection.predictors if c.kind is Kind.NUMERIC]
    null_rate = trial.honest_rate(HONEST_VALUE_ODDS_RATIO)
    for column in columns:
        values = inspection.frame[column].cast(pl.Float64).to_numpy()
        usable = trial.rows & np.isfinite(values)
        if column in inspection.issues.columns:
            # A repaired value was another one in the source: its region is the repair.
            usable &= inspection.issues[column].is_null().to_numpy()
        for segment in purest_segments(
            values[usable], trial.other[usable], null_rate=null_rate, minimum_rows=MINIMUM_ROWS
        ):
            region = _as_region(inspection, column, segment.lower, segment.upper)
            candidate = trial.candidate(region, segment.log_p + float(np.log(4 * len(columns))))
            if candidate and trial.is_pure(*trial.count(region)):
                yield candidate


def _as_region(inspection: Inspection, column: str, lower: float | None, upper: float | None) -> Region:
    single = lower is not None and lower == upper
    kind, details = ("value", {"value": lower}) if single else ("range", {"lower": lower, "upper": upper})
    mask = region_mask(inspection, (column,), {"kind": kind, **details})
    return Region(kind=kind, columns=(column,), details=details, mask=mask)


def _apart_from_siblings(
    trial: _Trial, passing: Sequence[_Candidate], regions: Sequence[Region]
) -> Iterator[_Candidate]:
    """Drop categories that are only a little purer than the next pure category of their column.

    An honest column with many levels has levels of all strengths; a leaking one stands alone.
    """
    leaking = {id(c.region) for c in passing}
    for candidate in passing:
        region = candidate.region
        siblings = [r for r in regions if r.kind == region.kind == "category" and r.columns == region.columns]
        rivals = [trial.other_odds(r) for r in siblings if id(r) not in leaking]
        own = trial.other_odds(region)
        if len(siblings) <= 2 or not rivals or min(rivals) >= CATEGORY_ODDS_RATIO * own:
            yield candidate


def _simplest(candidates: Sequence[_Candidate], best: _Candidate, remaining: NDArray[np.bool_]) -> _Candidate:
    """Prefer an absent record to a column that is also missing for it, unless the column tells more.

    A column of an absent record is missing wherever the record is, and on some rows more. Those few rows alone are
    no reason to name the column instead of the record.
    """
    for rival in candidates:
        if not rival.region.details.get("records") or rival.label != best.label or rival is best:
            continue
        beyond = best.region.mask & ~rival.region.mask & remaining
        shared = rival.region.mask & best.region.mask & remaining
        covers = np.count_nonzero(shared) >= 0.95 * np.count_nonzero(rival.region.mask & remaining)
        if covers and np.count_nonzero(beyond) < MINIMUM_ROWS:
            return rival
    return best


def _as_leak(candidate: _Candidate, label: NDArray[np.float64]) -> Leak:
    inside = candidate.region.mask & ~np.isnan(label)
    outside = ~candidate.region.mask & ~np.isnan(label)
    base = label[outside] if outside.any() else label[inside]
    return Leak(
        region=candidate.region,
        label=candidate.label,
        rows=int(np.count_nonzero(inside)),
        pure_rows=int(np.count_nonzero(label[inside] == candidate.label)),
        base_rate=float(np.mean(base == candidate.label)),
        p_value=float(np.exp(min(candidate.log_p, 0.0))),
    )


def _log_binomial_cdf(k: int, n: int, rate: float) -> float:
    """Return log P(X <= k), X ~ Binomial(n, rate), exact where the probability does not underflow."""
    if k == 0:
        return float(n * np.log1p(-rate))
    return float(np.log(max(betainc(n - k, k + 1, 1 - rate), 1e-300)))


def _gain(rows: int, others: int, other_rate: float) -> float:
    if rows == 0:
        return 0.0
    share = others / rows
    pure = (1 - share) * np.log((1 - share) / (1 - other_rate)) if share < 1 else 0.0
    impure = share * np.log(share / other_rate) if share > 0 else 0.0
    return float(rows * (pure + impure))
