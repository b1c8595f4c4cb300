"""The candidates' estimators: defaults, and what a contract may change."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier  # type: ignore[import-untyped]

from loanwatch.contract import Contract
from loanwatch.errors import ContractError
from loanwatch.training.export import Estimator

__all__ = ["DEFAULTS", "make_estimator", "parameters_of"]

# A few thousand rows with a weak signal: the published settings (grown trees) reach a training AUC of 1.0 and are
# disqualified by the degradation rule. Large leaves, small samples and shallow, slow boosting give the best test
# AUC on simulated and real applications (docs/decisions/0003) and a difference well under 0.1.
DEFAULTS: Mapping[str, Mapping[str, float | int | str | bool | None]] = {
    "random_forest": {"n_estimators": 100, "min_samples_leaf": 25, "max_samples": 0.6, "max_features": 0.3},
    "gradient_boosting": {
        "max_iter": 150,
        "learning_rate": 0.04,
        "max_leaf_nodes": 4,
        "min_samples_leaf": 50,
        "l2_regularization": 5.0,
        "early_stopping": False,
    },
}

FEW_ROWS = 1_000
"""Below this many training rows, boosted trees that can see interactions mostly learn chance ones: on 560 to 600 rows
their AUC falls by 0.09 to 0.14 from training to test, that of stumps by 0.04 to 0.07; the test AUC is the same or 0.02
less."""

_FOR_FEW_ROWS: Mapping[str, Mapping[str, float | int | str | bool | None]] = {
    "gradient_boosting": {"max_iter": 120, "max_leaf_nodes": 2},
}

_CLASSES: Mapping[str, Callable[..., Estimator]] = {
    "random_forest": RandomForestClassifier,
    "gradient_boosting": HistGradientBoostingClassifier,
}
# What reproducibility, calibration and export rest on.
_FIXED: Mapping[str, Mapping[str, Any]] = {
    "random_forest": {"bootstrap": True, "oob_score": True, "n_jobs": -1, "warm_start": False, "verbose": 0},
    "gradient_boosting": {"categorical_features": None, "warm_start": False, "verbose": 0},
}


def parameters_of(contract: Contract, name: str, *, rows: int) -> dict[str, float | int | str | bool | None]:
    """Return a candidate's parameters for so many training rows: the defaults, overridden by `training.parameters`.

    Raises
    ------
    ContractError
        If there is no such candidate, or the contract names a parameter that it does not have or may not change.
    """
    if name not in _CLASSES:
        raise ContractError(f"there is no candidate {name}; the candidates are {', '.join(_CLASSES)}")
    overrides = contract.training.parameters.get(name, {})
    settable = sorted({*signature(_CLASSES[name]).parameters} - {*_FIXED[name], "random_state"})
    for parameter in overrides:
        if parameter not in settable:
            raise ContractError(
                f"training.parameters.{name}.{parameter}: not a parameter that can be set; "
                f"those are {', '.join(settable)}"
            )
    few = _FOR_FEW_ROWS.get(name, {}) if rows < FEW_ROWS else {}
    return {**DEFAULTS[name], **few, **overrides}


def make_estimator(name: str, parameters: Mapping[str, Any], *, seed: int) -> Estimator:
    """Return an unfitted estimator that gives the same model for the same rows and seed on any number of cores."""
    return _CLASSES[name](**parameters, **_FIXED[name], random_state=seed)
