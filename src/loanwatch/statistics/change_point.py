"""The moment at which a stream began to follow another law: the CUSUM of log-likelihood ratios."""

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record

__all__ = ["ChangePoint", "locate_change"]

_PLAUSIBLE = 3.0


@record
class ChangePoint:
    """Where the change most likely lies; positions count rows from 0."""

    position: int
    """The first row that follows the new law."""
    earliest: int
    """The likelihood of every position from here to `latest` is within a factor e³ of the best one's."""
    latest: int
    evidence: float
    """Log-likelihood ratio of "changed at `position`" over "never changed", in nats; 0 or more."""


def locate_change(log_ratio: NDArray[np.float64]) -> ChangePoint:
    """Return the position k that maximises the sum of the log-likelihood ratios from k on.

    Source: E. S. Page, "Continuous inspection schemes", Biometrika 41 (1954); D. Siegmund, "Sequential Analysis", 1985.

    Parameters
    ----------
    log_ratio : ndarray of shape (n,)
        Of each row in order of time: log of the likelihood after the change over that before it.

    Returns
    -------
    ChangePoint
        `position` is n, with evidence 0, where no suffix speaks for a change.

    Examples
    --------
    >>> locate_change(np.array([-1.0, -1.0, 2.0, -0.5, 2.0])).position
    2
    """
    suffix = np.append(np.cumsum(log_ratio[::-1])[::-1], 0.0)
    position = int(suffix.argmax())
    plausible = np.flatnonzero(suffix >= suffix[position] - _PLAUSIBLE)
    return ChangePoint(
        position=position,
        earliest=int(plausible[0]),
        latest=int(plausible[-1]),
        evidence=float(suffix[position]),
    )
