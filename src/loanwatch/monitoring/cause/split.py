"""The change of expected loss, split into moved features and a changed relation.

Source: T. Cai, H. Namkoong and S. Yadlowsky, "Diagnosing model performance under distribution shift", 2023
(arXiv 2303.02011), with the outcome-model form of the first term.
"""

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Contract
from loanwatch.monitoring.performance.holdout_relation import HoldOutRelation
from loanwatch.monitoring.result import Measurement
from loanwatch.monitoring.scored_window import ScoredWindow
from loanwatch.records import record
from loanwatch.statistics.estimate import Z_95

__all__ = ["LossSplit", "split_loss"]

_MOST_ROWS = 100_000
"""Of each window, evenly taken."""


@record
class LossSplit:
    """Change of the mean Brier loss from the hold-out to the window; features + relation = total."""

    features: Measurement
    """What the moved features explain: the hold-out's relation between features and label, applied to both windows."""
    relation: Measurement | None
    """What is left: realised minus expected. None without labels."""
    total: Measurement | None


def split_loss(
    reference: ScoredWindow,
    current: ScoredWindow,
    contract: Contract,
    *,
    with_labels: bool = True,
    relation: HoldOutRelation | None = None,
) -> LossSplit:
    """Split the change of loss.

    Parameters
    ----------
    reference : ScoredWindow
        The hold-out, labelled.
    current : ScoredWindow
        The applications of the window whose label may be judged; all of them without labels.
    contract : Contract
        Names the predictors.
    with_labels : bool
        False leaves out what needs the window's labels.
    relation : HoldOutRelation, optional
        Of the hold-out; fitted where not given.

    Returns
    -------
    LossSplit
        Intervals cover 95 %: chance in both windows, and the error of the hold-out's relation.
    """
    reference, current = reference.thinned(_MOST_ROWS), current.thinned(_MOST_ROWS)
    relation = relation or HoldOutRelation.fit(reference, contract)
    reference = reference.beside(current)
    first, second = _Expected.of(relation, reference), _Expected.of(relation, current)
    gradient = second.gradient - first.gradient
    uncertain = float(gradient @ relation.covariance @ gradient)
    features = _difference("loss_from_features", first.loss, second.loss, extra=uncertain)
    if not with_labels:
        return LossSplit(features=features, relation=None, total=None)
    surprise = [_surprise(w, e) for w, e in ((reference, first), (current, second))]
    realised = [(w.label - w.probability) ** 2 for w in (reference, current)]
    return LossSplit(
        features=features,
        relation=_difference("loss_from_relation", *surprise, extra=uncertain),
        total=_difference("loss_change", *realised),
    )


@record
class _Expected:
    probability: NDArray[np.float64]
    loss: NDArray[np.float64]
    """Shape (n,): q (1 − p)² + (1 − q) p²."""
    gradient: NDArray[np.float64]
    """Of the mean loss, by the coefficients of the hold-out's relation."""

    @classmethod
    def of(cls, relation: HoldOutRelation, window: ScoredWindow) -> "_Expected":
        design = relation.design(window)
        p, q = window.probability, relation.probability(window, design)
        slope = (1.0 - 2.0 * p) * q * (1.0 - q)
        return cls(probability=q, loss=q * (1.0 - p) ** 2 + (1.0 - q) * p**2, gradient=design.T @ slope / p.size)


def _surprise(window: ScoredWindow, expected: _Expected) -> NDArray[np.float64]:
    """Return the realised loss of each row minus the expected one."""
    surprise: NDArray[np.float64] = (window.label - expected.probability) * (1.0 - 2.0 * window.probability)
    return surprise


def _difference(name: str, before: NDArray[np.float64], now: NDArray[np.float64], *, extra: float = 0.0) -> Measurement:
    value = float(now.mean() - before.mean())
    error = float(np.sqrt(now.var() / now.size + before.var() / before.size + extra))
    return Measurement(
        name=name,
        value=value,
        lower=value - Z_95 * error,
        upper=value + Z_95 * error,
        n_reference=before.size,
        n_current=now.size,
    )
