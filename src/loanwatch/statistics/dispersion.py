"""Over-dispersion of blocks of days: how much more than chance the reference itself varies."""

import numpy as np
import numpy.typing as npt

from loanwatch.statistics.chi_square import chi_square_p, chi_square_quantile
from loanwatch.statistics.counts import FloatArray
from loanwatch.statistics.ranks import quantiles
from loanwatch.statistics.special import fdtri, kolmogi

__all__ = ["block_dispersion", "ordered_block_dispersion"]

_MINIMUM_BLOCKS = 4
_HETEROGENEITY_LEVEL = 0.01
_QUANTILE = 0.9
"""A weekday is 14 % of all days: the upper tenth sees every weekday that differs from the others."""
_KOLMOGOROV_DEGREES = 5
"""Of the χ² whose spread, relative to its mean, is that of the squared Kolmogorov-Smirnov distance."""
_TAIL_LEVEL = 1e-3
"""About where verdicts are decided, after the correction over the columns."""


def block_dispersion(
    daily_counts: npt.ArrayLike,
    *,
    block_days: int = 1,
    minimum_rows: int = 30,
    weekday: npt.ArrayLike | None = None,
) -> float:
    r"""Return the variance inflation φ of the shares in blocks of consecutive days.

    Each block of `block_days` consecutive days is compared with the other days by Pearson's X². Under independent
    rows X² is χ² with B − 1 degrees of freedom; φ is the greater of two ratios, but at least 1: of the upper-tenth
    quantiles of the two, and of their upper thousandths. The blocks are too few to show the latter: it is that of
    m·F(h, h(K − 1)) for K blocks with mean m and variance v of X², where h = 2m²/v is between 1 and B − 1. Days
    that differ in one way, such as a higher level, have h near 1 and a far longer tail than χ² with B − 1.

    .. math:: \varphi = \max\left(1, \frac{Q_{0.9}(X^2)}{\chi^2_{B-1, 0.9}},
        \frac{m F_{h, h(K-1), 0.999}}{\chi^2_{B-1, 0.999}}\right)

    It is 1 where the blocks, side by side, differ no more than chance lets them, nor all Mondays from all Tuesdays and
    so on (X² of homogeneity, p > 0.01), since a ratio read off a handful of blocks is noise. Weekends among many small
    blocks show in the second only; blocks of whole weeks hold every weekday alike, and are spared it. A statistic
    divided by φ calls a block remarkable only if the reference's own blocks are not like that.

    Parameters
    ----------
    daily_counts : array_like of shape (n_days, n_bins), >= 0
        Rows of each day in each bin, days in order.
    block_days : int, >= 1
        Length of the window to be judged; shortened so that the reference holds at least four blocks.
    minimum_rows : int
        Blocks with fewer rows say nothing.
    weekday : array_like of shape (n_days,), int in [0, 7), optional
        Of each day.

    Returns
    -------
    float
        At least 1; exactly 1 where the reference has fewer than four days or two bins to learn from.

    References
    ----------
    McCullagh and Nelder, Generalized Linear Models (1989), section 4.5, for the heterogeneity factor. Satterthwaite
    (1946), An approximate distribution of estimates of variance components, Biometrics Bulletin 2, for h.

    Examples
    --------
    >>> block_dispersion([[50, 50], [50, 50], [50, 50], [50, 50], [50, 50]])
    1.0
    """
    found = _uneven_blocks(daily_counts, block_days, minimum_rows, weekday)
    if found is None:
        return 1.0
    blocks, rest, apart = found
    totals = blocks[0] + rest[0]
    pooled = _pool(blocks, totals)
    degrees = pooled.shape[1] - 1
    return _inflation(
        _pearson(pooled, _pool(rest, totals)),
        apart,
        degrees=degrees,
        upper_tenth=chi_square_quantile(_QUANTILE, degrees),
        upper_thousandth=chi_square_quantile(1 - _TAIL_LEVEL, degrees),
    )


def ordered_block_dispersion(
    daily_counts: npt.ArrayLike,
    *,
    block_days: int = 1,
    minimum_rows: int = 30,
    weekday: npt.ArrayLike | None = None,
) -> float:
    """Return the same for the squared Kolmogorov-Smirnov distance of bins that have an order.

    A shift on some days moves that distance far more than it moves X², which looks at every bin for itself. Parameters
    and result are those of `block_dispersion`.

    Examples
    --------
    >>> weekends = [[8, 9, 10, 11, 12] if day % 7 > 4 else [12, 11, 10, 9, 8] for day in range(70)]
    >>> ordered_block_dispersion(weekends, block_days=2) >= block_dispersion(weekends, block_days=2)
    True
    """
    found = _uneven_blocks(daily_counts, block_days, minimum_rows, weekday)
    if found is None:
        return 1.0
    blocks, rest, apart = found
    n, m = blocks.sum(axis=1), rest.sum(axis=1)
    distance = np.abs(np.cumsum(blocks, axis=1) / n[:, None] - np.cumsum(rest, axis=1) / m[:, None]).max(axis=1)
    return _inflation(
        distance**2 * n * m / (n + m),
        apart,
        degrees=_KOLMOGOROV_DEGREES,
        upper_tenth=kolmogi(1 - _QUANTILE) ** 2,
        upper_thousandth=kolmogi(_TAIL_LEVEL) ** 2,
    )


