"""Exact Shapley values of a tree ensemble's score.

The game is that of path-dependent TreeSHAP (Lundberg et al. 2020, From local explanations to global understanding with
explainable AI for trees, algorithm 1): a feature that is left out sends a row down both branches, weighted by the
training rows that went there.

For one leaf of value v with the features 1 … d on its way, let z_j be the share of the training rows that went its way
at the splits on j, and o_j be 1 if the row meets the conditions on j, else 0. The Shapley value of i is

    v (o_i - z_i) Σ_{S ⊆ others} |S|! (d - |S| - 1)! / d! Π_{j in S} o_j Π_{j not in S} z_j
      = v (o_i - z_i) ∫₀¹ Π_{j ≠ i} (t o_j + (1 - t) z_j) dt,

because the weight of S is the beta integral of t^|S| (1 - t)^(d - |S| - 1). The integrand is a polynomial of degree
d - 1, which Gauss-Legendre quadrature integrates exactly with ⌈d / 2⌉ nodes (as in Yu et al. 2022, Linear TreeShap,
which uses the same polynomial).
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray

from loanwatch.predictor.trees import Leaves
from loanwatch.records import record

__all__ = ["TreeExplainer"]


@record
class _Group:
    """The leaves that have d features on their way, with everything that does not depend on the row.

    The leaves are the last axis, so that each step runs along memory.
    """

    feature: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    share: NDArray[np.float64]
    """These four of shape (d, leaves)."""
    unmet: NDArray[np.float64]
    """(1 - t) z at each node t of the quadrature; shape (d, nodes, leaves)."""
    met: NDArray[np.float64]
    """(1 - t) z + t."""
    weight: NDArray[np.float64]
    """Weight of each node times the leaf's value; shape (nodes, leaves)."""

    @classmethod
    def of(cls, leaves: Leaves, depth: int) -> Self:
        chosen = np.flatnonzero(leaves.depth == depth)
        share = leaves.share[chosen, :depth].T
        points, weights = np.polynomial.legendre.leggauss(-(-depth // 2))
        points, weights = (points[:, None] + 1) / 2, weights[:, None] / 2
        unmet = share[:, None, :] * (1 - points)
        return cls(
            feature=np.ascontiguousarray(leaves.feature[chosen, :depth].T),
            low=np.ascontiguousarray(leaves.low[chosen, :depth].T),
            high=np.ascontiguousarray(leaves.high[chosen, :depth].T),
            share=np.ascontiguousarray(share),
            unmet=np.ascontiguousarray(unmet),
            met=np.ascontiguousarray(unmet + points),
            weight=np.ascontiguousarray(leaves.value[chosen] * weights),
        )

    def add_to(self, effects: NDArray[np.float64], row: NDArray[np.float64]) -> None:
        x = row[self.feature]
        holds = (x > self.low) & (x <= self.high)
        factors = np.where(holds[:, None, :], self.met, self.unmet)
        products = factors.prod(axis=0) * self.weight
        np.divide(products, factors, out=factors)
        effect = (holds - self.share) * factors.sum(axis=1)
        effects += np.bincount(self.feature.ravel(), weights=effect.ravel(), minlength=len(effects))


@record
class TreeExplainer:
    """The leaves of an ensemble, prepared for explaining rows."""

    base: float
    """What the Shapley values are differences to: the mean of the trees' sum over the training rows."""
    inputs: int
    """k, the number of the model's inputs."""
    groups: tuple[_Group, ...]

    @classmethod
    def of(cls, leaves: Leaves, *, inputs: int) -> Self:
        """Prepare the explanation of an ensemble with `inputs` inputs."""
        depths = sorted(set(leaves.depth.tolist()) - {0})
        return cls(base=leaves.expected, inputs=inputs, groups=tuple(_Group.of(leaves, depth) for depth in depths))

    def values(self, row: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the Shapley value of each input; with `base` they sum to the trees' sum for this row.

        Parameters
        ----------
        row : ndarray of shape (k,), float32
            One row of the preprocessed matrix.

        Returns
        -------
        ndarray of shape (k,)
            On the scale of the trees: probability for a forest, logit for boosting.
        """
        effects = np.zeros(self.inputs)
        exact = row.astype(np.float64)
        for group in self.groups:
            group.add_to(effects, exact)
        return effects
