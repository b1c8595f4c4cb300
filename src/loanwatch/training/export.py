"""From scikit-learn's fitted trees to an ONNX graph that decides as they do.

Thresholds and leaf values stay in double precision (the `TreeEnsemble` operator of ai.onnx.ml 5), so that no row falls
on the other side of a split and sums agree with scikit-learn's to about 1e-15.
"""

from collections.abc import Iterable
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier  # type: ignore[import-untyped]  # it has no stubs

from loanwatch.records import record
from loanwatch.scoring import GRAPH_INPUT, GRAPH_OUTPUT

__all__ = ["Estimator", "node_covers", "to_onnx"]


class Estimator(Protocol):
    """What training needs of a scikit-learn classifier."""

    n_features_in_: int

    def fit(self, X: NDArray[np.float32], y: NDArray[np.bool_]) -> Self:  # noqa: N803  (scikit-learn's name)
        """Fit to rows of shape (n, k) and labels of shape (n,)."""
        ...

    def predict_proba(self, X: NDArray[np.float32]) -> NDArray[np.float64]:  # noqa: N803
        """Return the probabilities of both classes, of shape (n, 2)."""
        ...


IntArray = np.ndarray[tuple[int], np.dtype[np.int64]]
BoolArray = np.ndarray[tuple[int], np.dtype[np.bool_]]
FloatArray = np.ndarray[tuple[int], np.dtype[np.float64]]

_IR_VERSION = 10
_OPSETS = {"": 21, "ai.onnx.ml": 5}
_SUM, _NO_TRANSFORM, _LESS_OR_EQUAL = 1, 0, 0


@record
class _Tree:
    """One tree: of every node its children (of a leaf: any), feature, threshold, value and cover."""

    leaf: BoolArray
    left: IntArray
    right: IntArray
    feature: IntArray
    threshold: FloatArray
    value: FloatArray
    cover: FloatArray
    """Training rows, by weight, that came past the node."""


