"""Small models of both kinds, trained on simulated applications."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from threadpoolctl import threadpool_limits

from loanwatch.contract import Contract, default_contract
from loanwatch.features import Preprocessor
from loanwatch.predictor.explanation import Explainer
from loanwatch.predictor.scorer import Scorer
from loanwatch.registry import ModelVersion
from loanwatch.scoring import Calibrator, ScoringModel
from loanwatch.simulator import simulate_features
from loanwatch.training import node_covers, to_onnx

ESTIMATORS = {
    "forest": lambda: RandomForestClassifier(30, min_samples_leaf=8, max_features=0.4, random_state=0),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=25, max_leaf_nodes=8, random_state=0),
}


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Keep boosting's threads from waiting for each other in a busy loop beside other test processes."""
    with threadpool_limits(1, user_api="openmp"):
        yield


@pytest.fixture(scope="session")
def contract() -> Contract:
    return default_contract()


@pytest.fixture(scope="session")
def applications():
    """Cleaned and engineered, with a label."""
    return simulate_features(900, seed=3)


def scoring_model(estimator, applications, contract) -> ScoringModel:
    preprocessor = Preprocessor.fit(applications, contract)
    estimator.fit(preprocessor.transform(applications), applications["label"].to_numpy().astype(bool))
    calibrator = Calibrator(slope=1.2, intercept=-0.1)
    return ScoringModel(
        preprocessor=preprocessor, calibrator=calibrator, graph=to_onnx(estimator), covers=node_covers(estimator)
    )


@pytest.fixture(scope="session", params=list(ESTIMATORS))
def estimator(request):
    """Each kind of candidate; fitted with `model`."""
    return ESTIMATORS[request.param]()


@pytest.fixture(scope="session")
def model(estimator, applications, contract) -> ScoringModel:
    return scoring_model(estimator, applications, contract)


def version_of(number: int = 3) -> ModelVersion:
    return ModelVersion(
        id=number, name="loan_eligibility", version=number, status="online", run_id=None, deployed_at=None,
        digest="0" * 64, metadata={}, created_at=np.datetime64("2015-01-01").astype(object),
    )  # fmt: skip


@pytest.fixture(scope="session")
def scorer(model, contract) -> Scorer:
    return Scorer(version=version_of(), contract=contract, model=model, explainer=Explainer.of(model, contract))


@pytest.fixture(scope="session")
def boosting_scorer(applications, contract) -> Scorer:
    model = scoring_model(ESTIMATORS["boosting"](), applications, contract)
    return Scorer(version=version_of(), contract=contract, model=model, explainer=Explainer.of(model, contract))
