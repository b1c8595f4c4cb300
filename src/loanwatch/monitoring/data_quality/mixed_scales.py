"""A part of a column on another scale: how much of it, and on which."""

from collections.abc import Sequence

import numpy as np

from loanwatch.monitoring.profile import NumericProfile
from loanwatch.records import record
from loanwatch.statistics import FloatArray, quantiles
from loanwatch.statistics.kolmogorov_smirnov import KOLMOGOROV_95

__all__ = ["PartOnScale", "part_on_scale"]

MINIMUM_ROWS = 30
SMALLEST_SHARE, NEARLY_ALL = 0.05, 0.95
"""A smaller part changes no more than honest drift does; a larger one is the whole column."""
SAME_SCALE = float(np.log(1.25))
"""Two factors whose logarithms are nearer than this are one: ten and twelve are hard to tell apart."""
SURE = 4.0
"""Standard errors of a Kolmogorov-Smirnov distance that the column has to have moved by."""
MISFIT = 0.05
"""Share of the change that a part on another scale may leave unexplained, beyond chance: the rest drifts a little."""
CLEARLY = 0.5
"""It leaves at most this much of what a change of scale of the whole column leaves."""
_OTHER_SCALES = (2.0, 3.0, 5.0, 6.0, 1 / 2, 1 / 3, 1 / 5, 1 / 6)
"""That no unit has: where a part on one of them explains more, people changed, not the unit."""
_POINTS = 200
_MIDDLE = np.arange(0.25, 0.751, 0.05)


@record
class PartOnScale:
    """A part of the values, times a factor."""

    factor: float
    share: float
    """Of the known values, in (0, 1]; 1 where it is nearly all of them."""


def part_on_scale(before: NumericProfile, ordered: FloatArray, factors: Sequence[float]) -> PartOnScale | None:
    """Find the factor and the share of values that explain how a column moved.

    The shares of values up to x are those of the reference, moved towards those of the scaled reference by the share of
    values concerned: one number that has to explain the change everywhere, better than another scale of the whole
    column does and than a part on a scale that no unit has.

    Parameters
    ----------
    before : NumericProfile
        Of the reference.
    ordered : ndarray of shape (n,), ascending
        The known values now.
    factors : sequence of float, above 0
        Of units.
    """
    if min(before.present, ordered.size) < MINIMUM_ROWS:
        return None
    noise = float(np.sqrt(1.0 / before.present + 1.0 / ordered.size))
    edges = before.edges.edges
    # Between values, never at one: scaled and scaled back it might be another by a rounding error.
    between = (edges[1:] + edges[:-1])[np.nextafter(edges[:-1], np.inf) < edges[1:]] / 2.0
    points = between[:: max(1, between.size // _POINTS)]
    size = float(np.abs(_shares(ordered, points) - before.shares_up_to(points)).max(initial=0.0))
    if size < max(SURE * noise, SMALLEST_SHARE / 2.0):  # nearly every column, nearly every time
        return None
    ratios = _ratios(before, ordered)
    best: tuple[float, float, float] | None = None
    for factor in factors:
        at = np.concatenate([points, points * np.sqrt(factor), points * factor])
        seen, usual = _shares(ordered, at), before.shares_up_to(at)
        share, left = _explained(before, seen - usual, usual, at, factor)
        allowed = MISFIT * float(np.abs(seen - usual).max()) + KOLMOGOROV_95 * noise
        if share < SMALLEST_SHARE or left > allowed:
            continue
        others = ratios[np.abs(np.log(ratios / factor)) > SAME_SCALE]
        as_a_whole = min(float(np.abs(seen - before.shares_up_to(at / ratio)).max()) for ratio in others)
        otherwise = min(_explained(before, seen - usual, usual, at, other)[1] for other in _OTHER_SCALES)
        if left <= CLEARLY * as_a_whole and left <= otherwise and (best is None or left < best[0]):
            best = left, factor, share
    if best is None:
        return None
    return PartOnScale(factor=best[1], share=best[2] if best[2] <= NEARLY_ALL else 1.0)


def _explained(
    before: NumericProfile, change: FloatArray, usual: FloatArray, at: FloatArray, factor: float
) -> tuple[float, float]:
    """Return the share of values that explains most of the change, and the largest difference that it leaves."""
    direction = before.shares_up_to(at / factor) - usual
    length = float(direction @ direction)
    share = float(np.clip(change @ direction / length, 0.0, 1.0)) if length > 0.0 else 0.0
    return share, float(np.abs(change - share * direction).max())


def _ratios(before: NumericProfile, ordered: FloatArray) -> FloatArray:
    """Return by what the middle of the column may have been multiplied; 1 is among them."""
    then, now = before.quantiles(_MIDDLE), quantiles(ordered, _MIDDLE)
    usable = (then > 0.0) & (now > 0.0) | (then < 0.0) & (now < 0.0)
    return np.append(now[usable] / then[usable], 1.0)


def _shares(ordered: FloatArray, values: FloatArray) -> FloatArray:
    return np.searchsorted(ordered, values, side="right") / ordered.size
