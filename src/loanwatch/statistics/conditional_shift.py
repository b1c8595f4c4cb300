"""Whether E[residual | features] moved between two samples, and along which feature.

Both samples follow one additive logistic regression on all binned features with the model's log-odds as offset, which
takes up what the model gets wrong in both of them; the question is whether the second sample needs terms of its own.
Samples with other features but the same relation therefore do not differ. What is not additive is balanced by weights
that make the features of both samples alike. The tests are Rao's score tests (C. R. Rao, Mathematical Proceedings of
the Cambridge Philosophical Society 44, 1948) at one Newton step from the offset, with the dispersion estimated and the
variance of weighted sums (H. White, Econometrica 48, 1980).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from loanwatch.records import record
from loanwatch.statistics.special import fdtrc

__all__ = ["BlockTest", "ConditionalShift", "additive_effects"]

_RANK_TOLERANCE = 1e-5
_BLOCK_ROWS = 1_024


@record
class BlockTest:
    """The test of one block of terms."""

    statistic: float
    """χ² distributed with `degrees` where nothing changed."""
    degrees: int
    p_value: float
    effect: NDArray[np.float64]
    """Shape (bins,): the change of the log-odds in each bin, up to a constant."""
    covariance: NDArray[np.float64]
    """Shape (bins, bins)."""

    @property
    def strength(self) -> float:
        """The statistic as a standard normal deviate (Wilson and Hilferty 1931); orders where p-values underflow."""
        if not self.degrees:
            return float("-inf")
        spread = 2.0 / (9.0 * self.degrees)
        return float(((self.statistic / self.degrees) ** (1 / 3) - (1 - spread)) / spread**0.5)


class ConditionalShift:
    """The regression, ready to be asked about blocks of terms.

    Parameters
    ----------
    codes : ndarray of shape (n, features), int
        The bin of each row in each feature, rows of both samples together.
    bins : sequence of int
        Number of bins of each feature.
    testable : sequence of int
        The first so many bins of each feature are compared.
    residual : ndarray of shape (n,)
        label − probability.
    variance : ndarray of shape (n,)
        Variance of the residual up to a common factor, above 0: p (1 − p), or an estimate that trusts p less.
    changed : ndarray of shape (n,), bool
        True for the rows of the second sample.
    weight : ndarray of shape (n,), optional
        How much each row counts, 0 or more; by default all alike.
    """

    def __init__(
        self,
        *,
        codes: NDArray[np.intp],
        bins: Sequence[int],
        testable: Sequence[int],
        residual: NDArray[np.float64],
        variance: NDArray[np.float64],
        changed: NDArray[np.bool_],
        weight: NDArray[np.float64] | None = None,
    ) -> None:
        weight = np.ones(residual.size) if weight is None else weight
        starts = np.concatenate([[0], np.cumsum(bins)]).astype(np.intp)
        width = int(starts[-1]) + 1  # the last column is the intercept
        self._blocks = [np.arange(s, s + t) for s, t in zip(starts[:-1], testable, strict=True)]
        columns = np.column_stack([codes + starts[:-1], np.full(residual.size, width - 1)])
        samples = [(columns[m], residual[m], variance[m], weight[m]) for m in (~changed, changed)]
        even = bool((weight == 1.0).all())
        with ThreadPoolExecutor(2) as pool:  # nearly all of the time goes into these products
            products = [
                [pool.submit(_cross_product, rows, w**power * v, width) for power in ((1,) if even else (1, 2))]
                for rows, _, v, w in samples
            ]
            grams, meats = zip(*((each[0].result(), each[-1].result()) for each in products), strict=True)
        moments = [_moment(rows, w * r, width) for rows, r, _, w in samples]
        self._gram, self._meat = _own_and_common(grams), _own_and_common(meats)
        self._moment = np.concatenate([moments[1], moments[0] + moments[1]])
        self._diagonal = self._gram.diagonal().copy()
        self._level = np.array([width - 1])
        unexplained = float((weight * residual**2 / variance).sum())
        explained, spent = self._sweep(np.arange(width, 2 * width))
        self._freedom = max(residual.size - spent, 1)
        self.dispersion = max((unexplained - explained) / max(float(weight.sum()) - spent, 1.0), 1.0)
        """Variance of the residuals over the `variance` given; never below 1, which only makes the tests careful."""

    def level(self) -> BlockTest:
        """Test whether the log-odds moved as a whole."""
        return self._test(self._level, None)

    def condition_on_level(self) -> None:
        """From here on, ask only what goes beyond a common change of level."""
        self._sweep(self._level)

    def block(self, feature: int, direction: NDArray[np.float64] | None = None) -> BlockTest:
        """Test whether the log-odds moved differently in the bins of a feature.

        Parameters
        ----------
        feature : int
        direction : ndarray of shape (testable bins,), optional
            Ask only for a change in proportion to these numbers: one degree of freedom, more power where it is so.
        """
        return self._test(self._blocks[feature], direction)

    def condition_on(self, feature: int) -> None:
        """From here on, ask only what goes beyond the change along this feature."""
        self._sweep(self._blocks[feature])

    def _sweep(self, index: NDArray[np.intp]) -> tuple[float, int]:
        """Take what these columns explain out of all others; return how much that was, and its degrees of freedom."""
        inverse, rank = _pseudo_inverse(self._gram[np.ix_(index, index)], float(self._diagonal[index].max()))
        projected = self._gram[:, index] @ inverse
        explained = float(self._moment[index] @ inverse @ self._moment[index])
        self._moment = self._moment - projected @ self._moment[index]
        self._gram = self._gram - projected @ self._gram[index, :]
        half = self._meat - projected @ self._meat[index, :]
        self._meat = half - half[:, index] @ projected.T
        return explained, rank

    def _test(self, index: NDArray[np.intp], direction: NDArray[np.float64] | None) -> BlockTest:
        basis = np.eye(index.size) if direction is None else direction[:, None]
        block = np.ix_(index, index)
        scale = float(self._diagonal[index].max()) * float((basis**2).sum(axis=0).max())
        inverse, rank = _pseudo_inverse(basis.T @ self._gram[block] @ basis, scale)
        moment = basis.T @ self._moment[index]
        covariance = inverse @ (basis.T @ self._meat[block] @ basis) @ inverse * self.dispersion
        effect = inverse @ moment
        precision, _ = _pseudo_inverse(covariance, float(covariance.diagonal().max()))
        statistic = max(float(effect @ precision @ effect), 0.0)
        return BlockTest(
            statistic=statistic,
            degrees=rank,
            p_value=float(fdtrc(rank, self._freedom, statistic / rank)) if rank else 1.0,
            effect=basis @ effect,
            covariance=basis @ covariance @ basis.T,
        )


def additive_effects(
    codes: NDArray[np.intp], bins: Sequence[int], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Return the effect of each bin of each feature in the additive least-squares fit of `values`.

    Parameters
    ----------
    codes : ndarray of shape (n, features), int
    bins : sequence of int
    values : ndarray of shape (n,)

    Returns
    -------
    tuple of ndarray of shape (bins,)
        One a feature, none without features; the smallest solution where the features do not determine it.

    Examples
    --------
    >>> effects, = additive_effects(np.array([[0], [0], [1], [1]]), [2], np.array([0.2, 0.2, 0.6, 0.6]))
    >>> round(float(effects[1] - effects[0]), 6)
    0.4
    """
    if not bins:
        return ()
    starts = np.concatenate([[0], np.cumsum(bins)]).astype(np.intp)
    columns, width = codes + starts[:-1], int(starts[-1])
    gram = _cross_product(columns, np.ones(values.size), width)
    moment = _moment(columns, values - values.mean(), width)
    inverse, _ = _pseudo_inverse(gram, float(gram.diagonal().max()))
    return tuple(np.split(inverse @ moment, starts[1:-1]))


