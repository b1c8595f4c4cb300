import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

from loanwatch.training import to_onnx

ESTIMATORS = {
    "forest": RandomForestClassifier(40, min_samples_leaf=2, random_state=0),
    "one tree": RandomForestClassifier(1, random_state=0),
    "stumps": RandomForestClassifier(5, max_depth=1, random_state=0),
    "weighted": RandomForestClassifier(20, class_weight="balanced", random_state=0),
    "boosting": HistGradientBoostingClassifier(max_iter=30, min_samples_leaf=5, random_state=0),
    "stopped boosting": HistGradientBoostingClassifier(max_iter=60, early_stopping=True, random_state=0),
    "leaves only": HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=10_000, random_state=0),
    "leaves only forest": RandomForestClassifier(3, min_samples_leaf=10_000, random_state=0),
}


def training_rows() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    matrix = generator.normal(size=(800, 6)).astype(np.float32)
    matrix[:, 3] = np.round(matrix[:, 3])
    matrix[:, 4] = 1e6 * matrix[:, 4]
    matrix[:, 5] = 0.1
    label = matrix[:, 0] + matrix[:, 1] * matrix[:, 3] + generator.normal(size=800) > 0
    return matrix, label


def run(graph: bytes, matrix: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return session.run(["probability"], {"features": matrix})[0].ravel()


def thresholds_of(estimator: object) -> list[tuple[int, float]]:
    if isinstance(estimator, RandomForestClassifier):
        trees = [tree.tree_ for tree in estimator.estimators_]
        return [(f, t) for tree in trees for f, t in zip(tree.feature, tree.threshold, strict=True) if f >= 0]
    nodes = [node for (tree,) in estimator._predictors for node in tree.nodes if not node["is_leaf"]]
    return [(int(node["feature_idx"]), float(node["num_threshold"])) for node in nodes]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_graph_gives_the_probabilities_of_scikit_learn(name):
    matrix, label = training_rows()
    estimator = ESTIMATORS[name].fit(matrix, label)
    graph = to_onnx(estimator)
    onnx.checker.check_model(onnx.load_from_string(graph))
    unseen = np.random.default_rng(6).normal(scale=3, size=(2_000, 6)).astype(np.float32)
    for rows in (matrix, unseen):
        assert np.abs(run(graph, rows) - estimator.predict_proba(rows)[:, 1]).max() < 1e-12


@pytest.mark.parametrize("name", ESTIMATORS)
def test_rows_on_a_threshold_and_beside_it_take_the_same_branch(name):
    matrix, label = training_rows()
    estimator = ESTIMATORS[name].fit(matrix, label)
    generator = np.random.default_rng(7)
    rows = []
    for feature, threshold in thresholds_of(estimator)[:2_000]:
        at = np.float32(threshold)
        for value in (at, np.nextafter(at, np.float32(np.inf)), np.nextafter(at, np.float32(-np.inf))):
            row = matrix[generator.integers(len(matrix))].copy()
            row[feature] = value
            rows.append(row)
    rows = np.array(rows or matrix[:3], dtype=np.float32)
    assert np.abs(run(to_onnx(estimator), rows) - estimator.predict_proba(rows)[:, 1]).max() < 1e-12


def test_the_graph_is_the_same_for_the_same_trees():
    matrix, label = training_rows()
    estimator = ESTIMATORS["boosting"].fit(matrix, label)
    assert to_onnx(estimator) == to_onnx(estimator)
