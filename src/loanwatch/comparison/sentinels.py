"""Numbers that stand for "not known", as exports write them."""

import numpy as np

from loanwatch.statistics import FloatArray, distinct, quantiles

__all__ = ["find_sentinels"]

_NINES = tuple(float("9" * digits) for digits in range(2, 13))
_EXTREMES = (2147483647.0, -2147483648.0, 1e10, 1e12)
_NONE = -1.0
_CANDIDATES = (*_NINES, *(-n for n in _NINES), *_EXTREMES, _NONE)
_FEWEST_ROWS = 5
_SMALLEST_SHARE = 0.0005
_FEWEST_OTHERS = 20
_FEWEST_VALUES = 5
"""Of a column with fewer other values −1 may be a code like them, as in −1, 0, 1."""


def find_sentinels(values: FloatArray) -> tuple[float, ...]:
    """Return the sentinels of a numeric column; cautious, since a value taken for one is no longer compared.

    A sentinel is written as nines (99 … 999,999,999,999, also negative), as the end of an integer's range or as −1,
    occurs again and again, and lies apart: beyond the other values by at least their own range; a negative one may also
    stand alone below values none of which is negative, and −1 has to, where there are five of them or more.

    Parameters
    ----------
    values : ndarray of shape (n,)

    Examples
    --------
    >>> scores = np.tile(np.arange(300.0, 850.0), 4)
    >>> find_sentinels(np.concatenate([scores, np.full(40, 9999.0)])), find_sentinels(np.arange(1000.0))
    ((9999.0,), ())
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ()
    within = [c for c in _CANDIDATES if finite.min() <= c <= finite.max()]
    candidates = [c for c in within if np.count_nonzero(finite == c) >= _fewest(finite.size)]
    others = finite[~np.isin(finite, candidates)]
    if not candidates or others.size < _FEWEST_OTHERS:
        return ()
    low, high = float(others.min()), float(others.max())
    # Nearly all of the others, lest one wild value hide a sentinel behind its own range.
    bulk = quantiles(others, [0.001, 0.999])
    span = max(float(bulk[1] - bulk[0]), 1e-9)
    above = [c for c in candidates if c > high and c > bulk[1] + span]
    below = [c for c in candidates if c < low and (low >= 0 or c < bulk[0] - span)]
    if _NONE in below and (low < 0 or distinct(others).size < _FEWEST_VALUES):
        below.remove(_NONE)
    return tuple(sorted(above + below))


def _fewest(rows: int) -> float:
    return max(_FEWEST_ROWS, _SMALLEST_SHARE * rows)