def _uneven_blocks(
    daily_counts: npt.ArrayLike, block_days: int, minimum_rows: int, weekday: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, int] | None:
    """Return the counts of each block, of its other days, and how many blocks share no day; None of even days."""
    days = np.asarray(daily_counts, dtype=np.float64)
    if days.ndim != 2:
        raise ValueError(f"daily counts need shape (n_days, n_bins), got {days.shape}")
    held = days.sum(axis=1) > 0
    days = days[held]
    length = max(1, min(block_days, days.shape[0] // _MINIMUM_BLOCKS))
    if days.shape[0] < _MINIMUM_BLOCKS:
        return None
    cumulative = np.concatenate([np.zeros((1, days.shape[1])), np.cumsum(days, axis=0)])
    blocks, totals = cumulative[length:] - cumulative[:-length], cumulative[-1]
    rest = totals - blocks
    usable = (blocks.sum(axis=1) >= minimum_rows) & (rest.sum(axis=1) >= minimum_rows)
    blocks, rest = blocks[usable], rest[usable]
    pooled = _pool(blocks, totals)
    if pooled.shape[1] < 2 or len(blocks) < _MINIMUM_BLOCKS:
        return None
    if _homogeneous(pooled[::length]) and (
        weekday is None or length % 7 == 0 or _homogeneous(_by_weekday(days, np.asarray(weekday)[held]))
    ):
        return None
    return blocks, rest, -(-len(blocks) // length)  # rounded up: blocks that share a day are not independent


def _inflation(
    statistics: FloatArray, apart: int, *, degrees: int, upper_tenth: float, upper_thousandth: float
) -> float:
    """Return how far the statistics of the blocks lie above those of independent rows, in their upper tail."""
    seen = float(quantiles(statistics, [_QUANTILE])[0]) / upper_tenth
    return max(1.0, seen, _tail(statistics, apart, degrees) / upper_thousandth)


def _by_weekday(days: FloatArray, weekday: npt.NDArray[np.intp]) -> FloatArray:
    """Add up the days of each weekday that there are two of, or more; the others say nothing of the weekday."""
    often = np.flatnonzero(np.bincount(weekday, minlength=7) >= 2)
    summed = np.array([days[weekday == each].sum(axis=0) for each in often]).reshape(often.size, days.shape[1])
    return _pool(summed, days.sum(axis=0))


def _tail(statistics: FloatArray, blocks: int, degrees: int) -> float:
    """Return the upper `_TAIL_LEVEL` of what the next block's X² may be, extrapolated from mean and variance."""
    mean, variance = float(statistics.mean()), float(statistics.var(ddof=1))
    shape = float(np.clip(2 * mean**2 / variance, 1, degrees)) if variance > 0 else float(degrees)
    return mean * float(fdtri(shape, shape * max(blocks - 1, 1), 1 - _TAIL_LEVEL))


def _homogeneous(blocks: FloatArray) -> bool:
    """Return whether blocks that do not overlap differ no more than chance lets them."""
    if blocks.shape[0] < 2:
        return True
    total = blocks.sum(axis=0)
    expected = blocks.sum(axis=1, keepdims=True) * total / total.sum()
    statistic = np.divide((blocks - expected) ** 2, expected, out=np.zeros_like(expected), where=expected > 0).sum()
    degrees = (blocks.shape[0] - 1) * (int((total > 0).sum()) - 1)
    return degrees < 1 or chi_square_p(float(statistic), degrees) > _HETEROGENEITY_LEVEL


def _pool(blocks: FloatArray, totals: FloatArray) -> FloatArray:
    """Put the bins that hold under 1 % of the rows into one: X² of a rare bin is mostly noise."""
    rare = totals < 0.01 * max(totals.sum(), 1.0)
    if not rare.any():
        return blocks
    pooled = blocks[:, rare].sum(axis=1, keepdims=True)
    return np.concatenate([blocks[:, ~rare], pooled], axis=1) if totals[rare].sum() > 0 else blocks[:, ~rare]


def _pearson(blocks: FloatArray, rest: FloatArray) -> FloatArray:
    n, m = blocks.sum(axis=1, keepdims=True), rest.sum(axis=1, keepdims=True)
    pooled = (blocks + rest) / (n + m)
    spread = pooled * (1.0 / n + 1.0 / m)
    difference = (blocks / n - rest / m) ** 2
    return np.asarray(np.sum(np.divide(difference, spread, out=np.zeros_like(spread), where=spread > 0), axis=1))
