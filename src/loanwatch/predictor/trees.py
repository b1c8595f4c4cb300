"""The trees of an ONNX graph as arrays of leaves: what explaining a score needs of them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from loanwatch.errors import ArtifactError
from loanwatch.records import record
from loanwatch.scoring import ScoringModel

__all__ = ["Leaves", "leaves_of"]


@record
class Leaves:
    """Every leaf of every tree, with the conditions on its way.

    The conditions of a way on one feature are merged into one interval. Arrays have shape (leaves, m), where m is the
    largest number of features on a way; a shorter way is filled up with conditions that always hold.
    """

    value: NDArray[np.float64]
    """What the leaf adds to the score; shape (leaves,)."""
    feature: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    """A row meets the condition if low < x[feature] ≤ high."""
    share: NDArray[np.float64]
    """Share of the training rows at the splits on this feature that went this way, in (0, 1]; 1 for a filler."""
    depth: NDArray[np.int64]
    """Number of features on the way; shape (leaves,)."""

    @property
    def expected(self) -> float:
        """The mean of the trees' sum over the training rows."""
        return float((self.value * self.share.prod(axis=1)).sum())


@record
class _Graph:
    """The attributes of the TreeEnsemble operator."""

    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    child: tuple[NDArray[np.int64], NDArray[np.int64]]
    is_leaf: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    value: NDArray[np.float64]


_Condition = tuple[float, float, float]  # low, high, share
_Way = dict[int, _Condition]


def leaves_of(model: ScoringModel) -> Leaves:
    """Read the trees of a scoring model.

    Raises
    ------
    ArtifactError
        If the graph has no tree ensemble, or the model was saved without the rows of each node.
    """
    if model.covers is None:
        raise ArtifactError("the model was saved without the rows of its tree nodes: train it again to explain scores")
    graph = _read(model.graph)
    nodes, leaves = len(graph.feature), len(graph.value)
    if len(model.covers) != nodes + leaves or not (model.covers > 0).all():
        raise ArtifactError(f"covers do not fit the graph: {len(model.covers)} for {nodes + leaves} nodes")
    ways: list[_Way] = [{}] * leaves
    for leaf, way in _walk(graph, model.covers):
        ways[leaf] = way
    return _as_arrays(ways, graph.value)


def _read(content: bytes) -> _Graph:
    import onnx  # noqa: PLC0415  (a third of a second; scoring alone does without it)

    for node in onnx.load_model_from_string(content).graph.node:
        if node.op_type == "TreeEnsemble":
            break
    else:
        raise ArtifactError("the graph has no tree ensemble, so its scores cannot be explained")
    found = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}

    def integers(name: str) -> NDArray[np.int64]:
        return np.asarray(found[name], dtype=np.int64)

    return _Graph(
        roots=integers("tree_roots"),
        feature=integers("nodes_featureids"),
        threshold=onnx.numpy_helper.to_array(found["nodes_splits"]).astype(np.float64),
        child=(integers("nodes_truenodeids"), integers("nodes_falsenodeids")),
        is_leaf=(integers("nodes_trueleafs").astype(bool), integers("nodes_falseleafs").astype(bool)),
        value=onnx.numpy_helper.to_array(found["leaf_weights"]).astype(np.float64),
    )


def _walk(graph: _Graph, covers: NDArray[np.float64]) -> Iterator[tuple[int, _Way]]:
    """Yield each leaf with its way, all trees after another."""
    nodes = len(graph.feature)
    todo: list[tuple[int, _Way]] = [(int(root), {}) for root in graph.roots]
    while todo:
        node, way = todo.pop()
        feature, threshold = int(graph.feature[node]), float(graph.threshold[node])
        low, high, share = way.get(feature, (-np.inf, np.inf, 1.0))
        for side, (bottom, top) in enumerate(((low, min(high, threshold)), (max(low, threshold), high))):
            child, is_leaf = int(graph.child[side][node]), bool(graph.is_leaf[side][node])
            portion = float(covers[nodes + child if is_leaf else child] / covers[node])
            further = {**way, feature: (bottom, top, share * portion)}
            if is_leaf:
                yield child, further
            else:
                todo.append((child, further))


def _as_arrays(ways: list[_Way], value: NDArray[np.float64]) -> Leaves:
    shape = (len(ways), max((len(way) for way in ways), default=0))
    feature = np.zeros(shape, dtype=np.int64)
    low, high, share = np.full(shape, -np.inf), np.full(shape, np.inf), np.ones(shape)
    for row, way in enumerate(ways):
        for column, (name, condition) in enumerate(way.items()):
            feature[row, column] = name
            low[row, column], high[row, column], share[row, column] = condition
    depth = np.array([len(way) for way in ways], dtype=np.int64)
    return Leaves(value=value, feature=feature, low=low, high=high, share=share, depth=depth)
