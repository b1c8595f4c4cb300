"""A stream of outcomes with stated probabilities: the row at which they can no longer be believed."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.statistics.special import logit

__all__ = ["Alarm", "sequential_evidence", "sound_alarm"]

_SHIFTS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
_SLOPES = (1.0, 0.5, 0.0, -0.5)
"""Laws after a change: log-odds = shift + slope × log-odds. The nearest lies half a unit from "no change": a model
that is a little off gathers no evidence, as it is still nearer to its own law than to a changed one."""
_SMALLEST = 1e-6


@record
class Alarm:
    """Where the evidence passed the limit; positions count rows from 0."""

    position: int
    """The row whose label raised the alarm."""
    started: int
    """The first row that most likely followed the new law, judged by the rows up to the alarm."""
    evidence: float
    """Log of the e-detector at the alarm, in nats."""


def sequential_evidence(
    label: NDArray[np.bool_],
    probability: NDArray[np.float64],
    *,
    lower: NDArray[np.float64] | None = None,
    upper: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the log of the Shiryaev–Roberts e-detector after each row.

    For each changed law, Σ over starts k ≤ n of the likelihood ratio of rows k … n; then the mean over the laws. While
    the probabilities hold its mean after n rows is at most n. Where a probability is only known to lie between `lower`
    and `upper`, a changed law is compared with the nearest of them, and says nothing where it lies between them.

    Source: J. Shin, A. Ramdas and A. Rinaldo, "E-detectors: a nonparametric framework for sequential change
    detection", New England Journal of Statistics in Data Science 2 (2024); S. W. Roberts, Technometrics 8 (1966).

    Parameters
    ----------
    label : ndarray of shape (n,), bool
        In order of time.
    probability : ndarray of shape (n,), in [0, 1]
        P(label) as it was stated beforehand; cut to [1e-6, 1 − 1e-6].
    lower, upper : ndarray of shape (n,), in [0, 1], optional
        Around `probability`; by default it is known exactly.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> evidence = sequential_evidence(np.array([True] * 5 + [False] * 50), np.full(55, 0.9))
    >>> bool(evidence[4] < 2.0), bool(evidence[-1] > 50.0)
    (True, True)
    """
    laws = _log_ratios(
        label, probability, probability if lower is None else lower, probability if upper is None else upper
    )
    total = np.full(label.size, -np.inf)
    for ratios in laws:
        ahead = np.cumsum(ratios)
        starts = np.logaddexp.accumulate(np.concatenate([[0.0], -ahead[:-1]])) if label.size else ahead
        total = np.logaddexp(total, ahead + starts)
    evidence: NDArray[np.float64] = total - np.log(len(laws))
    return evidence


def sound_alarm(
    label: NDArray[np.bool_],
    probability: NDArray[np.float64],
    *,
    false_alarm_rate: float,
    lower: NDArray[np.float64] | None = None,
    upper: NDArray[np.float64] | None = None,
) -> Alarm | None:
    """Return the first row at which the evidence passes n / `false_alarm_rate`, or None.

    While the probabilities hold this happens in at most that share of streams of n rows (Doob's inequality), at
    whatever row one looks.

    Parameters
    ----------
    label : ndarray of shape (n,), bool
    probability : ndarray of shape (n,), in [0, 1]
    false_alarm_rate : float in (0, 1)
    lower, upper : ndarray of shape (n,), in [0, 1], optional
        As for `sequential_evidence`.

    Examples
    --------
    >>> alarm = sound_alarm(np.array([True] * 50 + [False] * 50), np.full(100, 0.9), false_alarm_rate=0.01)
    >>> alarm.started, 50 < alarm.position < 60
    (50, True)
    """
    lower = probability if lower is None else lower
    upper = probability if upper is None else upper
    evidence = sequential_evidence(label, probability, lower=lower, upper=upper)
    past = np.flatnonzero(evidence >= np.log(max(label.size, 1) / false_alarm_rate))
    if not past.size:
        return None
    position = int(past[0])
    until = slice(position + 1)
    return Alarm(
        position=position,
        started=_likeliest_start(_log_ratios(label[until], probability[until], lower[until], upper[until])),
        evidence=float(evidence[position]),
    )


def _log_ratios(
    label: NDArray[np.bool_],
    probability: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> list[NDArray[np.float64]]:
    """Return, for each changed law, the log-likelihood ratio of each row over the nearest law without change."""
    usual, low, high = (logit(np.clip(p, _SMALLEST, 1.0 - _SMALLEST)) for p in (probability, lower, upper))
    sign = np.where(label, -1.0, 1.0)
    laws = [shift + slope * usual for slope in _SLOPES for shift in _SHIFTS if (slope, shift) != (1.0, 0.0)]
    return [np.logaddexp(0.0, sign * np.clip(law, low, high)) - np.logaddexp(0.0, sign * law) for law in laws]


def _likeliest_start(laws: list[NDArray[np.float64]]) -> int:
    """Return the start of the run of rows, up to the last, that speaks most for any of the laws."""
    suffixes = [np.cumsum(ratios[::-1])[::-1] for ratios in laws]
    best = max(suffixes, key=lambda s: float(s.max()))
    return int(best.argmax())
