"""Sums of products of normal scores: the correlation matrix of a window, mergeable."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from loanwatch.records import record
from loanwatch.statistics import FloatArray

__all__ = ["ScoreMoments"]

_BLOCK_ROWS = 2_048
"""Their powers stay in a core's own cache."""

_SUMS = {
    "rows": (0, 0),
    "x": (1, 0),
    "xx": (2, 0),
    "xy": (1, 1),
    "xxx": (3, 0),
    "xxxx": (4, 0),
    "xxy": (2, 1),
    "xxxy": (3, 1),
    "xxyy": (2, 2),
}
"""Powers of x and y in each sum of their products."""


@record(eq=False)
class ScoreMoments:
    """Sums over the rows in which both columns i, j of a pair are known; x is column i, y is column j."""

    names: tuple[str, ...]
    sums: FloatArray
    """Shape (9, n_columns, n_columns): rows, Σx, Σx², Σxy, Σx³, Σx⁴, Σx²y, Σx³y, Σx²y²."""

    @classmethod
    def of(cls, names: tuple[str, ...], scores: FloatArray) -> Self:
        """Sum the products of normal scores.

        Parameters
        ----------
        names : tuple of str
        scores : ndarray of shape (n_rows, n_columns)
            NaN where a column is not known.
        """
        n = len(names)
        low, high = np.zeros((3 * n, 3 * n)), np.zeros((2 * n, 2 * n))
        powers = np.empty((5, n, _BLOCK_ROWS))  # known (1 or 0), x, x², x³, x⁴
        for start in range(0, len(scores), _BLOCK_ROWS):
            block = scores[start : start + _BLOCK_ROWS].T
            power = powers[:, :, : block.shape[1]]
            np.isfinite(block, out=power[0])
            np.copyto(power[1], np.where(power[0] > 0, block, 0.0))
            for exponent in (2, 3, 4):
                np.multiply(power[exponent - 1], power[1], out=power[exponent])
            flat = power.reshape(5 * n, -1)
            low += flat[: 3 * n] @ flat[: 3 * n].T
            high += flat[3 * n :] @ flat[: 2 * n].T
        of_low, of_high = low.reshape(3, n, 3, n), high.reshape(2, n, 2, n)
        sums = [of_low[p, :, q] if p < 3 else of_high[p - 3, :, q] for p, q in _SUMS.values()]
        return cls(names=names, sums=np.stack(sums))

    def merge(self, other: Self) -> Self:
        """Add the sums of two windows.

        Raises
        ------
        ValueError
            If the columns differ.
        """
        if self.names != other.names:
            raise ValueError("correlations of different columns cannot be merged")
        return type(self)(names=self.names, sums=self.sums + other.sums)

    @property
    def rows(self) -> FloatArray:
        """Rows in which both columns are known, shape (n_columns, n_columns)."""
        return np.asarray(self.sums[0])

    @cached_property
    def correlations(self) -> FloatArray:
        """Correlation of each pair; `nan` where a column is constant or fewer than 2 rows are shared."""
        c = self._central
        with np.errstate(divide="ignore", invalid="ignore"):
            r = np.where(self._usable, c["xy"] / np.sqrt(c["xx"] * c["xx"].T), np.nan)
        return np.clip(r, -1.0, 1.0)

    @cached_property
    def kurtosis_factors(self) -> FloatArray:
        r"""N times the variance of artanh r, without assuming normal variables, shape (n_columns, n_columns).

        From the fourth moments of the standardised pair (x, y), κ = (μ22 − r(μ31 + μ13) + r²(μ40 + μ04 + 2μ22)/4) ÷
        (1 − r²)². It is 1 for a bivariate normal pair (Steiger and Hakstian 1982).
        """
        c, r = self._central, self.correlations
        with np.errstate(divide="ignore", invalid="ignore"):
            sx, sy = np.sqrt(c["xx"]), np.sqrt(c["xx"].T)
            m22 = c["xxyy"] / (sx * sy) ** 2
            m31, m13 = c["xxxy"] / (sx**3 * sy), c["xxxy"].T / (sx * sy**3)
            m40, m04 = c["xxxx"] / sx**4, c["xxxx"].T / sy**4
            variance = m22 - r * (m31 + m13) + r**2 * (m40 + m04 + 2 * m22) / 4
            return np.asarray(np.where(self._usable, variance / np.maximum(1 - r**2, 1e-6) ** 2, np.nan))

    @cached_property
    def kurtosis(self) -> FloatArray:
        """Kurtosis of column i over the rows shared with column j, 3 for a normal one; `nan` where it is constant."""
        spread = self._central["xx"]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(self._usable, self._central["xxxx"] / spread**2, np.nan))

    @cached_property
    def _usable(self) -> npt.NDArray[np.bool_]:
        spread = self._central["xx"]
        return np.asarray((self.rows > 1) & (spread > 1e-9) & (spread.T > 1e-9))

    @cached_property
    def _central(self) -> Mapping[str, FloatArray]:
        """Central moments per shared row."""
        n = np.maximum(self.rows, 1.0)
        raw = {name: self.sums[position] / n for position, name in enumerate(_SUMS)}
        a = raw["x"]
        b = a.T
        xxy, xyy = raw["xxy"], raw["xxy"].T
        x2, y2, xy = raw["xx"], raw["xx"].T, raw["xy"]
        return {
            "xx": x2 - a**2,
            "xy": xy - a * b,
            "xxxx": raw["xxxx"] - 4 * a * raw["xxx"] + 6 * a**2 * x2 - 3 * a**4,
            "xxxy": raw["xxxy"] - 3 * a * xxy + 3 * a**2 * xy - b * raw["xxx"] + 3 * a * b * x2 - 3 * a**3 * b,
            "xxyy": raw["xxyy"] - 2 * b * xxy - 2 * a * xyy + b**2 * x2 + a**2 * y2 + 4 * a * b * xy - 3 * a**2 * b**2,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return built-in types only."""
        return {"names": list(self.names), "sums": self.sums.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned, also after a round trip through JSON."""
        size = len(values["names"])
        sums = np.asarray(values["sums"], dtype=np.float64).reshape(len(_SUMS), size, size)
        return cls(names=tuple(values["names"]), sums=sums)
