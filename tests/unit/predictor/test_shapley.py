"""Shapley values of trees, against their definition by enumeration of all coalitions."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from loanwatch.errors import ArtifactError
from loanwatch.features import Input, Preprocessor
from loanwatch.predictor.shapley import TreeExplainer
from loanwatch.predictor.trees import leaves_of
from loanwatch.scoring import Calibrator, ScoringModel
from loanwatch.training import node_covers, to_onnx

FEATURES = 5


def data(seed):
    generator = np.random.default_rng(seed)
    # few distinct values, so that trees split on the same feature again and again
    x = generator.integers(0, 6, size=(300, FEATURES)).astype(np.float32)
    noise = generator.normal(size=300)
    return x, (x[:, 0] + x[:, 1] * (x[:, 2] > 2) - x[:, 3] + noise) > 2


def forest(seed):
    x, y = data(seed)
    return RandomForestClassifier(6, max_depth=6, random_state=seed).fit(x, y), x


def boosting(seed):
    x, y = data(seed)
    model = HistGradientBoostingClassifier(max_iter=6, max_leaf_nodes=12, min_samples_leaf=5, random_state=seed)
    return model.fit(x, y), x


def model_of(estimator):
    inputs = tuple(Input(name=f"x{i}", column=f"x{i}", fill=0.0) for i in range(FEATURES))
    return ScoringModel(
        preprocessor=Preprocessor(inputs=inputs),
        calibrator=Calibrator(slope=1.0, intercept=0.0),
        graph=to_onnx(estimator),
        covers=node_covers(estimator),
    )


def forest_trees(estimator):
    """Trees as dictionaries straight from scikit-learn, not by way of the graph."""
    for member in estimator.estimators_:
        tree = member.tree_
        share = tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1) / len(estimator.estimators_)

        def node(i, tree=tree, share=share):
            if tree.children_left[i] < 0:
                return {"value": share[i], "cover": tree.weighted_n_node_samples[i]}
            return {
                "feature": tree.feature[i], "threshold": tree.threshold[i], "cover": tree.weighted_n_node_samples[i],
                "children": (node(tree.children_left[i]), node(tree.children_right[i])),
            }  # fmt: skip

        yield node(0)


def boosting_trees(estimator):
    for (predictor,) in estimator._predictors:
        nodes = predictor.nodes

        def node(i, nodes=nodes):
            if nodes["is_leaf"][i]:
                return {"value": nodes["value"][i], "cover": nodes["count"][i]}
            return {
                "feature": nodes["feature_idx"][i], "threshold": nodes["num_threshold"][i],
                "cover": nodes["count"][i], "children": (node(nodes["left"][i]), node(nodes["right"][i])),
            }  # fmt: skip

        yield node(0)


def expectation(node, row, known):
    """The score where only some features are known: unknown splits average their branches by training rows."""
    if "value" in node:
        return node["value"]
    left, right = node["children"]
    if node["feature"] in known:
        return expectation(left if row[node["feature"]] <= node["threshold"] else right, row, known)
    return (left["cover"] * expectation(left, row, known) + right["cover"] * expectation(right, row, known)) / node[
        "cover"
    ]


def by_enumeration(trees, row):
    worth = {
        frozenset(s): sum(expectation(tree, row, s) for tree in trees)
        for size in range(FEATURES + 1)
        for s in combinations(range(FEATURES), size)
    }
    values = np.zeros(FEATURES)
    for i in range(FEATURES):
        for s, before in worth.items():
            if i not in s:
                weight = math.factorial(len(s)) * math.factorial(FEATURES - len(s) - 1) / math.factorial(FEATURES)
                values[i] += weight * (worth[s | {i}] - before)
    return worth[frozenset()], values


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("make", "trees_of"), [(forest, forest_trees), (boosting, boosting_trees)])
def test_values_are_those_of_the_definition(make, trees_of, seed):
    estimator, x = make(seed)
    explainer = TreeExplainer.of(leaves_of(model_of(estimator)), inputs=FEATURES)
    trees = list(trees_of(estimator))
    for row in x[:6]:
        base, values = by_enumeration(trees, row)
        assert explainer.base == pytest.approx(base, abs=1e-12)
        assert explainer.values(row) == pytest.approx(values, abs=1e-12)


def test_base_and_values_sum_to_the_score(model, applications):
    explainer = TreeExplainer.of(leaves_of(model), inputs=len(model.preprocessor.inputs))
    matrix = model.preprocessor.transform(applications.head(50))
    sums = np.array([explainer.base + explainer.values(row).sum() for row in matrix])
    raw = model.raw_score_matrix(matrix)
    if np.allclose(sums, raw, atol=1e-9):
        return
    offset = np.log(raw / (1 - raw)) - sums  # boosting: on the logit, without its constant
    assert offset == pytest.approx(offset[0], abs=1e-9)


def test_a_feature_that_no_tree_uses_counts_nothing():
    x, y = data(0)
    x = x.copy()
    x[:, 4] = 1.0
    estimator = RandomForestClassifier(5, max_depth=4, random_state=0).fit(x, y)
    explainer = TreeExplainer.of(leaves_of(model_of(estimator)), inputs=FEATURES)
    assert explainer.values(x[0])[4] == 0.0


def test_a_row_on_a_threshold_goes_left():
    x = np.array([[0.0] + [0] * 4, [1.0] + [0] * 4] * 20, dtype=np.float32)
    estimator = RandomForestClassifier(1, bootstrap=False, random_state=0).fit(x, x[:, 0] > 0.5)
    explainer = TreeExplainer.of(leaves_of(model_of(estimator)), inputs=FEATURES)
    on = x[0].copy()
    on[0] = 0.5
    assert explainer.values(on)[0] == pytest.approx(-0.5)
    assert explainer.values(x[1])[0] == pytest.approx(0.5)


def test_a_tree_that_is_a_single_leaf_explains_nothing():
    x, _ = data(0)
    estimator = RandomForestClassifier(2, bootstrap=False, max_depth=1, min_samples_leaf=200, random_state=0)
    y = np.arange(len(x)) % 2 == 0
    estimator.fit(x, y)
    assert all(
        member.tree_.node_count == 1 for member in estimator.estimators_ if isinstance(member, DecisionTreeClassifier)
    )
    explainer = TreeExplainer.of(leaves_of(model_of(estimator)), inputs=FEATURES)
    assert explainer.base == pytest.approx(0.5)
    assert explainer.values(x[0]) == pytest.approx(np.zeros(FEATURES), abs=1e-15)


def test_a_model_without_covers_cannot_be_explained():
    model = replace(model_of(forest(0)[0]), covers=None)
    with pytest.raises(ArtifactError, match="train it again"):
        leaves_of(model)


def test_covers_of_another_graph_are_refused():
    model = replace(model_of(forest(0)[0]), covers=np.ones(3))
    with pytest.raises(ArtifactError, match="do not fit"):
        leaves_of(model)


def test_covers_come_back_from_the_files():
    model = model_of(boosting(1)[0])
    back = ScoringModel.from_files(model.to_files())
    assert back.covers is not None
    assert np.array_equal(back.covers, model.covers)
