"""Train one candidate: preprocessing, estimator, calibration, export, evaluation."""

import time
import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from loanwatch.contract import Contract
from loanwatch.errors import ContractError
from loanwatch.features import Preprocessor
from loanwatch.monitoring.performance import measure_performance
from loanwatch.monitoring.result import Measurement
from loanwatch.records import record
from loanwatch.scoring import Calibrator, ScoringModel
from loanwatch.training.calibration import fit_calibrator, out_of_fold
from loanwatch.training.estimators import make_estimator, parameters_of
from loanwatch.training.export import Estimator, node_covers, to_onnx
from loanwatch.training.importance import feature_importance
from loanwatch.training.split import Split, labels_of

__all__ = ["Candidate", "train_candidate"]


@record
class Candidate:
    """A trained model with the evidence for it."""

    name: str
    parameters: Mapping[str, float | int | str | bool | None]
    """The estimator's parameters that differ from the library's defaults."""
    model: ScoringModel
    train_metrics: tuple[Measurement, ...]
    """On the rows it was fitted to, without intervals: they would not mean anything."""
    test_metrics: tuple[Measurement, ...]
    test_probability: NDArray[np.float64]
    """Calibrated P(positive) of the test rows, in the split's order."""
    feature_importance: Mapping[str, float]
    """Column → share, summing to 1."""
    seconds: float

    @property
    def train_auc(self) -> float:
        """AUC on the training rows."""
        return _value(self.train_metrics, "auc")

    @property
    def test_auc(self) -> float:
        """AUC on the test rows."""
        return _value(self.test_metrics, "auc")

    @property
    def test_brier(self) -> float:
        """Brier score on the test rows."""
        return _value(self.test_metrics, "brier")


def train_candidate(split: Split, contract: Contract, name: str, *, seed: int) -> Candidate:
    """Fit, calibrate, export and evaluate one candidate.

    Preprocessing, estimator and calibrator see the training rows only. All figures are those of the exported graph,
    which is what serves.

    Parameters
    ----------
    split : Split
        Cleaned, engineered, labelled rows.
    contract : Contract
        Names the predictors and the candidate's parameters.
    name : {"random_forest", "gradient_boosting"}
    seed : int
        Same rows, seed and parameters: same model, on any number of cores.

    Raises
    ------
    ContractError
        If a parameter is unknown, or its value is not one that the estimator takes.
    NotEnoughDataError
        If a predictor is null in all training rows.
    """
    started = time.perf_counter()
    parameters = parameters_of(contract, name, rows=split.train.height)
    preprocessor = Preprocessor.fit(split.train, contract)
    train, test = preprocessor.transform(split.train), preprocessor.transform(split.test)
    train_label, test_label = labels_of(split.train, contract), labels_of(split.test, contract)
    try:
        graph, covers, calibrator = _fit(name, parameters, train, train_label, seed=seed)
    except ValueError as error:
        raise ContractError(f"training.parameters.{name}: {error}") from error
    model = ScoringModel(preprocessor=preprocessor, calibrator=calibrator, graph=graph, covers=covers)
    probability = model.score_matrix(test)
    return Candidate(
        name=name,
        parameters=parameters,
        model=model,
        train_metrics=measure_performance(train_label, model.score_matrix(train), with_intervals=False),
        test_metrics=measure_performance(test_label, probability, seed=seed),
        test_probability=probability,
        feature_importance=feature_importance(model, test, test_label, seed=seed),
        seconds=time.perf_counter() - started,
    )


def _fit(
    name: str, parameters: Mapping[str, object], matrix: NDArray[np.float32], label: NDArray[np.bool_], *, seed: int
) -> tuple[bytes, NDArray[np.float64], Calibrator]:
    def make() -> Estimator:
        return make_estimator(name, parameters, seed=seed)

    # Boosting's threads wait for each other in a busy loop: on a machine with other work a fit takes fifty times as
    # long with two of them as with one.
    with threadpool_limits(1, user_api="openmp"), warnings.catch_warnings():
        # A small forest leaves some rows without out-of-bag votes; the calibration leaves those rows out.
        warnings.filterwarnings("ignore", message="Some inputs do not have OOB scores", category=UserWarning)
        fitted = make().fit(matrix, label)
        scores = out_of_fold(fitted, matrix, label, make=make, seed=seed)
    return to_onnx(fitted), node_covers(fitted), fit_calibrator(scores, label)


def _value(metrics: tuple[Measurement, ...], name: str) -> float:
    return next(m.value for m in metrics if m.name == name)