def _own_and_common(sums: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the matrix of the second sample's own terms, then of those common to both samples."""
    first, second = sums
    return np.block([[second, second], [second, first + second]])


def _moment(columns: NDArray[np.intp], values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return X'v of the 0/1 design that has ones in the given columns of each row."""
    each = np.repeat(values, columns.shape[1])
    return np.bincount(columns.ravel(), weights=each, minlength=width).astype(np.float64)


def _cross_product(columns: NDArray[np.intp], weight: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return X'WX, shape (width, width): in blocks of dense rows, which takes half the time of sparse matrices."""
    product = np.zeros((width, width))
    block = np.zeros((min(_BLOCK_ROWS, len(columns)), width))
    starts = (np.arange(len(block)) * width)[:, None]
    flat = block.ravel()
    for first in range(0, len(columns), _BLOCK_ROWS):
        part = columns[first : first + _BLOCK_ROWS]
        ones = (starts[: len(part)] + part).ravel()
        flat[ones] = np.repeat(np.sqrt(weight[first : first + _BLOCK_ROWS]), columns.shape[1])
        product += block[: len(part)].T @ block[: len(part)]
        flat[ones] = 0.0
    return product


def _pseudo_inverse(matrix: NDArray[np.float64], scale: float) -> tuple[NDArray[np.float64], int]:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2.0)
    kept = values > max(_RANK_TOLERANCE * scale, 1e-12)
    inverse: NDArray[np.float64] = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    return inverse, int(kept.sum())