def to_onnx(estimator: Estimator) -> bytes:
    """Return the ONNX model of a fitted two-class forest or boosting: features → P(second class).

    Parameters
    ----------
    estimator : RandomForestClassifier or HistGradientBoostingClassifier
        Fitted to float32 inputs without missing values and without categorical features.

    Returns
    -------
    bytes
        A model with the input `features` (float32, n × k) and the output `probability` (double, n × 1).
    """
    fitted: Any = estimator  # boosting publishes neither its trees nor its baseline
    trees = _trees(estimator)
    nodes = [helper.make_node("Cast", [GRAPH_INPUT], ["exact"], to=TensorProto.DOUBLE)]
    constants: list[TensorProto] = []
    if isinstance(estimator, RandomForestClassifier):
        nodes.append(_ensemble(trees, "exact", GRAPH_OUTPUT))
    else:
        baseline = np.asarray(fitted._baseline_prediction, dtype=np.float64).reshape(1)  # noqa: SLF001
        constants.append(numpy_helper.from_array(baseline, "baseline"))
        nodes.append(_ensemble(trees, "exact", "trees"))
        nodes.append(helper.make_node("Add", ["trees", "baseline"], ["logit"]))
        nodes.append(helper.make_node("Sigmoid", ["logit"], [GRAPH_OUTPUT]))
    graph = helper.make_graph(
        nodes,
        "loanwatch",
        [helper.make_tensor_value_info(GRAPH_INPUT, TensorProto.FLOAT, [None, estimator.n_features_in_])],
        [helper.make_tensor_value_info(GRAPH_OUTPUT, TensorProto.DOUBLE, [None, 1])],
        initializer=constants,
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
    model: ModelProto = helper.make_model(
        graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="loanwatch"
    )
    return bytes(model.SerializeToString())


def node_covers(estimator: Estimator) -> NDArray[np.float64]:
    """Return how many training rows came past each node: inner nodes first, then leaves, as the graph numbers them.

    Explaining a score needs them, and the graph has no place for those of leaves.

    Parameters
    ----------
    estimator : RandomForestClassifier or HistGradientBoostingClassifier
        What `to_onnx` was given.

    Returns
    -------
    ndarray of shape (inner nodes + leaves,), above 0
        In a forest by weight: a row that a tree's sample holds twice counts twice.
    """
    trees = [_with_split(tree) for tree in _trees(estimator)]
    inner = [tree.cover[~tree.leaf] for tree in trees]
    return np.concatenate([*inner, *(tree.cover[tree.leaf] for tree in trees)]).astype(np.float64)


def _trees(estimator: Estimator) -> Iterable[_Tree]:
    fitted: Any = estimator
    return _forest_trees(fitted) if isinstance(estimator, RandomForestClassifier) else _boosting_trees(fitted)


def _forest_trees(forest: RandomForestClassifier) -> Iterable[_Tree]:
    for member in forest.estimators_:
        tree = member.tree_
        shares = tree.value[:, 0, :]
        yield _Tree(
            leaf=tree.children_left < 0,
            left=tree.children_left,
            right=tree.children_right,
            feature=tree.feature,
            threshold=tree.threshold,
            value=shares[:, 1] / shares.sum(axis=1) / len(forest.estimators_),
            cover=tree.weighted_n_node_samples,
        )


def _boosting_trees(boosting: HistGradientBoostingClassifier) -> Iterable[_Tree]:
    for (predictor,) in boosting._predictors:  # noqa: SLF001
        nodes = predictor.nodes
        yield _Tree(
            leaf=nodes["is_leaf"].astype(bool),
            left=nodes["left"].astype(np.int64),
            right=nodes["right"].astype(np.int64),
            feature=nodes["feature_idx"].astype(np.int64),
            threshold=nodes["num_threshold"],
            value=nodes["value"],
            cover=nodes["count"].astype(np.float64),
        )


def _ensemble(trees: Iterable[_Tree], source: str, target: str) -> NodeProto:
    """Return the operator; it numbers inner nodes and leaves apart, over all trees."""
    features, thresholds, weights, roots = [], [], [], []
    children: dict[str, list[IntArray]] = {"true": [], "false": []}
    are_leaves: dict[str, list[BoolArray]] = {"true": [], "false": []}
    first_node = first_leaf = 0
    for tree in map(_with_split, trees):
        inner = ~tree.leaf
        number = np.where(tree.leaf, first_leaf + np.cumsum(tree.leaf) - 1, first_node + np.cumsum(inner) - 1)
        for side, child in (("true", tree.left[inner]), ("false", tree.right[inner])):
            children[side].append(number[child])
            are_leaves[side].append(tree.leaf[child])
        features.append(tree.feature[inner])
        thresholds.append(tree.threshold[inner])
        weights.append(tree.value[tree.leaf])
        roots.append(first_node)
        first_node += int(inner.sum())
        first_leaf += int(tree.leaf.sum())
    return helper.make_node(
        "TreeEnsemble",
        [source],
        [target],
        domain="ai.onnx.ml",
        aggregate_function=_SUM,
        post_transform=_NO_TRANSFORM,
        n_targets=1,
        tree_roots=roots,
        nodes_featureids=np.concatenate(features).tolist(),
        nodes_splits=numpy_helper.from_array(np.concatenate(thresholds).astype(np.float64)),
        nodes_modes=numpy_helper.from_array(np.full(first_node, _LESS_OR_EQUAL, dtype=np.uint8)),
        nodes_truenodeids=np.concatenate(children["true"]).tolist(),
        nodes_falsenodeids=np.concatenate(children["false"]).tolist(),
        nodes_trueleafs=np.concatenate(are_leaves["true"]).astype(np.int64).tolist(),
        nodes_falseleafs=np.concatenate(are_leaves["false"]).astype(np.int64).tolist(),
        leaf_targetids=[0] * first_leaf,
        leaf_weights=numpy_helper.from_array(np.concatenate(weights).astype(np.float64)),
    )


def _with_split(tree: _Tree) -> _Tree:
    """Return the tree, or for one that is a single leaf a split with that leaf on both sides: a root must be a node."""
    if not tree.leaf[0]:
        return tree
    both = np.repeat(tree.value[:1], 3)
    return _Tree(
        leaf=np.array([False, True, True]),
        left=np.array([1, 0, 0]),
        right=np.array([2, 0, 0]),
        feature=np.zeros(3, dtype=np.int64),
        threshold=np.zeros(3),
        value=both,
        cover=tree.cover[0] * np.array([1.0, 0.5, 0.5]),
    )
