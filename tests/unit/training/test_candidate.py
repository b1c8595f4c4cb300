from dataclasses import replace

import joblib
import numpy as np
import polars as pl
import pytest

from loanwatch.contract import Contract
from loanwatch.errors import ContractError, NotEnoughDataError
from loanwatch.scoring import ScoringModel
from loanwatch.training import Split, labels_of, train_candidate


def with_parameters(contract: Contract, name: str, **values: object) -> Contract:
    training = replace(contract.training, parameters={name: values})
    return replace(contract, training=training)


def metric(metrics: tuple, name: str) -> float:
    return next(m.value for m in metrics if m.name == name)


def test_a_candidate_learns_without_degrading(candidate):
    assert candidate.test_auc > 0.72
    assert candidate.train_auc - candidate.test_auc < 0.1


def test_a_candidate_is_calibrated_on_rows_it_has_not_seen(candidate, parts, contract):
    label = labels_of(parts.test, contract)
    assert abs(candidate.test_probability.mean() - label.mean()) < 0.05
    assert 0.75 < metric(candidate.test_metrics, "calibration_slope") < 1.25


def test_the_figures_are_those_of_the_model_that_serves(candidate, parts):
    again = ScoringModel.from_files(candidate.model.to_files())
    assert again.score(parts.test).tobytes() == candidate.test_probability.tobytes()


def test_test_figures_carry_intervals(candidate):
    auc = next(m for m in candidate.test_metrics if m.name == "auc")
    assert auc.lower < auc.value < auc.upper
    assert candidate.test_brier == metric(candidate.test_metrics, "brier")


def test_importance_is_a_share_of_each_predictor_and_names_the_strong_ones(candidate, contract):
    importance = candidate.feature_importance
    assert list(importance) == [c.name for c in contract.predictors]
    assert sum(importance.values()) == pytest.approx(1)
    assert min(importance.values()) >= 0
    strongest = sorted(importance, key=importance.get, reverse=True)[:3]
    assert {"current_loan_amount", "years_in_current_job"} <= set(strongest)


def test_the_same_seed_gives_the_same_files_on_any_number_of_cores(candidate, parts, contract):
    with joblib.parallel_config(backend="sequential"):
        again = train_candidate(parts, contract, candidate.name, seed=0)
    assert again.model.to_files() == candidate.model.to_files()
    assert again.test_metrics == candidate.test_metrics
    assert again.feature_importance == candidate.feature_importance


def test_another_seed_gives_another_model(candidate, parts, contract):
    again = train_candidate(parts, contract, candidate.name, seed=1)
    assert again.model.to_files() != candidate.model.to_files()


def test_a_model_is_small(candidate):
    assert sum(map(len, candidate.model.to_files().values())) < 2_000_000


@pytest.mark.parametrize(
    ("name", "parameter", "value"), [("random_forest", "n_estimators", 7), ("gradient_boosting", "max_iter", 9)]
)
def test_the_contract_overrides_a_parameter(parts, contract, name, parameter, value):
    got = train_candidate(parts, with_parameters(contract, name, **{parameter: value}), name, seed=0)
    assert got.parameters[parameter] == value
    usual = train_candidate(parts, contract, name, seed=0)
    assert len(got.model.graph) < len(usual.model.graph)


@pytest.mark.parametrize("parameter", ["trees", "random_state", "n_jobs", "oob_score", "bootstrap"])
def test_an_unknown_or_fixed_parameter_is_named_with_those_that_can_be_set(parts, contract, parameter):
    wrong = with_parameters(contract, "random_forest", **{parameter: 1})
    with pytest.raises(ContractError, match=rf"training\.parameters\.random_forest\.{parameter}.*n_estimators"):
        train_candidate(parts, wrong, "random_forest", seed=0)


@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting"])
def test_a_value_that_the_estimator_does_not_take_is_an_error_of_the_contract(parts, contract, name):
    wrong = with_parameters(contract, name, min_samples_leaf="many")
    with pytest.raises(ContractError, match=rf"training\.parameters\.{name}.*min_samples_leaf"):
        train_candidate(parts, wrong, name, seed=0)


def test_an_unknown_candidate_is_named_with_those_there_are(parts, contract):
    with pytest.raises(ContractError, match="no candidate oracle; the candidates are random_forest, gradient_boosting"):
        train_candidate(parts, contract, "oracle", seed=0)


def test_an_all_null_predictor_is_named(parts, contract):
    hollow = Split(train=parts.train.with_columns(credit_score=pl.lit(None, dtype=pl.Float64)), test=parts.test)
    with pytest.raises(NotEnoughDataError, match="column credit_score is null in all"):
        train_candidate(hollow, contract, "random_forest", seed=0)


def test_a_model_that_learnt_nothing_relies_on_all_columns_alike(parts, contract):
    lazy = with_parameters(contract, "gradient_boosting", min_samples_leaf=100_000)
    candidate = train_candidate(parts, lazy, "gradient_boosting", seed=0)
    assert set(candidate.feature_importance.values()) == {1 / len(contract.predictors)}
    assert candidate.test_auc == 0.5
    assert np.ptp(candidate.test_probability) == 0
