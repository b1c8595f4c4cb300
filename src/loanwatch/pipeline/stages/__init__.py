"""One function a stage: `(context, connection) -> StepResult`."""

from loanwatch.pipeline.stages.checks import concept_drift, data_drift, data_quality, model_drift, preprocess
from loanwatch.pipeline.stages.compare import compare
from loanwatch.pipeline.stages.decide import decide
from loanwatch.pipeline.stages.deploy import deploy
from loanwatch.pipeline.stages.extract import extract
from loanwatch.pipeline.stages.finish import finish
from loanwatch.pipeline.stages.report import report
from loanwatch.pipeline.stages.train import train, training_data

__all__ = [
    "compare",
    "concept_drift",
    "data_drift",
    "data_quality",
    "decide",
    "deploy",
    "extract",
    "finish",
    "model_drift",
    "preprocess",
    "report",
    "train",
    "training_data",
]
