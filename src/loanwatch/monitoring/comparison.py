"""Whether a new model replaces the deployed one."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from loanwatch.contract import Policy
from loanwatch.errors import NotEnoughDataError
from loanwatch.monitoring.result import Measurement
from loanwatch.monitoring.scored_arrays import checked_labels, checked_probabilities
from loanwatch.records import record
from loanwatch.statistics.binomial import wilson
from loanwatch.statistics.delong import Difference, delong_estimate, delong_paired_difference
from loanwatch.statistics.estimate import Estimate
from loanwatch.statistics.mean_loss import brier_losses, mean_estimate

__all__ = ["Comparison", "Swap", "compare_champion"]

Winner = Literal["champion", "challenger"]


@record
class Swap:
    """Applications that the two models decide differently."""

    rows: int
    positive_rate: float | None
    """Share of them with the positive label; None without rows."""
    lower: float | None
    upper: float | None


@record
class Comparison:
    """Which model to deploy, and the evidence."""

    winner: Winner
    reason: str
    """One sentence for a risk officer."""
    measurements: tuple[Measurement, ...]
    """`champion_auc`, `challenger_auc`, `auc_difference` and `brier_difference` (challenger − champion),
    `train_test_degradation`."""
    swap_set: Mapping[str, Swap]
    """`given_to_refused` and `refused_to_given`: decided positive by the champion and negative by the challenger, and
    the other way round."""

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only, ready for JSON."""
        return asdict(self)


def compare_champion(
    *,
    label: NDArray[np.bool_],
    champion_probability: NDArray[np.float64],
    challenger_probability: NDArray[np.float64],
    challenger_train_auc: float,
    policy: Policy,
    threshold: float = 0.5,
) -> Comparison:
    """Compare two models on the same held-out rows; in doubt the champion stays.

    The challenger wins where its AUC is higher and the 95 % interval of the paired difference (DeLong) excludes 0; or
    where the champion is below `policy.minimum_auc` and the challenger is not; or where the AUCs cannot be told
    apart and its probabilities are closer to what happened (paired interval of the Brier difference below 0), as after
    a change of level that leaves the order of the applicants alone. An AUC that fell by more than
    `policy.maximum_degradation` from training to the held-out rows disqualifies it.

    Parameters
    ----------
    label : ndarray of shape (n,), bool
    champion_probability, challenger_probability : ndarray of shape (n,), in [0, 1]
        Of the same rows, which neither model has seen.
    challenger_train_auc : float in [0, 1]
        The challenger's AUC on its own training rows.
    policy : Policy
    threshold : float in [0, 1]
        A probability at or above it is a positive decision.

    Returns
    -------
    Comparison

    Raises
    ------
    NotEnoughDataError
        If the held-out rows have fewer than two of a class.
    LoanwatchError
        If the lengths differ, or a probability is outside [0, 1].

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> good = generator.beta(2, 1, 2_000)
    >>> comparison = compare_champion(
    ...     label=generator.random(2_000) < good, champion_probability=np.full(2_000, 0.66),
    ...     challenger_probability=good, challenger_train_auc=0.81, policy=Policy(),
    ... )
    >>> comparison.winner
    'challenger'
    """
    champion_probability = checked_probabilities(champion_probability)
    challenger_probability = checked_probabilities(challenger_probability)
    label = checked_labels(label, champion_probability.size)
    checked_labels(label, challenger_probability.size)
    if min(int(label.sum()), int((~label).sum())) < 2:
        raise NotEnoughDataError(
            f"models are compared on held-out rows of both classes; of {label.size} rows {int(label.sum())} "
            "are positive"
        )
    champion, challenger = delong_estimate(label, champion_probability), delong_estimate(label, challenger_probability)
    difference = delong_paired_difference(label, challenger_probability, champion_probability)
    brier = mean_estimate(brier_losses(label, challenger_probability) - brier_losses(label, champion_probability))
    winner, reason = _judge(
        champion.value, challenger.value, difference, brier, train_auc=challenger_train_auc, policy=policy
    )
    return Comparison(
        winner=winner,
        reason=reason,
        measurements=_measurements(
            champion, challenger, difference, brier, degradation=challenger_train_auc - challenger.value, n=label.size
        ),
        swap_set={
            "given_to_refused": _swap(
                label, (champion_probability >= threshold) & (challenger_probability < threshold)
            ),
            "refused_to_given": _swap(
                label, (champion_probability < threshold) & (challenger_probability >= threshold)
            ),
        },
    )


def _judge(
    champion: float, challenger: float, difference: Difference, brier: Estimate, *, train_auc: float, policy: Policy
) -> tuple[Winner, str]:
    degradation = train_auc - challenger
    both = f"AUC {challenger:.3f} against {champion:.3f} on the same held-out applications"
    interval = f"difference {difference.value:+.3f}, 95 % interval {difference.lower:+.3f} to {difference.upper:+.3f}"
    if degradation > policy.maximum_degradation:
        return "champion", (
            f"The new model loses {degradation:.3f} of AUC between training ({train_auc:.3f}) and held-out "
            f"applications ({challenger:.3f}); at most {policy.maximum_degradation:.3f} is allowed."
        )
    if champion < policy.minimum_auc <= challenger:
        return "challenger", (
            f"The deployed model is below the bar of {policy.minimum_auc:.2f} and the new one is not: {both}."
        )
    if difference.lower > 0:
        return "challenger", f"The new model is better: {both} ({interval})."
    if difference.upper >= 0 and brier.upper < 0:
        return "challenger", (
            f"The new model orders applicants as well ({both}; {interval}) and its probabilities are closer to what "
            f"happened (Brier score {brier.value:+.4f}, 95 % interval {brier.lower:+.4f} to {brier.upper:+.4f})."
        )
    if difference.upper < 0:
        return "champion", f"The deployed model is better: {both} ({interval})."
    return "champion", f"The new model is not shown to be better: {both} ({interval})."


def _measurements(
    champion: Estimate, challenger: Estimate, difference: Difference, brier: Estimate, *, degradation: float, n: int
) -> tuple[Measurement, ...]:
    named = (
        ("champion_auc", champion),
        ("challenger_auc", challenger),
        ("auc_difference", difference),
        ("brier_difference", brier),
    )
    return (
        *(
            Measurement(
                name=name,
                value=found.value,
                lower=found.lower,
                upper=found.upper,
                p_value=found.p_value if isinstance(found, Difference) else None,
                n_current=n,
            )
            for name, found in named
        ),
        Measurement(name="train_test_degradation", value=float(degradation), n_current=n),
    )


def _swap(label: NDArray[np.bool_], swapped: NDArray[np.bool_]) -> Swap:
    rows = int(swapped.sum())
    if not rows:
        return Swap(rows=0, positive_rate=None, lower=None, upper=None)
    share = wilson(int(label[swapped].sum()), rows)
    return Swap(rows=rows, positive_rate=share.value, lower=share.lower, upper=share.upper)
