import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from threadpoolctl import threadpool_limits

from loanwatch.contract import default_contract
from loanwatch.features import Preprocessor
from loanwatch.scoring import Calibrator, ScoringModel
from loanwatch.simulator import simulate_features
from loanwatch.training import to_onnx


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Keep boosting's threads from waiting for each other in a busy loop beside other test processes."""
    with threadpool_limits(1, user_api="openmp"):
        yield


@pytest.fixture(scope="session", params=["forest", "boosting"])
def model(request) -> ScoringModel:
    frame = simulate_features(1_500, seed=11)
    preprocessor = Preprocessor.fit(frame, default_contract())
    estimator = (
        RandomForestClassifier(90, min_samples_leaf=5, random_state=0)
        if request.param == "forest"
        else HistGradientBoostingClassifier(max_iter=40, random_state=0)
    )
    estimator.fit(preprocessor.transform(frame), frame["label"].to_numpy().astype(bool))
    return ScoringModel(
        preprocessor=preprocessor, calibrator=Calibrator(slope=1.3, intercept=-0.2), graph=to_onnx(estimator)
    )


@pytest.fixture(scope="session")
def frame():
    return simulate_features(3_000, seed=12)


@pytest.fixture(scope="session")
def matrix(model, frame) -> np.ndarray:
    return model.preprocessor.transform(frame)
