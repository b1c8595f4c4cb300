"""The whole way of a window of applications; command line, DAG and tests call these functions."""

from loanwatch.pipeline.backfill import backfill, windows_between
from loanwatch.pipeline.context import RunContext, open_run
from loanwatch.pipeline.flow import (
    CLOSING_STAGES,
    STAGES_BEFORE_DECISION,
    fail_run,
    perform_stage,
    run_window,
    training_stages,
)
from loanwatch.pipeline.outcome import Outcome
from loanwatch.pipeline.reporting import write_report
from loanwatch.pipeline.runs import Run, begin_run, find_run, list_runs
from loanwatch.pipeline.steps import Step, steps_of
from loanwatch.pipeline.stored_drift import StoredDrift, compare_days

__all__ = [
    "CLOSING_STAGES",
    "STAGES_BEFORE_DECISION",
    "Outcome",
    "Run",
    "RunContext",
    "Step",
    "StoredDrift",
    "backfill",
    "begin_run",
    "compare_days",
    "fail_run",
    "find_run",
    "list_runs",
    "open_run",
    "perform_stage",
    "run_window",
    "steps_of",
    "training_stages",
    "windows_between",
    "write_report",
]
