"""Models, their versions and deployments, and the files they are made of."""

from loanwatch.registry.artifacts import load_artifact, save_artifact
from loanwatch.registry.decisions import logged_probabilities
from loanwatch.registry.deployment import Deployment, deploy, deployments, hold_deployments, rollback
from loanwatch.registry.metrics import MetricPoint, metric_history, record_metrics
from loanwatch.registry.profiles import StoredWindow, store_days, stored_window
from loanwatch.registry.verdicts import is_newest_window, record_verdicts, withdraw_verdicts
from loanwatch.registry.versions import ModelVersion, find_version, online_version, register, version_by_id, versions

__all__ = [
    "Deployment",
    "MetricPoint",
    "ModelVersion",
    "StoredWindow",
    "deploy",
    "deployments",
    "find_version",
    "hold_deployments",
    "is_newest_window",
    "load_artifact",
    "logged_probabilities",
    "metric_history",
    "online_version",
    "record_metrics",
    "record_verdicts",
    "register",
    "rollback",
    "save_artifact",
    "store_days",
    "stored_window",
    "version_by_id",
    "versions",
    "withdraw_verdicts",
]
