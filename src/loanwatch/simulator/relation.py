"""How the label follows from what is known of an applicant: P(given | features) is a logistic sum of column effects.

A value that is not known has an effect of its own, chosen so that the applicants who lack it are given as often as
all others: missing values carry no information. The probability is therefore exactly the one a perfect model of the
cleaned columns would have.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.simulator.batch import CUSTOMER_AND_CREDIT, Batch
from loanwatch.simulator.marginals import CATEGORICAL
from loanwatch.simulator.population import Population
from loanwatch.statistics.special import expit, logit

__all__ = ["RELATED", "WEIGHTS", "Relation", "fitted_relation"]

Vector = NDArray[np.float64]

_CALIBRATION_ROWS: Final = 200_000
_RECENTRING_ROWS: Final = 40_000
_CALIBRATION_SEED: Final = 20_150_101

WEIGHTS: Final[Mapping[tuple[str, ...], float]] = {
    ("years_in_current_job",): 0.84,
    ("current_loan_amount",): 0.82,
    ("home_ownership",): 0.66,
    ("credit_score",): 0.61,
    ("term",): -0.12,
    ("annual_income",): 0.31,
    ("years_of_credit_history",): -0.12,
    ("purpose",): 0.125,
    ("monthly_debt",): 0.125,
    ("max_open_credit",): 0.065,
    ("no_of_cars",): 0.07,
    ("current_loan_amount", "years_in_current_job"): 0.30,
}
"""Standard deviation, in log-odds, of each column's effect (or of a pair's, beyond the two single ones).

Chosen so that the one-variable tests come out in the published order. A negative weight turns an effect's shape round:
term and credit history gain so much from the columns they go with that their own must hold against it.
"""

RELATED: Final = tuple(names[0] for names in WEIGHTS if len(names) == 1)

_PURPOSE_EFFECTS: Final = {
    "small business": -3.0,
    "business loan": -2.2,
    "renewable energy": -2.0,
    "moving": -1.2,
    "medical bills": -1.5,
    "take a trip": -0.6,
    "other": -0.9,
    "home improvements": 0.9,
    "buy a car": 1.4,
    "wedding": 0.8,
    "educational expenses": 0.5,
    "buy house": -0.5,
}
_HOME_EFFECTS: Final = {"rent": -1.0, "home mortgage": 0.45, "own home": 1.2}
_JOB_EFFECTS: Final = (-1.6, -1.3, -0.9, -0.6, -0.35, -0.1, 0.05, 0.15, 0.25, 0.35, 1.0)


def _softplus(x: Vector) -> Vector:
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), dtype=np.float64)


def _by_category(column: str, effects: Mapping[str, float]) -> Callable[[Batch], Vector]:
    def effect(batch: Batch) -> Vector:
        table = np.array([*(effects.get(name, 0.0) for name in batch.categories[column]), np.nan])
        return np.asarray(table[batch.codes[column]], dtype=np.float64)

    return effect


def _of_number(column: str, function: Callable[[Vector], Vector]) -> Callable[[Batch], Vector]:
    return lambda batch: function(batch.numbers[column])


_SHAPES: Final[Mapping[str, Callable[[Batch], Vector]]] = {
    "years_in_current_job": _by_category(
        "years_in_current_job", dict(zip(CATEGORICAL["years_in_current_job"].categories, _JOB_EFFECTS, strict=True))
    ),
    # Small loans are all alike; beyond about 20,000 each further thousand counts.
    "current_loan_amount": _of_number("current_loan_amount", lambda x: -_softplus((x - 16_000) / 4_000)),
    "home_ownership": _by_category("home_ownership", _HOME_EFFECTS),
    # A threshold rather than a slope: below about 720 points few are given, above 735 the points hardly matter.
    "credit_score": _of_number("credit_score", lambda x: np.asarray(expit((x - 722) / 7), dtype=np.float64)),
    "term": _by_category("term", {"short term": 1.0, "long term": 0.0}),
    "annual_income": _of_number("annual_income", lambda x: np.tanh((np.log(np.maximum(x, 1)) - 11) / 0.8)),
    "years_of_credit_history": _of_number("years_of_credit_history", lambda x: np.minimum(np.sqrt(x), 6.0)),
    "purpose": _by_category("purpose", _PURPOSE_EFFECTS),
    "monthly_debt": _of_number("monthly_debt", lambda x: -np.sqrt(x)),
    "max_open_credit": _of_number("max_open_credit", lambda x: np.minimum(np.log1p(x), 12.5)),
    "no_of_cars": _of_number("no_of_cars", lambda x: x),
}


@record
class Relation:
    """The relation between features and label, centred on one population."""

    centres: Mapping[str, tuple[float, float]]
    """Column → mean and standard deviation of its raw effect."""
    patterns: tuple[tuple[tuple[str, ...], float], ...]
    """Columns that are missing together → log-odds of lacking the first of them."""
    intercept: float
    sample: Mapping[tuple[str, ...], Vector]
    """Effects of a calibration sample, for re-centring under changed strengths."""
    sample_base: Vector
    """Log-odds of the calibration sample that no strength touches, without the intercept."""
    approval_rate: float

    def log_odds(self, batch: Batch, strengths: Mapping[str, Vector] | None = None) -> Vector:
        """Return the log-odds of being given.

        Parameters
        ----------
        batch : Batch
            Clean values.
        strengths : mapping of str to ndarray of shape (n,), optional
            Column → multiplier of its effect, by row; 1 where absent.

        Returns
        -------
        ndarray of shape (n,)
        """
        effects = _effects(_standardised(batch, self.centres))
        total = self.intercept + _missing_effect(batch, self.patterns)
        for columns, effect in effects.items():
            total += effect * _strength(columns, strengths or {})
        return total

    def recentred(self, strengths: Mapping[str, float], *, rate: float | None = None) -> float:
        """Return what to add to the log-odds for a share given of `rate` (default: unchanged) under these strengths."""
        total = self.sample_base.copy()
        for columns, effect in self.sample.items():
            total += effect * float(np.prod([strengths.get(c, 1.0) for c in columns]))
        return _solve(total, rate or self.approval_rate) - self.intercept


@lru_cache(maxsize=8)
def fitted_relation(population: Population) -> Relation:
    """Return the relation centred on a population: its approval rate holds, also among those who lack a value."""
    rng = np.random.default_rng(_CALIBRATION_SEED)
    full = population.draw_columns(population.draw_scores(_CALIBRATION_ROWS, rng), rng)
    raw = {name: shape(full) for name, shape in _SHAPES.items()}
    centres = {name: (float(values.mean()), float(values.std())) for name, values in raw.items()}
    batch = full.copy()
    population.forget(batch, rng)
    effects = _effects(_standardised(batch, centres))
    patterns, intercept = _centre_patterns(batch, sum(effects.values(), np.zeros(batch.rows)), population.approval_rate)
    return Relation(
        centres=centres,
        patterns=patterns,
        intercept=intercept,
        sample={columns: effect[:_RECENTRING_ROWS] for columns, effect in effects.items()},
        sample_base=_missing_effect(batch, patterns)[:_RECENTRING_ROWS],
        approval_rate=population.approval_rate,
    )


_TOGETHER: Final = (
    CUSTOMER_AND_CREDIT,
    ("annual_income", "credit_score"),
    ("years_in_current_job",),
    ("current_loan_amount",),
)


def _standardised(batch: Batch, centres: Mapping[str, tuple[float, float]]) -> dict[str, Vector]:
    """Return each column's effect with mean 0 and deviation 1 in the population, 0 where not known."""
    values = {name: (shape(batch) - centres[name][0]) / centres[name][1] for name, shape in _SHAPES.items()}
    return {name: np.nan_to_num(v, copy=False, nan=0.0) for name, v in values.items()}


def _effects(standardised: Mapping[str, Vector]) -> dict[tuple[str, ...], Vector]:
    return {
        columns: weight * np.prod([standardised[c] for c in columns], axis=0)
        if len(columns) > 1
        else weight * standardised[columns[0]]
        for columns, weight in WEIGHTS.items()
    }


def _strength(columns: tuple[str, ...], strengths: Mapping[str, Vector]) -> Vector | float:
    result: Vector | float = 1.0
    for column in columns:
        result = result * strengths.get(column, 1.0)
    return result


def _lacks(batch: Batch, columns: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return where all of the columns are missing together; a part of the record counts where there is a record."""
    if columns is CUSTOMER_AND_CREDIT:
        return batch.ambiguous
    missing: NDArray[np.bool_] = np.logical_and.reduce([~batch.known(name) for name in columns])
    return missing if columns[0] not in CUSTOMER_AND_CREDIT else missing & ~batch.ambiguous


def _missing_effect(batch: Batch, patterns: tuple[tuple[tuple[str, ...], float], ...]) -> Vector:
    total = np.zeros(batch.rows)
    for columns, log_odds in patterns:
        total += np.where(_lacks(batch, columns), log_odds, 0.0)
    return total


def _centre_patterns(
    batch: Batch, log_odds: Vector, approval_rate: float
) -> tuple[tuple[tuple[tuple[str, ...], float], ...], float]:
    """Choose the log-odds of each missing pattern and the intercept, each in turn until they settle."""
    where = [(columns, _lacks(batch, columns)) for columns in _TOGETHER]
    found, intercept = dict.fromkeys(_TOGETHER, 0.0), 0.0
    total = log_odds.copy()
    for _ in range(6):
        for columns, rows in where:
            if rows.any():
                change = _solve(total[rows], approval_rate)
                # the intercept stays what those who lack nothing need
                total[rows] += change
                found[columns] += change
        known = ~np.logical_or.reduce([rows for _, rows in where])
        change = _solve(total[known], approval_rate)
        total += change
        intercept += change
    return tuple(found.items()), intercept


def _solve(log_odds: Vector, rate: float) -> float:
    """Return the constant that brings the mean probability to `rate` (Newton's method)."""
    constant = float(logit(rate) - log_odds.mean())
    for _ in range(25):
        probability = expit(log_odds + constant)
        step = (rate - float(probability.mean())) / float((probability * (1 - probability)).mean())
        constant += float(np.clip(step, -2, 2))
        if abs(step) < 1e-9:
            break
    return constant
